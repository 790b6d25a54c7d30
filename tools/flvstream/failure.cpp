// SPDX-License-Identifier: LGPL-2.1-or-later
#include "failure.h"

#include <cerrno>
#include <memory>

#include "advice.h"
#include "names.h"
#include "operands.h"

namespace flvstream {

namespace {

constexpr guint kNoSuccess = 300; // HTTP status codes from this one on are failures

struct FreeError {
  void operator()(GError *error) const { g_error_free(error); }
};

// The parts of an error or a warning message.
struct Report {
  std::unique_ptr<GError, FreeError> error;
  std::string details;
  const GstStructure *fields = nullptr; // of the message

  explicit Report(GstMessage *message) {
    GError *failure = nullptr;
    gchar *text = nullptr;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error(message, &failure, &text);
      gst_message_parse_error_details(message, &fields);
    } else {
      gst_message_parse_warning(message, &failure, &text);
      gst_message_parse_warning_details(message, &fields);
    }
    error.reset(failure);
    const gstflv::StringPtr owned(text);
    // The first line names the position in the element's source.
    const std::string lines = text ? text : "";
    if (const std::size_t end = lines.find('\n'); end != std::string::npos)
      details = lines.substr(end + 1);
  }

  // Whether the text is only GStreamer's default text for the error code.
  [[nodiscard]] bool is_vague() const {
    const gstflv::StringPtr usual(gst_error_get_message(error->domain, error->code));
    return g_strcmp0(usual.get(), error->message) == 0;
  }
};

std::string without_stop(std::string text) {
  if (text.ends_with('.'))
    text.pop_back();
  return text;
}

bool is_seek_error(const Report &report) {
  return g_error_matches(report.error.get(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK);
}

// Suggests a command with the same start that reads from a pipe. It skips the bytes before the
// start.
std::string way_without_ranges(const Options &options) {
  const std::string start = options.offset ? "-o " + std::to_string(*options.offset)
                                           : "-s " + time_name(options.start.value_or(0));
  return "the server does not support range requests; read it from the beginning: curl -s " +
         shell_word(options.input) + " | flvstream " + start + " -";
}

std::string http_reason(const Report &report, const Options &options) {
  guint status = 0;
  if (report.fields && gst_structure_get_uint(report.fields, "http-status-code", &status) &&
      status >= kNoSuccess) {
    std::string text = std::string(report.error->message) + " (" + std::to_string(status) + ")";
    const gchar *target = gst_structure_get_string(report.fields, "http-redirect-uri");
    if (target && !g_str_equal(target, "(NULL)"))
      text += std::string(", redirected to ") + target;
    return text;
  }
  if (is_seek_error(report))
    return way_without_ranges(options);
  // souphttpsrc gives no details if the host cannot be found or reached.
  if (g_error_matches(report.error.get(), GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED))
    return "the server cannot be reached, or does not answer";
  return without_stop(report.error->message);
}

// The details end with the system's reason: "Failed to bind on host 'a:1': Address already in use".
std::string system_reason(const Report &report) {
  if (g_error_matches(report.error.get(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT))
    return g_strerror(ENOSPC);
  constexpr std::string_view kColon = ": ";
  if (const std::size_t colon = report.details.rfind(kColon); colon != std::string::npos)
    return without_stop(report.details.substr(colon + kColon.size()));
  return without_stop(report.is_vague() && !report.details.empty() ? report.details
                                                                   : report.error->message);
}

// The reason follows the last colon: "Cannot serve at a port 1: Error binding to address a:1:
// Address already in use."
std::string server_reason(const Report &report) {
  constexpr std::string_view kColon = ": ";
  const std::string text = without_stop(report.error->message);
  const std::size_t colon = text.rfind(kColon);
  return colon == std::string::npos ? text : text.substr(colon + kColon.size());
}

// Whether snap=previous is the default for a time, so that snap=next may be tried, too.
bool looks_back(const Options &options) {
  return options.snap == "previous" && !options.snap_named;
}

// Of a short stream, only the converter has the bytes.
tools::Container container_of(const Pipeline &pipeline, Intake &intake) {
  tools::Container container = intake.identify();
  const bool is_known = container.kind != tools::Container::Kind::Unknown || !pipeline.converter;
  return is_known ? container : pipeline.converter->container();
}

// The messages of this project's elements are complete, but do not name options of flvstream.
std::string own_reason(const Report &report, const Options &options, const Pipeline &pipeline,
                       Intake &intake) {
  const std::string text = report.error->message;
  const GError *error = report.error.get();
  if (g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE)) {
    const std::string advice = advice_for(container_of(pipeline, intake), options.input);
    return advice.empty() ? text : "Not an FLV file, but " + advice;
  }
  if (looks_back(options) && is_seek_error(report))
    return without_stop(text) + "; --snap=next starts there";
  const bool is_of_index = options.index == "metadata" &&
                           g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX) &&
                           text.find("index") != std::string::npos;
  return is_of_index ? without_stop(text) + "; --index=auto continues without it" : text;
}

// The demuxers' errors end with a full stop. If FLV cannot carry a codec, ffmpeg encodes it again.
std::string converter_reason(const Report &report, const Options &options, Intake &intake) {
  const std::string text = without_stop(report.error->message);
  const bool is_codec =
      g_error_matches(report.error.get(), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT) &&
      text.find("cannot carry") != std::string::npos;
  const std::string advice = is_codec ? advice_for(intake.identify(), options.input) : "";
  const std::size_t remedy = advice.find("; ");
  return remedy == std::string::npos
             ? text
             : advice.substr(0, remedy) + ", but " + text + advice.substr(remedy);
}

std::string verb_for_output(const Options &options) {
  if (options.destination == Destination::Output)
    return "cannot write ";
  return is_server(options) ? "cannot serve on " : "cannot send to ";
}

// Adds the verb and the name, unless the reason contains the name.
std::string with_name(const std::string &verb, const std::string &name, const std::string &reason) {
  return reason.find('"' + name + '"') == std::string::npos ? verb + name + ": " + reason : reason;
}

} // namespace

std::string failure_of(GstMessage *message, const Options &options, const Pipeline &pipeline,
                       Intake &intake) {
  const Report report(message);
  const GstObject *element = GST_MESSAGE_SRC(message);
  const std::string input = input_name(options);
  if (element == GST_OBJECT(pipeline.seek) || element == GST_OBJECT(pipeline.pace))
    return input + ": " + own_reason(report, options, pipeline, intake);
  if (pipeline.converter && pipeline.converter->owns(GST_MESSAGE_SRC(message)))
    return input + ": " + converter_reason(report, options, intake);
  if (element == GST_OBJECT(pipeline.source))
    return with_name("cannot read ", input,
                     is_url(options.input) ? http_reason(report, options) : system_reason(report));
  if (element == GST_OBJECT(pipeline.sink))
    return with_name(verb_for_output(options), output_name(options),
                     options.destination == Destination::HttpServer ? server_reason(report)
                                                                    : system_reason(report));
  return report.error->message;
}

// GStreamer has no error code for a closed receiver, so the text is compared.
bool is_receiver_gone(GstMessage *message, const Pipeline &pipeline) {
  const Report report(message);
  if (GST_MESSAGE_SRC(message) != GST_OBJECT(pipeline.sink) ||
      !g_error_matches(report.error.get(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE))
    return false;
  const std::string reason = system_reason(report);
  return reason == g_strerror(EPIPE) || reason == g_strerror(ECONNRESET);
}

bool is_before_key_frames(GstMessage *message, const Options &options, const Pipeline &pipeline) {
  return GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline.seek) && looks_back(options) &&
         is_seek_error(Report(message));
}

} // namespace flvstream
