// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts INPUT, a file or - for standard input, to the container of OUTPUT's extension.
// Usage: remuxer INPUT OUTPUT [file|live [START]]. START is in ms. Prints the position of the start
// in ms, or the complaint and the error.
#include <cstdlib>
#include <memory>
#include <string>

#include <gst/gst.h>

#include "common/remux/remux.h"

namespace {

struct Unref {
  void operator()(GstElement *element) const { gst_object_unref(element); }
  void operator()(GstBus *bus) const { gst_object_unref(bus); }
  void operator()(GstMessage *message) const { gst_message_unref(message); }
  void operator()(GError *error) const { g_error_free(error); }
};

// Returns the exit status.
int run(GstElement *pipeline) {
  const std::unique_ptr<GstBus, Unref> bus(gst_element_get_bus(pipeline));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  constexpr auto kTypes = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR |
                                                      GST_MESSAGE_WARNING | GST_MESSAGE_ELEMENT);
  for (;;) {
    const std::unique_ptr<GstMessage, Unref> message(
        gst_bus_timed_pop_filtered(bus.get(), GST_CLOCK_TIME_NONE, kTypes));
    GError *raw = nullptr;
    const GstStructure *structure = gst_message_get_structure(message.get());
    guint64 position = 0;
    switch (GST_MESSAGE_TYPE(message.get())) {
    case GST_MESSAGE_EOS:
      return EXIT_SUCCESS;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning(message.get(), &raw, nullptr);
      g_print("warning: %s\n", std::unique_ptr<GError, Unref>(raw)->message);
      break;
    case GST_MESSAGE_ERROR:
      gst_message_parse_error(message.get(), &raw, nullptr);
      g_printerr("error: %s\n", std::unique_ptr<GError, Unref>(raw)->message);
      return EXIT_FAILURE;
    default:
      if (gst_structure_has_name(structure, "remux-start") &&
          gst_structure_get_uint64(structure, "position", &position))
        g_print("start %" G_GUINT64_FORMAT "\n", position / GST_MSECOND);
    }
  }
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc < 3)
    return 2;
  const std::string input = argv[1];
  remux::Options options;
  options.format = remux::format_of_extension(argv[2]).value_or(remux::Format::Flv);
  options.live = argc > 3 && std::string(argv[3]) == "live";
  if (argc > 4)
    options.start = g_ascii_strtoull(argv[4], nullptr, 10) * GST_MSECOND;
  GstElement *bin = remux::make_bin(
      options, [](const std::string &text) { g_printerr("complaint: %s\n", text.c_str()); });
  if (!bin)
    return EXIT_FAILURE;
  GstElement *source = gst_element_factory_make(input == "-" ? "fdsrc" : "filesrc", nullptr);
  GstElement *sink = gst_element_factory_make("filesink", nullptr);
  if (input != "-")
    g_object_set(source, "location", input.c_str(), nullptr);
  g_object_set(sink, "location", argv[2], nullptr);
  const std::unique_ptr<GstElement, Unref> pipeline(
      GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  gst_bin_add_many(GST_BIN(pipeline.get()), source, bin, sink, nullptr);
  gst_element_link_many(source, bin, sink, nullptr);
  const int status = run(pipeline.get());
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return status;
}
