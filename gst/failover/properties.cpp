// SPDX-License-Identifier: LGPL-2.1-or-later
#include "properties.h"

namespace gstfailover {

namespace {

constexpr auto kReady =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
constexpr auto kPlaying = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_PLAYING);
constexpr auto kReadable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

} // namespace

void install_properties(GObjectClass *object_class) {
  const auto install = [object_class](Property id, GParamSpec *spec) {
    g_object_class_install_property(object_class, id, spec);
  };

  /**
   * GstFailoverSrc:uris:
   *
   * The URIs of the sources, the preferred one first. Semicolons or line ends separate them. A
   * semicolon inside a URI must be written as `%3B`. GStreamer must have a source element for the
   * scheme: `http`, `https`, `rtmp`, `file`, `udp`, `srt`, `fd` and others.
   *
   * Default: "".
   */
  install(PROP_URIS, g_param_spec_string("uris", "URIs",
                                         "URIs of the sources by priority, separated by semicolons "
                                         "or line ends",
                                         "", kReady));
  /**
   * GstFailoverSrc:timeout:
   *
   * A source is lost if it sends nothing for this time, or if its media falls behind real time by
   * this time. The time to connect counts.
   *
   * From 1 to 4294967295 ms. Default: 5000.
   */
  install(PROP_TIMEOUT, g_param_spec_uint("timeout", "Timeout",
                                          "A source that sends nothing, or too little, for this "
                                          "time is lost (ms)",
                                          1, G_MAXUINT, 5000, kPlaying));
  /**
   * GstFailoverSrc:retry-min:
   *
   * The delay before the first new attempt to use a lost source. It doubles with each failed
   * attempt, up to #GstFailoverSrc:retry-max. Each delay is shortened at random by up to a quarter.
   * A source that has worked for #GstFailoverSrc:timeout starts at this delay again. A file that
   * ends is repeated at most once in this time.
   *
   * From 1 to 4294967295 ms. Default: 500.
   */
  install(PROP_RETRY_MIN,
          g_param_spec_uint("retry-min", "Minimum retry delay",
                            "Delay before the first attempt to use a lost source again (ms)", 1,
                            G_MAXUINT, 500, kPlaying));
  /**
   * GstFailoverSrc:retry-max:
   *
   * The longest delay between attempts to use a lost source.
   *
   * From 1 to 4294967295 ms. Default: 15000.
   */
  install(PROP_RETRY_MAX,
          g_param_spec_uint("retry-max", "Maximum retry delay",
                            "Longest delay between attempts to use a lost source (ms)", 1,
                            G_MAXUINT, 15000, kPlaying));
  /**
   * GstFailoverSrc:fail-back:
   *
   * While a source is in use, the element tries the sources before it. If one of them delivers for
   * this time, the output switches back to it at its next key frame. 0: never; the element does not
   * try them while a later source works.
   *
   * From 0 to 4294967295 ms. Default: 10000.
   */
  install(PROP_FAIL_BACK,
          g_param_spec_uint("fail-back", "Fail back",
                            "Switches back to a better source that has worked for this time (ms, 0 "
                            "= never)",
                            0, G_MAXUINT, 10000, kPlaying));
  /**
   * GstFailoverSrc:on-demand:
   *
   * The sources run only while downstream wants data. Downstream says so with the custom upstream
   * event `failoversrc-demand`, which has the boolean field `wanted`. Before the first event,
   * nothing is wanted.
   *
   * Default: FALSE.
   */
  install(PROP_ON_DEMAND,
          g_param_spec_boolean("on-demand", "On demand",
                               "Runs sources only while an event failoversrc-demand asks for data",
                               FALSE, kReady));
  /**
   * GstFailoverSrc:idle-timeout:
   *
   * With #GstFailoverSrc:on-demand, the sources stop when nothing has been wanted for this time.
   *
   * From 0 to 4294967295 ms. Default: 10000.
   */
  install(PROP_IDLE_TIMEOUT,
          g_param_spec_uint("idle-timeout", "Idle timeout",
                            "On demand: stops the sources after this time without demand (ms)", 0,
                            G_MAXUINT, 10000, kPlaying));
  /**
   * GstFailoverSrc:current-uri:
   *
   * The URI of the source in use, as in #GstFailoverSrc:uris, or %NULL. The signal `notify` is
   * emitted for each switch.
   *
   * Read only.
   */
  install(PROP_CURRENT_URI,
          g_param_spec_string("current-uri", "Current URI", "The URI of the source in use", nullptr,
                              kReadable));
  /**
   * GstFailoverSrc:stats:
   *
   * Statistics since the change to PLAYING: the number of the source in use (-1: none), switches,
   * sent bytes, and for each source its state, attempts, losses and the reason of the last loss.
   *
   * Read only.
   */
  install(PROP_STATS,
          g_param_spec_boxed("stats", "Statistics",
                             "The source in use, switches, and the state of each source",
                             GST_TYPE_STRUCTURE, kReadable));
}

void install_signals(GType type, GCallback switch_to) {
  /**
   * GstFailoverSrc::source-lost:
   * @source: the failoversrc
   * @index: the number of the lost source in #GstFailoverSrc:uris, from 0
   * @uri: its URI, without password and query
   * @reason: `no-source`, `error`, `no-data`, `silent`, `slow`, `no-keyframe`, `wrong-type` or
   *   `ended`
   *
   * A source is lost. It is reported once until it delivers again.
   */
  g_signal_new("source-lost", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, G_TYPE_NONE, 3,
               G_TYPE_UINT, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * GstFailoverSrc::source-switched:
   * @source: the failoversrc
   * @index: the number of the source that is in use now
   * @uri: its URI, without password and query
   * @reason: `start`, `lost`, `fail-back` or `request`
   *
   * The output continues with another source.
   */
  g_signal_new("source-switched", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
               G_TYPE_NONE, 3, G_TYPE_UINT, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * GstFailoverSrc::source-back:
   * @source: the failoversrc
   * @index: the number of the source
   * @uri: its URI, without password and query
   *
   * A source that was lost delivers again.
   */
  g_signal_new("source-back", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, G_TYPE_NONE, 2,
               G_TYPE_UINT, G_TYPE_STRING);
  /**
   * GstFailoverSrc::source-setup:
   * @source: the failoversrc
   * @element: the new source element
   *
   * A source element was created and is about to start. The application can set its properties,
   * such as credentials. The signal is emitted in the thread of that source.
   */
  g_signal_new("source-setup", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, G_TYPE_NONE,
               1, GST_TYPE_ELEMENT);
  /**
   * GstFailoverSrc::switch:
   * @source: the failoversrc
   * @index: the number of the wanted source
   *
   * Switches to a source at its next key frame, and stays there until it is lost. Number 0 returns
   * to the normal order. If the source is not reachable, nothing changes.
   *
   * Returns: %FALSE if there is no such source, or if no source runs.
   */
  g_signal_new_class_handler("switch", type,
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             switch_to, nullptr, nullptr, nullptr, G_TYPE_BOOLEAN, 1, G_TYPE_UINT);
}

bool set_value(Properties &properties, guint id, const GValue *value) {
  failover::Settings &settings = properties.settings;
  switch (id) {
  case PROP_URIS:
    properties.uris = g_value_get_string(value) ? g_value_get_string(value) : "";
    return true;
  case PROP_TIMEOUT:
    settings.timeout = g_value_get_uint(value);
    return true;
  case PROP_RETRY_MIN:
    settings.retry.min = g_value_get_uint(value);
    return true;
  case PROP_RETRY_MAX:
    settings.retry.max = g_value_get_uint(value);
    return true;
  case PROP_FAIL_BACK:
    settings.fail_back = g_value_get_uint(value);
    return true;
  case PROP_ON_DEMAND:
    settings.on_demand = g_value_get_boolean(value);
    return true;
  case PROP_IDLE_TIMEOUT:
    settings.idle_timeout = g_value_get_uint(value);
    return true;
  default:
    return false;
  }
}

bool get_value(const Properties &properties, guint id, GValue *value) {
  const failover::Settings &settings = properties.settings;
  switch (id) {
  case PROP_URIS:
    g_value_set_string(value, properties.uris.c_str());
    return true;
  case PROP_TIMEOUT:
    g_value_set_uint(value, static_cast<guint>(settings.timeout));
    return true;
  case PROP_RETRY_MIN:
    g_value_set_uint(value, static_cast<guint>(settings.retry.min));
    return true;
  case PROP_RETRY_MAX:
    g_value_set_uint(value, static_cast<guint>(settings.retry.max));
    return true;
  case PROP_FAIL_BACK:
    g_value_set_uint(value, static_cast<guint>(settings.fail_back));
    return true;
  case PROP_ON_DEMAND:
    g_value_set_boolean(value, settings.on_demand);
    return true;
  case PROP_IDLE_TIMEOUT:
    g_value_set_uint(value, static_cast<guint>(settings.idle_timeout));
    return true;
  default:
    return false;
  }
}

} // namespace gstfailover
