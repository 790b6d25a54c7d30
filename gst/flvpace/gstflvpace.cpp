// SPDX-License-Identifier: LGPL-2.1-or-later

// clang-format off

/**
 * SECTION:element-flvpace
 * @title: flvpace
 * @short_description: sends an FLV stream in real time
 * @see_also: flvseek, httpserversink
 *
 * Sends an FLV stream in real time. The input is FLV bytes in buffers of any size. The output is
 * one buffer per tag, sent at the tag's due time. With #GstFlvPace:burst, the first seconds leave
 * at once, so that a player can begin. The stream then stays that far ahead of real time.
 * Well-formed input comes out byte for byte. The element neither decodes nor re-muxes.
 *
 * Every buffer has the timestamp of its due time, so sinks with `sync=true` behave like sinks with
 * `sync=false`. The caps have a `streamheader`, so sinks such as `tcpserversink` can send clients
 * that join late what a decoder needs.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=movie.flv ! flvpace burst=2000 ! tcpserversink host=127.0.0.1 port=5000 sync-method=latest-keyframe
 * gst-launch-1.0 filesrc location=movie.flv ! flvpace ! rtmp2sink location=rtmp://127.0.0.1/live/movie
 * gst-launch-1.0 filesrc location=movie.flv ! flvpace mtu=1316 ! udpsink host=127.0.0.1 port=5000
 * ]|
 */

// clang-format on

#include "gstflvpace.h"

#include <atomic>
#include <new>
#include <optional>

#include "arrival_queue.h"
#include "base/late_change.h"
#include "base/log.h"
#include "base/pull_pad.h"
#include "caps_header.h"
#include "clock_wait.h"
#include "config.h"
#include "flv/format/other_format.h"
#include "pacer.h"
#include "properties.h"

GST_DEBUG_CATEGORY(gst_flv_pace_debug);
GST_DEBUG_CATEGORY(gst_flv_pace_clock_debug);
#define GST_CAT_DEFAULT gst_flv_pace_debug

namespace {

using flvpace::Live;
using flvpace::OnCorrupt;
using flvpace::Retimestamp;
using flvpace::Settings;
using gstflv::BufferPtr;
using gstflv::EventPtr;
using enum flvpace::Property;

// Bytes per read in pull mode. kBlockSize: at the start and with sync, because the data stays in
// memory until its due time, and there may be many streams. kLargeBlockSize: without sync, because
// fewer reads cost less, and the data still fits into the CPU caches.
constexpr guint kBlockSize = 65536;
constexpr guint kLargeBlockSize = 262144;

struct Private {
  Private(GstElement *element, GstPad *sink, GstPad *source)
      : sink_pad(sink), source_pad(source), pacing(element), stream(element, source, pacing) {}

  GstPad *sink_pad; // borrowed: the element owns its pads
  GstPad *source_pad;
  flvpace::ClockWait pacing;
  flvpace::Pacer stream;

  // Push mode. Live: upstream's thread only fills the inbox, and a task of the source pad sends.
  //
  //               first buffer
  //    Unknown -----+--------> Direct
  //                 |
  //                 +--------> Live
  //
  // The change to PAUSED leads from each state to Unknown.
  enum class Mode { Unknown, Direct, Live };
  void set_mode(Mode next) {
    g_assert(mode == Mode::Unknown || next == Mode::Unknown);
    GST_DEBUG_OBJECT(GST_PAD_PARENT(sink_pad), "%s",
                     next == Mode::Live     ? "upstream is live"
                     : next == Mode::Direct ? "upstream is not live"
                                            : "not started");
    mode = next;
    pacing.set_live(next == Mode::Live);
  }
  Mode mode = Mode::Unknown;
  std::atomic<Live> wanted_live = Live::Auto;
  std::atomic<Live> live = Live::Auto; // the value in use, read at the start from READY
  flvpace::ArrivalQueue inbox;

  // Pull mode. Used by the streaming thread.
  guint64 offset = 0;
  std::optional<guint64> wanted; // the target of a seek, until the file header has been read
  bool stream_started = false;
  bool is_segment = false; // a SEGMENT seek: the stream ends with SEGMENT_DONE, not with EOS
  // The seqnum of the last seek. The threads of later seeks read it.
  std::atomic<guint32> seqnum = GST_SEQNUM_INVALID;
};

/**
 * GstFlvPace!sink:
 *
 * FLV bytes in buffers of any size. The pad uses pull mode if upstream supports random access.
 */
GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-flv"));
/**
 * GstFlvPace!src:
 *
 * The file header, then whole tags, in a TIME segment. The caps have a `streamheader`.
 */
GstStaticPadTemplate source_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-flv"));

} // namespace

struct _GstFlvPace {
  GstElement parent;
  Private priv; // constructed by init, destroyed by finalize
};

G_DEFINE_TYPE_WITH_CODE(GstFlvPace, gst_flv_pace, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(gst_flv_pace_debug, "flvpace", 0, "FLV pacing");
                        GST_DEBUG_CATEGORY_INIT(gst_flv_pace_clock_debug, "flvpace-clock", 0,
                                                "the waits of flvpace"))
GST_ELEMENT_REGISTER_DEFINE(flvpace, "flvpace", GST_RANK_NONE, GST_TYPE_FLV_PACE)

namespace {

Private &priv_of(gpointer object) {
  return GST_FLV_PACE(object)->priv;
}

// Pull mode: the element's own task reads.

GstFlowReturn start_stream(Private &priv) {
  if (priv.stream_started)
    return GST_FLOW_OK;
  const GstFlowReturn flow = gstflv::push_stream_start(priv.source_pad);
  priv.stream_started = flow == GST_FLOW_OK;
  return flow;
}

GstFlowReturn pull_a_block(Private &priv) {
  if (const GstFlowReturn flow = start_stream(priv); flow != GST_FLOW_OK)
    return flow;
  // Every seek needs the file header first.
  if (priv.wanted && priv.stream.has_header()) {
    priv.offset = *priv.wanted;
    priv.stream.leave_for(priv.offset);
    priv.wanted.reset();
  }
  const guint block_size = priv.offset == 0 || priv.pacing.sync() ? kBlockSize : kLargeBlockSize;
  const guint size = priv.wanted ? guint{flvpace::Pacer::kStartSize} : block_size;
  GstBuffer *block = nullptr;
  GstFlowReturn flow = gst_pad_pull_range(priv.sink_pad, priv.offset, size, &block);
  if (flow == GST_FLOW_EOS)
    flow = priv.stream.finish();
  if (!block)
    return flow == GST_FLOW_OK ? GST_FLOW_EOS : flow;
  BufferPtr buffer(block);
  priv.offset += gst_buffer_get_size(block);
  return priv.stream.take(std::move(buffer));
}

void gst_flv_pace_loop(gpointer data) noexcept {
  Private &priv = priv_of(data);
  const GstFlowReturn flow = pull_a_block(priv);
  if (flow == GST_FLOW_OK)
    return;
  if (flow != GST_FLOW_EOS || !priv.is_segment)
    return gstflv::end_pull_task(GST_ELEMENT(data), priv.sink_pad, priv.source_pad, flow,
                                 priv.seqnum);
  gst_pad_pause_task(priv.sink_pad);
  gstflv::end_segment(GST_ELEMENT(data), priv.source_pad, GST_FORMAT_BYTES, priv.offset,
                      priv.seqnum);
}

// false: the file is not FLV, and the change to PAUSED fails. Read errors are reported later, by
// the task.
bool is_worth_reading(Private &priv) {
  if (!gstflv::is_behind_a_source(priv.sink_pad))
    return true;
  GstBuffer *start = nullptr;
  const GstFlowReturn flow = gst_pad_pull_range(priv.sink_pad, 0, flv::kOtherFormatBytes, &start);
  if (flow == GST_FLOW_EOS)
    return priv.stream.accepts({});
  if (flow != GST_FLOW_OK)
    return true;
  const BufferPtr buffer(start);
  return priv.stream.accepts(gstflv::MappedBuffer(start).bytes());
}

gboolean gst_flv_pace_sink_activate(GstPad *pad, GstObject *parent) noexcept {
  return priv_of(parent).live == Live::Yes ? gst_pad_activate_mode(pad, GST_PAD_MODE_PUSH, TRUE)
                                           : gstflv::activate_in_best_mode(pad);
}

gboolean gst_flv_pace_sink_activate_mode(GstPad *pad, GstObject *parent, GstPadMode mode,
                                         gboolean active) noexcept {
  if (mode != GST_PAD_MODE_PULL)
    return TRUE;
  if (!active)
    return gst_pad_stop_task(pad);
  Private &priv = priv_of(parent);
  priv.offset = 0;
  priv.seqnum = GST_SEQNUM_INVALID;
  priv.wanted.reset();
  priv.stream_started = false;
  priv.is_segment = false;
  return is_worth_reading(priv) && gst_pad_start_task(pad, gst_flv_pace_loop, parent, nullptr);
}

// In pull mode the element performs BYTES seeks itself, because upstream does not push.
gboolean seek(GstFlvPace *self, GstEvent *event) {
  Private &priv = self->priv;
  GstFormat format = GST_FORMAT_UNDEFINED;
  GstSeekFlags flags = GST_SEEK_FLAG_NONE;
  GstSeekType start_type = GST_SEEK_TYPE_NONE;
  gint64 start = 0;
  gst_event_parse_seek(event, nullptr, &format, &flags, &start_type, &start, nullptr, nullptr);
  if (format != GST_FORMAT_BYTES)
    return gst_pad_push_event(priv.sink_pad, gst_event_ref(event));
  if (start_type != GST_SEEK_TYPE_SET || start < 0)
    return FALSE;
  const guint32 seqnum = gst_event_get_seqnum(event);
  if (seqnum == priv.seqnum) // the same seek, from another sink
    return TRUE;
  const gstflv::PullSeek seek(priv.sink_pad, priv.source_pad, seqnum);
  const auto stop_waiting = [&priv] { priv.pacing.set_flushing(true); };
  if ((flags & GST_SEEK_FLAG_FLUSH) != 0) {
    seek.flush_and_lock(stop_waiting);
    priv.stream.flush();
    priv.pacing.flushed(true);
    seek.end_flush();
  } else {
    seek.pause_and_lock(stop_waiting);
  }
  priv.pacing.set_flushing(false);
  priv.seqnum = seqnum;
  priv.stream.set_seqnum(seqnum);
  priv.stream.leave_for(0);
  priv.offset = 0;
  priv.wanted = static_cast<guint64>(start);
  priv.is_segment = (flags & GST_SEEK_FLAG_SEGMENT) != 0;
  if (priv.is_segment)
    gstflv::start_segment(GST_ELEMENT(self), GST_FORMAT_BYTES, *priv.wanted, seqnum);
  const gboolean active = GST_PAD_MODE(priv.sink_pad) == GST_PAD_MODE_PULL;
  if (active)
    gst_pad_start_task(priv.sink_pad, gst_flv_pace_loop, self, nullptr);
  GST_PAD_STREAM_UNLOCK(priv.sink_pad);
  return active;
}

// Push mode.

bool is_live(Private &priv) {
  GstQuery *query = gst_query_new_latency();
  gboolean live = FALSE;
  if (gst_pad_peer_query(priv.sink_pad, query))
    gst_query_parse_latency(query, &live, nullptr, nullptr);
  gst_query_unref(query);
  return live;
}

GstFlowReturn take_buffer(Private &priv, BufferPtr buffer, flv::Nanoseconds arrival) {
  if (GST_BUFFER_IS_DISCONT(buffer.get()))
    priv.stream.interrupt();
  return priv.stream.take(std::move(buffer), arrival);
}

// Upstream's caps are not passed on, but their stream header may contain tags that the stream
// lacks.
gboolean take_caps(Private &priv, GstEvent *event) {
  GstCaps *caps = nullptr;
  gst_event_parse_caps(event, &caps);
  priv.stream.take_stream_header(flvpace::stream_header_of(caps));
  return TRUE;
}

gboolean take_segment(Private &priv, GstEvent *event) {
  const GstSegment *segment = nullptr;
  gst_event_parse_segment(event, &segment);
  priv.stream.set_seqnum(gst_event_get_seqnum(event));
  if (segment->format != GST_FORMAT_BYTES)
    return TRUE;
  return priv.stream.jump(segment->start) == GST_FLOW_OK;
}

// Handles a serialized event in the sending thread.
gboolean take_event(Private &priv, EventPtr event) {
  switch (GST_EVENT_TYPE(event.get())) {
  case GST_EVENT_CAPS:
    return take_caps(priv, event.get());
  case GST_EVENT_SEGMENT:
    return take_segment(priv, event.get());
  case GST_EVENT_GAP:
    return priv.stream.send_gap();
  case GST_EVENT_EOS:
  case GST_EVENT_SEGMENT_DONE:
    if (priv.stream.finish() == GST_FLOW_FLUSHING)
      return FALSE;
    break;
  case GST_EVENT_STREAM_START:
    break;
  default:
    return priv.stream.send_event(std::move(event));
  }
  return gst_pad_push_event(priv.source_pad, event.release());
}

void gst_flv_pace_send_loop(gpointer data) noexcept {
  Private &priv = priv_of(data);
  auto item = priv.inbox.take();
  GstFlowReturn flow = GST_FLOW_FLUSHING;
  if (item) {
    auto *buffer = std::get_if<BufferPtr>(&item->content);
    flow = GST_FLOW_OK;
    if (buffer)
      flow = take_buffer(priv, std::move(*buffer), item->arrival);
    else
      take_event(priv, std::move(std::get<EventPtr>(item->content)));
  }
  if (flow == GST_FLOW_OK)
    return;
  priv.inbox.fail(flow); // upstream gets the error for its next buffer or event
  gst_pad_pause_task(priv.source_pad);
}

void start_sending(Private &priv) {
  priv.inbox.open();
  gst_pad_start_task(priv.source_pad, gst_flv_pace_send_loop, GST_PAD_PARENT(priv.source_pad),
                     nullptr);
}

// Called at the first buffer: earlier, upstream may not know its latency.
void find_mode(Private &priv) {
  const bool live = priv.live == Live::Auto ? is_live(priv) : priv.live == Live::Yes;
  priv.stream.set_joining(live);
  priv.set_mode(live ? Private::Mode::Live : Private::Mode::Direct);
  if (!live)
    return;
  if (const guint burst = priv.pacing.burst(); burst > 0)
    FLV_ELEMENT_WARNING(GST_PAD_PARENT(priv.sink_pad), RESOURCE, SETTINGS,
                        ("burst=%u has no effect: a live source has nothing to send ahead.", burst),
                        (nullptr));
  start_sending(priv);
}

GstFlowReturn gst_flv_pace_chain(GstPad *, GstObject *parent, GstBuffer *raw_buffer) noexcept {
  Private &priv = priv_of(parent);
  BufferPtr buffer(raw_buffer);
  if (priv.mode == Private::Mode::Unknown)
    find_mode(priv);
  if (priv.mode == Private::Mode::Direct)
    return take_buffer(priv, std::move(buffer), 0);
  return priv.inbox.put({std::move(buffer), priv.pacing.now()});
}

gboolean gst_flv_pace_sink_event(GstPad *pad, GstObject *parent, GstEvent *raw_event) noexcept {
  Private &priv = priv_of(parent);
  EventPtr event(raw_event);
  const bool live = priv.mode == Private::Mode::Live;
  switch (GST_EVENT_TYPE(raw_event)) {
  case GST_EVENT_FLUSH_START: {
    priv.pacing.set_flushing(true);
    const gboolean sent = gst_pad_event_default(pad, parent, event.release());
    if (live) {
      priv.inbox.shut();
      gst_pad_pause_task(priv.source_pad);
    }
    return sent;
  }
  case GST_EVENT_FLUSH_STOP: {
    gboolean time_resets = TRUE;
    gst_event_parse_flush_stop(raw_event, &time_resets);
    priv.stream.flush();
    priv.pacing.flushed(time_resets);
    priv.pacing.set_flushing(false);
    const gboolean sent = gst_pad_event_default(pad, parent, event.release());
    if (live)
      start_sending(priv);
    return sent;
  }
  default:
    break;
  }
  if (!gstflv::has_flag(raw_event, GST_EVENT_TYPE_SERIALIZED))
    return gst_pad_event_default(pad, parent, event.release());
  if (live)
    return priv.inbox.put({std::move(event), 0}) == GST_FLOW_OK;
  return take_event(priv, std::move(event));
}

// The source pad.

bool has_usual_rate(GstObject *element, GstEvent *seek) {
  gdouble rate = 1.0;
  gst_event_parse_seek(seek, &rate, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
  if (rate != 1.0)
    GST_WARNING_OBJECT(element, "cannot seek with rate %g: the property speed sets the pace", rate);
  return rate == 1.0;
}

gboolean gst_flv_pace_src_event(GstPad *pad, GstObject *parent, GstEvent *event) noexcept {
  Private &priv = priv_of(parent);
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK && !has_usual_rate(parent, event)) {
    gst_event_unref(event);
    return FALSE;
  }
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK && GST_PAD_MODE(priv.sink_pad) == GST_PAD_MODE_PULL) {
    const EventPtr owned(event);
    return seek(GST_FLV_PACE(parent), event);
  }
  if (GST_EVENT_TYPE(event) == GST_EVENT_LATENCY) {
    GstClockTime latency = 0;
    gst_event_parse_latency(event, &latency);
    priv.pacing.set_latency(static_cast<flv::Nanoseconds>(latency));
  }
  return gst_pad_event_default(pad, parent, event);
}

// Buffers are stamped at departure, so upstream's latency has already passed.
void answer_latency(Private &priv, GstQuery *query) {
  const bool live = priv.live == Live::Yes || is_live(priv);
  gst_query_set_latency(query, live, 0, GST_CLOCK_TIME_NONE);
}

gboolean gst_flv_pace_src_activate_mode(GstPad *pad, GstObject *parent, GstPadMode mode,
                                        gboolean active) noexcept {
  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active)
    return TRUE;
  priv_of(parent).inbox.shut();
  return gst_pad_stop_task(pad);
}

gboolean gst_flv_pace_src_query(GstPad *pad, GstObject *parent, GstQuery *query) noexcept {
  Private &priv = priv_of(parent);
  GstFormat format = GST_FORMAT_UNDEFINED;
  switch (GST_QUERY_TYPE(query)) {
  case GST_QUERY_POSITION:
    gst_query_parse_position(query, &format, nullptr);
    if (format != GST_FORMAT_TIME)
      break;
    if (const auto position = priv.stream.position()) {
      gst_query_set_position(query, GST_FORMAT_TIME, static_cast<gint64>(*position));
      return TRUE;
    }
    break;
  case GST_QUERY_DURATION:
    gst_query_parse_duration(query, &format, nullptr);
    if (format != GST_FORMAT_TIME)
      break;
    if (const auto duration = priv.stream.duration()) {
      gst_query_set_duration(query, GST_FORMAT_TIME, static_cast<gint64>(*duration));
      return TRUE;
    }
    break;
  case GST_QUERY_LATENCY:
    answer_latency(priv, query);
    return TRUE;
  case GST_QUERY_SCHEDULING:
    gstflv::answer_push_only(query);
    return TRUE;
  default:
    break;
  }
  return gst_pad_query_default(pad, parent, query);
}

// The element.

GstStateChangeReturn gst_flv_pace_change_state(GstElement *element,
                                               GstStateChange transition) noexcept {
  Private &priv = priv_of(element);
  switch (transition) {
  case GST_STATE_CHANGE_READY_TO_PAUSED:
    priv.live = priv.wanted_live.load();
    priv.stream.clear();
    priv.pacing.clear();
    priv.set_mode(Private::Mode::Unknown);
    priv.pacing.set_flushing(false);
    priv.pacing.set_stopped(false);
    break;
  case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
    priv.pacing.set_playing(true);
    break;
  case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
    priv.pacing.set_playing(false);
    break;
  case GST_STATE_CHANGE_PAUSED_TO_READY:
    priv.pacing.set_stopped(true);
    priv.inbox.shut();
    break;
  default:
    break;
  }
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_flv_pace_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    priv.stream.stop();
  // A sink after a decoder may need more tags to preroll than those due at the start.
  const bool paused = GST_STATE_TRANSITION_NEXT(transition) == GST_STATE_PAUSED;
  return paused && result == GST_STATE_CHANGE_SUCCESS && priv.pacing.sync()
             ? GST_STATE_CHANGE_NO_PREROLL
             : result;
}

GstStructure *stats_of(Private &priv) {
  const flvpace::Counters &counters = priv.stream.counters();
  const flvpace::Lateness lateness = priv.pacing.lateness();
  const flvpace::Following following = priv.pacing.following();
  // clang-format off
  return gst_structure_new("flvpace-stats",
      "audio-tags", G_TYPE_UINT64, guint64{counters.audio_tags},
      "video-tags", G_TYPE_UINT64, guint64{counters.video_tags},
      "script-tags", G_TYPE_UINT64, guint64{counters.script_tags},
      "key-frames", G_TYPE_UINT64, guint64{counters.key_frames},
      "bytes-in", G_TYPE_UINT64, guint64{counters.bytes_in},
      "bytes-out", G_TYPE_UINT64, guint64{counters.bytes_out},
      "bytes-skipped", G_TYPE_UINT64, guint64{counters.bytes_skipped},
      "discontinuities", G_TYPE_UINT64, guint64{counters.discontinuities},
      "wrong-previous-sizes", G_TYPE_UINT64, guint64{counters.wrong_previous_sizes},
      "nonzero-stream-ids", G_TYPE_UINT64, guint64{counters.nonzero_stream_ids},
      "late-tags", G_TYPE_UINT64, lateness.tags,
      "lateness-last", G_TYPE_UINT64, lateness.last,
      "lateness-average", G_TYPE_UINT64, lateness.average,
      "lateness-maximum", G_TYPE_UINT64, lateness.maximum,
      "lead", G_TYPE_INT64, static_cast<gint64>(priv.pacing.lead()),
      "delay", G_TYPE_INT64, gint64{following.delay},
      "skew", G_TYPE_DOUBLE, following.skew,
      "corrections", G_TYPE_UINT64, guint64{following.corrections},
      nullptr);
  // clang-format on
}

void gst_flv_pace_set_property(GObject *object, guint id, const GValue *value,
                               GParamSpec *pspec) noexcept {
  Private &priv = priv_of(object);
  const std::string late = gstflv::late_change(object, pspec, value);
  const auto change = [&priv](auto apply) { priv.stream.change_settings(apply); };
  switch (id) {
  case PROP_BURST:
    priv.pacing.set_burst(g_value_get_uint(value));
    break;
  case PROP_SPEED:
    priv.pacing.set_speed(g_value_get_double(value));
    break;
  case PROP_CATCH_UP_SPEED:
    priv.pacing.set_catch_up_speed(g_value_get_double(value));
    break;
  case PROP_SYNC:
    priv.pacing.set_sync(g_value_get_boolean(value));
    break;
  case PROP_RETIMESTAMP:
    change([value](Settings &settings) {
      settings.retimestamp = static_cast<Retimestamp>(g_value_get_enum(value));
    });
    break;
  case PROP_MAX_GAP:
    change([value](Settings &settings) { settings.max_gap = g_value_get_uint(value); });
    break;
  case PROP_MTU:
    change([value](Settings &settings) { settings.mtu = g_value_get_uint(value); });
    break;
  case PROP_MAX_TAG_SIZE:
    change([value](Settings &settings) { settings.max_tag_size = g_value_get_uint(value); });
    break;
  case PROP_ON_CORRUPT:
    change([value](Settings &settings) {
      settings.on_corrupt = static_cast<OnCorrupt>(g_value_get_enum(value));
    });
    break;
  case PROP_LIVE:
    priv.wanted_live = static_cast<Live>(g_value_get_enum(value));
    break;
  case PROP_MAX_DELAY:
    priv.pacing.set_max_delay(g_value_get_uint(value));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
  if (!late.empty())
    FLV_ELEMENT_WARNING(object, RESOURCE, SETTINGS, ("%s", late.c_str()), (nullptr));
}

void gst_flv_pace_get_property(GObject *object, guint id, GValue *value,
                               GParamSpec *pspec) noexcept {
  Private &priv = priv_of(object);
  const Settings settings = priv.stream.settings();
  switch (id) {
  case PROP_BURST:
    g_value_set_uint(value, priv.pacing.burst());
    break;
  case PROP_SPEED:
    g_value_set_double(value, priv.pacing.speed());
    break;
  case PROP_CATCH_UP_SPEED:
    g_value_set_double(value, priv.pacing.catch_up_speed());
    break;
  case PROP_SYNC:
    g_value_set_boolean(value, priv.pacing.sync());
    break;
  case PROP_RETIMESTAMP:
    g_value_set_enum(value, static_cast<gint>(settings.retimestamp));
    break;
  case PROP_MAX_GAP:
    g_value_set_uint(value, settings.max_gap);
    break;
  case PROP_MTU:
    g_value_set_uint(value, settings.mtu);
    break;
  case PROP_MAX_TAG_SIZE:
    g_value_set_uint(value, settings.max_tag_size);
    break;
  case PROP_ON_CORRUPT:
    g_value_set_enum(value, static_cast<gint>(settings.on_corrupt));
    break;
  case PROP_LIVE:
    g_value_set_enum(value, static_cast<gint>(priv.wanted_live.load()));
    break;
  case PROP_MAX_DELAY:
    g_value_set_uint(value, priv.pacing.max_delay());
    break;
  case PROP_STATS:
    g_value_take_boxed(value, stats_of(priv));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
}

void gst_flv_pace_finalize(GObject *object) noexcept {
  priv_of(object).~Private();
  G_OBJECT_CLASS(gst_flv_pace_parent_class)->finalize(object);
}

} // namespace

static void gst_flv_pace_class_init(GstFlvPaceClass *klass) {
  auto *object_class = G_OBJECT_CLASS(klass);
  auto *element_class = GST_ELEMENT_CLASS(klass);
  object_class->set_property = gst_flv_pace_set_property;
  object_class->get_property = gst_flv_pace_get_property;
  object_class->finalize = gst_flv_pace_finalize;
  element_class->change_state = gst_flv_pace_change_state;

  flvpace::install_properties(object_class);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &source_template);
  gst_element_class_set_static_metadata(
      element_class, "FLV pacer", "Filter/Network",
      "Splits an FLV stream into tags and sends each at its playback time, with a burst at "
      "the start",
      "The gst-flv-streaming authors");
  gst_element_class_add_static_metadata(element_class, GST_ELEMENT_METADATA_DOC_URI,
                                        DOCS_URI "/flvpace.md");
}

static void gst_flv_pace_init(GstFlvPace *self) {
  GstPad *sink = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_activate_function(sink, GST_DEBUG_FUNCPTR(gst_flv_pace_sink_activate));
  gst_pad_set_activatemode_function(sink, GST_DEBUG_FUNCPTR(gst_flv_pace_sink_activate_mode));
  gst_pad_set_chain_function(sink, GST_DEBUG_FUNCPTR(gst_flv_pace_chain));
  gst_pad_set_event_function(sink, GST_DEBUG_FUNCPTR(gst_flv_pace_sink_event));
  gst_element_add_pad(GST_ELEMENT(self), sink);

  GstPad *source = gst_pad_new_from_static_template(&source_template, "src");
  gst_pad_set_activatemode_function(source, GST_DEBUG_FUNCPTR(gst_flv_pace_src_activate_mode));
  gst_pad_set_event_function(source, GST_DEBUG_FUNCPTR(gst_flv_pace_src_event));
  gst_pad_set_query_function(source, GST_DEBUG_FUNCPTR(gst_flv_pace_src_query));
  gst_pad_use_fixed_caps(source);
  gst_element_add_pad(GST_ELEMENT(self), source);

  new (&self->priv) Private(GST_ELEMENT(self), sink, source);
}
