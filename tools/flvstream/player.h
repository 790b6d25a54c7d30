// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs the pipeline until the end of the stream, an error, a signal, or a close by the receiver.
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

  // Returns at the end of the stream. A server waits for its first client before it starts.
  [[nodiscard]] Summary play();
  // Called after play(). If OUTPUT cannot be closed, adds the error to `summary`. false: a thread
  // does not end.
  [[nodiscard]] bool close(Summary &summary);

private:
  //   Playing --(first signal)--> Stopping --(next tag)--> Ended
  // The streaming thread ends the stream, in place of the tag that follows the signal.
  enum class Stop { Playing, Stopping, Ended };
  // The progress line on the terminal.
  enum class Line { None, Hidden, Shown };

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
  void handle_converted_start(const GstStructure *structure);
  void handle_discontinuity(const GstStructure *structure);
  void begin_again();
  void finish(const char *result);
  void fail(const std::string &error);
  void say(const std::string &text);
  void show();
  void drain();
  [[nodiscard]] bool has_begun();
  void hide_line();

  const Options &options_;
  Pipeline pipeline_;
  std::unique_ptr<Output> output_; // for a file or standard output
  Intake intake_;
  Gauge gauge_;
  States states_; // declared after the members that streaming threads use
  GMainLoop *loop_;
  Summary summary_;
  Line line_;
  bool announced_ = false;
  guint discontinuities_ = 0; // in the first round
  std::atomic<guint64> clients_ = 0;
  std::atomic<Stop> stop_ = Stop::Playing;
};

} // namespace flvstream
