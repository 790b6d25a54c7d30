// SPDX-License-Identifier: LGPL-2.1-or-later
// Embeds the elements in an application: serves a file to TCP clients, seeks to a time while it
// plays, raises the burst, and prints statistics.
//
//   g++ -std=c++20 play-from.cpp -o play-from $(pkg-config --cflags --libs gstreamer-1.0)
//   ./play-from movie.flv 4000
#include <gst/gst.h>

#include <cstdlib>

namespace {

struct Application {
  GstElement *pipeline = nullptr;
  GstElement *seek = nullptr; // flvseek; the pipeline owns all elements
  GstElement *pace = nullptr; // flvpace
  GMainLoop *loop = nullptr;
  gint64 time = 0; // ms, the target of the seek
  int status = EXIT_SUCCESS;
};

bool build(Application &app, const char *location) {
  app.pipeline = gst_pipeline_new("play-from");
  GstElement *source = gst_element_factory_make("filesrc", nullptr);
  app.seek = gst_element_factory_make("flvseek", nullptr);
  app.pace = gst_element_factory_make("flvpace", nullptr);
  GstElement *sink = gst_element_factory_make("tcpserversink", nullptr);
  if (!source || !app.seek || !app.pace || !sink) {
    g_printerr("an element is missing: check GST_PLUGIN_PATH\n");
    return false;
  }
  g_object_set(source, "location", location, nullptr);
  g_object_set(app.pace, "burst", 1000U, nullptr);
  // Any free port. Each client gets the stream header, and starts at a key frame.
  g_object_set(sink, "host", "127.0.0.1", "port", 0, nullptr);
  gst_util_set_object_arg(G_OBJECT(sink), "sync-method", "latest-keyframe");
  gst_bin_add_many(GST_BIN(app.pipeline), source, app.seek, app.pace, sink, nullptr);
  return gst_element_link_many(source, app.seek, app.pace, sink, nullptr);
}

guint64 count(const GstStructure *stats, const char *name) {
  guint64 number = 0;
  gst_structure_get_uint64(stats, name, &number);
  return number;
}

void print_statistics(const Application &app, const char *when) {
  GstStructure *stats = nullptr;
  g_object_get(app.pace, "stats", &stats, nullptr);
  gint64 lead = 0;
  gst_structure_get_int64(stats, "lead", &lead);
  g_print("%s: %" G_GUINT64_FORMAT " video tags, %" G_GUINT64_FORMAT " bytes, %" G_GINT64_FORMAT
          " ms ahead\n",
          when, count(stats, "video-tags"), count(stats, "bytes-out"), lead);
  gst_structure_free(stats);
}

// An application sends seeks to the pipeline. flvpace passes them to flvseek.
gboolean seek_to_time(gpointer data) {
  auto *app = static_cast<Application *>(data);
  print_statistics(*app, "before the seek");
  constexpr auto kFlags = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT);
  if (!gst_element_seek_simple(app->pipeline, GST_FORMAT_TIME, kFlags, app->time * GST_MSECOND)) {
    g_printerr("cannot seek to %" G_GINT64_FORMAT " ms\n", app->time);
    app->status = EXIT_FAILURE;
    g_main_loop_quit(app->loop);
  }
  return G_SOURCE_REMOVE;
}

// The new burst takes effect at once: flvpace sends two more seconds of media.
gboolean raise_burst(gpointer data) {
  auto *app = static_cast<Application *>(data);
  print_statistics(*app, "before the burst");
  g_object_set(app->pace, "burst", 3000U, nullptr);
  return G_SOURCE_REMOVE;
}

gboolean end(gpointer data) {
  auto *app = static_cast<Application *>(data);
  print_statistics(*app, "at the end");
  g_main_loop_quit(app->loop);
  return G_SOURCE_REMOVE;
}

gboolean on_message(GstBus *, GstMessage *message, gpointer data) {
  auto *app = static_cast<Application *>(data);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError *error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    g_printerr("%s\n", error->message);
    g_error_free(error);
    app->status = EXIT_FAILURE;
    g_main_loop_quit(app->loop);
  } else if (gst_message_has_name(message, "flvseek")) {
    guint64 time = 0;
    gst_structure_get_uint64(gst_message_get_structure(message), "actual-time", &time);
    g_print("starts at %" G_GUINT64_FORMAT " ms\n", time);
  }
  return G_SOURCE_CONTINUE;
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc != 3) {
    g_printerr("Usage: play-from FILE MILLISECONDS\n");
    return 2;
  }
  Application app;
  app.time = g_ascii_strtoll(argv[2], nullptr, 10);
  if (!build(app, argv[1]))
    return EXIT_FAILURE;
  app.loop = g_main_loop_new(nullptr, FALSE);
  GstBus *bus = gst_element_get_bus(app.pipeline);
  gst_bus_add_watch(bus, on_message, &app);

  constexpr guint kSecond = 1000; // ms
  gst_element_set_state(app.pipeline, GST_STATE_PLAYING);
  g_timeout_add(kSecond, seek_to_time, &app);
  g_timeout_add(2 * kSecond, raise_burst, &app);
  g_timeout_add(3 * kSecond, end, &app);
  g_main_loop_run(app.loop);

  gst_element_set_state(app.pipeline, GST_STATE_NULL);
  gst_bus_remove_watch(bus);
  gst_object_unref(bus);
  gst_object_unref(app.pipeline);
  g_main_loop_unref(app.loop);
  return app.status;
}
