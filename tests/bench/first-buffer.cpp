// SPDX-License-Identifier: LGPL-2.1-or-later
// Measures the time of a pipeline from READY to the first buffer at its sink, and the bytes that it
// reads for it.
#include <gst/gst.h>

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

constexpr const char *kHelp = R"(Usage: first-buffer PIPELINE

Brings a gst-launch pipeline to READY, then to PAUSED, and waits for the first buffer at the element
named "sink". Prints as JSON: milliseconds, bytes and calls that read, peak resident kilobytes.
)";

using Clock = std::chrono::steady_clock;

struct Unref {
  void operator()(GstElement *object) const { gst_object_unref(object); }
  void operator()(GstPad *object) const { gst_object_unref(object); }
  void operator()(GstBus *object) const { gst_object_unref(object); }
  void operator()(GstMessage *message) const { gst_message_unref(message); }
  void operator()(GError *error) const { g_error_free(error); }
};

using Element = std::unique_ptr<GstElement, Unref>;
using Pad = std::unique_ptr<GstPad, Unref>;
using Bus = std::unique_ptr<GstBus, Unref>;
using Message = std::unique_ptr<GstMessage, Unref>;
using Error = std::unique_ptr<GError, Unref>;

struct Reads {
  long long bytes = 0;
  long long calls = 0;
};

Reads reads_so_far() {
  Reads reads;
  if (std::FILE *file = std::fopen("/proc/self/io", "r")) {
    long long ignored = 0;
    if (std::fscanf(file, "rchar: %lld wchar: %lld syscr: %lld", &reads.bytes, &ignored,
                    &reads.calls) != 3)
      reads = {};
    std::fclose(file);
  }
  return reads;
}

// The arrival of the first buffer. Later buffers do not change it.
struct Arrival {
  GstElement *pipeline = nullptr;
  bool seen = false;
  Clock::time_point time;
  Reads reads;
};

GstPadProbeReturn note_arrival(GstPad *, GstPadProbeInfo *, gpointer data) {
  auto *arrival = static_cast<Arrival *>(data);
  if (!arrival->seen) {
    arrival->seen = true;
    arrival->time = Clock::now();
    arrival->reads = reads_so_far();
    gst_element_post_message(arrival->pipeline,
                             gst_message_new_application(GST_OBJECT(arrival->pipeline),
                                                         gst_structure_new_empty("arrived")));
  }
  return GST_PAD_PROBE_OK;
}

int measure(GstElement *pipeline, Arrival &arrival) {
  const Bus bus(gst_element_get_bus(pipeline));
  gst_element_set_state(pipeline, GST_STATE_READY);
  const Reads before = reads_so_far();
  const Clock::time_point start = Clock::now();
  gst_element_set_state(pipeline, GST_STATE_PAUSED);
  const Message message(gst_bus_timed_pop_filtered(
      bus.get(), GST_CLOCK_TIME_NONE,
      static_cast<GstMessageType>(GST_MESSAGE_APPLICATION | GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) {
    GError *error = nullptr;
    gst_message_parse_error(message.get(), &error, nullptr);
    const Error owned(error);
    g_printerr("first-buffer: %s\n", error->message);
    return EXIT_FAILURE;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const std::chrono::duration<double, std::milli> taken = arrival.time - start;
  std::printf("{\"ms\": %.3f, \"bytes\": %lld, \"calls\": %lld, \"kilobytes\": %ld}\n",
              taken.count(), arrival.reads.bytes - before.bytes, arrival.reads.calls - before.calls,
              usage.ru_maxrss);
  return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2 || std::strcmp(argv[1], "--help") == 0) {
    g_print("%s", kHelp);
    return argc == 2 ? EXIT_SUCCESS : 2;
  }
  gst_init(&argc, &argv);
  GError *failure = nullptr;
  const Element pipeline(gst_parse_launch(argv[1], &failure));
  const Error error(failure);
  const Element sink(pipeline && !error ? gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink")
                                        : nullptr);
  if (!sink) {
    g_printerr("first-buffer: %s\n", error ? error->message : "no element is named \"sink\"");
    return EXIT_FAILURE;
  }
  Arrival arrival;
  arrival.pipeline = pipeline.get();
  const Pad pad(gst_element_get_static_pad(sink.get(), "sink"));
  gst_pad_add_probe(
      pad.get(),
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      note_arrival, &arrival, nullptr);
  const int status = measure(pipeline.get(), arrival);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return status;
}
