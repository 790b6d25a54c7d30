// SPDX-License-Identifier: LGPL-2.1-or-later
// Plays a pipeline as soon as its server has a client, so that the client receives the start.
#include <gst/gst.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

constexpr const char *kHelp =
    R"(Usage: play-for-client PIPELINE

Brings a gst-launch pipeline to PAUSED, waits until the element named "server" (tcpserversink) emits
"client-added", and plays the pipeline to its end.
)";

struct Unref {
  void operator()(GstElement *object) const { gst_object_unref(object); }
  void operator()(GstBus *object) const { gst_object_unref(object); }
  void operator()(GstMessage *message) const { gst_message_unref(message); }
  void operator()(GError *error) const { g_error_free(error); }
};

using Element = std::unique_ptr<GstElement, Unref>;
using Bus = std::unique_ptr<GstBus, Unref>;
using Message = std::unique_ptr<GstMessage, Unref>;
using Error = std::unique_ptr<GError, Unref>;

// Called in the server's thread, which must not change states.
void on_client_added(GstElement *server) {
  gst_element_post_message(
      server, gst_message_new_application(GST_OBJECT(server), gst_structure_new_empty("client")));
}

int play(GstElement *pipeline) {
  const Bus bus(gst_element_get_bus(pipeline));
  gst_element_set_state(pipeline, GST_STATE_PAUSED);
  for (;;) {
    const Message message(gst_bus_timed_pop_filtered(
        bus.get(), GST_CLOCK_TIME_NONE,
        static_cast<GstMessageType>(GST_MESSAGE_APPLICATION | GST_MESSAGE_EOS |
                                    GST_MESSAGE_ERROR)));
    switch (GST_MESSAGE_TYPE(message.get())) {
    case GST_MESSAGE_APPLICATION:
      gst_element_set_state(pipeline, GST_STATE_PLAYING);
      break;
    case GST_MESSAGE_ERROR: {
      GError *error = nullptr;
      gst_message_parse_error(message.get(), &error, nullptr);
      const Error owned(error);
      g_printerr("play-for-client: %s\n", error->message);
      return EXIT_FAILURE;
    }
    default:
      return EXIT_SUCCESS;
    }
  }
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
  if (!pipeline || error) {
    g_printerr("play-for-client: %s\n", error ? error->message : "no pipeline");
    return EXIT_FAILURE;
  }
  const Element server(gst_bin_get_by_name(GST_BIN(pipeline.get()), "server"));
  if (!server) {
    g_printerr("play-for-client: there is no element named \"server\"\n");
    return EXIT_FAILURE;
  }
  g_signal_connect(server.get(), "client-added", G_CALLBACK(on_client_added), nullptr);
  const int status = play(pipeline.get());
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return status;
}
