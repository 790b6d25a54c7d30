// SPDX-License-Identifier: LGPL-2.1-or-later
#include "properties.h"

namespace flvhttp {

namespace {

constexpr gint64 kDefaultBurst = 2000;               // ms
constexpr gint64 kDefaultMaxLag = 10'000;            // ms
constexpr guint64 kDefaultMaxLagBytes = 32ULL << 20; // bytes

/**
 * GstHttpServerSinkJoin:
 *
 * Where in the stream a client starts: `latest-keyframe` at the latest key frame that was sent,
 * `burst` at a key frame far enough back for #GstHttpServerSink:burst, `next-keyframe` at the next
 * key frame.
 */
GType join_type() {
  static gsize type = 0;
  if (g_once_init_enter(&type)) {
    static const GEnumValue values[] = {
        {static_cast<gint>(fanout::Join::LatestKeyFrame), "From the latest key frame",
         "latest-keyframe"},
        {static_cast<gint>(fanout::Join::Burst), "From an earlier key frame, to send a burst",
         "burst"},
        {static_cast<gint>(fanout::Join::NextKeyFrame), "From the next key frame", "next-keyframe"},
        {0, nullptr, nullptr},
    };
    g_once_init_leave(&type, g_enum_register_static("GstHttpServerSinkJoin", values));
  }
  return type;
}

std::string text_of(const GValue *value) {
  const char *text = g_value_get_string(value);
  return text ? text : "";
}

void set_text(GValue *value, const std::string &text) {
  g_value_set_string(value, text.empty() ? nullptr : text.c_str());
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
  case PROP_PAGE_PATH:
    places.page_path = text_of(value);
    return true;
  case PROP_REQUEST_TIMEOUT:
    places.request_timeout = g_value_get_uint(value);
    return true;
  default:
    return false;
  }
}

bool set_setting(BroadcastSettings &settings, guint id, const GValue *value) {
  switch (id) {
  case PROP_ALLOW_ORIGIN:
    settings.allow_origin = text_of(value);
    return true;
  case PROP_WAIT_TIMEOUT:
    settings.wait_timeout = g_value_get_uint(value);
    return true;
  case PROP_JOIN:
    settings.cursor.join = static_cast<fanout::Join>(g_value_get_enum(value));
    return true;
  case PROP_BURST:
    settings.cursor.burst = g_value_get_uint(value);
    return true;
  case PROP_REBASE_TIMESTAMPS:
    settings.cursor.rebase = g_value_get_boolean(value);
    return true;
  case PROP_DRAIN_TIMEOUT:
    settings.drain_timeout = g_value_get_uint(value);
    return true;
  case PROP_MAX_LAG:
    settings.cursor.max_lag = g_value_get_uint(value);
    return true;
  case PROP_MAX_LAG_BYTES:
    settings.cursor.max_lag_bytes = g_value_get_uint64(value);
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

bool get_place(const Places &places, guint id, GValue *value) {
  switch (id) {
  case PROP_ADDRESS:
    set_text(value, places.place.address);
    return true;
  case PROP_PORT:
    g_value_set_uint(value, places.place.port);
    return true;
  case PROP_PATH:
    set_text(value, places.path);
    return true;
  case PROP_REQUEST_TIMEOUT:
    g_value_set_uint(value, places.request_timeout);
    return true;
  case PROP_TLS_CERTIFICATE:
    set_text(value, places.place.certificate);
    return true;
  case PROP_TLS_KEY:
    set_text(value, places.place.key);
    return true;
  case PROP_STATS_PATH:
    set_text(value, places.stats_path);
    return true;
  case PROP_METRICS_PATH:
    set_text(value, places.metrics_path);
    return true;
  case PROP_PAGE_PATH:
    set_text(value, places.page_path);
    return true;
  default:
    return false;
  }
}

bool get_setting(const BroadcastSettings &settings, guint id, GValue *value) {
  switch (id) {
  case PROP_ALLOW_ORIGIN:
    set_text(value, settings.allow_origin);
    return true;
  case PROP_WAIT_TIMEOUT:
    g_value_set_uint(value, settings.wait_timeout);
    return true;
  case PROP_JOIN:
    g_value_set_enum(value, static_cast<gint>(settings.cursor.join));
    return true;
  case PROP_BURST:
    g_value_set_uint(value, static_cast<guint>(settings.cursor.burst));
    return true;
  case PROP_REBASE_TIMESTAMPS:
    g_value_set_boolean(value, settings.cursor.rebase);
    return true;
  case PROP_DRAIN_TIMEOUT:
    g_value_set_uint(value, settings.drain_timeout);
    return true;
  case PROP_MAX_LAG:
    g_value_set_uint(value, static_cast<guint>(settings.cursor.max_lag));
    return true;
  case PROP_MAX_LAG_BYTES:
    g_value_set_uint64(value, settings.cursor.max_lag_bytes);
    return true;
  case PROP_CLIENT_TIMEOUT:
    g_value_set_uint(value, settings.client_timeout);
    return true;
  case PROP_MAX_CLIENTS:
    g_value_set_uint(value, settings.max_clients);
    return true;
  case PROP_MERGE:
    g_value_set_uint(value, settings.merge);
    return true;
  default:
    return false;
  }
}

} // namespace

Properties::Properties() {
  settings.cursor.burst = kDefaultBurst;
  settings.cursor.max_lag = kDefaultMaxLag;
  settings.cursor.max_lag_bytes = kDefaultMaxLagBytes;
}

bool Properties::set(guint id, const GValue *value) {
  return set_place(places, id, value) || set_setting(settings, id, value);
}

bool Properties::get(guint id, GValue *value) const {
  return get_place(places, id, value) || get_setting(settings, id, value);
}

void install_properties(GObjectClass *object_class) {
  constexpr auto kReady = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY);
  constexpr auto kPlaying = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                     GST_PARAM_MUTABLE_PLAYING);
  constexpr auto kRead = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const BroadcastSettings settings = Properties().settings;
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
   * The host name or address to listen on. `0.0.0.0` and `::`: all addresses of the machine.
   *
   * Default: "localhost".
   */
  add_text(PROP_ADDRESS, "address", "Address", "Host name or address to listen on", "localhost",
           kReady);
  /**
   * GstHttpServerSink:port:
   *
   * The port to listen on. Elements with the same address and port share it. 0: any free port;
   * #GstHttpServerSink:current-port has its number.
   *
   * From 0 to 65535. Default: 8080.
   */
  add_number(PROP_PORT, "port", "Port", "Port to listen on (0 = a free port)", G_MAXUINT16,
             kDefaultPort, kReady);
  /**
   * GstHttpServerSink:current-port:
   *
   * The port on which the element listens; 0 before the start.
   *
   * Read only.
   */
  add_number(PROP_CURRENT_PORT, "current-port", "Current port", "The port in use", G_MAXUINT16, 0,
             kRead);
  /**
   * GstHttpServerSink:path:
   *
   * The path of the stream's URL, with a slash at the beginning. Escapes are decoded as in a URL.
   * The start fails if another element at the port has the same path, or if the path contains `?`,
   * `#` or an invalid escape.
   *
   * Default: "/".
   */
  add_text(PROP_PATH, "path", "Path", "Path of the stream, starting with a slash", "/", kReady);
  /**
   * GstHttpServerSink:allow-origin:
   *
   * The site whose scripts may read the stream (`Access-Control-Allow-Origin`), such as
   * `https://example.org`. `*`: all sites. Empty: only the server's own. WebSocket clients of other
   * sites are refused.
   *
   * Default: "*".
   */
  add_text(PROP_ALLOW_ORIGIN, "allow-origin", "Allow origin",
           "Origin whose scripts may read the stream (* = any)", settings.allow_origin.c_str(),
           kPlaying);
  /**
   * GstHttpServerSink:wait-timeout:
   *
   * How many milliseconds a client waits for a stream whose header has not arrived. Then the client
   * gets 503 with Retry-After.
   *
   * From 0 to 4294967295 ms. Default: 5000.
   */
  add_number(PROP_WAIT_TIMEOUT, "wait-timeout", "Wait timeout",
             "Maximum wait of clients for the start of the stream (ms)", G_MAXUINT,
             settings.wait_timeout, kPlaying);
  /**
   * GstHttpServerSink:request-timeout:
   *
   * How many milliseconds a client may take to send its request header; at least 1. The header has
   * at most 8 KiB. On a shared port, the value of the element that started last applies.
   *
   * From 1 to 4294967295 ms. Default: 5000.
   */
  g_object_class_install_property(object_class, PROP_REQUEST_TIMEOUT,
                                  g_param_spec_uint("request-timeout", "Request timeout",
                                                    "Maximum time for a client's request (ms)", 1,
                                                    G_MAXUINT, kDefaultRequestTimeout, kReady));
  /**
   * GstHttpServerSink:tls-certificate:
   *
   * A PEM file with the certificate and its chain. The element then serves https and wss instead of
   * http and ws. A changed file is used for new connections. If it cannot be read, the previous
   * certificate stays in use, and the element posts a warning.
   *
   * Default: NULL.
   */
  add_text(PROP_TLS_CERTIFICATE, "tls-certificate", "TLS certificate",
           "PEM file of the certificate (none = no TLS)", nullptr, kReady);
  /**
   * GstHttpServerSink:tls-key:
   *
   * A PEM file with the certificate's private key, if #GstHttpServerSink:tls-certificate does not
   * contain it.
   *
   * Default: NULL.
   */
  add_text(PROP_TLS_KEY, "tls-key", "TLS key", "PEM file of the certificate's private key", nullptr,
           kReady);
  /**
   * GstHttpServerSink:join:
   *
   * Where in the stream a client starts.
   *
   * Default: latest-keyframe.
   */
  g_object_class_install_property(
      object_class, PROP_JOIN,
      g_param_spec_enum("join", "Join", "Where in the stream clients start", join_type(),
                        static_cast<gint>(settings.cursor.join), kPlaying));
  /**
   * GstHttpServerSink:burst:
   *
   * Milliseconds of the stream that a client gets at once with `join=burst`. The client starts at
   * the last key frame that is at least this far back, or at the oldest one in the history.
   *
   * From 0 to 4294967295 ms. Default: 2000.
   */
  add_number(PROP_BURST, "burst", "Burst", "Media sent at once with join=burst (ms)", G_MAXUINT,
             static_cast<guint>(kDefaultBurst), kPlaying);
  /**
   * GstHttpServerSink:rebase-timestamps:
   *
   * FLV: each client's timestamps start at 0, with one offset for audio and video. They continue
   * without a gap when the client skips or the source resumes.
   *
   * Default: TRUE.
   */
  g_object_class_install_property(object_class, PROP_REBASE_TIMESTAMPS,
                                  g_param_spec_boolean("rebase-timestamps", "Rebase timestamps",
                                                       "FLV: each client's timestamps start at 0",
                                                       settings.cursor.rebase, kPlaying));
  /**
   * GstHttpServerSink:drain-timeout:
   *
   * How many milliseconds clients may take to receive the remaining data at the end of the stream.
   * Then they are closed.
   *
   * From 0 to 4294967295 ms. Default: 5000.
   */
  add_number(PROP_DRAIN_TIMEOUT, "drain-timeout", "Drain timeout",
             "Maximum time for sending the remaining data at the end (ms)", G_MAXUINT,
             settings.drain_timeout, kPlaying);
  /**
   * GstHttpServerSink:max-lag:
   *
   * Milliseconds of the stream. A client that lags by more skips to the newest key frame. 0: only
   * #GstHttpServerSink:max-lag-bytes applies.
   *
   * From 0 to 4294967295 ms. Default: 10000.
   */
  add_number(PROP_MAX_LAG, "max-lag", "Maximum lag",
             "Lag after which a client skips to a key frame (ms, 0 = no limit)", G_MAXUINT,
             static_cast<guint>(kDefaultMaxLag), kPlaying);
  /**
   * GstHttpServerSink:max-lag-bytes:
   *
   * The same in bytes. It also limits the memory of the stream's history, and so how far back a
   * client can start. 0: no limit.
   *
   * From 0 to 18446744073709551615 bytes. Default: 33554432.
   */
  g_object_class_install_property(
      object_class, PROP_MAX_LAG_BYTES,
      g_param_spec_uint64("max-lag-bytes", "Maximum lag in bytes",
                          "Lag after which a client skips to a key frame (bytes, 0 = no limit)", 0,
                          G_MAXUINT64, kDefaultMaxLagBytes, kPlaying));
  /**
   * GstHttpServerSink:client-timeout:
   *
   * Milliseconds. Closes a client that has acknowledged nothing for this long while data was
   * waiting, or that has closed its side and was sent nothing for this long. A client that reads
   * little at a time is not closed. 0 disables both checks.
   *
   * From 0 to 4294967295 ms. Default: 10000.
   */
  add_number(PROP_CLIENT_TIMEOUT, "client-timeout", "Client timeout",
             "Time without reading after which a client is removed (ms, 0 = no limit)", G_MAXUINT,
             settings.client_timeout, kPlaying);
  /**
   * GstHttpServerSink:max-clients:
   *
   * The maximum number of clients. Further clients get 503. 0: no limit.
   *
   * From 0 to 4294967295 clients. Default: 0.
   */
  add_number(PROP_MAX_CLIENTS, "max-clients", "Maximum clients",
             "Maximum number of clients at the same time (0 = no limit)", G_MAXUINT,
             settings.max_clients, kPlaying);
  /**
   * GstHttpServerSink:merge:
   *
   * Batches this many milliseconds of the stream into one write per client. A larger value saves
   * CPU and adds as much delay. 0: each tag is written when it arrives.
   *
   * From 0 to 10000 ms. Default: 40.
   */
  add_number(PROP_MERGE, "merge", "Merge", "Time over which writes are merged (ms)", 10'000,
             settings.merge, kPlaying);
  /**
   * GstHttpServerSink:stats-path:
   *
   * The path at which #GstHttpServerSink:stats are served as JSON. By default, they are not served.
   *
   * Default: NULL.
   */
  add_text(PROP_STATS_PATH, "stats-path", "Statistics path",
           "Path of the statistics as JSON (none = no page)", nullptr, kReady);
  /**
   * GstHttpServerSink:metrics-path:
   *
   * The path at which the totals are served for Prometheus. By default, they are not served.
   *
   * Default: NULL.
   */
  add_text(PROP_METRICS_PATH, "metrics-path", "Metrics path",
           "Path of the metrics for Prometheus (none = no page)", nullptr, kReady);
  /**
   * GstHttpServerSink:page-path:
   *
   * The path of a page that plays the stream in a browser: with `/play`, the page is at `/play/`,
   * and its modules are at `/play/player.js` and so on. A browser that opens
   * #GstHttpServerSink:path is sent to the page. By default, there is no page.
   *
   * Default: NULL.
   */
  add_text(PROP_PAGE_PATH, "page-path", "Page path",
           "Path of a page that plays the stream (none = no page)", nullptr, kReady);
  /**
   * GstHttpServerSink:stats:
   *
   * A structure `httpserversink-stats` with the fields `clients-now`, `clients-served`, `bytes-in`,
   * `bytes-out`, `skips`, `history-bytes` (uint64), `history-duration` (int64, ms), and `clients`,
   * an array with one structure per client. Its fields are `id` (uint64), `address`, `user-agent`,
   * `transport` (http, https, ws or wss), `since` (int64, µs since 1970), `duration` (double, s),
   * `bytes` (uint64), `rate` (double, bits per second), `lag`, `lag-minimum`, `lag-maximum` (int64,
   * ms), `lag-average` (double, ms), `skips` (uint64) and `start-point` (string).
   *
   * Read only.
   */
  g_object_class_install_property(object_class, PROP_STATS,
                                  g_param_spec_boxed("stats", "Statistics",
                                                     "Statistics of the clients, and totals",
                                                     GST_TYPE_STRUCTURE, kRead));
  gst_type_mark_as_plugin_api(join_type(), static_cast<GstPluginAPIFlags>(0));
}

} // namespace flvhttp
