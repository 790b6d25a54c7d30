// SPDX-License-Identifier: LGPL-2.1-or-later
// Holds the input bytes that are still needed.
#pragma once

#include <cstdint>
#include <vector>

#include "base/gst_ptr.h"

namespace flvpace {

// Positions count the bytes of the stream. Large buffers are kept by reference. Small buffers are
// copied into blocks, so that a tag that arrives byte by byte does not need one buffer per byte.
class ChunkAssembler {
public:
  // Drops all bytes. The next byte has position `position`.
  void reset(std::uint64_t position);
  // `bytes`: the mapped bytes of `chunk`.
  void append(GstBuffer *chunk, flv::Bytes bytes);
  // Returns the bytes from `begin` to before `end`, which must not have been dropped. Shares memory
  // if one input buffer holds them all. Drops the bytes before `begin`.
  [[nodiscard]] gstflv::BufferPtr take(std::uint64_t begin, std::uint64_t end);
  void drop_before(std::uint64_t position);

private:
  static constexpr std::size_t kSmall = 1024;
  static constexpr std::size_t kBlock = 65536;

  void close_block();

  gstflv::AdapterPtr adapter_{gst_adapter_new()};
  std::uint64_t begin_ = 0;         // position of the adapter's first byte
  std::vector<std::uint8_t> block_; // small chunks that are not in the adapter yet
};

} // namespace flvpace
