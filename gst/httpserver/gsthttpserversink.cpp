// SPDX-License-Identifier: LGPL-2.1-or-later

// clang-format off

/**
 * SECTION:element-httpserversink
 * @title: httpserversink
 * @short_description: serves a stream to HTTP and WebSocket clients
 * @see_also: flvpace, tcpserversink
 *
 * Serves the stream from its sink pad to any number of browsers and players, over HTTP and, at the
 * same path, over WebSocket. A client that joins late gets the stream header, and then the stream
 * from a key frame on. The timestamps of FLV start at 0 for each client, and the header flags and
 * metadata announce only the tracks that the client gets. Other containers work, too, if their caps
 * have a `streamheader`, such as those of matroskamux streamable=true, mpegtsmux or oggmux.
 *
 * Elements of one process with the same address and port share one listener. Each element has its
 * own path.
 *
 * A slow client does not delay the stream for the others. A client that lags by more than
 * #GstHttpServerSink:max-lag skips to the newest key frame. A client that acknowledges nothing for
 * #GstHttpServerSink:client-timeout is closed.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=movie.flv ! flvpace ! httpserversink address=127.0.0.1 port=8080 path=/live/movie.flv
 * ]|
 */

// clang-format on

#include "gsthttpserversink.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/late_change.h"
#include "base/log.h"
#include "categories.h"
#include "config.h"
#include "ingest.h"
#include "page_site.h"
#include "properties.h"
#include "stats.h"
#include "url_path.h"

GST_DEBUG_CATEGORY_STATIC(gst_http_server_sink_debug);
#define GST_CAT_DEFAULT gst_http_server_sink_debug

using flvhttp::Broadcast;
using flvhttp::Ingest;
using flvhttp::Listener;
using flvhttp::Places;
using flvhttp::Report;
using gstflv::ObjectLock;
using gstflv::StructurePtr;

namespace {

enum { SIGNAL_CLIENT_ADDED, SIGNAL_CLIENT_REMOVED, SIGNAL_CLEAR, SIGNAL_REMOVE, SIGNALS };

guint signals[SIGNALS];

} // namespace

struct Private {
  explicit Private(GstElement *element) : ingest(element) {}

  flvhttp::Properties properties;          // guarded by the object's lock
  std::shared_ptr<Listener> given;         // by the application; guarded by the object's lock
  std::shared_ptr<Listener> listener;      // set from start to stop
  Places places;                           // of the last start
  std::shared_ptr<Broadcast> broadcast;    // guarded by the object's lock
  std::shared_ptr<flvhttp::PageSite> page; // nullptr: without page-path
  Ingest ingest;                           // used by the streaming thread
  bool paused = false;              // guarded by the preroll lock; true in PAUSED after PLAYING
  bool warned_of_container = false; // used by the streaming thread
};

struct _GstHttpServerSink {
  GstBaseSink parent{};
  Private priv{nullptr};
};

G_DEFINE_FINAL_TYPE_WITH_CODE(GstHttpServerSink, gst_http_server_sink, GST_TYPE_BASE_SINK,
                              GST_DEBUG_CATEGORY_INIT(gst_http_server_sink_debug, "httpserversink",
                                                      0, "serves streams over HTTP");
                              flvhttp::init_categories();)
GST_ELEMENT_REGISTER_DEFINE(httpserversink, "httpserversink", GST_RANK_NONE,
                            GST_TYPE_HTTP_SERVER_SINK)

namespace {

/**
 * GstHttpServerSink!sink:
 *
 * The stream, in any container. The element splits FLV into tags. For other containers, the
 * `streamheader` in the caps contains the data that a client needs first.
 */
GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

Private &priv_of(gpointer element) {
  return GST_HTTP_SERVER_SINK(element)->priv;
}

std::shared_ptr<Broadcast> broadcast_of(gpointer element) {
  const ObjectLock lock(element);
  return priv_of(element).broadcast;
}

// Signals and warnings. Emitted from the listener's thread, and at the end by stop().

void emit(gpointer element, const Broadcast::Added &event) {
  GST_DEBUG_OBJECT(element, "client %" G_GUINT64_FORMAT " added", event.id);
  g_signal_emit(element, signals[SIGNAL_CLIENT_ADDED], 0, event.id);
}

void emit(gpointer element, const Broadcast::Removed &event) {
  const char *reason = flvhttp::name_of(event.reason);
  GST_DEBUG_OBJECT(element,
                   "client %" G_GUINT64_FORMAT " removed: %s; %" G_GUINT64_FORMAT
                   " bytes sent, %" G_GUINT64_FORMAT " skips, last lag %" G_GINT64_FORMAT " ms",
                   event.id, reason, event.stats.bytes, event.stats.skips, event.stats.lag.now);
  const StructurePtr stats = flvhttp::structure_of(event.stats);
  g_signal_emit(element, signals[SIGNAL_CLIENT_REMOVED], 0, event.id, reason, stats.get());
}

void emit(gpointer element, const Broadcast::Warning &event) {
  GST_WARNING_OBJECT(element, "%s", event.text.c_str());
  gst_element_message_full(GST_ELEMENT(element), GST_MESSAGE_WARNING, event.domain, event.code,
                           g_strdup(event.text.c_str()), nullptr, __FILE__, GST_FUNCTION, __LINE__);
}

void emit_all(gpointer element, Broadcast &broadcast) {
  for (const Broadcast::Event &event : broadcast.take_events())
    std::visit([element](const auto &each) { emit(element, each); }, event);
}

// Start and stop.

std::vector<std::pair<std::string, flvhttp::Route>>
routes_of(const Places &places, const std::shared_ptr<Broadcast> &broadcast) {
  std::vector<std::pair<std::string, flvhttp::Route>> routes;
  std::string page;
  if (!places.page_path.empty())
    page = flvhttp::page_reference(places.path, places.page_path);
  routes.push_back({places.path, {broadcast, nullptr, {}, page}});
  const auto add = [&](const std::string &path, std::function<std::string()> build,
                       const char *type) {
    if (!path.empty())
      routes.push_back({path, {broadcast, std::make_shared<Report>(std::move(build)), type, {}}});
  };
  add(
      places.stats_path,
      [broadcast] {
        return flvhttp::json_of(flvhttp::structure_of(broadcast->stats()).get()) + "\n";
      },
      "application/json");
  add(
      places.metrics_path,
      [broadcast, path = places.path] { return flvhttp::metrics_of(broadcast->stats(), path); },
      "text/plain; version=0.0.4");
  return routes;
}

// The first wrong property, as a sentence; empty: all are valid.
std::string fault_of(const Places &places) {
  const std::pair<const char *, const std::string &> paths[] = {
      {"path", places.path},
      {"stats-path", places.stats_path},
      {"metrics-path", places.metrics_path},
      {"page-path", places.page_path},
  };
  for (const auto &[name, path] : paths) {
    if (path.empty() && &path != &places.path)
      continue;
    const std::string quoted = '"' + path + '"';
    if (const std::string fault = flvhttp::path_fault(path); !fault.empty())
      return std::string(name).append(" ").append(quoted).append(" ").append(fault);
    for (const auto &[other_name, other] : paths) {
      if (name != other_name && !other.empty() &&
          flvhttp::normalized_path(path) == flvhttp::normalized_path(other))
        return std::string(name).append(" and ").append(other_name).append(" are both ") + quoted;
    }
  }
  if (places.place.certificate.empty() && !places.place.key.empty())
    return "tls-key \"" + places.place.key + "\" goes with no tls-certificate";
  return "";
}

gboolean gst_http_server_sink_start(GstBaseSink *sink) noexcept {
  GstHttpServerSink *self = GST_HTTP_SERVER_SINK(sink);
  Private &priv = self->priv;
  flvhttp::Properties properties;
  std::shared_ptr<Listener> given;
  {
    const ObjectLock lock(self);
    properties = priv.properties;
    given = priv.given;
  }
  const Places &places = properties.places;
  priv.places = places;
  if (const std::string fault = fault_of(places); !fault.empty()) {
    FLV_ELEMENT_ERROR(self, RESOURCE, SETTINGS, ("Wrong properties: %s.", fault.c_str()),
                      (nullptr));
    return FALSE;
  }
  GError *error = nullptr;
  priv.listener = given ? std::move(given) : Listener::at(places.place, &error);
  if (!priv.listener) {
    FLV_ELEMENT_ERROR(self, RESOURCE, OPEN_READ_WRITE,
                      ("Cannot serve at %s port %u: %s.", places.place.address.c_str(),
                       unsigned{places.place.port}, error->message),
                      (nullptr));
    g_error_free(error);
    return FALSE;
  }
  Listener *listener = priv.listener.get();
  // The broadcast is destroyed before the element and the listener, which it borrows.
  const auto broadcast = std::make_shared<Broadcast>(
      [listener] { listener->writer_thread().wake(); },
      [listener, self](Broadcast &it) { listener->run_soon([self, &it] { emit_all(self, it); }); },
      GST_ELEMENT(self));
  broadcast->set(properties.settings);
  auto taken = listener->add(routes_of(places, broadcast), places.request_timeout);
  if (!taken && !places.page_path.empty()) {
    priv.page = std::make_shared<flvhttp::PageSite>(places.page_path, places.path, broadcast);
    taken = listener->add_site(places.page_path, priv.page);
    if (taken) {
      listener->remove(broadcast.get());
      priv.page.reset();
    }
  }
  if (taken) {
    FLV_ELEMENT_ERROR(self, RESOURCE, BUSY,
                      ("The path \"%s\" at %s port %u is already served by another element.",
                       taken->c_str(), places.place.address.c_str(), unsigned{listener->port()}),
                      (nullptr));
    priv.listener.reset();
    return FALSE;
  }
  listener->writer_thread().add(broadcast);
  {
    const ObjectLock lock(self);
    priv.broadcast = broadcast;
    broadcast->set(priv.properties.settings); // properties may have changed since the copy
  }
  priv.ingest.clear();
  priv.warned_of_container = false;
  GST_INFO_OBJECT(self, "serving %s at port %u", places.path.c_str(), unsigned{listener->port()});
  g_object_notify(G_OBJECT(self), "current-port");
  return TRUE;
}

gboolean gst_http_server_sink_stop(GstBaseSink *sink) noexcept {
  Private &priv = priv_of(sink);
  const std::shared_ptr<Broadcast> broadcast = broadcast_of(sink);
  if (!broadcast) // a restart in READY failed
    return TRUE;
  priv.listener->remove(broadcast.get());
  if (const auto page = std::exchange(priv.page, nullptr))
    priv.listener->remove_site(page.get());
  broadcast->close();
  priv.listener->writer_thread().remove(broadcast.get());
  priv.listener->finish_work();
  emit_all(sink, *broadcast);
  {
    const ObjectLock lock(sink);
    priv.broadcast.reset();
  }
  priv.listener.reset();
  priv.ingest.clear();
  return TRUE;
}

// The stream.

void note_container(GstBaseSink *sink) {
  const Private &priv = priv_of(sink);
  if (!priv.ingest.container().type.empty())
    priv.broadcast->set_container(priv.ingest.container());
}

// Called for the first entries, because a muxer may complete its caps before its first buffer.
void warn_of_container(GstBaseSink *sink) {
  Private &priv = priv_of(sink);
  if (priv.ingest.container().header != flvhttp::ContainerHeader::AtStart ||
      std::exchange(priv.warned_of_container, true))
    return;
  FLV_ELEMENT_WARNING(
      sink, STREAM, FORMAT,
      ("Clients that connect from now on cannot be served: a stream of %s without a "
       "streamheader in its caps can be read from its start only.",
       priv.ingest.container().type.c_str()),
      ("Muxers whose streams can be joined: flvmux streamable=true, matroskamux "
       "streamable=true, webmmux streamable=true, mpegtsmux, oggmux, "
       "multipartmux."));
}

gboolean gst_http_server_sink_set_caps(GstBaseSink *sink, GstCaps *caps) noexcept {
  priv_of(sink).ingest.set_caps(caps);
  note_container(sink);
  return TRUE;
}

GstFlowReturn gst_http_server_sink_render(GstBaseSink *sink, GstBuffer *buffer) noexcept {
  Private &priv = priv_of(sink);
  const bool known = !priv.ingest.container().type.empty();
  std::vector<fanout::Entry> entries;
  const flv::Status status = priv.ingest.take(buffer, entries);
  if (!known)
    note_container(sink);
  if (!entries.empty()) {
    warn_of_container(sink);
    priv.broadcast->push(std::move(entries));
  }
  if (status == flv::Status::Ok)
    return GST_FLOW_OK;
  FLV_ELEMENT_ERROR(sink, STREAM, WRONG_TYPE,
                    ("Not an FLV stream: %s.", flv::describe(priv.ingest.fault()).c_str()),
                    (nullptr));
  return GST_FLOW_ERROR;
}

// Waits without the preroll lock, because state changes need it. After EOS, the base class
// considers the element prerolled, and does not block it in PAUSED. So this function does.
GstFlowReturn drain(GstBaseSink *sink) {
  Private &priv = priv_of(sink);
  for (bool drained = false; !sink->flushing;) {
    if (priv.paused) {
      if (const GstFlowReturn flow = gst_base_sink_wait_preroll(sink); flow != GST_FLOW_OK)
        return flow;
      continue;
    }
    if (drained)
      return GST_FLOW_OK;
    const guint64 interrupts = priv.broadcast->interrupts();
    GST_BASE_SINK_PREROLL_UNLOCK(sink);
    drained = priv.broadcast->wait_until_drained(interrupts);
    GST_BASE_SINK_PREROLL_LOCK(sink);
  }
  return GST_FLOW_FLUSHING;
}

// Delays EOS until the clients have received the stream. The base class interrupts a wait on a
// pause, a stop or a flush, but only in this virtual function.
GstFlowReturn gst_http_server_sink_wait_event(GstBaseSink *sink, GstEvent *event) noexcept {
  const GstFlowReturn flow =
      GST_BASE_SINK_CLASS(gst_http_server_sink_parent_class)->wait_event(sink, event);
  if (flow != GST_FLOW_OK || GST_EVENT_TYPE(event) != GST_EVENT_EOS)
    return flow;
  Private &priv = priv_of(sink);
  std::vector<fanout::Entry> entries;
  priv.ingest.finish(entries);
  priv.broadcast->push(std::move(entries));
  priv.broadcast->set_ended(true);
  return drain(sink);
}

void set_paused(gpointer element, bool paused) {
  GST_BASE_SINK_PREROLL_LOCK(element);
  priv_of(element).paused = paused;
  GST_BASE_SINK_PREROLL_UNLOCK(element);
}

// The base class starts the element on the change to READY. If a property that applies at the start
// changes in READY, the element restarts.
gboolean move_in_ready(GstElement *element) {
  GstBaseSink *sink = GST_BASE_SINK(element);
  {
    const ObjectLock lock(element);
    const Private &priv = priv_of(element);
    if (priv.properties.places == priv.places && (!priv.given || priv.given == priv.listener))
      return TRUE;
  }
  gst_http_server_sink_stop(sink);
  return gst_http_server_sink_start(sink);
}

GstStateChangeReturn gst_http_server_sink_change_state(GstElement *element,
                                                       GstStateChange change) noexcept {
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !move_in_ready(element))
    return GST_STATE_CHANGE_FAILURE;
  if (change == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    set_paused(element, true);
  else if (change == GST_STATE_CHANGE_PAUSED_TO_PLAYING ||
           change == GST_STATE_CHANGE_READY_TO_PAUSED)
    set_paused(element, false);
  return GST_ELEMENT_CLASS(gst_http_server_sink_parent_class)->change_state(element, change);
}

gboolean gst_http_server_sink_event(GstBaseSink *sink, GstEvent *event) noexcept {
  Private &priv = priv_of(sink);
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_STREAM_START:
  case GST_EVENT_FLUSH_STOP:
    if (priv.broadcast) {
      priv.ingest.interrupt();
      GST_INFO_OBJECT(sink, "%s: the stream continues for the clients that are there",
                      GST_EVENT_TYPE_NAME(event));
      priv.broadcast->set_ended(false);
    }
    break;
  case GST_EVENT_SEGMENT: {
    const GstSegment *segment = nullptr;
    gst_event_parse_segment(event, &segment);
    priv.ingest.set_segment(*segment);
    break;
  }
  default:
    break;
  }
  return GST_BASE_SINK_CLASS(gst_http_server_sink_parent_class)->event(sink, event);
}

// Called as unlock() before the base class takes the preroll lock, and as unlock_stop() when it has
// the lock and the pause or flush is noted. The second call interrupts a wait that began between
// the two.
gboolean gst_http_server_sink_unlock(GstBaseSink *sink) noexcept {
  if (const auto broadcast = broadcast_of(sink))
    broadcast->interrupt();
  return TRUE;
}

// Actions.

void gst_http_server_sink_clear(GstHttpServerSink *self) noexcept {
  if (const auto broadcast = broadcast_of(self))
    broadcast->remove_all();
}

void gst_http_server_sink_remove(GstHttpServerSink *self, guint64 id) noexcept {
  if (const auto broadcast = broadcast_of(self))
    broadcast->remove(id);
}

// Properties.

void gst_http_server_sink_set_property(GObject *object, guint id, const GValue *value,
                                       GParamSpec *pspec) noexcept {
  Private &priv = priv_of(object);
  const std::string late = gstflv::late_change(object, pspec, value);
  {
    const ObjectLock lock(object);
    if (!priv.properties.set(id, value))
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    else if (priv.broadcast)
      priv.broadcast->set(priv.properties.settings);
  }
  if (!late.empty())
    FLV_ELEMENT_WARNING(object, RESOURCE, SETTINGS, ("%s", late.c_str()), (nullptr));
}

void gst_http_server_sink_get_property(GObject *object, guint id, GValue *value,
                                       GParamSpec *pspec) noexcept {
  Private &priv = priv_of(object);
  if (id == flvhttp::PROP_STATS) {
    const auto broadcast = broadcast_of(object);
    g_value_take_boxed(
        value, flvhttp::structure_of(broadcast ? broadcast->stats() : flvhttp::BroadcastStats())
                   .release());
    return;
  }
  const ObjectLock lock(object);
  if (id == flvhttp::PROP_CURRENT_PORT)
    g_value_set_uint(value, priv.broadcast ? priv.listener->port() : 0);
  else if (!priv.properties.get(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

void gst_http_server_sink_finalize(GObject *object) noexcept {
  priv_of(object).~Private();
  G_OBJECT_CLASS(gst_http_server_sink_parent_class)->finalize(object);
}

} // namespace

static void gst_http_server_sink_class_init(GstHttpServerSinkClass *klass) {
  auto *object_class = G_OBJECT_CLASS(klass);
  auto *element_class = GST_ELEMENT_CLASS(klass);
  auto *sink_class = GST_BASE_SINK_CLASS(klass);
  object_class->set_property = gst_http_server_sink_set_property;
  object_class->get_property = gst_http_server_sink_get_property;
  object_class->finalize = gst_http_server_sink_finalize;
  element_class->change_state = gst_http_server_sink_change_state;
  sink_class->start = gst_http_server_sink_start;
  sink_class->stop = gst_http_server_sink_stop;
  sink_class->set_caps = gst_http_server_sink_set_caps;
  sink_class->render = gst_http_server_sink_render;
  sink_class->event = gst_http_server_sink_event;
  sink_class->wait_event = gst_http_server_sink_wait_event;
  sink_class->unlock = gst_http_server_sink_unlock;
  sink_class->unlock_stop = gst_http_server_sink_unlock;

  flvhttp::install_properties(object_class);

  /**
   * GstHttpServerSink::client-added:
   * @sink: the element
   * @id: the client's id
   *
   * A client was added. The signal is emitted from a thread of the element. A handler must not set
   * the element to NULL, because this change waits for that thread.
   */
  signals[SIGNAL_CLIENT_ADDED] =
      g_signal_new("client-added", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr,
                   nullptr, G_TYPE_NONE, 1, G_TYPE_UINT64);
  /**
   * GstHttpServerSink::client-removed:
   * @sink: the element
   * @id: the client's id
   * @reason: closed, broken, slow, ended, drained, waited, protocol, removed or stopped
   * @stats: the client's last statistics, with the fields as in #GstHttpServerSink:stats
   *
   * A client was removed. The signal is emitted from a thread of the element. A handler must not
   * set the element to NULL, because this change waits for that thread.
   */
  signals[SIGNAL_CLIENT_REMOVED] = g_signal_new(
      "client-removed", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
      G_TYPE_NONE, 3, G_TYPE_UINT64, G_TYPE_STRING, GST_TYPE_STRUCTURE);
  /**
   * GstHttpServerSink::clear:
   * @sink: the element
   *
   * Closes all clients.
   */
  signals[SIGNAL_CLEAR] = g_signal_new_class_handler(
      "clear", G_TYPE_FROM_CLASS(klass),
      static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
      G_CALLBACK(gst_http_server_sink_clear), nullptr, nullptr, nullptr, G_TYPE_NONE, 0);
  /**
   * GstHttpServerSink::remove:
   * @sink: the element
   * @id: the client's id
   *
   * Closes one client.
   */
  signals[SIGNAL_REMOVE] =
      g_signal_new_class_handler("remove", G_TYPE_FROM_CLASS(klass),
                                 static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                                 G_CALLBACK(gst_http_server_sink_remove), nullptr, nullptr, nullptr,
                                 G_TYPE_NONE, 1, G_TYPE_UINT64);

  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_set_static_metadata(
      element_class, "HTTP server sink", "Sink/Network",
      "Serves a stream to any number of HTTP and WebSocket clients",
      "The gst-flv-streaming authors");
  gst_element_class_add_static_metadata(element_class, GST_ELEMENT_METADATA_DOC_URI,
                                        DOCS_URI "/httpserversink.md");
}

static void gst_http_server_sink_init(GstHttpServerSink *self) {
  new (&self->priv) Private(GST_ELEMENT(self));
}

void gst_http_server_sink_set_listener(GstElement *sink, std::shared_ptr<Listener> listener) {
  const ObjectLock lock(sink);
  priv_of(sink).given.swap(listener);
}
