// SPDX-License-Identifier: LGPL-2.1-or-later
// A publisher that is cut off inside a tag, and another one that follows in the same stream.
#pragma once

#include <cstdint>
#include <optional>

#include "flv/format/tag.h"

namespace flv {

// The cut tag's header announces more data than came, so that the next publisher's bytes fill it.
// Only the PreviousTagSize behind it shows that. Then a file header is looked for inside the tag.
class SpliceSearch {
public:
  // The splitter has read so many bytes more. They bound the work: a stream of nested file headers
  // would otherwise have the same bytes searched and split again and again.
  void add_received(std::uint64_t bytes);
  // `tag` is a tag with the wrong PreviousTagSize, or the beginning of a tag that the stream's end
  // cuts off. Gives where in `tag` a file header stands that a tag follows; a tag that ends inside
  // `tag` must have its own size behind it. The file header may be cut off at the end of `tag`.
  [[nodiscard]] std::optional<std::size_t> find(Bytes tag, std::uint32_t max_data_size);

private:
  std::uint64_t budget_ = 0; // bytes that may be searched, and split again
};

} // namespace flv
