// SPDX-License-Identifier: LGPL-2.1-or-later

// clang-format off

/**
 * SECTION:element-failoversrc
 * @title: failoversrc
 * @short_description: one stream from the first of several sources that works
 * @see_also: flvpace, httpserversink
 *
 * Reads a live stream in FLV, MPEG-TS or Matroska from the first URI of #GstFailoverSrc:uris that
 * works. If that source is lost, the output continues with the next one, at a key frame and behind
 * the header of the new stream. A better source is tried in the background, and the output switches
 * back to it. The element starts even if no source is reachable, and never ends by itself.
 *
 * Errors of the sources are not errors of the element. It posts the element messages `source-lost`,
 * `source-switched` and `source-back`, and emits the signals of the same names.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 failoversrc uris="http://127.0.0.1/live.flv;http://127.0.0.1/movie.flv" ! flvpace ! httpserversink port=8080 path=/live
 * ]|
 */

// clang-format on

#include "gstfailoversrc.h"

#include <memory>
#include <new>
#include <utility>

#include "base/late_change.h"
#include "base/log.h"
#include "caps.h"
#include "config.h"
#include "engine.h"
#include "failover/uri_list.h"
#include "properties.h"

GST_DEBUG_CATEGORY(gst_failover_src_debug);
#define GST_CAT_DEFAULT gst_failover_src_debug

namespace {

using gstfailover::Engine;
using gstfailover::Properties;
using enum gstfailover::Property;

struct Private {
  Properties properties;          // guarded by the object lock
  std::shared_ptr<Engine> engine; // the last one; guarded by the object lock
};

/**
 * GstFailoverSrc!src:
 *
 * The bytes of the source in use, in whole tags, packets or elements. The segment is in BYTES. The
 * first buffer after a switch has the flag DISCONT and contains the header of the new stream.
 */
GstStaticPadTemplate source_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                                                               GST_STATIC_CAPS(gstfailover::kCaps));

} // namespace

struct _GstFailoverSrc {
  GstPushSrc parent;
  Private priv; // constructed by init, destroyed by finalize
};

G_DEFINE_TYPE_WITH_CODE(GstFailoverSrc, gst_failover_src, GST_TYPE_PUSH_SRC,
                        GST_DEBUG_CATEGORY_INIT(gst_failover_src_debug, "failoversrc", 0,
                                                "sources that replace each other"))
GST_ELEMENT_REGISTER_DEFINE(failoversrc, "failoversrc", GST_RANK_NONE, GST_TYPE_FAILOVER_SRC)

namespace {

Private &priv_of(gpointer object) {
  return GST_FAILOVER_SRC(object)->priv;
}

Properties properties_of(gpointer object) {
  const gstflv::ObjectLock lock(object);
  return priv_of(object).properties;
}

std::shared_ptr<Engine> engine_of(gpointer object) {
  const gstflv::ObjectLock lock(object);
  return priv_of(object).engine;
}

// --- The source ---

gboolean gst_failover_src_unlock(GstBaseSrc *source) noexcept {
  if (const auto engine = engine_of(source))
    engine->set_flushing(true);
  return TRUE;
}

gboolean gst_failover_src_unlock_stop(GstBaseSrc *source) noexcept {
  if (const auto engine = engine_of(source))
    engine->set_flushing(false);
  return TRUE;
}

gboolean gst_failover_src_is_seekable(GstBaseSrc *) noexcept {
  return FALSE;
}

// In PAUSED, waits for the engine of the next PLAYING. FLUSHING in PAUSED would end the task, in a
// race with the base class, which starts it for PLAYING.
GstFlowReturn pop(GstBaseSrc *source, gstfailover::Packet &packet) {
  for (;;) {
    const auto engine = engine_of(source);
    const GstFlowReturn flow = engine ? engine->pop(packet) : GST_FLOW_FLUSHING;
    if (flow == GST_FLOW_OK || !engine || !engine->is_stopped())
      return flow;
    if (gst_base_src_wait_playing(source) != GST_FLOW_OK)
      return GST_FLOW_FLUSHING;
    constexpr gulong kTurn = 100; // us: the base class is about to note the pause
    if (engine_of(source) == engine)
      g_usleep(kTurn);
  }
}

GstFlowReturn gst_failover_src_create(GstPushSrc *source, GstBuffer **buffer) noexcept {
  gstfailover::Packet packet;
  if (const GstFlowReturn flow = pop(GST_BASE_SRC(source), packet); flow != GST_FLOW_OK)
    return flow;
  if (packet.caps && !gst_base_src_set_caps(GST_BASE_SRC(source), packet.caps.get()))
    return GST_FLOW_NOT_NEGOTIATED;
  GST_LOG_OBJECT(source, "%" GST_PTR_FORMAT, packet.buffer.get());
  *buffer = packet.buffer.release();
  return GST_FLOW_OK;
}

// --- Demand ---

// Returns whether the event is a demand, and takes it.
bool take_demand(gpointer object, GstEvent *event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_UPSTREAM ||
      !gst_event_has_name(event, gstfailover::kDemandEvent))
    return false;
  gboolean is_wanted = FALSE;
  if (!gst_structure_get_boolean(gst_event_get_structure(event), gstfailover::kDemandField,
                                 &is_wanted)) {
    GST_WARNING_OBJECT(object, "%" GST_PTR_FORMAT " has no boolean %s", event,
                       gstfailover::kDemandField);
    return true;
  }
  GST_DEBUG_OBJECT(object, "data is %s", is_wanted ? "wanted" : "not wanted");
  if (const auto engine = engine_of(object))
    engine->set_demand(is_wanted);
  return true;
}

gboolean gst_failover_src_event(GstBaseSrc *source, GstEvent *event) noexcept {
  return take_demand(source, event) ||
         GST_BASE_SRC_CLASS(gst_failover_src_parent_class)->event(source, event);
}

gboolean gst_failover_src_send_event(GstElement *element, GstEvent *event) noexcept {
  if (!take_demand(element, event))
    return GST_ELEMENT_CLASS(gst_failover_src_parent_class)->send_event(element, event);
  gst_event_unref(event);
  return TRUE;
}

gboolean gst_failover_src_switch(GstFailoverSrc *self, guint index) noexcept {
  const auto engine = engine_of(self);
  return engine && engine->request(index);
}

// --- States ---

failover::ContainerSet accepted_containers(GstElement *element) {
  const gstflv::CapsPtr caps(gst_pad_peer_query_caps(GST_BASE_SRC_PAD(element), nullptr));
  const failover::ContainerSet set = gstfailover::containers_of(caps.get());
  return set.empty() ? failover::ContainerSet::all() : set;
}

bool has_uris(GstElement *element) {
  if (!failover::split_uris(properties_of(element).uris).empty())
    return true;
  FLV_ELEMENT_ERROR(element, RESOURCE, SETTINGS, ("No source: the property uris is empty."),
                    (nullptr));
  return false;
}

void start_engine(GstElement *element) {
  const Properties properties = properties_of(element);
  auto engine = std::make_shared<Engine>(element, failover::split_uris(properties.uris),
                                         properties.settings, accepted_containers(element));
  {
    const gstflv::ObjectLock lock(element);
    priv_of(element).engine = engine;
  }
  engine->start();
}

void stop_engine(GstElement *element) {
  if (const auto engine = engine_of(element))
    engine->stop();
}

GstStateChangeReturn gst_failover_src_change_state(GstElement *element,
                                                   GstStateChange transition) noexcept {
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !has_uris(element))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    start_engine(element);
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    stop_engine(element);
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_failover_src_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && result == GST_STATE_CHANGE_FAILURE)
    stop_engine(element);
  return result;
}

// --- The object ---

void gst_failover_src_set_property(GObject *object, guint id, const GValue *value,
                                   GParamSpec *pspec) noexcept {
  const std::string late = gstflv::late_change(object, pspec, value);
  GST_OBJECT_LOCK(object);
  Private &priv = priv_of(object);
  const bool is_known = gstfailover::set_value(priv.properties, id, value);
  const std::shared_ptr<Engine> engine = priv.engine;
  failover::Settings settings = priv.properties.settings;
  GST_OBJECT_UNLOCK(object);
  if (!is_known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  if (!late.empty())
    FLV_ELEMENT_WARNING(object, RESOURCE, SETTINGS, ("%s", late.c_str()), (nullptr));
  else if (engine)
    engine->set_settings(settings);
}

void gst_failover_src_get_property(GObject *object, guint id, GValue *value,
                                   GParamSpec *pspec) noexcept {
  const auto engine = engine_of(object);
  switch (id) {
  case PROP_CURRENT_URI: {
    const std::string uri = engine ? engine->current_uri() : "";
    g_value_set_string(value, uri.empty() ? nullptr : uri.c_str());
    break;
  }
  case PROP_STATS:
    if (engine)
      g_value_take_boxed(value, engine->stats().release());
    else
      g_value_take_boxed(value, gst_structure_new_empty("failoversrc-stats"));
    break;
  default:
    if (!gstfailover::get_value(properties_of(object), id, value))
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
}

void gst_failover_src_finalize(GObject *object) noexcept {
  priv_of(object).~Private();
  G_OBJECT_CLASS(gst_failover_src_parent_class)->finalize(object);
}

} // namespace

static void gst_failover_src_class_init(GstFailoverSrcClass *klass) {
  auto *object_class = G_OBJECT_CLASS(klass);
  auto *element_class = GST_ELEMENT_CLASS(klass);
  auto *source_class = GST_BASE_SRC_CLASS(klass);
  object_class->set_property = gst_failover_src_set_property;
  object_class->get_property = gst_failover_src_get_property;
  object_class->finalize = gst_failover_src_finalize;
  element_class->change_state = gst_failover_src_change_state;
  element_class->send_event = gst_failover_src_send_event;
  source_class->unlock = gst_failover_src_unlock;
  source_class->unlock_stop = gst_failover_src_unlock_stop;
  source_class->is_seekable = gst_failover_src_is_seekable;
  source_class->event = gst_failover_src_event;
  GST_PUSH_SRC_CLASS(klass)->create = gst_failover_src_create;

  gstfailover::install_properties(object_class);
  gstfailover::install_signals(G_TYPE_FROM_CLASS(klass), G_CALLBACK(gst_failover_src_switch));
  gst_element_class_add_static_pad_template(element_class, &source_template);
  gst_element_class_set_static_metadata(
      element_class, "Failover source", "Source/Network",
      "Reads a live stream from the first of several URIs that works, and switches between them at "
      "key frames",
      "The gst-flv-streaming authors");
  gst_element_class_add_static_metadata(element_class, GST_ELEMENT_METADATA_DOC_URI,
                                        DOCS_URI "/failoversrc.md");
}

static void gst_failover_src_init(GstFailoverSrc *self) {
  new (&self->priv) Private();
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_BYTES);
}
