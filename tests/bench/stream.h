// SPDX-License-Identifier: LGPL-2.1-or-later
// An FLV-like stream in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// Tags one behind the other. The file header goes with the first.
struct Stream {
  struct Tag {
    std::size_t end = 0; // behind its PreviousTagSize
    double due_ms = 0;
  };
  std::vector<std::uint8_t> bytes;
  std::vector<Tag> tags;

  [[nodiscard]] std::size_t begin_of(std::size_t tag) const {
    return tag == 0 ? 0 : tags[tag - 1].end;
  }
};

// As live: 30 frames a second and AAC. Nothing in it repeats, so the cache holds no more of it
// than of a real one.
[[nodiscard]] Stream make_stream(double mbit, double ms);
