// SPDX-License-Identifier: LGPL-2.1-or-later
#include "chunk_assembler.h"

namespace flvpace {

void ChunkAssembler::reset(std::uint64_t position) {
  gst_adapter_clear(adapter_.get());
  block_.clear();
  begin_ = position;
}

void ChunkAssembler::append(GstBuffer *chunk, flv::Bytes bytes) {
  if (bytes.size() < kSmall) {
    block_.insert(block_.end(), bytes.begin(), bytes.end());
    if (block_.size() >= kBlock)
      close_block();
    return;
  }
  close_block();
  gst_adapter_push(adapter_.get(), gst_buffer_ref(chunk));
}

gstflv::BufferPtr ChunkAssembler::take(std::uint64_t begin, std::uint64_t end) {
  close_block();
  drop_before(begin);
  return gstflv::BufferPtr(gst_adapter_get_buffer(adapter_.get(), end - begin));
}

void ChunkAssembler::drop_before(std::uint64_t position) {
  if (position - begin_ > gst_adapter_available(adapter_.get()))
    close_block();
  gst_adapter_flush(adapter_.get(), position - begin_);
  begin_ = position;
}

void ChunkAssembler::close_block() {
  if (block_.empty())
    return;
  gst_adapter_push(adapter_.get(), gst_buffer_new_memdup(block_.data(), block_.size()));
  block_.clear();
}

} // namespace flvpace
