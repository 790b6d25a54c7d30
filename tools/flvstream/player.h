// SPDX-License-Identifier: LGPL-2.1-or-later
// Plays the pipeline to its end, or until a signal or the receiver ends it.
#pragma once

#include <atomic>
#include <memory>

#include "display.h"
#include "gauge.h"
#include "intake.h"
#include "output.h"
#include "pipeline.h"
#include "states.h"

namespace flvstream {

class Player {
public:
  Player(const Options &options, Pipeline pipeline);
  ~Player();
  Player(const Player &) = delete;
  Player &operator=(const Player &) = delete;

  // Returns at the end. A server waits for its first client.
  [[nodiscard]] Summary play();
  // Afterwards; adds what it says of a file that cannot be closed. False: a thread does not end
  // before the program.
  [[nodiscard]] bool close(Summary &summary);

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

  void watch_server();
  void handle_client();
  void handle_ready();
  void handle_error(GstMessage *message);
  void handle_warning(GstMessage *message);
  void handle_notice(const GstStructure *structure);
  void handle_start(const GstStructure *structure);
  void handle_discontinuity(const GstStructure *structure);
  void begin_again();
  void finish(const char *result);
  void fail(const std::string &error);
  void say(const std::string &text);
  void show();
  void drain();
  [[nodiscard]] bool has_begun();

  const Options &options_;
  Pipeline pipeline_;
  std::unique_ptr<Output> output_; // of a file or standard output
  Intake intake_;
  Gauge gauge_;
  States states_; // behind what the streaming threads use
  GMainLoop *loop_;
  Summary summary_;
  bool is_terminal_;
  bool shown_ = false;
  bool announced_ = false;
  guint discontinuities_ = 0; // that have been told
  std::atomic<guint64> clients_ = 0;
  std::atomic<bool> stopping_ = false;
  bool stopped_ = false; // streaming thread
};

} // namespace flvstream
