// SPDX-License-Identifier: LGPL-2.1-or-later
#include "failure.h"

#include <memory>

namespace flvstream {

namespace {

constexpr guint kNoSuccess = 300; // and above, of HTTP status codes

struct FreeError {
  void operator()(GError *error) const { g_error_free(error); }
};

// An error or a warning, taken apart.
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
    // The first line tells where in the element's source that was.
    const std::string lines = text ? text : "";
    if (const std::size_t end = lines.find('\n'); end != std::string::npos)
      details = lines.substr(end + 1);
  }

  // That of the element's own words is often the text for the code, which says little.
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

std::string http_reason(const Report &report) {
  guint status = 0;
  if (report.fields && gst_structure_get_uint(report.fields, "http-status-code", &status) &&
      status >= kNoSuccess) {
    std::string text = std::string(report.error->message) + " (" + std::to_string(status) + ")";
    const gchar *target = gst_structure_get_string(report.fields, "http-redirect-uri");
    if (target && !g_str_equal(target, "(NULL)"))
      text += std::string(", redirected to ") + target;
    return text;
  }
  // All that souphttpsrc says of a host that cannot be found or reached.
  if (g_error_matches(report.error.get(), GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED))
    return "the server cannot be reached, or does not answer";
  return without_stop(report.error->message);
}

// The system's reason ends the details: "Failed to bind on host 'a:1': Address already in use".
std::string system_reason(const Report &report) {
  constexpr std::string_view kColon = ": ";
  if (const std::size_t colon = report.details.rfind(kColon); colon != std::string::npos)
    return without_stop(report.details.substr(colon + kColon.size()));
  return without_stop(report.is_vague() && !report.details.empty() ? report.details
                                                                   : report.error->message);
}

// "Cannot serve at a port 1: Error binding to address a:1: Address already in use."
std::string server_reason(const Report &report) {
  constexpr std::string_view kColon = ": ";
  const std::string text = without_stop(report.error->message);
  const std::size_t colon = text.rfind(kColon);
  return colon == std::string::npos ? text : text.substr(colon + kColon.size());
}

// The elements of this project say it all in the message, but know no options.
std::string own_reason(const Report &report, const Options &options) {
  const std::string text = report.error->message;
  const bool is_of_index =
      options.index == "metadata" &&
      g_error_matches(report.error.get(), GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX) &&
      text.find("index") != std::string::npos;
  return is_of_index ? without_stop(text) + "; --index=auto goes on without" : text;
}

std::string verb_for_output(const Options &options) {
  if (options.host.empty())
    return "cannot write ";
  return is_server(options) ? "cannot serve on " : "cannot send to ";
}

// Unless the reason has it in it.
std::string with_name(const std::string &verb, const std::string &name, const std::string &reason) {
  return reason.find('"' + name + '"') == std::string::npos ? verb + name + ": " + reason : reason;
}

} // namespace

std::string input_name(const Options &options) {
  return options.input == "-" ? "standard input" : options.input;
}

std::string output_name(const Options &options) {
  if (!options.path.empty()) {
    const bool is_ipv6 = options.host.find(':') != std::string::npos;
    const std::string host = is_ipv6 ? '[' + options.host + ']' : options.host;
    return "http://" + host + ":" + std::to_string(options.port) + options.path;
  }
  if (!options.host.empty())
    return options.host + " port " + std::to_string(options.port);
  return options.output.empty() ? "standard output" : options.output;
}

std::string failure_of(GstMessage *message, const Options &options, const Pipeline &pipeline) {
  const Report report(message);
  const GstObject *element = GST_MESSAGE_SRC(message);
  const std::string input = input_name(options);
  if (element == GST_OBJECT(pipeline.seek) || element == GST_OBJECT(pipeline.pace))
    return input + ": " + own_reason(report, options);
  if (element == GST_OBJECT(pipeline.source))
    return with_name("cannot read ", input,
                     is_url(options.input) ? http_reason(report) : system_reason(report));
  if (element == GST_OBJECT(pipeline.sink))
    return with_name(verb_for_output(options), output_name(options),
                     options.path.empty() ? system_reason(report) : server_reason(report));
  return report.error->message;
}

} // namespace flvstream
