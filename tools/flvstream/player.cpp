// SPDX-License-Identifier: LGPL-2.1-or-later
#include "player.h"

#include <glib-unix.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "failure.h"
#include "signals.h"

namespace flvstream {

namespace {

constexpr guint kTick = 250;             // ms, between two looks of the line
constexpr guint kPatience = 1000;        // ms, for a sink to take its last tag
constexpr gint64 kMaxDrain = 10'000'000; // us, for clients to take what was sent
constexpr gulong kDrainTick = 100'000;   // us

// Rounds of a loop without a tag of audio or video: flvpace may hold back those of a short file.
constexpr guint64 kIdleRounds = 300;

void add_probe(GstElement *element, const char *name, GstPadProbeType type,
               GstPadProbeCallback callback, gpointer data) {
  const gstflv::PadPtr pad(gst_element_get_static_pad(element, name));
  gst_pad_add_probe(pad.get(), type, callback, data, nullptr);
}

bool is_eos(GstPadProbeInfo *info) {
  return GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS;
}

guint64 number_in(const GstStructure *structure, const char *field) {
  guint64 number = 0;
  gst_structure_get_uint64(structure, field, &number);
  return number;
}

gstflv::StructurePtr stats_of(GstElement *element) {
  GstStructure *stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  return gstflv::StructurePtr(stats);
}

bool has_media(const GstStructure *stats) {
  return number_in(stats, "audio-tags") > 0 || number_in(stats, "video-tags") > 0;
}

std::optional<gint64> query(GstElement *element, GstFormat format,
                            gboolean (*ask)(GstPad *, GstFormat, gint64 *)) {
  const gstflv::PadPtr pad(gst_element_get_static_pad(element, "src"));
  gint64 answer = 0;
  return ask(pad.get(), format, &answer) ? std::optional(answer) : std::nullopt;
}

} // namespace

Player::Player(const Options &options, Pipeline pipeline)
    : options_(options), pipeline_(std::move(pipeline)), states_(pipeline_.pipeline.get()),
      loop_(g_main_loop_new(nullptr, FALSE)),
      is_terminal_(!options.quiet && isatty(STDERR_FILENO) != 0) {
  summary_.input = options.input;
  add_probe(
      pipeline_.pace, "src",
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      on_tag, this);
  if (options.loop)
    add_probe(pipeline_.seek, "src", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_file_end, this);
  if (options.listen) {
    add_probe(pipeline_.sink, "sink", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_stream_end, this);
    g_signal_connect(pipeline_.sink, "client-added", G_CALLBACK(on_client_added), this);
  } else if (is_server(options)) {
    g_signal_connect(pipeline_.sink, "client-added", G_CALLBACK(on_http_client_added), this);
  }
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
  const guint ticks = is_terminal_ ? g_timeout_add(kTick, on_tick, this) : 0;
  listen_to_signals();
  begun_ = time_before_ = g_get_monotonic_time();
  states_.request(is_server(options_) ? GST_STATE_PAUSED : GST_STATE_PLAYING);
  g_main_loop_run(loop_);

  take_stock();
  // Who doesn't want to wait for the rest has the usual way out.
  for (const guint signal : signals)
    g_source_remove(signal);
  if (ticks > 0)
    g_source_remove(ticks);
  g_source_remove(watch);
  return summary_;
}

void Player::finish(const char *result) {
  if (summary_.result.empty())
    summary_.result = result;
  g_main_loop_quit(loop_);
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
  case GST_MESSAGE_ASYNC_DONE:
    self->handle_ready();
    break;
  case GST_MESSAGE_EOS:
    self->finish(self->stopping_ ? "stopped" : "done");
    break;
  case GST_MESSAGE_APPLICATION:
  case GST_MESSAGE_ELEMENT:
    self->handle_application(gst_message_get_structure(message));
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

// The first one counts; others follow from it.
void Player::handle_error(GstMessage *message) {
  if (!summary_.error.empty())
    return;
  summary_.error = failure_of(message, options_, pipeline_);
  finish("failed");
}

// Behind any message of a port that is taken: tcpserversink changes its state all the same.
void Player::handle_ready() {
  if (!is_server(options_) || options_.quiet || std::exchange(announced_, true))
    return;
  say("waiting for clients on " + output_name(options_));
}

void Player::handle_warning(GstMessage *message) {
  if (!options_.quiet)
    say("warning: " + failure_of(message, options_, pipeline_));
}

// Instead of the line that is shown, which comes again below.
void Player::say(const std::string &text) {
  if (std::exchange(shown_, false))
    g_printerr("\r\033[K");
  complain(text);
}

void Player::handle_application(const GstStructure *structure) {
  if (gst_structure_has_name(structure, "flvstream-client")) {
    states_.request(GST_STATE_PLAYING);
  } else if (gst_structure_has_name(structure, kNoStart) && summary_.error.empty()) {
    summary_.error = input_name(options_) + " cannot be streamed to " + output_name(options_);
    finish("failed");
  } else if (gst_structure_has_name(structure, "flvstream-again")) {
    begin_again();
  } else if (gst_structure_has_name(structure, "flvseek") && summary_.rounds == 1) {
    summary_.start_offset = number_in(structure, "actual-offset");
    summary_.start_time = number_in(structure, "actual-time");
  }
}

// The end of the file is the start of another round.
GstPadProbeReturn Player::on_file_end(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto *self = static_cast<Player *>(data);
  if (!is_eos(info) || self->stopping_)
    return GST_PAD_PROBE_OK;
  GstElement *pipeline = self->pipeline_.pipeline.get();
  gst_element_post_message(pipeline,
                           gst_message_new_application(GST_OBJECT(pipeline),
                                                       gst_structure_new_empty("flvstream-again")));
  return GST_PAD_PROBE_DROP;
}

void Player::begin_again() {
  if (++summary_.rounds > kIdleRounds && !has_media(stats_of(pipeline_.pace).get())) {
    summary_.error = input_name(options_) + ": there is no audio or video to repeat";
    finish("failed");
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
  if (gst_pad_send_event(pad.get(), seek))
    return;
  summary_.error = "cannot read " + input_name(options_) + " again";
  finish("failed");
}

// Whoever is in the middle of a tag gets all of it.
gboolean Player::on_signal(gpointer data) {
  auto *self = static_cast<Player *>(data);
  const bool again = self->stopping_.exchange(true);
  const bool has_begun =
      !self->states_.is_busy() && (!is_server(self->options_) || self->clients_ > 0);
  if (again || !has_begun) {
    self->finish("stopped");
    return G_SOURCE_CONTINUE;
  }
  g_timeout_add(kPatience, on_late, self);
  return G_SOURCE_CONTINUE;
}

gboolean Player::on_late(gpointer data) {
  static_cast<Player *>(data)->finish("stopped");
  return G_SOURCE_REMOVE;
}

GstPadProbeReturn Player::on_tag(GstPad *pad, GstPadProbeInfo *, gpointer data) {
  auto *self = static_cast<Player *>(data);
  if (!self->stopping_)
    return GST_PAD_PROBE_OK;
  if (!std::exchange(self->stopped_, true))
    gst_pad_push_event(pad, gst_event_new_eos());
  return GST_PAD_PROBE_DROP;
}

void Player::on_client_added(GstElement *, GObject *, gpointer data) {
  static_cast<Player *>(data)->handle_client();
}

void Player::on_http_client_added(GstElement *, guint64, gpointer data) {
  static_cast<Player *>(data)->handle_client();
}

// The server's own thread must not change states.
void Player::handle_client() {
  if (clients_++ > 0)
    return;
  GstElement *pipeline = pipeline_.pipeline.get();
  gst_element_post_message(
      pipeline, gst_message_new_application(GST_OBJECT(pipeline),
                                            gst_structure_new_empty("flvstream-client")));
}

// At the end of the stream the server closes at once, whatever a client has yet to get.
GstPadProbeReturn Player::on_stream_end(GstPad *, GstPadProbeInfo *info, gpointer data) {
  if (is_eos(info))
    static_cast<Player *>(data)->drain();
  return GST_PAD_PROBE_OK;
}

// Waits as long as somebody still takes something.
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
  constexpr double kSmooth = 0.2;
  constexpr double kMicrosecond = 1e-6;
  const auto stats = stats_of(pipeline_.pace);
  const gint64 now = g_get_monotonic_time();
  const guint64 bytes = number_in(stats.get(), "bytes-out");
  const double rate = static_cast<double>(bytes - bytes_before_) * 8 /
                      (static_cast<double>(std::max<gint64>(now - time_before_, 1)) * kMicrosecond);
  rate_ = bytes_before_ == 0 ? rate : rate_ + kSmooth * (rate - rate_);
  bytes_before_ = bytes;
  time_before_ = now;

  Progress progress;
  progress.bits_per_second = rate_;
  gst_structure_get_int64(stats.get(), "lead", &progress.lead);
  if (const auto position = query(pipeline_.pace, GST_FORMAT_TIME, gst_pad_query_position))
    progress.position = *position / static_cast<gint64>(GST_MSECOND);
  if (const auto duration = query(pipeline_.pace, GST_FORMAT_TIME, gst_pad_query_duration))
    progress.duration = *duration / static_cast<gint64>(GST_MSECOND);
  const auto byte = query(pipeline_.seek, GST_FORMAT_BYTES, gst_pad_query_position);
  const auto size = query(pipeline_.seek, GST_FORMAT_BYTES, gst_pad_query_duration);
  if (progress.duration.value_or(0) > 0 && !options_.loop)
    progress.share = std::min(1.0, static_cast<double>(progress.position) /
                                       static_cast<double>(*progress.duration));
  else if (byte && size.value_or(0) > 0)
    progress.share = static_cast<double>(*byte) / static_cast<double>(*size);
  if (options_.listen) {
    guint clients = 0;
    g_object_get(pipeline_.sink, "num-handles", &clients, nullptr);
    progress.clients = clients;
  } else if (is_server(options_)) {
    progress.clients =
        static_cast<unsigned>(number_in(stats_of(pipeline_.sink).get(), "clients-now"));
  }
  g_printerr("\r\033[K%s", line_of(progress).c_str());
  shown_ = true;
}

void Player::take_stock() {
  const auto stats = stats_of(pipeline_.pace);
  constexpr double kMicrosecond = 1e-6;
  summary_.seconds = static_cast<double>(g_get_monotonic_time() - begun_) * kMicrosecond;
  summary_.bytes = number_in(stats.get(), "bytes-out");
  summary_.audio_tags = number_in(stats.get(), "audio-tags");
  summary_.video_tags = number_in(stats.get(), "video-tags");
  summary_.script_tags = number_in(stats.get(), "script-tags");
  summary_.key_frames = number_in(stats.get(), "key-frames");
  summary_.late_tags = number_in(stats.get(), "late-tags");
  if (const auto position = query(pipeline_.pace, GST_FORMAT_TIME, gst_pad_query_position))
    summary_.position = *position / static_cast<gint64>(GST_MSECOND);
  if (is_server(options_))
    summary_.clients = clients_;
  if (is_terminal_) {
    show();
    g_printerr("\n");
  }
}

} // namespace flvstream
