// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the last configuration of every track that stands before a place, without reading all that
// lies between.
#pragma once

#include <optional>

#include "flv/format/tag.h"
#include "flv/stream/stream_header.h"
#include "read_request.h"

namespace flv {

// Looks through stretches of the file, the nearest to the place first, until every track is found
// that has a configuration at the beginning of the file.
class ConfigurationSearch {
public:
  struct Stretch {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  // `opening` holds what stands at the beginning of the file, in front of all stretches, which
  // come nearest first and don't overlap.
  ConfigurationSearch(StreamHeader opening, std::vector<Stretch> stretches);

  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);

  // Behind the end: what was at the beginning, overridden by what was found.
  [[nodiscard]] StreamHeader take();

private:
  struct Found {
    TagHeader header;
    std::vector<std::uint8_t> bytes;
  };

  StreamHeader opening_;
  std::vector<Stretch> stretches_;
  std::size_t next_ = 0;
  std::vector<std::vector<Found>> found_; // a stretch each, nearest first
  StreamHeader nearest_;                  // tracks that are settled
};

// Where configurations are likely to be, if nobody knows: the stretch in front of `place`, and the
// index's key frames before that, for a change of configuration needs one. Nothing before `begin`.
[[nodiscard]] std::vector<ConfigurationSearch::Stretch>
likely_stretches(const std::vector<std::uint64_t> &key_frames, std::uint64_t begin,
                 std::uint64_t place);

} // namespace flv
