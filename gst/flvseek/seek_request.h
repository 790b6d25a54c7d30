// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts properties and seek events into the format library's types.
#pragma once

#include <optional>

#include <gst/gst.h>

#include "flv/seek/seek_planner.h"

namespace flvseek {

enum ReinsertFlags : guint {
  REINSERT_HEADER = 1 << 0,
  REINSERT_METADATA = 1 << 1,
  REINSERT_CONFIG = 1 << 2,
  REINSERT_ALL = REINSERT_HEADER | REINSERT_METADATA | REINSERT_CONFIG,
};

struct Properties {
  guint64 offset = 0;      // bytes
  guint64 start_time = 0;  // ms
  guint64 stop_offset = 0; // bytes
  flv::Snap snap = flv::Snap::Next;
  flv::IndexSource index = flv::IndexSource::Metadata;
  guint reinsert = REINSERT_ALL;
  flv::MetadataKeyframes metadata_keyframes = flv::MetadataKeyframes::Rewrite;
};

// Whether the properties are compatible. If not, posts an error.
[[nodiscard]] bool are_consistent(GstElement *element, const Properties &properties);

[[nodiscard]] flv::StartSettings settings_of(const Properties &properties);
// Whether the whole file is sent, unchanged.
[[nodiscard]] bool sends_all(const Properties &properties);

// The playback parameters of a seek. The defaults are those of a start by the properties.
struct Playback {
  GstFormat format = GST_FORMAT_BYTES; // of the segment
  gdouble rate = 1.0;                  // above 0
  GstSegmentFlags flags = GST_SEGMENT_FLAG_NONE;
  // TIME: true if the segment starts at the key frame, false if at the requested time.
  bool at_key_frame = false;
  guint64 start = 0;           // TIME: ns from the file's first tag
  std::optional<guint64> stop; // TIME: ns from the file's first tag
};

// A requested start or seek.
struct Request {
  flv::StartSettings start;
  Playback playback;
};

// The values that relative seeks refer to: bytes of the file, or ns from its first tag.
struct Reached {
  std::optional<guint64> position;
  std::optional<guint64> duration;
};

[[nodiscard]] GstFormat format_of(GstEvent *seek);

// nullopt: the element cannot perform the seek. The reason is logged.
[[nodiscard]] std::optional<Request> request_of_seek(GstElement *element, GstEvent *seek,
                                                     const Properties &properties,
                                                     const Reached &reached);

// Moves a start before the first key frame to the start of the file, if its snap allows an earlier
// key frame. false: the start is after the last key frame, and its snap allows only a later one.
[[nodiscard]] bool fit(flv::StartSettings &settings, const flv::KeyframeIndex &index);

// Posts the error on the bus.
void post(GstElement *element, const flv::StartError &error);

// A structure with the arrays `offsets` (bytes) and `times` (ms), both of uint64.
[[nodiscard]] GstStructure *structure_of(const flv::KeyframeIndex &index);

} // namespace flvseek
