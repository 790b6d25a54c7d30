// SPDX-License-Identifier: LGPL-2.1-or-later
// Plays a launch line for some seconds and prints a line for each of its fakesinks:
//   sinkmeter SECONDS LINE
// A line has the name, the number of buffers, the running time of the first buffer (ms), the
// maximum lateness (ms; negative: early), and the lateness of the last buffer. Exit status 1: an
// error on the bus, whose text is printed.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include <gst/gst.h>

namespace {

struct Sink {
  guint64 buffers = 0;
  GstClockTime first = 0;
  GstClockTimeDiff latest = G_MININT64;
  GstClockTimeDiff last = 0;
};

std::mutex mutex;
std::map<std::string, Sink> sinks;

void on_handoff(GstElement *element, GstBuffer *buffer, GstPad *pad, gpointer) {
  GstEvent *event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  GstClock *clock = gst_element_get_clock(element);
  if (event && clock && GST_BUFFER_PTS_IS_VALID(buffer)) {
    const GstSegment *segment = nullptr;
    gst_event_parse_segment(event, &segment);
    const GstClockTime due =
        gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    const GstClockTimeDiff now =
        GST_CLOCK_DIFF(gst_element_get_base_time(element), gst_clock_get_time(clock));
    gchar *name = gst_element_get_name(element);
    {
      const std::lock_guard lock(mutex);
      Sink &sink = sinks[name];
      if (sink.buffers++ == 0)
        sink.first = due;
      sink.last = now - static_cast<GstClockTimeDiff>(due);
      sink.latest = std::max(sink.latest, sink.last);
    }
    g_free(name);
  }
  g_clear_pointer(&event, gst_event_unref);
  gst_clear_object(&clock);
}

void watch(const GValue *item, gpointer) {
  auto *element = GST_ELEMENT(g_value_get_object(item));
  GstElementFactory *factory = gst_element_get_factory(element);
  if (factory && g_str_equal(GST_OBJECT_NAME(factory), "fakesink")) {
    g_object_set(element, "signal-handoffs", TRUE, nullptr);
    g_signal_connect(element, "handoff", G_CALLBACK(on_handoff), nullptr);
  }
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc != 3)
    return 2;
  GError *error = nullptr;
  GstElement *pipeline = gst_parse_launch(argv[2], &error);
  if (error) {
    g_print("%s\n", error->message);
    return 1;
  }
  GstIterator *elements = gst_bin_iterate_recurse(GST_BIN(pipeline));
  gst_iterator_foreach(elements, watch, nullptr);
  gst_iterator_free(elements);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message =
      gst_bus_timed_pop_filtered(bus, static_cast<GstClockTime>(std::atof(argv[1]) * GST_SECOND),
                                 static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS));
  const bool failed = message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
  if (failed) {
    gst_message_parse_error(message, &error, nullptr);
    g_print("%s\n", error->message);
    g_error_free(error);
  }
  g_clear_pointer(&message, gst_message_unref);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  for (const auto &[name, sink] : sinks)
    g_print("%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
            "\n",
            name.c_str(), sink.buffers, sink.first / GST_MSECOND, sink.latest / GST_MSECOND,
            sink.last / GST_MSECOND);
  return failed ? 1 : 0;
}
