// SPDX-License-Identifier: LGPL-2.1-or-later
// The input's bytes from the first one that is still wanted on.
#pragma once

#include <cstdint>
#include <vector>

#include "base/gst_ptr.h"

namespace flvpace {

// Positions are bytes of the stream. Buffers are kept by reference, but small ones are copied
// together: a tag that trickles in byte by byte costs no buffer a byte.
class ChunkAssembler {
public:
  // Drops all; the next byte is number `position`.
  void reset(std::uint64_t position);
  void append(GstBuffer *chunk, flv::Bytes bytes); // `bytes` are those of `chunk`
  // The bytes from `begin` to before `end`, none of them dropped. Shares memory where they lie in
  // one input buffer. Those before `begin` are dropped.
  [[nodiscard]] gstflv::BufferPtr take(std::uint64_t begin, std::uint64_t end);
  void drop_before(std::uint64_t position);

private:
  static constexpr std::size_t kSmall = 1024;
  static constexpr std::size_t kBlock = 65536;

  void close_block();

  gstflv::AdapterPtr adapter_{gst_adapter_new()};
  std::uint64_t begin_ = 0;         // of the adapter's first byte
  std::vector<std::uint8_t> block_; // small chunks that have yet to go into the adapter
};

} // namespace flvpace
