// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-httpserversink
 * @title: httpserversink
 * @short_description: serves a stream to HTTP and WebSocket clients
 * @see_also: flvpace, tcpserversink
 *
 * Serves the stream that reaches its pad to any number of browsers and players, over HTTP and, at
 * the same path, over WebSocket. Who joins late gets the stream's header and then the stream from a
 * key frame on. FLV is sent with timestamps that start at 0 for each client, and with header flags
 * and metadata that are true for what follows. Any other container with a `streamheader` in its
 * caps works too, such as that of matroskamux streamable=true, mpegtsmux or oggmux.
 *
 * Elements of one process with the same address and port share one listener, each with a path of
 * its own.
 *
 * No client can stop or slow the stream for the others: one that falls behind by more than
 * #GstHttpServerSink:max-lag skips to the newest key frame, one that takes nothing for
 * #GstHttpServerSink:client-timeout is closed.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=in.flv ! flvpace ! httpserversink port=8080 path=/live/cam.flv
 * ]|
 */

#include "gsthttpserversink.h"

#include <algorithm>
#include <new>

#include "feed.h"
#include "listener.h"
#include "report.h"

GST_DEBUG_CATEGORY_STATIC(gst_http_server_sink_debug);
#define GST_CAT_DEFAULT gst_http_server_sink_debug

using flvhttp::Channel;
using flvhttp::ChannelSettings;
using flvhttp::Feed;
using flvhttp::Listener;
using gstflv::StructurePtr;

namespace {

enum {
  PROP_0,
  PROP_ADDRESS,
  PROP_PORT,
  PROP_CURRENT_PORT,
  PROP_PATH,
  PROP_ALLOW_ORIGIN,
  PROP_WAIT_TIMEOUT,
  PROP_REQUEST_TIMEOUT,
  PROP_TLS_CERTIFICATE,
  PROP_TLS_KEY,
  PROP_JOIN,
  PROP_BURST,
  PROP_REBASE_TIMESTAMPS,
  PROP_DRAIN_TIMEOUT,
  PROP_MAX_LAG,
  PROP_MAX_LAG_BYTES,
  PROP_CLIENT_TIMEOUT,
  PROP_MAX_CLIENTS,
  PROP_MERGE,
  PROP_STATS_PATH,
  PROP_METRICS_PATH,
  PROP_STATS,
};

enum { SIGNAL_CLIENT_ADDED, SIGNAL_CLIENT_REMOVED, SIGNAL_CLEAR, SIGNAL_REMOVE, SIGNALS };

guint signals[SIGNALS];

constexpr guint kDefaultPort = 8080;
constexpr guint kDefaultRequestTimeout = 5000;       // ms
constexpr gint64 kDefaultBurst = 2000;               // ms
constexpr gint64 kDefaultMaxLag = 10'000;            // ms
constexpr guint64 kDefaultMaxLagBytes = 32ULL << 20; // bytes

ChannelSettings default_settings() {
  ChannelSettings settings;
  settings.viewer.burst = kDefaultBurst;
  settings.viewer.max_lag = kDefaultMaxLag;
  settings.viewer.max_lag_bytes = kDefaultMaxLagBytes;
  return settings;
}

// Where and how it is served, settled at the start.
struct Places {
  Listener::Place place{"localhost", kDefaultPort, {}, {}};
  std::string path = "/";
  std::string stats_path;
  std::string metrics_path;
  guint request_timeout = kDefaultRequestTimeout;
};

} // namespace

struct Private {
  explicit Private(const ChannelSettings &defaults) : settings(defaults) {}
  ~Private() = default;
  Private(const Private &) = delete;
  Private &operator=(const Private &) = delete;

  Places places;                      // with the object's lock
  ChannelSettings settings;           // with the object's lock
  std::shared_ptr<Listener> listener; // from start to stop
  std::shared_ptr<Channel> channel;   // with the object's lock
  Feed feed;                          // the streaming thread's
};

struct _GstHttpServerSink {
  GstBaseSink parent;
  Private priv;
};

G_DEFINE_FINAL_TYPE_WITH_CODE(GstHttpServerSink, gst_http_server_sink, GST_TYPE_BASE_SINK,
                              GST_DEBUG_CATEGORY_INIT(gst_http_server_sink_debug, "httpserversink",
                                                      0, "serves streams over HTTP"))
GST_ELEMENT_REGISTER_DEFINE(httpserversink, "httpserversink", GST_RANK_NONE,
                            GST_TYPE_HTTP_SERVER_SINK)

namespace {

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

Private &priv_of(gpointer element) {
  return GST_HTTP_SERVER_SINK(element)->priv;
}

class ObjectLock {
public:
  explicit ObjectLock(gpointer object) : object_(object) { GST_OBJECT_LOCK(object_); }
  ~ObjectLock() { GST_OBJECT_UNLOCK(object_); }
  ObjectLock(const ObjectLock &) = delete;
  ObjectLock &operator=(const ObjectLock &) = delete;

private:
  gpointer object_;
};

std::shared_ptr<Channel> channel_of(gpointer element) {
  const ObjectLock lock(element);
  return priv_of(element).channel;
}

GType join_type() {
  static gsize type = 0;
  if (g_once_init_enter(&type)) {
    static const GEnumValue values[] = {
        {static_cast<gint>(fanout::Join::LatestKeyFrame),
         "From the latest key frame that was sent already", "latest-keyframe"},
        {static_cast<gint>(fanout::Join::Burst),
         "From as many key frames back as it takes for a burst", "burst"},
        {static_cast<gint>(fanout::Join::NextKeyFrame), "From the next key frame", "next-keyframe"},
        {0, nullptr, nullptr},
    };
    g_once_init_leave(&type, g_enum_register_static("GstHttpServerSinkJoin", values));
  }
  return type;
}

// Signals, in the listener's thread.

void emit(gpointer element, const Channel::Event &event) {
  if (!event.reason) {
    g_signal_emit(element, signals[SIGNAL_CLIENT_ADDED], 0, event.id);
    return;
  }
  const StructurePtr stats = flvhttp::structure_of(event.stats);
  g_signal_emit(element, signals[SIGNAL_CLIENT_REMOVED], 0, event.id,
                flvhttp::name_of(*event.reason), stats.get());
}

void emit_all(gpointer element, Channel &channel) {
  for (const Channel::Event &event : channel.take_events()) {
    GST_DEBUG_OBJECT(element, "client %" G_GUINT64_FORMAT " %s%s", event.id,
                     event.reason ? "removed: " : "added",
                     event.reason ? flvhttp::name_of(*event.reason) : "");
    emit(element, event);
  }
}

// Start and stop.

std::vector<std::pair<std::string, flvhttp::Route>>
routes_of(const Places &places, const std::shared_ptr<Channel> &channel) {
  std::vector<std::pair<std::string, flvhttp::Route>> routes;
  routes.push_back({places.path, {channel, nullptr, {}}});
  if (!places.stats_path.empty())
    routes.push_back({places.stats_path,
                      {channel,
                       [it = channel.get()] {
                         return flvhttp::json_of(flvhttp::structure_of(it->stats()).get()) + "\n";
                       },
                       "application/json"}});
  if (!places.metrics_path.empty())
    routes.push_back({places.metrics_path,
                      {channel,
                       [it = channel.get(), path = places.path] {
                         return flvhttp::metrics_of(it->stats(), path);
                       },
                       "text/plain; version=0.0.4"}});
  return routes;
}

bool is_path(GstHttpServerSink *self, const std::string &path) {
  if (path.starts_with('/'))
    return true;
  GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS,
                    ("The path \"%s\" does not begin with a slash.", path.c_str()), (nullptr));
  return false;
}

bool check_paths(GstHttpServerSink *self, const Places &places) {
  return is_path(self, places.path) &&
         (places.stats_path.empty() || is_path(self, places.stats_path)) &&
         (places.metrics_path.empty() || is_path(self, places.metrics_path));
}

gboolean gst_http_server_sink_start(GstBaseSink *sink) noexcept {
  GstHttpServerSink *self = GST_HTTP_SERVER_SINK(sink);
  Private &priv = self->priv;
  Places places;
  ChannelSettings settings;
  {
    const ObjectLock lock(self);
    places = priv.places;
    settings = priv.settings;
  }
  if (!check_paths(self, places))
    return FALSE;
  GError *error = nullptr;
  priv.listener = Listener::at(places.place, &error);
  if (!priv.listener) {
    GST_ELEMENT_ERROR(self, RESOURCE, OPEN_READ_WRITE,
                      ("Cannot serve at %s port %u: %s.", places.place.address.c_str(),
                       unsigned{places.place.port}, error->message),
                      (nullptr));
    g_error_free(error);
    return FALSE;
  }
  Listener *listener = priv.listener.get();
  listener->set_request_timeout(places.request_timeout);
  // The channel is gone before the element and the listener are.
  const auto channel = std::make_shared<Channel>(
      [listener] { listener->fan_out().wake(); },
      [listener, self](Channel &it) { listener->run_soon([self, &it] { emit_all(self, it); }); });
  channel->set(settings);
  if (const auto taken = listener->add(routes_of(places, channel))) {
    GST_ELEMENT_ERROR(self, RESOURCE, BUSY,
                      ("The path \"%s\" at %s port %u is served by another element already.",
                       taken->c_str(), places.place.address.c_str(), unsigned{listener->port()}),
                      (nullptr));
    priv.listener.reset();
    return FALSE;
  }
  listener->fan_out().add(channel);
  {
    const ObjectLock lock(self);
    priv.channel = channel;
  }
  priv.feed.clear();
  GST_INFO_OBJECT(self, "serving %s at port %u", places.path.c_str(), unsigned{listener->port()});
  g_object_notify(G_OBJECT(self), "current-port");
  return TRUE;
}

gboolean gst_http_server_sink_stop(GstBaseSink *sink) noexcept {
  Private &priv = priv_of(sink);
  const std::shared_ptr<Channel> channel = channel_of(sink);
  priv.listener->remove(channel.get());
  channel->close();
  priv.listener->fan_out().remove(channel.get());
  priv.listener->finish_work();
  emit_all(sink, *channel);
  {
    const ObjectLock lock(sink);
    priv.channel.reset();
  }
  priv.listener.reset();
  priv.feed.clear();
  return TRUE;
}

// The stream.

void show(GstBaseSink *sink) {
  const Private &priv = priv_of(sink);
  if (!priv.feed.content_type().empty())
    priv.channel->show(priv.feed.content_type());
}

gboolean gst_http_server_sink_set_caps(GstBaseSink *sink, GstCaps *caps) noexcept {
  priv_of(sink).feed.set_caps(caps);
  show(sink);
  return TRUE;
}

GstFlowReturn gst_http_server_sink_render(GstBaseSink *sink, GstBuffer *buffer) noexcept {
  Private &priv = priv_of(sink);
  const bool known = !priv.feed.content_type().empty();
  std::vector<fanout::Entry> entries;
  const flv::Status status = priv.feed.take(buffer, entries);
  if (!known)
    show(sink);
  if (!entries.empty())
    priv.channel->push(std::move(entries));
  if (status == flv::Status::Ok)
    return GST_FLOW_OK;
  GST_ELEMENT_ERROR(sink, STREAM, WRONG_TYPE,
                    ("Not an FLV stream: %s.", flv::describe(priv.feed.fault()).c_str()),
                    (nullptr));
  return GST_FLOW_ERROR;
}

// Nobody is told that the stream has ended before the clients have it. The base class lets a pause,
// a stop or a flush end what waits here, and only here.
GstFlowReturn gst_http_server_sink_wait_event(GstBaseSink *sink, GstEvent *event) noexcept {
  GstFlowReturn flow =
      GST_BASE_SINK_CLASS(gst_http_server_sink_parent_class)->wait_event(sink, event);
  if (flow != GST_FLOW_OK || GST_EVENT_TYPE(event) != GST_EVENT_EOS)
    return flow;
  Private &priv = priv_of(sink);
  std::vector<fanout::Entry> entries;
  priv.feed.finish(entries);
  priv.channel->push(std::move(entries));
  priv.channel->set_ended(true);
  while (flow == GST_FLOW_OK && !priv.channel->wait_until_drained())
    flow = gst_base_sink_wait_preroll(sink);
  return flow;
}

gboolean gst_http_server_sink_event(GstBaseSink *sink, GstEvent *event) noexcept {
  Private &priv = priv_of(sink);
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_STREAM_START:
  case GST_EVENT_FLUSH_STOP:
    if (priv.channel) {
      priv.feed.interrupt();
      priv.channel->set_ended(false);
    }
    break;
  case GST_EVENT_SEGMENT: {
    const GstSegment *segment = nullptr;
    gst_event_parse_segment(event, &segment);
    priv.feed.set_segment(*segment);
    break;
  }
  default:
    break;
  }
  return GST_BASE_SINK_CLASS(gst_http_server_sink_parent_class)->event(sink, event);
}

gboolean gst_http_server_sink_unlock(GstBaseSink *sink) noexcept {
  if (const auto channel = channel_of(sink))
    channel->interrupt(true);
  return TRUE;
}

gboolean gst_http_server_sink_unlock_stop(GstBaseSink *sink) noexcept {
  if (const auto channel = channel_of(sink))
    channel->interrupt(false);
  return TRUE;
}

// Actions.

void gst_http_server_sink_clear(GstHttpServerSink *self) noexcept {
  if (const auto channel = channel_of(self))
    channel->remove_all();
}

void gst_http_server_sink_remove(GstHttpServerSink *self, guint64 id) noexcept {
  if (const auto channel = channel_of(self))
    channel->remove(id);
}

// Properties.

std::string text_of(const GValue *value) {
  const char *text = g_value_get_string(value);
  return text ? text : "";
}

bool set_place(Places &places, guint id, const GValue *value) {
  switch (id) {
  case PROP_ADDRESS:
    places.place.address = text_of(value);
    return true;
  case PROP_PORT:
    places.place.port = static_cast<guint16>(g_value_get_uint(value));
    return true;
  case PROP_PATH:
    places.path = text_of(value);
    return true;
  case PROP_TLS_CERTIFICATE:
    places.place.certificate = text_of(value);
    return true;
  case PROP_TLS_KEY:
    places.place.key = text_of(value);
    return true;
  case PROP_STATS_PATH:
    places.stats_path = text_of(value);
    return true;
  case PROP_METRICS_PATH:
    places.metrics_path = text_of(value);
    return true;
  case PROP_REQUEST_TIMEOUT:
    places.request_timeout = g_value_get_uint(value);
    return true;
  default:
    return false;
  }
}

bool set_setting(ChannelSettings &settings, guint id, const GValue *value) {
  switch (id) {
  case PROP_ALLOW_ORIGIN:
    settings.allow_origin = text_of(value);
    return true;
  case PROP_WAIT_TIMEOUT:
    settings.wait_timeout = g_value_get_uint(value);
    return true;
  case PROP_JOIN:
    settings.viewer.join = static_cast<fanout::Join>(g_value_get_enum(value));
    return true;
  case PROP_BURST:
    settings.viewer.burst = g_value_get_uint(value);
    return true;
  case PROP_REBASE_TIMESTAMPS:
    settings.viewer.rebase = g_value_get_boolean(value);
    return true;
  case PROP_DRAIN_TIMEOUT:
    settings.drain_timeout = g_value_get_uint(value);
    return true;
  case PROP_MAX_LAG:
    settings.viewer.max_lag = g_value_get_uint(value);
    return true;
  case PROP_MAX_LAG_BYTES:
    settings.viewer.max_lag_bytes = g_value_get_uint64(value);
    return true;
  case PROP_CLIENT_TIMEOUT:
    settings.client_timeout = g_value_get_uint(value);
    return true;
  case PROP_MAX_CLIENTS:
    settings.max_clients = g_value_get_uint(value);
    return true;
  case PROP_MERGE:
    settings.merge = g_value_get_uint(value);
    return true;
  default:
    return false;
  }
}

void gst_http_server_sink_set_property(GObject *object, guint id, const GValue *value,
                                       GParamSpec *pspec) noexcept {
  Private &priv = priv_of(object);
  const ObjectLock lock(object);
  if (set_place(priv.places, id, value))
    return;
  if (!set_setting(priv.settings, id, value)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    return;
  }
  if (priv.channel)
    priv.channel->set(priv.settings);
}

void gst_http_server_sink_get_property(GObject *object, guint id, GValue *value,
                                       GParamSpec *pspec) noexcept {
  Private &priv = priv_of(object);
  if (id == PROP_STATS) {
    const auto channel = channel_of(object);
    g_value_take_boxed(
        value,
        flvhttp::structure_of(channel ? channel->stats() : flvhttp::ChannelStats()).release());
    return;
  }
  const auto set_text = [value](const std::string &text) {
    g_value_set_string(value, text.empty() ? nullptr : text.c_str());
  };
  const ObjectLock lock(object);
  const Places &places = priv.places;
  const ChannelSettings &settings = priv.settings;
  switch (id) {
  case PROP_ADDRESS:
    set_text(places.place.address);
    break;
  case PROP_PORT:
    g_value_set_uint(value, places.place.port);
    break;
  case PROP_CURRENT_PORT:
    g_value_set_uint(value, priv.channel ? priv.listener->port() : 0);
    break;
  case PROP_PATH:
    set_text(places.path);
    break;
  case PROP_ALLOW_ORIGIN:
    set_text(settings.allow_origin);
    break;
  case PROP_WAIT_TIMEOUT:
    g_value_set_uint(value, settings.wait_timeout);
    break;
  case PROP_REQUEST_TIMEOUT:
    g_value_set_uint(value, places.request_timeout);
    break;
  case PROP_TLS_CERTIFICATE:
    set_text(places.place.certificate);
    break;
  case PROP_TLS_KEY:
    set_text(places.place.key);
    break;
  case PROP_JOIN:
    g_value_set_enum(value, static_cast<gint>(settings.viewer.join));
    break;
  case PROP_BURST:
    g_value_set_uint(value, static_cast<guint>(settings.viewer.burst));
    break;
  case PROP_REBASE_TIMESTAMPS:
    g_value_set_boolean(value, settings.viewer.rebase);
    break;
  case PROP_DRAIN_TIMEOUT:
    g_value_set_uint(value, settings.drain_timeout);
    break;
  case PROP_MAX_LAG:
    g_value_set_uint(value, static_cast<guint>(settings.viewer.max_lag));
    break;
  case PROP_MAX_LAG_BYTES:
    g_value_set_uint64(value, settings.viewer.max_lag_bytes);
    break;
  case PROP_CLIENT_TIMEOUT:
    g_value_set_uint(value, settings.client_timeout);
    break;
  case PROP_MAX_CLIENTS:
    g_value_set_uint(value, settings.max_clients);
    break;
  case PROP_MERGE:
    g_value_set_uint(value, settings.merge);
    break;
  case PROP_STATS_PATH:
    set_text(places.stats_path);
    break;
  case PROP_METRICS_PATH:
    set_text(places.metrics_path);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
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
  sink_class->start = gst_http_server_sink_start;
  sink_class->stop = gst_http_server_sink_stop;
  sink_class->set_caps = gst_http_server_sink_set_caps;
  sink_class->render = gst_http_server_sink_render;
  sink_class->event = gst_http_server_sink_event;
  sink_class->wait_event = gst_http_server_sink_wait_event;
  sink_class->unlock = gst_http_server_sink_unlock;
  sink_class->unlock_stop = gst_http_server_sink_unlock_stop;

  constexpr auto kReady = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY);
  constexpr auto kPlaying = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                     GST_PARAM_MUTABLE_PLAYING);
  constexpr auto kRead = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const ChannelSettings settings = default_settings();
  const auto add_text = [object_class](guint id, const char *name, const char *nick,
                                       const char *blurb, const char *value, GParamFlags flags) {
    g_object_class_install_property(object_class, id,
                                    g_param_spec_string(name, nick, blurb, value, flags));
  };
  const auto add_number = [object_class](guint id, const char *name, const char *nick,
                                         const char *blurb, guint most, guint value,
                                         GParamFlags flags) {
    g_object_class_install_property(object_class, id,
                                    g_param_spec_uint(name, nick, blurb, 0, most, value, flags));
  };

  /**
   * GstHttpServerSink:address:
   *
   * The host name or address to listen at. `0.0.0.0` and `::` are all that the machine has.
   */
  add_text(PROP_ADDRESS, "address", "Address", "Host name or address to listen at", "localhost",
           kReady);
  /**
   * GstHttpServerSink:port:
   *
   * The port to listen at. Elements with the same address and port share it. 0: one that is free,
   * which #GstHttpServerSink:current-port tells.
   */
  add_number(PROP_PORT, "port", "Port", "Port to listen at (0 = one that is free)", G_MAXUINT16,
             kDefaultPort, kReady);
  /**
   * GstHttpServerSink:current-port:
   *
   * The port that is listened at; 0 before the element is started.
   */
  add_number(PROP_CURRENT_PORT, "current-port", "Current port", "Port that is listened at",
             G_MAXUINT16, 0, kRead);
  /**
   * GstHttpServerSink:path:
   *
   * Where the stream is, beginning with a slash. Two elements with the same one are an error.
   */
  add_text(PROP_PATH, "path", "Path", "Path of the stream, beginning with a slash", "/", kReady);
  /**
   * GstHttpServerSink:allow-origin:
   *
   * The site whose scripts may read the stream (`Access-Control-Allow-Origin`), such as
   * `https://example.org`; `*`: all. Empty: none but this server's own. WebSocket clients that
   * come from another site are refused.
   */
  add_text(PROP_ALLOW_ORIGIN, "allow-origin", "Allow origin",
           "Site whose scripts may read the stream (* = any)", settings.allow_origin.c_str(),
           kPlaying);
  /**
   * GstHttpServerSink:wait-timeout:
   *
   * Milliseconds. So long a client waits for a stream that has not shown its header yet; then it
   * gets 503 with Retry-After.
   */
  add_number(PROP_WAIT_TIMEOUT, "wait-timeout", "Wait timeout",
             "How long clients wait for a stream that has not begun (ms)", G_MAXUINT,
             settings.wait_timeout, kPlaying);
  /**
   * GstHttpServerSink:request-timeout:
   *
   * Milliseconds in which a client has to send its request, at most 8 KiB. Of elements that share
   * a port, the last one that was started decides.
   */
  add_number(PROP_REQUEST_TIMEOUT, "request-timeout", "Request timeout",
             "How long a client may take for its request (ms)", G_MAXUINT, kDefaultRequestTimeout,
             kReady);
  /**
   * GstHttpServerSink:tls-certificate:
   *
   * A PEM file with the certificate, and those that vouch for it: https and wss are served instead
   * of http and ws.
   */
  add_text(PROP_TLS_CERTIFICATE, "tls-certificate", "TLS certificate",
           "PEM file of the certificate (none = no TLS)", nullptr, kReady);
  /**
   * GstHttpServerSink:tls-key:
   *
   * A PEM file with the certificate's private key, if it is in another file.
   */
  add_text(PROP_TLS_KEY, "tls-key", "TLS key", "PEM file of the certificate's private key", nullptr,
           kReady);
  /**
   * GstHttpServerSink:join:
   *
   * Where in the stream a client begins.
   */
  g_object_class_install_property(
      object_class, PROP_JOIN,
      g_param_spec_enum("join", "Join", "Where in the stream clients begin", join_type(),
                        static_cast<gint>(settings.viewer.join), kPlaying));
  /**
   * GstHttpServerSink:burst:
   *
   * Milliseconds of the stream that a client gets at once with `join=burst`: it begins at the last
   * key frame that is so far back, or at the oldest that is kept.
   */
  add_number(PROP_BURST, "burst", "Burst", "Media that clients get at once with join=burst (ms)",
             G_MAXUINT, static_cast<guint>(kDefaultBurst), kPlaying);
  /**
   * GstHttpServerSink:rebase-timestamps:
   *
   * FLV: each client's timestamps start at 0, with one offset for audio and video, and go on
   * without a gap where it skips or the source comes back.
   */
  g_object_class_install_property(object_class, PROP_REBASE_TIMESTAMPS,
                                  g_param_spec_boolean("rebase-timestamps", "Rebase timestamps",
                                                       "FLV: each client's timestamps start at 0",
                                                       settings.viewer.rebase, kPlaying));
  /**
   * GstHttpServerSink:drain-timeout:
   *
   * Milliseconds that clients have at the stream's end to take what is left. Then they are closed.
   */
  add_number(PROP_DRAIN_TIMEOUT, "drain-timeout", "Drain timeout",
             "How long clients may take for the rest at the end (ms)", G_MAXUINT,
             settings.drain_timeout, kPlaying);
  /**
   * GstHttpServerSink:max-lag:
   *
   * Milliseconds of the stream. A client that is further behind skips to the newest key frame.
   * 0: only #GstHttpServerSink:max-lag-bytes counts.
   */
  add_number(PROP_MAX_LAG, "max-lag", "Maximum lag",
             "How far behind a client may be before it skips (ms, 0 = any)", G_MAXUINT,
             static_cast<guint>(kDefaultMaxLag), kPlaying);
  /**
   * GstHttpServerSink:max-lag-bytes:
   *
   * The same in bytes. It bounds the memory that the stream's history takes, and so how far back a
   * client can join. 0: there is no bound.
   */
  g_object_class_install_property(
      object_class, PROP_MAX_LAG_BYTES,
      g_param_spec_uint64("max-lag-bytes", "Maximum lag in bytes",
                          "How far behind a client may be before it skips (bytes, 0 = any)", 0,
                          G_MAXUINT64, kDefaultMaxLagBytes, kPlaying));
  /**
   * GstHttpServerSink:client-timeout:
   *
   * Milliseconds. A client that takes nothing for so long although there is something is closed.
   */
  add_number(PROP_CLIENT_TIMEOUT, "client-timeout", "Client timeout",
             "How long a client may take nothing (ms)", G_MAXUINT, settings.client_timeout,
             kPlaying);
  /**
   * GstHttpServerSink:max-clients:
   *
   * More clients than this get 503. 0: any number.
   */
  add_number(PROP_MAX_CLIENTS, "max-clients", "Maximum clients",
             "How many clients are served at once (0 = any)", G_MAXUINT, settings.max_clients,
             kPlaying);
  /**
   * GstHttpServerSink:merge:
   *
   * Milliseconds of which the data is sent to each client in one write. More takes less CPU, and
   * adds as much latency. 0: each tag as it comes.
   */
  add_number(PROP_MERGE, "merge", "Merge", "Time over which writes are merged (ms)", 10'000,
             settings.merge, kPlaying);
  /**
   * GstHttpServerSink:stats-path:
   *
   * Where #GstHttpServerSink:stats are served as JSON; nowhere by default.
   */
  add_text(PROP_STATS_PATH, "stats-path", "Statistics path",
           "Path of the statistics as JSON (none = nowhere)", nullptr, kReady);
  /**
   * GstHttpServerSink:metrics-path:
   *
   * Where the totals are served for Prometheus; nowhere by default.
   */
  add_text(PROP_METRICS_PATH, "metrics-path", "Metrics path",
           "Path of the metrics for Prometheus (none = nowhere)", nullptr, kReady);
  /**
   * GstHttpServerSink:stats:
   *
   * A structure `httpserversink-stats`. `clients-now`, `clients-served`, `bytes-in`, `bytes-out`,
   * `skips`, `history-bytes` (uint64), `history-duration` (int64, ms), and `clients`, an array of a
   * structure for each: `id` (uint64), `address`, `user-agent`, `transport` (http, https, ws or
   * wss), `since` (int64, µs since 1970), `duration` (double, s), `bytes` (uint64), `rate` (double,
   * bits a second), `lag`, `lag-minimum`, `lag-maximum` (int64, ms), `lag-average` (double, ms) and
   * `skips` (uint64).
   */
  g_object_class_install_property(object_class, PROP_STATS,
                                  g_param_spec_boxed("stats", "Statistics",
                                                     "Clients and totals so far",
                                                     GST_TYPE_STRUCTURE, kRead));

  /**
   * GstHttpServerSink::client-added:
   * @sink: the element
   * @id: the client's number
   *
   * A client has come. Emitted from a thread of the element's own.
   */
  signals[SIGNAL_CLIENT_ADDED] =
      g_signal_new("client-added", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr,
                   nullptr, G_TYPE_NONE, 1, G_TYPE_UINT64);
  /**
   * GstHttpServerSink::client-removed:
   * @sink: the element
   * @id: the client's number
   * @reason: closed, broken, slow, ended, drained, waited, protocol, removed or stopped
   * @stats: what #GstHttpServerSink:stats says of it in the end
   *
   * A client has gone. Emitted from a thread of the element's own.
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
   * @id: a client's number
   *
   * Closes a client.
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
  gst_type_mark_as_plugin_api(join_type(), static_cast<GstPluginAPIFlags>(0));
}

static void gst_http_server_sink_init(GstHttpServerSink *self) {
  new (&self->priv) Private(default_settings());
}
