// SPDX-License-Identifier: LGPL-2.1-or-later
// What the properties and seek events ask for, in the format library's terms.
#pragma once

#include <optional>

#include <gst/gst.h>

#include "flv/starter.h"

namespace flvseek {

// As in gst-inspect-1.0, in that order.
enum class Snap { Next, Previous, Exact };

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
  Snap snap = Snap::Next;
  flv::IndexSource index = flv::IndexSource::Metadata;
  guint reinsert = REINSERT_ALL;
  flv::MetadataKeyframes metadata_keyframes = flv::MetadataKeyframes::Rewrite;
};

// Whether the properties go together; if not, says so on the bus.
[[nodiscard]] bool are_consistent(GstElement *element, const Properties &properties);

[[nodiscard]] flv::StartSettings settings_of(const Properties &properties);

// Nothing: the seek asks for something that this element can't do.
[[nodiscard]] std::optional<flv::StartSettings> settings_of_seek(GstEvent *seek,
                                                                 const Properties &properties);

// Moves a start that is before the first key frame, and may go back to one, to the file's start.
// false: it is behind the last one, and may not.
[[nodiscard]] bool fit(flv::StartSettings &settings, const flv::KeyframeIndex &index);

// Posts the error on the bus.
void post(GstElement *element, const flv::StartError &error);

// A structure with the arrays `offsets` (bytes) and `times` (ms), both of uint64.
[[nodiscard]] GstStructure *structure_of(const flv::KeyframeIndex &index);

} // namespace flvseek
