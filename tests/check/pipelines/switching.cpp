// SPDX-License-Identifier: LGPL-2.1-or-later
// Plays a launch line and switches the input of its input-selector, named "selector":
//   switching COUNT MILLISECONDS LINE
// The switches are MILLISECONDS to twice that apart. After COUNT switches, the stream ends. Prints
// warnings and errors. Exit status 1: an error, or no EOS.
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace {

constexpr GstClockTime kPatience = 30 * GST_SECOND;

// Whether the line ends within `time`, with or without an error.
bool watch(GstBus *bus, GstClockTime time, bool &failed) {
  constexpr auto kKinds =
      static_cast<GstMessageType>(GST_MESSAGE_WARNING | GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  const gint64 end = g_get_monotonic_time() + static_cast<gint64>(time / GST_USECOND);
  for (gint64 left = end - g_get_monotonic_time(); left > 0; left = end - g_get_monotonic_time()) {
    GstMessage *message =
        gst_bus_timed_pop_filtered(bus, static_cast<GstClockTime>(left) * GST_USECOND, kKinds);
    if (!message)
      return false;
    const GstMessageType type = GST_MESSAGE_TYPE(message);
    GError *error = nullptr;
    if (type == GST_MESSAGE_WARNING)
      gst_message_parse_warning(message, &error, nullptr);
    else if (type == GST_MESSAGE_ERROR)
      gst_message_parse_error(message, &error, nullptr);
    if (error)
      g_print("%s: %s: %s\n", GST_MESSAGE_TYPE_NAME(message), GST_MESSAGE_SRC_NAME(message),
              error->message);
    g_clear_error(&error);
    gst_message_unref(message);
    failed |= type == GST_MESSAGE_ERROR;
    if (type != GST_MESSAGE_WARNING)
      return true;
  }
  return false;
}

std::vector<GstPad *> inputs_of(GstElement *selector) {
  std::vector<GstPad *> pads;
  GST_OBJECT_LOCK(selector);
  for (GList *each = selector->sinkpads; each; each = each->next)
    pads.push_back(GST_PAD(each->data));
  GST_OBJECT_UNLOCK(selector);
  return pads;
}

bool play(GstElement *pipeline, GstElement *selector, int count, guint milliseconds) {
  const std::vector<GstPad *> inputs = inputs_of(selector);
  GstBus *bus = gst_element_get_bus(pipeline);
  std::minstd_rand random;
  bool failed = false;
  bool ended = false;
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  for (int turn = 0; turn < count && !ended; ++turn) {
    ended = watch(bus, (milliseconds + random() % milliseconds) * GST_MSECOND, failed);
    g_object_set(selector, "active-pad", inputs.at(static_cast<gsize>(turn + 1) % inputs.size()),
                 nullptr);
  }
  if (!ended && !watch(bus, milliseconds * GST_MSECOND, failed)) {
    gst_element_send_event(pipeline, gst_event_new_eos());
    ended = watch(bus, kPatience, failed);
  }
  gst_object_unref(bus);
  return ended && !failed;
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc != 4)
    return 2;
  GError *error = nullptr;
  GstElement *pipeline = gst_parse_launch(argv[3], &error);
  if (error) {
    g_print("%s\n", error->message);
    return 1;
  }
  GstElement *selector = gst_bin_get_by_name(GST_BIN(pipeline), "selector");
  const bool well =
      play(pipeline, selector, std::atoi(argv[1]), static_cast<guint>(std::atoi(argv[2])));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(selector);
  gst_object_unref(pipeline);
  return well ? 0 : 1;
}
