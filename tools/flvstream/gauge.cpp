// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gauge.h"

#include <algorithm>

#include <sys/stat.h>
#include <unistd.h>

namespace flvstream {

namespace {

constexpr double kMicrosecond = 1e-6;
constexpr auto kMs = static_cast<gint64>(GST_MSECOND);

gstflv::StructurePtr stats_of(GstElement *element) {
  GstStructure *stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  return gstflv::StructurePtr(stats);
}

std::optional<gint64> query(GstElement *element, GstFormat format,
                            gboolean (*ask)(GstPad *, GstFormat, gint64 *)) {
  const gstflv::PadPtr pad(gst_element_get_static_pad(element, "src"));
  gint64 answer = 0;
  return ask(pad.get(), format, &answer) ? std::optional(answer) : std::nullopt;
}

std::optional<gint64> first_timestamp(GstElement *element) {
  const gstflv::PadPtr pad(gst_element_get_static_pad(element, "src"));
  const gstflv::EventPtr event(gst_pad_get_sticky_event(pad.get(), GST_EVENT_SEGMENT, 0));
  if (!event)
    return std::nullopt;
  const GstSegment *segment = nullptr;
  gst_event_parse_segment(event.get(), &segment);
  return segment->format == GST_FORMAT_TIME
             ? std::optional(static_cast<gint64>(segment->time) / kMs)
             : std::nullopt;
}

// A file that does not exist yet will be a regular file.
bool writes_regular_file(const Options &options) {
  if (options.destination != Destination::Output)
    return false;
  struct stat file {};
  const bool known = (is_standard_output(options) ? fstat(STDOUT_FILENO, &file)
                                                  : stat(options.output.c_str(), &file)) == 0;
  return known ? S_ISREG(file.st_mode) : !is_standard_output(options);
}

} // namespace

Gauge::Gauge(const Options &options, const Pipeline &pipeline)
    : options_(options), pipeline_(pipeline),
      names_no_pace_(options.pace && writes_regular_file(options)),
      time_before_(g_get_monotonic_time()) {}

// ms from the start of the recording, whose timestamps may start at any value. flvpace's first
// segment starts with the timestamp of the first tag, and flvseek has the time of this tag in the
// recording.
std::int64_t Gauge::position() {
  const auto position = query(pipeline_.pace, GST_FORMAT_TIME, gst_pad_query_position);
  if (!position)
    return 0;
  if (!origin_) {
    const auto first = first_timestamp(pipeline_.pace);
    guint64 start = 0;
    g_object_get(pipeline_.seek, "actual-time", &start, nullptr);
    if (first)
      origin_ = *first - static_cast<gint64>(start_.value_or(start));
  }
  return std::max<gint64>(*position / kMs - origin_.value_or(0), 0);
}

// Bits per second, smoothed.
double Gauge::rate(guint64 bytes) {
  constexpr double kSmooth = 0.2;
  const gint64 now = g_get_monotonic_time();
  const double seconds =
      static_cast<double>(std::max<gint64>(now - time_before_, 1)) * kMicrosecond;
  const double rate = static_cast<double>(bytes - bytes_before_) * 8 / seconds;
  rate_ = bytes_before_ == 0 ? rate : rate_ + kSmooth * (rate - rate_);
  bytes_before_ = bytes;
  time_before_ = now;
  return rate_;
}

std::optional<double> Gauge::share(const Progress &progress) const {
  if (progress.duration.value_or(0) > 0 && !options_.loop)
    return std::min(1.0, static_cast<double>(progress.position) /
                             static_cast<double>(*progress.duration));
  const auto byte = query(pipeline_.seek, GST_FORMAT_BYTES, gst_pad_query_position);
  const auto size = query(pipeline_.seek, GST_FORMAT_BYTES, gst_pad_query_duration);
  if (!byte || size.value_or(0) <= 0)
    return std::nullopt;
  return std::min(1.0, static_cast<double>(*byte) / static_cast<double>(*size));
}

std::optional<unsigned> Gauge::clients() const {
  if (options_.destination == Destination::TcpServer) {
    guint clients = 0;
    g_object_get(pipeline_.sink, "num-handles", &clients, nullptr);
    return clients;
  }
  if (options_.destination == Destination::HttpServer)
    return static_cast<unsigned>(number_in(stats_of(pipeline_.sink).get(), "clients-now"));
  return std::nullopt;
}

Progress Gauge::progress() {
  const auto stats = stats_of(pipeline_.pace);
  Progress progress;
  progress.bits_per_second = rate(number_in(stats.get(), "bytes-out"));
  gint64 lead = 0;
  if (options_.pace && gst_structure_get_int64(stats.get(), "lead", &lead))
    progress.lead = lead;
  progress.position = position();
  GstElement *remuxer = pipeline_.converter ? pipeline_.converter->remuxer() : nullptr;
  auto duration =
      query(remuxer ? remuxer : pipeline_.seek, GST_FORMAT_TIME, gst_pad_query_duration);
  if (!duration)
    duration = query(pipeline_.pace, GST_FORMAT_TIME, gst_pad_query_duration);
  if (duration)
    progress.duration = *duration / kMs;
  progress.share = share(progress);
  progress.clients = clients();
  progress.names_no_pace = names_no_pace_;
  return progress;
}

void Gauge::summarize(Summary &summary) {
  const auto stats = stats_of(pipeline_.pace);
  summary.bytes = number_in(stats.get(), "bytes-out");
  summary.audio_tags = number_in(stats.get(), "audio-tags");
  summary.video_tags = number_in(stats.get(), "video-tags");
  summary.script_tags = number_in(stats.get(), "script-tags");
  summary.key_frames = number_in(stats.get(), "key-frames");
  summary.late_tags = number_in(stats.get(), "late-tags");
  summary.discontinuities = number_in(stats.get(), "discontinuities");
  summary.position = position();
}

bool Gauge::has_media() const {
  const auto stats = stats_of(pipeline_.pace);
  return number_in(stats.get(), "audio-tags") > 0 || number_in(stats.get(), "video-tags") > 0;
}

} // namespace flvstream
