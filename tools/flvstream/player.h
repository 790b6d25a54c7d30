// SPDX-License-Identifier: LGPL-2.1-or-later
// Plays the pipeline to its end, or until somebody ends it.
#pragma once

#include <atomic>

#include "display.h"
#include "pipeline.h"
#include "states.h"

namespace flvstream {

class Player {
public:
  Player(const Options &options, Pipeline pipeline);
  ~Player();
  Player(const Player &) = delete;
  Player &operator=(const Player &) = delete;

  // Returns when it is over. A server waits for its first client.
  [[nodiscard]] Summary play();
  // Afterwards. False: something is stuck, and only the end of the program ends it.
  [[nodiscard]] bool close() { return states_.close(); }

private:
  static gboolean on_message(GstBus *bus, GstMessage *message, gpointer self);
  static gboolean on_signal(gpointer self);
  static gboolean on_tick(gpointer self);
  static gboolean on_late(gpointer self);
  static void on_client_added(GstElement *sink, GObject *socket, gpointer self);
  static void on_http_client_added(GstElement *sink, guint64 id, gpointer self);
  static GstPadProbeReturn on_file_end(GstPad *pad, GstPadProbeInfo *info, gpointer self);
  static GstPadProbeReturn on_tag(GstPad *pad, GstPadProbeInfo *info, gpointer self);
  static GstPadProbeReturn on_stream_end(GstPad *pad, GstPadProbeInfo *info, gpointer self);

  void handle_client();
  void handle_ready();
  void handle_error(GstMessage *message);
  void handle_warning(GstMessage *message);
  void handle_application(const GstStructure *structure);
  void begin_again();
  void finish(const char *result);
  void say(const std::string &text);
  void show();
  void take_stock();
  void drain();

  const Options &options_;
  Pipeline pipeline_;
  States states_;
  GMainLoop *loop_;
  Summary summary_;
  bool is_terminal_;
  bool shown_ = false;
  bool announced_ = false;
  gint64 begun_ = 0; // us
  std::atomic<guint64> clients_ = 0;
  std::atomic<bool> stopping_ = false;
  bool stopped_ = false;
  // For the rate of late.
  guint64 bytes_before_ = 0;
  gint64 time_before_ = 0; // us
  double rate_ = 0;
};

} // namespace flvstream
