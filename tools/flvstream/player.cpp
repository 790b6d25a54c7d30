// SPDX-License-Identifier: LGPL-2.1-or-later
#include "player.h"

#include <glib-unix.h>
#include <unistd.h>

#include <utility>

#include "failure.h"
#include "names.h"
#include "notices.h"
#include "signals.h"

namespace flvstream {

namespace {

constexpr guint kTick = 250;             // ms between two updates of the progress line
constexpr guint kPatience = 1000;        // ms: the time for a sink to send its last tag
constexpr gint64 kMaxDrain = 10'000'000; // us: the time for clients to receive the rest
constexpr gulong kDrainTick = 100'000;   // us between checks

// The maximum number of rounds of a loop without an audio or video tag. flvpace may hold the tags
// of a short file.
constexpr guint64 kIdleRounds = 300;

constexpr guint kMaxDiscontinuities = 10; // the maximum that is printed

// Messages to the player from its callbacks in other threads.
constexpr const char *kClient = "flvstream-client";
constexpr const char *kAgain = "flvstream-again";

void add_probe(GstElement *element, const char *name, GstPadProbeType type,
               GstPadProbeCallback callback, gpointer data) {
  const gstflv::PadPtr pad(gst_element_get_static_pad(element, name));
  gst_pad_add_probe(pad.get(), type, callback, data, nullptr);
}

void post(const Pipeline &pipeline, const char *name) {
  GstElement *element = pipeline.pipeline.get();
  gst_element_post_message(
      element, gst_message_new_application(GST_OBJECT(element), gst_structure_new_empty(name)));
}

bool is_eos(GstPadProbeInfo *info) {
  return GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS;
}

} // namespace

Player::Player(const Options &options, Pipeline pipeline)
    : options_(options), pipeline_(std::move(pipeline)), intake_(pipeline_.source, options.input),
      gauge_(options, pipeline_), states_(pipeline_.pipeline.get()),
      loop_(g_main_loop_new(nullptr, FALSE)),
      line_(!options.quiet && isatty(STDERR_FILENO) != 0 ? Line::Hidden : Line::None) {
  summary_.input = options.input;
  add_probe(
      pipeline_.pace, "src",
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      on_tag, this);
  if (options.loop)
    add_probe(pipeline_.seek, "src", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_file_end, this);
  if (options.destination == Destination::Output)
    output_ = std::make_unique<Output>(pipeline_.sink, options.output);
  if (is_server(options))
    watch_server();
}

void Player::watch_server() {
  if (options_.destination == Destination::HttpServer) {
    g_signal_connect(pipeline_.sink, "client-added", G_CALLBACK(on_http_client_added), this);
    return;
  }
  add_probe(pipeline_.sink, "sink", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_stream_end, this);
  g_signal_connect(pipeline_.sink, "client-added", G_CALLBACK(on_client_added), this);
}

Player::~Player() {
  g_main_loop_unref(loop_);
}

Summary Player::play() {
  GstElement *pipeline = pipeline_.pipeline.get();
  GstBus *bus = gst_element_get_bus(pipeline);
  const guint watch = gst_bus_add_watch(bus, on_message, this);
  gst_object_unref(bus);
  const guint signals[] = {g_unix_signal_add(SIGINT, on_signal, this),
                           g_unix_signal_add(SIGTERM, on_signal, this)};
  const guint ticks = line_ == Line::None ? 0 : g_timeout_add(kTick, on_tick, this);
  listen_to_signals();
  const gint64 begin = g_get_monotonic_time();
  states_.request(is_server(options_) ? GST_STATE_PAUSED : GST_STATE_PLAYING);
  g_main_loop_run(loop_);

  constexpr double kMicrosecond = 1e-6;
  summary_.seconds = static_cast<double>(g_get_monotonic_time() - begin) * kMicrosecond;
  gauge_.summarize(summary_);
  if (is_server(options_))
    summary_.clients = clients_;
  if (line_ != Line::None && summary_.bytes > 0) {
    show();
    g_printerr("\n");
  } else {
    hide_line();
  }
  // From now on, a signal ends the program.
  for (const guint signal : signals)
    g_source_remove(signal);
  if (ticks > 0)
    g_source_remove(ticks);
  g_source_remove(watch);
  return summary_;
}

bool Player::close(Summary &summary) {
  if (!states_.close())
    return false;
  const std::string reason = output_ ? output_->close() : "";
  if (!reason.empty() && summary.error.empty()) {
    summary.error = "cannot write " + output_name(options_) + ": " + reason;
    summary.result = "failed";
  }
  return true;
}

void Player::finish(const char *result) {
  if (summary_.result.empty())
    summary_.result = result;
  g_main_loop_quit(loop_);
}

void Player::fail(const std::string &error) {
  if (summary_.result.empty())
    summary_.error = error;
  finish("failed");
}

gboolean Player::on_message(GstBus *, GstMessage *message, gpointer data) {
  auto *self = static_cast<Player *>(data);
  switch (GST_MESSAGE_TYPE(message)) {
  case GST_MESSAGE_ERROR:
    self->handle_error(message);
    break;
  case GST_MESSAGE_WARNING:
    self->handle_warning(message);
    break;
  case GST_MESSAGE_EOS:
    self->finish(self->stop_ == Stop::Playing ? "done" : "stopped");
    break;
  case GST_MESSAGE_APPLICATION:
  case GST_MESSAGE_ELEMENT:
    self->handle_notice(gst_message_get_structure(message));
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

// Only the first error counts. Later errors are its consequences.
void Player::handle_error(GstMessage *message) {
  if (is_receiver_gone(message, pipeline_)) {
    finish("closed");
    return;
  }
  if (summary_.result.empty())
    summary_.before_key_frames = is_before_key_frames(message, options_, pipeline_);
  fail(failure_of(message, options_, pipeline_, intake_));
}

// If the port is in use, this message comes after the error, because tcpserversink changes its
// state anyway.
void Player::handle_ready() {
  if (!is_server(options_) || options_.quiet || std::exchange(announced_, true))
    return;
  for (const std::string &url : client_urls(options_))
    say("waiting for clients on " + url);
  for (const std::string &url : page_urls(options_))
    say("in a browser: " + url);
}

void Player::handle_warning(GstMessage *message) {
  if (!options_.quiet)
    say("warning: " + failure_of(message, options_, pipeline_, intake_));
}

// Prints the text in place of the progress line. The next update prints this line again, below the
// text.
void Player::say(const std::string &text) {
  hide_line();
  complain(text);
}

void Player::hide_line() {
  if (line_ != Line::Shown)
    return;
  g_printerr("\r\033[K");
  line_ = Line::Hidden;
}

void Player::handle_notice(const GstStructure *structure) {
  if (gst_structure_has_name(structure, kClient))
    states_.request(GST_STATE_PLAYING);
  else if (gst_structure_has_name(structure, kNoStart))
    fail(input_name(options_) + " cannot be streamed to " + output_name(options_));
  else if (gst_structure_has_name(structure, kReady))
    handle_ready();
  else if (gst_structure_has_name(structure, kAgain))
    begin_again();
  else if (gst_structure_has_name(structure, "flvseek") && summary_.rounds == 1)
    handle_start(structure);
  else if (gst_structure_has_name(structure, "flvpace-discontinuity") && summary_.rounds == 1)
    handle_discontinuity(structure);
}

void Player::handle_start(const GstStructure *structure) {
  summary_.start_offset = number_in(structure, "actual-offset");
  summary_.start_time = number_in(structure, "actual-time");
  const std::string notice = notice_of_start(structure, options_, pipeline_);
  if (!notice.empty() && !options_.quiet)
    say(input_name(options_) + ": " + notice);
}

// Called in the first round only. Later rounds repeat its jumps, and add one at their start.
void Player::handle_discontinuity(const GstStructure *structure) {
  if (options_.quiet || ++discontinuities_ > kMaxDiscontinuities)
    return;
  say(input_name(options_) + ": " + notice_of_discontinuity(structure));
  if (discontinuities_ == kMaxDiscontinuities)
    say("later jumps of the timestamps are only counted; see --json");
}

// At the end of the file, the next round starts.
GstPadProbeReturn Player::on_file_end(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto *self = static_cast<Player *>(data);
  if (!is_eos(info) || self->stop_ != Stop::Playing)
    return GST_PAD_PROBE_OK;
  post(self->pipeline_, kAgain);
  return GST_PAD_PROBE_DROP;
}

void Player::begin_again() {
  if (++summary_.rounds > kIdleRounds && !gauge_.has_media()) {
    fail(input_name(options_) + ": there is no audio or video to repeat");
    return;
  }
  const bool in_time = options_.start.value_or(0) > 0;
  const gint64 start = in_time ? static_cast<gint64>(*options_.start * GST_MSECOND)
                               : static_cast<gint64>(options_.offset.value_or(0));
  const auto flags = static_cast<GstSeekFlags>(
      in_time && options_.snap == "next" ? GST_SEEK_FLAG_KEY_UNIT | GST_SEEK_FLAG_SNAP_AFTER
                                         : GST_SEEK_FLAG_NONE);
  const gstflv::PadPtr pad(gst_element_get_static_pad(pipeline_.seek, "src"));
  GstEvent *seek = gst_event_new_seek(1.0, in_time ? GST_FORMAT_TIME : GST_FORMAT_BYTES, flags,
                                      GST_SEEK_TYPE_SET, start, GST_SEEK_TYPE_NONE, 0);
  if (!gst_pad_send_event(pad.get(), seek))
    fail("cannot read " + input_name(options_) + " again");
}

// Whether bytes are in transit, or have been sent.
bool Player::has_begun() {
  if (states_.is_busy() || (is_server(options_) && clients_ == 0))
    return false;
  return !output_ || output_->state() == Output::State::Open;
}

// The first signal lets the sink complete the current tag. A second signal, or one before the first
// bytes, stops at once.
gboolean Player::on_signal(gpointer data) {
  auto *self = static_cast<Player *>(data);
  Stop playing = Stop::Playing;
  const bool first = self->stop_.compare_exchange_strong(playing, Stop::Stopping);
  if (!first || !self->has_begun())
    self->finish("stopped");
  else
    g_timeout_add(kPatience, on_late, self);
  return G_SOURCE_CONTINUE;
}

gboolean Player::on_late(gpointer data) {
  static_cast<Player *>(data)->finish("stopped");
  return G_SOURCE_REMOVE;
}

GstPadProbeReturn Player::on_tag(GstPad *pad, GstPadProbeInfo *, gpointer data) {
  auto *self = static_cast<Player *>(data);
  if (self->stop_ == Stop::Playing)
    return GST_PAD_PROBE_OK;
  if (self->stop_.exchange(Stop::Ended) == Stop::Stopping)
    gst_pad_push_event(pad, gst_event_new_eos());
  return GST_PAD_PROBE_DROP;
}

void Player::on_client_added(GstElement *, GObject *, gpointer data) {
  static_cast<Player *>(data)->handle_client();
}

void Player::on_http_client_added(GstElement *, guint64, gpointer data) {
  static_cast<Player *>(data)->handle_client();
}

// The server's thread must not change states, so it posts a message.
void Player::handle_client() {
  if (clients_++ == 0)
    post(pipeline_, kClient);
}

// At EOS, tcpserversink closes all clients at once, even those that have not received all data. So
// this probe delays EOS.
GstPadProbeReturn Player::on_stream_end(GstPad *, GstPadProbeInfo *info, gpointer data) {
  if (is_eos(info))
    static_cast<Player *>(data)->drain();
  return GST_PAD_PROBE_OK;
}

// Waits until the clients receive no more data, for at most kMaxDrain.
void Player::drain() {
  const gint64 deadline = g_get_monotonic_time() + kMaxDrain;
  guint64 before = G_MAXUINT64;
  while (g_get_monotonic_time() < deadline) {
    guint64 served = 0;
    g_object_get(pipeline_.sink, "bytes-served", &served, nullptr);
    if (served == before)
      return;
    before = served;
    g_usleep(kDrainTick);
  }
}

gboolean Player::on_tick(gpointer data) {
  static_cast<Player *>(data)->show();
  return G_SOURCE_CONTINUE;
}

void Player::show() {
  g_printerr("\r\033[K%s", line_of(gauge_.progress(), terminal_width()).c_str());
  line_ = Line::Shown;
}

} // namespace flvstream
