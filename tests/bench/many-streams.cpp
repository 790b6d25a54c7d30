// SPDX-License-Identifier: LGPL-2.1-or-later
// Plays the same pipeline many times in one process and measures the cost.
#include <gst/gst.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace {

constexpr const char *kHelp =
    R"(Usage: many-streams COUNT SECONDS STAGGER-MS PIPELINE

Plays PIPELINE, whose last element is named "sink", COUNT times; the starts are spread over
STAGGER-MS. A second after the last start it measures for SECONDS. Prints JSON: CPU time, resident
memory, and how late buffers reach the sinks against their own running time.
)";

struct Unref {
  void operator()(GstElement *object) const { gst_object_unref(object); }
  void operator()(GstPad *object) const { gst_object_unref(object); }
  void operator()(GstBus *object) const { gst_object_unref(object); }
  void operator()(GstMessage *message) const { gst_message_unref(message); }
  void operator()(GstEvent *event) const { gst_event_unref(event); }
};

using Element = std::unique_ptr<GstElement, Unref>;
using Pad = std::unique_ptr<GstPad, Unref>;
using Bus = std::unique_ptr<GstBus, Unref>;
using Message = std::unique_ptr<GstMessage, Unref>;
using Event = std::unique_ptr<GstEvent, Unref>;

// Counts lateness in steps of 10 us up to 200 ms. All streams use the same histogram.
class Histogram {
public:
  static constexpr GstClockTimeDiff kStep = 10 * GST_USECOND;

  void add(GstClockTimeDiff late) {
    const auto place = std::clamp<GstClockTimeDiff>(late / kStep, 0, kLast);
    ++counts_[static_cast<std::size_t>(place)];
    GstClockTimeDiff highest = max_;
    while (late > highest && !max_.compare_exchange_weak(highest, late)) {
    }
  }

  [[nodiscard]] double max_ms() const { return static_cast<double>(max_) / GST_MSECOND; }

  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto &count : counts_)
      sum += count;
    return sum;
  }

  // The upper end of the step with this percentile.
  [[nodiscard]] double percentile_ms(double percent) const {
    const double wanted = static_cast<double>(total()) * percent / 100;
    double seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= wanted)
        return static_cast<double>((i + 1) * kStep) / GST_MSECOND;
    }
    return max_ms();
  }

private:
  static constexpr GstClockTimeDiff kLast = 19'999;
  std::array<std::atomic<std::uint32_t>, kLast + 1> counts_{};
  std::atomic<GstClockTimeDiff> max_ = 0;
};

struct Measurement {
  std::atomic<bool> on = false;
  std::atomic<std::uint64_t> bytes = 0;
  Histogram lateness;
};

struct Stream {
  Element pipeline;
  GstElement *sink = nullptr; // in the pipeline
  Measurement *measurement = nullptr;
};

GstPadProbeReturn on_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  const auto &stream = *static_cast<const Stream *>(data);
  Measurement &measurement = *stream.measurement;
  if (!measurement.on)
    return GST_PAD_PROBE_OK;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  const GstClockTime now = gst_element_get_current_running_time(stream.sink);
  const Event event(gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0));
  const GstSegment *segment = nullptr;
  if (event)
    gst_event_parse_segment(event.get(), &segment);
  const GstClockTime time =
      GST_BUFFER_PTS_IS_VALID(buffer) ? GST_BUFFER_PTS(buffer) : GST_BUFFER_DTS(buffer);
  if (!segment || !GST_CLOCK_TIME_IS_VALID(time) || !GST_CLOCK_TIME_IS_VALID(now))
    return GST_PAD_PROBE_OK;
  const GstClockTime due = gst_segment_to_running_time(segment, GST_FORMAT_TIME, time);
  if (GST_CLOCK_TIME_IS_VALID(due))
    measurement.lateness.add(GST_CLOCK_DIFF(due, now));
  measurement.bytes += gst_buffer_get_size(buffer);
  return GST_PAD_PROBE_OK;
}

bool fail(const char *what) {
  g_printerr("many-streams: %s\n", what);
  return false;
}

bool prepare(Stream &stream, const char *description, Measurement &measurement) {
  GError *error = nullptr;
  stream.pipeline.reset(gst_parse_launch(description, &error));
  if (error) {
    fail(error->message);
    g_error_free(error);
    return false;
  }
  const Element sink(gst_bin_get_by_name(GST_BIN(stream.pipeline.get()), "sink"));
  if (!sink)
    return fail("no element is named \"sink\"");
  stream.sink = sink.get();
  stream.measurement = &measurement;
  const Pad pad(gst_element_get_static_pad(sink.get(), "sink"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, on_buffer, &stream, nullptr);
  gst_element_set_state(stream.pipeline.get(), GST_STATE_PAUSED);
  // A live pipeline does not preroll.
  const GstStateChangeReturn reached =
      gst_element_get_state(stream.pipeline.get(), nullptr, nullptr, 10 * GST_SECOND);
  return reached == GST_STATE_CHANGE_SUCCESS || reached == GST_STATE_CHANGE_NO_PREROLL ||
         fail("a pipeline did not preroll");
}

bool is_running(const Stream &stream) {
  const Bus bus(gst_element_get_bus(stream.pipeline.get()));
  const Message message(gst_bus_pop_filtered(
      bus.get(), static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
  return !message || fail("a pipeline stopped before the measurement did");
}

double resident_kilobytes() {
  std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen("/proc/self/statm", "r"), std::fclose);
  long pages = 0;
  if (!file || std::fscanf(file.get(), "%*d %ld", &pages) != 1)
    return 0;
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e3;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval &time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Every pipeline needs descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool run(std::size_t count, double seconds, double stagger_ms, const char *description) {
  const auto nap = [](double length) { g_usleep(static_cast<gulong>(length * 1e6)); };
  const double empty = resident_kilobytes();
  const auto measurement = std::make_unique<Measurement>();
  std::vector<Stream> streams(count);
  for (Stream &stream : streams) {
    if (!prepare(stream, description, *measurement))
      return false;
  }
  for (const Stream &stream : streams) {
    gst_element_set_state(stream.pipeline.get(), GST_STATE_PLAYING);
    nap(stagger_ms / 1000 / static_cast<double>(count));
  }
  nap(1);

  const double cpu_before = cpu_seconds();
  const gint64 begin = g_get_monotonic_time();
  measurement->on = true;
  nap(seconds);
  measurement->on = false;
  const double wall = static_cast<double>(g_get_monotonic_time() - begin) / 1e6;
  const double cores = (cpu_seconds() - cpu_before) / wall;
  const double resident = resident_kilobytes() - empty;

  const bool running = std::all_of(streams.begin(), streams.end(), is_running);
  for (const Stream &stream : streams)
    gst_element_set_state(stream.pipeline.get(), GST_STATE_NULL);
  if (!running)
    return false;
  const Histogram &lateness = measurement->lateness;
  g_print("{\"streams\": %zu, \"buffers\": %" G_GUINT64_FORMAT ", \"mbit_per_stream\": %.3f, "
          "\"cpu_percent\": %.2f, \"kilobytes\": %.0f, "
          "\"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"max\": %.3f}\n",
          count, lateness.total(),
          static_cast<double>(measurement->bytes) * 8e-6 / wall / static_cast<double>(count),
          cores * 100, resident, lateness.percentile_ms(50), lateness.percentile_ms(90),
          lateness.percentile_ms(99), lateness.max_ms());
  return true;
}

} // namespace

int main(int argc, char **argv) {
  if (argc == 2 && std::strcmp(argv[1], "--help") == 0) {
    g_print("%s", kHelp);
    return EXIT_SUCCESS;
  }
  const long count = argc == 5 ? std::atol(argv[1]) : 0;
  if (count <= 0) {
    g_printerr("%s", kHelp);
    return 2;
  }
  raise_descriptor_limit();
  gst_init(nullptr, nullptr);
  const bool done =
      run(static_cast<std::size_t>(count), std::atof(argv[2]), std::atof(argv[3]), argv[4]);
  return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
