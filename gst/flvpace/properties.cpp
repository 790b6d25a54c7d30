// SPDX-License-Identifier: LGPL-2.1-or-later
#include "properties.h"

#include "pacer.h"

namespace flvpace {

namespace {

/**
 * GstFlvPaceRetimestamp:
 *
 * What happens to the timestamps in the tags. `continuous`: discontinuities are removed, and a
 * stream without discontinuities does not change. `zero`: the timeline also starts at 0. `none`:
 * nothing changes.
 */
GType retimestamp_type() {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(Retimestamp::Continuous),
       "Close discontinuities; a clean timeline stays as it is", "continuous"},
      {static_cast<gint>(Retimestamp::Zero), "Close discontinuities and start at 0", "zero"},
      {static_cast<gint>(Retimestamp::None), "Change nothing", "none"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_enum_register_static("GstFlvPaceRetimestamp", kValues);
  return type;
}

/**
 * GstFlvPaceOnCorrupt:
 *
 * What happens if the stream is damaged. `skip`: the element posts a warning and continues with the
 * next tag. `fail`: it stops with an error.
 */
GType on_corrupt_type() {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(OnCorrupt::Skip), "Post a warning and continue with the next tag", "skip"},
      {static_cast<gint>(OnCorrupt::Fail), "Stop with an error", "fail"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_enum_register_static("GstFlvPaceOnCorrupt", kValues);
  return type;
}

/**
 * GstFlvPaceLive:
 *
 * Whether due times follow the arrival of tags. `auto`: if upstream answers the LATENCY query with
 * live. `yes`: always. `no`: never; due times follow the timestamps.
 */
GType live_type() {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(Live::Auto), "As upstream's answer to the LATENCY query", "auto"},
      {static_cast<gint>(Live::Yes), "Due times follow the arrival times", "yes"},
      {static_cast<gint>(Live::No), "Due times follow the timestamps", "no"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_enum_register_static("GstFlvPaceLive", kValues);
  return type;
}

} // namespace

void install_properties(GObjectClass *object_class) {
  constexpr auto kReady = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY);
  constexpr auto kPlaying = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                     GST_PARAM_MUTABLE_PLAYING);

  /**
   * GstFlvPace:burst:
   *
   * The lead in milliseconds: this much media leaves at once, and the stream then stays that far
   * ahead of real time. If the value is raised during playback, the difference leaves at once. If
   * it is lowered, the element waits until the lead has shrunk. After a flushing seek, the element
   * sends the burst again.
   *
   * From 0 to 4294967295 ms. Default: 0.
   */
  g_object_class_install_property(
      object_class, PROP_BURST,
      g_param_spec_uint("burst", "Burst",
                        "Media sent at once at the start, and kept as lead over real time (ms)", 0,
                        G_MAXUINT, 0, kPlaying));
  /**
   * GstFlvPace:speed:
   *
   * The playback speed as a factor. A new speed applies from the current tag on.
   *
   * From 0.01 to 1000 times. Default: 1.
   */
  g_object_class_install_property(object_class, PROP_SPEED,
                                  g_param_spec_double("speed", "Speed",
                                                      "Speed, as a factor of real time", 0.01,
                                                      1000.0, 1.0, kPlaying));
  /**
   * GstFlvPace:catch-up-speed:
   *
   * The speed, as a factor, at which late tags are sent after a sink blocked. 0: as fast as
   * possible. A speed that is not above #GstFlvPace:speed never catches up.
   *
   * From 0 to 1000 times. Default: 0.
   */
  g_object_class_install_property(
      object_class, PROP_CATCH_UP_SPEED,
      g_param_spec_double("catch-up-speed", "Catch-up speed",
                          "Speed while late, as a factor of real time (0 = as fast as "
                          "possible)",
                          0.0, 1000.0, 0.0, kPlaying));
  /**
   * GstFlvPace:sync:
   *
   * Whether tags wait for their due times. If false, tags leave as fast as downstream accepts them.
   * Their timestamps are still those of their due times.
   *
   * Default: TRUE.
   */
  g_object_class_install_property(
      object_class, PROP_SYNC,
      g_param_spec_boolean("sync", "Sync", "Send each tag at its due time", TRUE, kPlaying));
  /**
   * GstFlvPace:retimestamp:
   *
   * What happens to the timestamps in the tags. The other bytes of the tags never change.
   *
   * Default: continuous.
   */
  g_object_class_install_property(
      object_class, PROP_RETIMESTAMP,
      g_param_spec_enum("retimestamp", "Retimestamp", "Changes to the timestamps in the tags",
                        retimestamp_type(), static_cast<gint>(Retimestamp::Continuous), kReady));
  /**
   * GstFlvPace:max-gap:
   *
   * In milliseconds. A longer step forward from the previous tag of the same kind is a
   * discontinuity, and is removed from the schedule. 0 disables the check.
   *
   * From 0 to 4294967295 ms. Default: 10000.
   */
  g_object_class_install_property(
      object_class, PROP_MAX_GAP,
      g_param_spec_uint("max-gap", "Maximum gap",
                        "Longest forward step of the timestamps that is kept (ms, 0 = any)", 0,
                        G_MAXUINT, 10000, kPlaying));
  /**
   * GstFlvPace:mtu:
   *
   * The maximum size of a buffer in bytes. Larger tags are split. A UDP datagram carries at most
   * 65507 bytes, and sinks lose larger buffers. 0: whole tags.
   *
   * From 0 to 4294967295 bytes. Default: 0.
   */
  g_object_class_install_property(object_class, PROP_MTU,
                                  g_param_spec_uint("mtu", "MTU",
                                                    "Largest buffer (bytes, 0 = whole tags)", 0,
                                                    G_MAXUINT, 0, kReady));
  /**
   * GstFlvPace:max-tag-size:
   *
   * In bytes. A tag header that declares more data than this is damage. This limits the memory that
   * a stream can make the element use.
   *
   * From 0 to 16777215 bytes. Default: 16777215.
   */
  g_object_class_install_property(object_class, PROP_MAX_TAG_SIZE,
                                  g_param_spec_uint("max-tag-size", "Maximum tag size",
                                                    "Maximum data size of a valid tag (bytes)", 0,
                                                    flv::kMaxDataSize, flv::kMaxDataSize, kReady));
  /**
   * GstFlvPace:on-corrupt:
   *
   * What happens if the stream is damaged.
   *
   * Default: skip.
   */
  g_object_class_install_property(object_class, PROP_ON_CORRUPT,
                                  g_param_spec_enum("on-corrupt", "On corrupt",
                                                    "Reaction to damaged data", on_corrupt_type(),
                                                    static_cast<gint>(OnCorrupt::Skip), kReady));
  /**
   * GstFlvPace:live:
   *
   * Whether the stream comes from a live publisher. If it does, due times follow the arrival of
   * tags, because the publisher's clock differs from the pipeline's. The element slews a clock
   * difference. A pause or a jump of the delay takes effect at once. #GstFlvPace:burst and
   * #GstFlvPace:speed have no effect.
   *
   * Default: auto.
   */
  g_object_class_install_property(
      object_class, PROP_LIVE,
      g_param_spec_enum("live", "Live", "Whether due times follow the arrival times", live_type(),
                        static_cast<gint>(Live::Auto), kReady));
  /**
   * GstFlvPace:max-delay:
   *
   * The maximum time in milliseconds between the arrival and the departure of a live source's tag.
   *
   * From 0 to 4294967295 ms. Default: 500.
   */
  g_object_class_install_property(object_class, PROP_MAX_DELAY,
                                  g_param_spec_uint("max-delay", "Maximum delay",
                                                    "Maximum wait of a live source's tag (ms)", 0,
                                                    G_MAXUINT, 500, kPlaying));
  /**
   * GstFlvPace:stats:
   *
   * A structure `flvpace-stats`. Tags sent: `audio-tags`, `video-tags`, `script-tags`; `key-frames`
   * counts the key frames among the video tags. Bytes: `bytes-in`, `bytes-out`, `bytes-skipped`.
   * Irregularities: `discontinuities`, `wrong-previous-sizes`, `nonzero-stream-ids`. Lateness:
   * `late-tags` counts the tags sent more than 10 ms after they were due; `lateness-last`,
   * `lateness-average`, `lateness-maximum` are in ns. `lead` is the media time (ms) by which the
   * last tag is ahead of real time now. Live sources: `delay` is how long the last tag waited (ns);
   * `skew` is how much faster the publisher's clock is (ppm); `corrections` is how often due times
   * jumped. All fields are uint64, except `lead` and `delay` (int64) and `skew` (double).
   *
   * Read only.
   */
  g_object_class_install_property(
      object_class, PROP_STATS,
      g_param_spec_boxed("stats", "Statistics", "Counters and lateness", GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));

  gst_type_mark_as_plugin_api(retimestamp_type(), static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(on_corrupt_type(), static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(live_type(), static_cast<GstPluginAPIFlags>(0));
}

} // namespace flvpace
