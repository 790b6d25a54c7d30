// SPDX-License-Identifier: LGPL-2.1-or-later
#include "properties.h"

#include "seek_request.h"

namespace flvseek {

using flv::IndexSource;
using flv::MetadataKeyframes;
using flv::Snap;

namespace {

/**
 * GstFlvSeekSnap:
 *
 * The key frame to start at. `next`: the first at or after the position. `previous`: the last at or
 * before it. `exact`: only one exactly there.
 */
GType snap_type() {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(Snap::Next), "The first key frame at or after it", "next"},
      {static_cast<gint>(Snap::Previous), "The last key frame at or before it", "previous"},
      {static_cast<gint>(Snap::Exact), "Only a key frame at exactly this position", "exact"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_enum_register_static("GstFlvSeekSnap", kValues);
  return type;
}

/**
 * GstFlvSeekIndex:
 *
 * The source of the key frame positions. `metadata`: the index in onMetaData. `scan`: all tag
 * headers of the file. `auto`: onMetaData, or a scan if onMetaData has no usable index.
 */
GType index_type() {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(IndexSource::Metadata), "The keyframes in onMetaData", "metadata"},
      {static_cast<gint>(IndexSource::Scan), "A scan of all tag headers", "scan"},
      {static_cast<gint>(IndexSource::Auto),
       "onMetaData, or all tag headers where it has no usable "
       "index",
       "auto"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_enum_register_static("GstFlvSeekIndex", kValues);
  return type;
}

/**
 * GstFlvSeekReinsert:
 *
 * The data to send before the key frame. `header`: the file header. `metadata`: onMetaData.
 * `config`: the decoder configurations.
 */
GType reinsert_type() {
  static const GFlagsValue kValues[] = {
      {REINSERT_HEADER, "The file header", "header"},
      {REINSERT_METADATA, "onMetaData", "metadata"},
      {REINSERT_CONFIG, "The decoders' configurations", "config"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_flags_register_static("GstFlvSeekReinsert", kValues);
  return type;
}

/**
 * GstFlvSeekMetadataKeyframes:
 *
 * What happens to the index in the reinserted onMetaData. `rewrite`: it is updated for the output
 * stream. `original`: it stays as in the file. `strip`: it is removed.
 */
GType metadata_keyframes_type() {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(MetadataKeyframes::Rewrite),
       "Changed to positions in the stream that is sent", "rewrite"},
      {static_cast<gint>(MetadataKeyframes::Original), "Unchanged: positions in the original file",
       "original"},
      {static_cast<gint>(MetadataKeyframes::Strip), "No index", "strip"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_enum_register_static("GstFlvSeekMetadataKeyframes", kValues);
  return type;
}

} // namespace

void install_properties(GObjectClass *object_class) {
  constexpr auto kReady = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY);
  constexpr auto kSeek = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                  GST_PARAM_MUTABLE_PLAYING);
  constexpr auto kReadable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const auto install = [object_class](Property id, GParamSpec *spec) {
    g_object_class_install_property(object_class, id, spec);
  };

  /**
   * GstFlvSeek:offset:
   *
   * The start position in bytes from the start of the file. 0, or an offset within the file header:
   * the whole file is sent unchanged, and no index is needed. Excludes #GstFlvSeek:start-time.
   *
   * From 0 to 18446744073709551615 bytes. Default: 0.
   */
  install(PROP_OFFSET,
          g_param_spec_uint64("offset", "Offset",
                              "Where to start (bytes from the start of the file, 0 = all of it)", 0,
                              G_MAXUINT64, 0, kReady));
  /**
   * GstFlvSeek:start-time:
   *
   * The start position in milliseconds from the file's first audio or video tag. The timestamp of
   * that tag does not matter. With #GstFlvSeek:snap=previous, the stream contains the frame at that
   * time. Excludes #GstFlvSeek:offset.
   *
   * From 0 to 18446744073709551615 ms. Default: 0.
   */
  install(PROP_START_TIME, g_param_spec_uint64("start-time", "Start time",
                                               "Where to start (ms, 0 = at the start of the file)",
                                               0, G_MAXUINT64, 0, kReady));
  /**
   * GstFlvSeek:stop-offset:
   *
   * The stream ends before the first tag at or after this offset in the file. 0: at the end of the
   * file. A value that is set during playback applies to seeks without a stop.
   *
   * From 0 to 18446744073709551615 bytes. Default: 0.
   */
  install(PROP_STOP_OFFSET,
          g_param_spec_uint64("stop-offset", "Stop offset",
                              "Ends before the first tag at or after this byte of the file (0 = "
                              "the end)",
                              0, G_MAXUINT64, 0, kSeek));
  /**
   * GstFlvSeek:snap:
   *
   * The key frame to select if no key frame is exactly at the position. A value that is set during
   * playback applies to the next BYTES seek.
   *
   * Default: next.
   */
  install(PROP_SNAP, g_param_spec_enum("snap", "Snap", "Which key frame to start at", snap_type(),
                                       static_cast<gint>(Snap::Next), kSeek));
  /**
   * GstFlvSeek:index:
   *
   * The source of the key frame positions. A scan takes time that grows with the file, but needs no
   * index. A value that is set during playback applies to the next seek.
   *
   * Default: metadata.
   */
  install(PROP_INDEX,
          g_param_spec_enum("index", "Index", "Source of the keyframe positions", index_type(),
                            static_cast<gint>(IndexSource::Metadata), kSeek));
  /**
   * GstFlvSeek:reinsert:
   *
   * The data to send before the key frame. 0: no data. Without the decoder configurations, most
   * decoders cannot start. A value that is set during playback applies to the
   * next seek.
   *
   * Default: header+metadata+config.
   */
  install(PROP_REINSERT,
          g_param_spec_flags("reinsert", "Reinsert", "Data to send before the key frame",
                             reinsert_type(), REINSERT_ALL, kSeek));
  /**
   * GstFlvSeek:metadata-keyframes:
   *
   * What happens to the keyframe index, the file size and other offsets in the reinserted
   * onMetaData. Players that request offsets of the file from a server need the original values. A
   * value that is set during playback applies to the next seek.
   *
   * Default: rewrite.
   */
  install(PROP_METADATA_KEYFRAMES,
          g_param_spec_enum("metadata-keyframes", "Metadata keyframes",
                            "The index in the reinserted onMetaData", metadata_keyframes_type(),
                            static_cast<gint>(MetadataKeyframes::Rewrite), kSeek));
  /**
   * GstFlvSeek:actual-offset:
   *
   * The offset in the file at which the stream started; 0: the whole file.
   *
   * Read only.
   */
  install(PROP_ACTUAL_OFFSET,
          g_param_spec_uint64("actual-offset", "Actual offset",
                              "Where the stream started (bytes from the start of the file)", 0,
                              G_MAXUINT64, 0, kReadable));
  /**
   * GstFlvSeek:actual-time:
   *
   * The time of the key frame at which the stream started, in milliseconds from the file's first
   * audio or video tag.
   *
   * Read only.
   */
  install(PROP_ACTUAL_TIME, g_param_spec_uint64("actual-time", "Actual time",
                                                "Time of the key frame at the start (ms)", 0,
                                                G_MAXUINT64, 0, kReadable));
  /**
   * GstFlvSeek:keyframes:
   *
   * The index in use: a structure with the arrays `offsets` (bytes) and `times` (ms from the file's
   * first audio or video tag), of uint64.
   *
   * Read only.
   */
  install(PROP_KEYFRAMES, g_param_spec_boxed("keyframes", "Key frames",
                                             "The index in use: offsets (bytes) and times (ms)",
                                             GST_TYPE_STRUCTURE, kReadable));

  for (const GType type : {snap_type(), index_type(), reinsert_type(), metadata_keyframes_type()})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}

} // namespace flvseek
