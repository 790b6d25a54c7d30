// SPDX-License-Identifier: LGPL-2.1-or-later
// rewind ELEMENT...: plays a pipeline like gst-launch-1.0. At each SIGUSR1, it seeks to the start
// with a flush.
#include <glib-unix.h>
#include <gst/gst.h>

#include <csignal>
#include <cstdlib>

namespace {

gboolean go_back(gpointer pipeline) {
  constexpr auto kFlags = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT);
  if (!gst_element_seek_simple(GST_ELEMENT(pipeline), GST_FORMAT_TIME, kFlags, 0)) {
    g_printerr("it cannot seek\n");
    std::exit(EXIT_FAILURE);
  }
  return G_SOURCE_CONTINUE;
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  GError *error = nullptr;
  GstElement *pipeline = gst_parse_launchv(const_cast<const gchar **>(argv + 1), &error);
  if (error) {
    g_printerr("%s\n", error->message);
    return EXIT_FAILURE;
  }
  g_unix_signal_add(SIGUSR1, go_back, pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  g_main_loop_run(g_main_loop_new(nullptr, FALSE)); // runs until it is killed
}
