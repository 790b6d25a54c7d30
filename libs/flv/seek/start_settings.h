// SPDX-License-Identifier: LGPL-2.1-or-later
// The request for a start in a file, and its result.
#pragma once

#include "keyframe_search.h"
#include "start_header.h"

namespace flv {

enum class IndexSource : std::uint8_t {
  Metadata, // only the index of onMetaData
  Scan,     // an index built from the tag headers
  Auto,     // Metadata if its index is usable, otherwise Scan
};

// How the file can be read.
enum class Access : std::uint8_t {
  Anywhere, // in any order, at little cost
  Seekable, // in any order, but seeks are expensive
  Forward,  // in order only
};

struct StartSettings {
  std::optional<StartRequest> request; // nullopt: the whole file
  std::uint64_t stop = 0;              // offset; 0: the end of the file
  // Replaces `stop`: the first keyframe at or after this time, in ms from the file's first tag.
  std::optional<std::uint64_t> stop_time;
  IndexSource index = IndexSource::Metadata;
  Reinsert reinsert;
  MetadataKeyframes keyframes = MetadataKeyframes::Rewrite;
};

struct StartError {
  enum class Kind : std::uint8_t {
    None,
    NotFlv,
    Unreadable, // the header or onMetaData is truncated, or its AMF is malformed
    NoIndex,    // the index is missing or invalid
    Mismatch,   // the index belongs to another file
    Place,      // no keyframe meets the request
    Stop,       // the stop is not after the start
  };
  Kind kind = Kind::None;
  std::string text; // an error message, with the wrong number
};

// A stream: the bytes of `head`, then the file from `position` on.
struct StreamStart {
  std::vector<std::uint8_t> head;
  std::uint64_t position = 0;
  // The stream ends before the first tag at or after this offset; 0: at the end of the file.
  std::uint64_t stop = 0;
  std::optional<SeekPoint> place; // nullopt: the whole file, without a head
  std::uint64_t time = 0;         // of the place, in ms from the file's first tag
  std::int64_t origin = 0;        // ms: the timestamp that corresponds to time 0 at the place
};

} // namespace flv
