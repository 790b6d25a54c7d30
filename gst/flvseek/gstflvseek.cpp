// SPDX-License-Identifier: LGPL-2.1-or-later

// clang-format off

/**
 * SECTION:element-flvseek
 * @title: flvseek
 * @short_description: starts an FLV stream at a byte offset or a time
 * @see_also: flvpace
 *
 * Looks up #GstFlvSeek:offset or #GstFlvSeek:start-time in the keyframe index of an FLV file, and
 * jumps to a key frame without reading the bytes before it. It sends everything that a decoder
 * needs to start: the file header, onMetaData, and the last configuration of every track before
 * that position. Then it sends the bytes of the file from the key frame on.
 *
 * At each start the element posts an element message `flvseek` with the uint64 fields
 * `requested-offset` and `actual-offset` (bytes), `requested-time` and `actual-time` (ms).
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=movie.flv ! flvseek offset=100000 index=auto ! flvpace burst=2000 ! tcpserversink host=127.0.0.1 port=5000 sync-method=latest-keyframe
 * gst-launch-1.0 filesrc location=movie.flv ! flvseek start-time=4000 snap=previous index=auto ! filesink location=part.flv
 * gst-launch-1.0 souphttpsrc location=http://127.0.0.1/movie.flv ! flvseek offset=100000 index=auto ! filesink location=part.flv
 * ]|
 */

// clang-format on

#include "gstflvseek.h"

#include <atomic>
#include <new>
#include <utility>

#include "base/late_change.h"
#include "base/log.h"
#include "base/pull_pad.h"
#include "config.h"
#include "properties.h"
#include "session.h"

GST_DEBUG_CATEGORY(gst_flv_seek_debug);
#define GST_CAT_DEFAULT gst_flv_seek_debug

namespace {

using flv::IndexSource;
using flv::MetadataKeyframes;
using flv::Snap;
using flvseek::Properties;
using gstflv::BufferPtr;
using gstflv::EventPtr;
using enum flvseek::Property;

struct Private {
  Private(GstElement *element, GstPad *sink, GstPad *source)
      : sink_pad(sink), source_pad(source), session(element, sink, source) {}

  GstPad *sink_pad; // borrowed: the element owns its pads
  GstPad *source_pad;
  Properties properties; // guarded by the object lock
  // Downstream pulls the file, and performs seeks itself.
  std::atomic<bool> is_pulled_from = false;
  flvseek::Session session;
};

/**
 * GstFlvSeek!sink:
 *
 * FLV bytes in buffers of any size. The pad uses pull mode if upstream supports random access.
 * Otherwise it uses push mode, and sends seeks upstream if upstream can seek.
 */
GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-flv"));
/**
 * GstFlvSeek!src:
 *
 * The stream header that decoders need, then FLV bytes from a key frame on. The segment is in
 * BYTES, and after a TIME seek in TIME.
 */
GstStaticPadTemplate source_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-flv"));

} // namespace

struct _GstFlvSeek {
  GstElement parent;
  Private priv; // constructed by init, destroyed by finalize
};

G_DEFINE_TYPE_WITH_CODE(GstFlvSeek, gst_flv_seek, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(gst_flv_seek_debug, "flvseek", 0, "FLV seeking"))
GST_ELEMENT_REGISTER_DEFINE(flvseek, "flvseek", GST_RANK_NONE, GST_TYPE_FLV_SEEK)

namespace {

Private &priv_of(gpointer object) {
  return GST_FLV_SEEK(object)->priv;
}

Properties properties_of(gpointer object) {
  GST_OBJECT_LOCK(object);
  const Properties properties = priv_of(object).properties;
  GST_OBJECT_UNLOCK(object);
  return properties;
}

// Pull mode: the element's own task reads.

void gst_flv_seek_loop(gpointer data) noexcept {
  Private &priv = priv_of(data);
  const GstFlowReturn flow = priv.session.send_block();
  if (flow == GST_FLOW_OK)
    return;
  if (flow != GST_FLOW_EOS || !priv.session.is_segment())
    return gstflv::end_pull_task(GST_ELEMENT(data), priv.sink_pad, priv.source_pad, flow,
                                 priv.session.seqnum());
  gst_pad_pause_task(priv.sink_pad);
  priv.session.end_segment();
}

gboolean gst_flv_seek_sink_activate(GstPad *pad, GstObject *) noexcept {
  return gstflv::activate_in_best_mode(pad);
}

// Downstream pulls only if the file is sent unchanged, see answer_scheduling().
GstFlowReturn gst_flv_seek_get_range(GstPad *, GstObject *parent, guint64 offset, guint size,
                                     GstBuffer **buffer) noexcept {
  return gst_pad_pull_range(priv_of(parent).sink_pad, offset, size, buffer);
}

gboolean gst_flv_seek_src_activate_mode(GstPad *, GstObject *parent, GstPadMode mode,
                                        gboolean active) noexcept {
  Private &priv = priv_of(parent);
  if (mode != GST_PAD_MODE_PULL)
    return TRUE;
  priv.is_pulled_from = active;
  if (gst_pad_activate_mode(priv.sink_pad, mode, active))
    return TRUE;
  priv.is_pulled_from = false;
  return FALSE;
}

gboolean gst_flv_seek_sink_activate_mode(GstPad *pad, GstObject *parent, GstPadMode mode,
                                         gboolean active) noexcept {
  Private &priv = priv_of(parent);
  const bool pull = mode == GST_PAD_MODE_PULL;
  if (!active)
    return !pull || gst_pad_stop_task(pad);
  priv.session.open(pull, properties_of(parent));
  if (!pull)
    return TRUE;
  if (gstflv::is_behind_a_source(pad) && !priv.session.look_ahead())
    return FALSE;
  if (priv.is_pulled_from) {
    priv.session.announce_whole();
    return TRUE;
  }
  return gst_pad_start_task(pad, gst_flv_seek_loop, parent, nullptr);
}

bool is_flushing(GstEvent *seek) {
  GstSeekFlags flags = GST_SEEK_FLAG_NONE;
  gst_event_parse_seek(seek, nullptr, nullptr, &flags, nullptr, nullptr, nullptr, nullptr);
  return (flags & GST_SEEK_FLAG_FLUSH) != 0;
}

gboolean seek_by_pulling(Private &priv, GstEvent *event, const flvseek::Request &request) {
  const guint32 seqnum = gst_event_get_seqnum(event);
  auto prepared = priv.session.prepare(request);
  if (!prepared)
    return FALSE;
  const gstflv::PullSeek seek(priv.sink_pad, priv.source_pad, seqnum);
  const auto nothing_waits = [] {};
  if (is_flushing(event)) {
    seek.flush_and_lock(nothing_waits);
    priv.session.flush();
    seek.end_flush();
    GST_DEBUG_OBJECT(priv.sink_pad, "flushed for seek %u", gst_event_get_seqnum(event));
  } else {
    seek.pause_and_lock(nothing_waits);
  }
  priv.session.set_seqnum(seqnum);
  priv.session.restart(std::move(*prepared));
  gst_pad_start_task(priv.sink_pad, gst_flv_seek_loop, GST_PAD_PARENT(priv.sink_pad), nullptr);
  GST_PAD_STREAM_UNLOCK(priv.sink_pad);
  return TRUE;
}

flvseek::Reached reached(const flvseek::Session &session, GstFormat format) {
  if (format == GST_FORMAT_TIME)
    return {session.sent_time(), session.duration()};
  const guint64 size = session.byte_duration();
  return {session.byte_position(), size > 0 ? std::optional(size) : std::nullopt};
}

gboolean take_seek(GstFlvSeek *self, GstEvent *event) {
  Private &priv = self->priv;
  if (priv.session.is_current(gst_event_get_seqnum(event))) // the same seek, from another sink
    return TRUE;
  auto request = flvseek::request_of_seek(GST_ELEMENT(self), event, properties_of(self),
                                          reached(priv.session, flvseek::format_of(event)));
  if (!request || !flvseek::fit(request->start, priv.session.index()))
    return FALSE;
  if (GST_PAD_MODE(priv.sink_pad) == GST_PAD_MODE_PULL)
    return seek_by_pulling(priv, event, *request);
  return priv.session.seek(*request, is_flushing(event), gst_event_get_seqnum(event));
}

gboolean seek(GstFlvSeek *self, GstEvent *event) {
  GstFormat format = GST_FORMAT_UNDEFINED;
  gint64 start = 0;
  gst_event_parse_seek(event, nullptr, &format, nullptr, nullptr, &start, nullptr, nullptr);
  const gboolean taken = take_seek(self, event);
  GST_CAT_LEVEL_LOG(GST_CAT_DEFAULT, taken ? GST_LEVEL_DEBUG : GST_LEVEL_WARNING, self,
                    "seek %u to %" G_GINT64_FORMAT " in %s: %s", gst_event_get_seqnum(event), start,
                    gst_format_get_name(format), taken ? "done" : "refused");
  return taken;
}

// Push mode: upstream's thread.

GstFlowReturn gst_flv_seek_chain(GstPad *, GstObject *parent, GstBuffer *buffer) noexcept {
  return priv_of(parent).session.take(BufferPtr(buffer));
}

gboolean take_segment(Private &priv, GstEvent *event) {
  const GstSegment *segment = nullptr;
  gst_event_parse_segment(event, &segment);
  if (segment->format == GST_FORMAT_BYTES)
    priv.session.jumped_to(segment->start, gst_event_get_seqnum(event));
  return TRUE;
}

gboolean gst_flv_seek_sink_event(GstPad *pad, GstObject *parent, GstEvent *raw_event) noexcept {
  Private &priv = priv_of(parent);
  EventPtr event(raw_event);
  switch (GST_EVENT_TYPE(raw_event)) {
  case GST_EVENT_CAPS: // the session sends its own caps and segment
    return TRUE;
  case GST_EVENT_SEGMENT:
    return take_segment(priv, raw_event);
  case GST_EVENT_FLUSH_START:
    if (priv.session.is_own(gst_event_get_seqnum(raw_event)))
      return TRUE;
    break;
  case GST_EVENT_FLUSH_STOP:
    if (priv.session.is_own(gst_event_get_seqnum(raw_event))) {
      priv.session.continue_after_jump();
      return TRUE;
    }
    priv.session.start_over();
    break;
  case GST_EVENT_EOS:
    // The pad does not store an EOS that is refused, and accepts more data.
    return priv.session.finish(std::move(event));
  case GST_EVENT_STREAM_START:
    break;
  default:
    if (gstflv::has_flag(raw_event, GST_EVENT_TYPE_SERIALIZED))
      return priv.session.send_event(std::move(event));
    break;
  }
  return gst_pad_event_default(pad, parent, event.release());
}

// The source pad.

gboolean gst_flv_seek_src_event(GstPad *pad, GstObject *parent, GstEvent *event) noexcept {
  if (GST_EVENT_TYPE(event) != GST_EVENT_SEEK)
    return gst_pad_event_default(pad, parent, event);
  const EventPtr owned(event);
  return !priv_of(parent).is_pulled_from && seek(GST_FLV_SEEK(parent), event);
}

bool answer_position(Private &priv, GstQuery *query) {
  GstFormat format = GST_FORMAT_UNDEFINED;
  gst_query_parse_position(query, &format, nullptr);
  if (format == GST_FORMAT_BYTES) {
    gst_query_set_position(query, format, static_cast<gint64>(priv.session.byte_position()));
    return true;
  }
  const auto position = priv.session.position();
  if (format != GST_FORMAT_TIME || !position)
    return false;
  gst_query_set_position(query, format, static_cast<gint64>(*position));
  return true;
}

bool answer_duration(Private &priv, GstQuery *query) {
  GstFormat format = GST_FORMAT_UNDEFINED;
  gst_query_parse_duration(query, &format, nullptr);
  const auto duration = priv.session.duration();
  if (format != GST_FORMAT_TIME || !duration)
    return false; // upstream answers for BYTES
  gst_query_set_duration(query, format, static_cast<gint64>(*duration));
  return true;
}

bool answer_seeking(Private &priv, GstObject *element, GstQuery *query) {
  GstFormat format = GST_FORMAT_UNDEFINED;
  gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
  const bool has_index = !priv.session.index().positions.empty() ||
                         properties_of(element).index != IndexSource::Metadata;
  const bool seekable = priv.session.is_seekable() && has_index;
  gint64 end = -1;
  if (format == GST_FORMAT_TIME) {
    if (const auto duration = priv.session.duration())
      end = static_cast<gint64>(*duration);
  } else if (format == GST_FORMAT_BYTES) {
    if (priv.session.byte_duration() > 0)
      end = static_cast<gint64>(priv.session.byte_duration());
  } else {
    return false;
  }
  gst_query_set_seeking(query, format, seekable, 0, end);
  return true;
}

// Offers pull mode if the file is sent unchanged: flvdemux handles all seeks correctly only in pull
// mode.
bool answer_scheduling(Private &priv, GstObject *element, GstQuery *query) {
  if (flvseek::sends_all(properties_of(element)) && gst_pad_peer_query(priv.sink_pad, query) &&
      gstflv::can_pull(query))
    gst_structure_set(gst_query_writable_structure(query), gstflv::kSeeksByPushing, G_TYPE_BOOLEAN,
                      TRUE, nullptr);
  else
    gstflv::answer_push_only(query);
  return true;
}

gboolean gst_flv_seek_src_query(GstPad *pad, GstObject *parent, GstQuery *query) noexcept {
  Private &priv = priv_of(parent);
  bool answered = false;
  if (priv.is_pulled_from && GST_QUERY_TYPE(query) != GST_QUERY_SCHEDULING)
    return gst_pad_query_default(pad, parent, query);
  switch (GST_QUERY_TYPE(query)) {
  case GST_QUERY_POSITION:
    answered = answer_position(priv, query);
    break;
  case GST_QUERY_DURATION:
    answered = answer_duration(priv, query);
    break;
  case GST_QUERY_SEEKING:
    answered = answer_seeking(priv, parent, query);
    break;
  case GST_QUERY_SCHEDULING:
    answered = answer_scheduling(priv, parent, query);
    break;
  default:
    break;
  }
  return answered || gst_pad_query_default(pad, parent, query);
}

// The element.

GstStateChangeReturn gst_flv_seek_change_state(GstElement *element,
                                               GstStateChange transition) noexcept {
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      !flvseek::are_consistent(element, properties_of(element)))
    return GST_STATE_CHANGE_FAILURE;
  return GST_ELEMENT_CLASS(gst_flv_seek_parent_class)->change_state(element, transition);
}

// A property that seeks also read is set too late only if no seek is possible.
std::string late_change(GObject *object, GParamSpec *pspec, const GValue *value) {
  Private &priv = priv_of(object);
  const bool for_seeks = (pspec->flags & GST_PARAM_MUTABLE_PLAYING) != 0;
  if (!for_seeks)
    return gstflv::late_change(object, pspec, value);
  if (!gstflv::has_started(GST_ELEMENT(object)) || !gstflv::is_change(object, pspec, value))
    return {};
  const std::string text = gstflv::assignment(pspec, value);
  if (!priv.session.can_never_seek() && !priv.is_pulled_from) {
    GST_INFO_OBJECT(object, "%s takes effect at the next seek", text.c_str());
    return {};
  }
  return text + " has no effect now: it takes effect at the next seek, which is not possible here, "
                "or when the element starts from READY again.";
}

void gst_flv_seek_set_property(GObject *object, guint id, const GValue *value,
                               GParamSpec *pspec) noexcept {
  Properties &properties = priv_of(object).properties;
  const std::string late = late_change(object, pspec, value);
  GST_OBJECT_LOCK(object);
  switch (id) {
  case PROP_OFFSET:
    properties.offset = g_value_get_uint64(value);
    break;
  case PROP_START_TIME:
    properties.start_time = g_value_get_uint64(value);
    break;
  case PROP_STOP_OFFSET:
    properties.stop_offset = g_value_get_uint64(value);
    break;
  case PROP_SNAP:
    properties.snap = static_cast<Snap>(g_value_get_enum(value));
    break;
  case PROP_INDEX:
    properties.index = static_cast<IndexSource>(g_value_get_enum(value));
    break;
  case PROP_REINSERT:
    properties.reinsert = g_value_get_flags(value);
    break;
  case PROP_METADATA_KEYFRAMES:
    properties.metadata_keyframes = static_cast<MetadataKeyframes>(g_value_get_enum(value));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
  GST_OBJECT_UNLOCK(object);
  if (!late.empty())
    FLV_ELEMENT_WARNING(object, RESOURCE, SETTINGS, ("%s", late.c_str()), (nullptr));
}

void gst_flv_seek_get_property(GObject *object, guint id, GValue *value,
                               GParamSpec *pspec) noexcept {
  const Properties properties = properties_of(object);
  const flvseek::Session &session = priv_of(object).session;
  switch (id) {
  case PROP_OFFSET:
    g_value_set_uint64(value, properties.offset);
    break;
  case PROP_START_TIME:
    g_value_set_uint64(value, properties.start_time);
    break;
  case PROP_STOP_OFFSET:
    g_value_set_uint64(value, properties.stop_offset);
    break;
  case PROP_SNAP:
    g_value_set_enum(value, static_cast<gint>(properties.snap));
    break;
  case PROP_INDEX:
    g_value_set_enum(value, static_cast<gint>(properties.index));
    break;
  case PROP_REINSERT:
    g_value_set_flags(value, properties.reinsert);
    break;
  case PROP_METADATA_KEYFRAMES:
    g_value_set_enum(value, static_cast<gint>(properties.metadata_keyframes));
    break;
  case PROP_ACTUAL_OFFSET:
    g_value_set_uint64(value, session.started().offset);
    break;
  case PROP_ACTUAL_TIME:
    g_value_set_uint64(value, session.started().time);
    break;
  case PROP_KEYFRAMES:
    g_value_take_boxed(value, flvseek::structure_of(session.index()));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
}

void gst_flv_seek_finalize(GObject *object) noexcept {
  priv_of(object).~Private();
  G_OBJECT_CLASS(gst_flv_seek_parent_class)->finalize(object);
}

} // namespace

static void gst_flv_seek_class_init(GstFlvSeekClass *klass) {
  auto *object_class = G_OBJECT_CLASS(klass);
  auto *element_class = GST_ELEMENT_CLASS(klass);
  object_class->set_property = gst_flv_seek_set_property;
  object_class->get_property = gst_flv_seek_get_property;
  object_class->finalize = gst_flv_seek_finalize;
  element_class->change_state = gst_flv_seek_change_state;

  flvseek::install_properties(object_class);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &source_template);
  gst_element_class_set_static_metadata(
      element_class, "FLV seeker", "Filter/Network",
      "Sends an FLV stream from a byte offset or a time: the data that a decoder needs, then the "
      "tags from a key frame",
      "The gst-flv-streaming authors");
  gst_element_class_add_static_metadata(element_class, GST_ELEMENT_METADATA_DOC_URI,
                                        DOCS_URI "/flvseek.md");
}

static void gst_flv_seek_init(GstFlvSeek *self) {
  GstPad *sink = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_activate_function(sink, GST_DEBUG_FUNCPTR(gst_flv_seek_sink_activate));
  gst_pad_set_activatemode_function(sink, GST_DEBUG_FUNCPTR(gst_flv_seek_sink_activate_mode));
  gst_pad_set_chain_function(sink, GST_DEBUG_FUNCPTR(gst_flv_seek_chain));
  gst_pad_set_event_function(sink, GST_DEBUG_FUNCPTR(gst_flv_seek_sink_event));
  gst_element_add_pad(GST_ELEMENT(self), sink);

  GstPad *source = gst_pad_new_from_static_template(&source_template, "src");
  gst_pad_set_activatemode_function(source, GST_DEBUG_FUNCPTR(gst_flv_seek_src_activate_mode));
  gst_pad_set_getrange_function(source, GST_DEBUG_FUNCPTR(gst_flv_seek_get_range));
  gst_pad_set_event_function(source, GST_DEBUG_FUNCPTR(gst_flv_seek_src_event));
  gst_pad_set_query_function(source, GST_DEBUG_FUNCPTR(gst_flv_seek_src_query));
  gst_pad_use_fixed_caps(source);
  gst_element_add_pad(GST_ELEMENT(self), source);

  new (&self->priv) Private(GST_ELEMENT(self), sink, source);
}
