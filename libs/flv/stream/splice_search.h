// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds a splice inside a tag: one publisher is cut off, and another one continues the stream.
#pragma once

#include <cstdint>
#include <optional>

#include "flv/format/tag.h"

namespace flv {

// The header of the tag that is cut off announces more data than the publisher sent, so the bytes
// of the next publisher fill the tag. Only a wrong PreviousTagSize after the tag shows this. The
// search then looks for a file header inside the tag.
class SpliceSearch {
public:
  // The next byte that the splitter reads is number `position`.
  void restart(std::uint64_t position) { read_ = position; }
  // The splitter has read up to `position`. Bytes that it reads for the first time increase the
  // search budget. Without a budget, a stream of nested file headers would cause the same bytes to
  // be searched and split again and again.
  void note_read(std::uint64_t position);
  // `tag` is a tag with a wrong PreviousTagSize, or the start of a tag that the end of the stream
  // truncates. Returns the position of a file header in `tag`, if a tag follows it. If that tag
  // ends inside `tag`, its PreviousTagSize must be correct. The end of `tag` may truncate the file
  // header.
  [[nodiscard]] std::optional<std::size_t> find(Bytes tag, std::uint32_t max_data_size);

private:
  std::uint64_t read_ = 0;   // the highest position that was read; the splitter may go back
  std::uint64_t budget_ = 0; // bytes that may still be searched and split again
};

} // namespace flv
