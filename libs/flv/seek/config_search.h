// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the last decoder configuration of each track before a position, without reading all bytes
// before it.
#pragma once

#include <optional>

#include "flv/format/tag.h"
#include "flv/stream/stream_header.h"
#include "read_request.h"

namespace flv {

// Bytes directly before a start that are all searched for configurations.
constexpr std::uint64_t kSearchedBefore = 64 << 10;

// Reads ranges of the file, the nearest to the position first. Stops when a configuration is found
// for each track that has one at the beginning of the file.
class ConfigurationSearch {
public:
  struct Stretch {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  // `beginning` has the configurations at the beginning of the file. The stretches are after them,
  // are ordered from the last to the first, and do not overlap.
  ConfigurationSearch(StreamHeader beginning, std::vector<Stretch> stretches);

  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);
  // next_request() and all later requests, unless the search ends before them.
  [[nodiscard]] std::vector<ReadRequest> requests() const;

  // After the search: the configurations that were found, and those at the beginning of the file
  // for the other tracks.
  [[nodiscard]] StreamHeader take();

private:
  struct Found {
    TagHeader header;
    std::vector<std::uint8_t> bytes;
  };

  StreamHeader beginning_;
  std::vector<Stretch> stretches_;
  std::size_t next_ = 0;
  std::vector<std::vector<Found>> found_; // one element per stretch, the nearest first
  StreamHeader nearest_;                  // the configurations of tracks that are found
};

// Ranges that are likely to contain configurations: the bytes before `place`, and those around
// earlier keyframes of the index, because a change of configuration needs a keyframe. No range
// starts before `begin`.
[[nodiscard]] std::vector<ConfigurationSearch::Stretch>
likely_stretches(const std::vector<std::uint64_t> &key_frames, std::uint64_t begin,
                 std::uint64_t place);

} // namespace flv
