// SPDX-License-Identifier: LGPL-2.1-or-later
// An FLV-like stream in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// Consecutive tags. The file header is part of the first tag.
struct Stream {
  struct Tag {
    std::size_t end = 0; // after its PreviousTagSize
    double due_ms = 0;
  };
  std::vector<std::uint8_t> bytes;
  std::vector<Tag> tags;

  [[nodiscard]] std::size_t begin_of(std::size_t tag) const {
    return tag == 0 ? 0 : tags[tag - 1].end;
  }
};

// Like a live stream: 30 frames per second and AAC. Nothing repeats, so that caches work as with a
// real stream.
[[nodiscard]] Stream make_stream(double mbit, double ms);
