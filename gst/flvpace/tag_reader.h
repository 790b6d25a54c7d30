// SPDX-License-Identifier: LGPL-2.1-or-later
// Splits the input into items, and returns each tag as a buffer.
#pragma once

#include "chunk_assembler.h"
#include "file_offsets.h"
#include "flv/stream/splice_splitter.h"
#include "slice_pool.h"
#include "tag.h"

namespace flvpace {

// Positions count the bytes of the input.
class TagReader {
public:
  // The last tag of a stream may lack its PreviousTagSize.
  enum class More { Follows, EndOfStream };

  void set_max_data_size(std::uint32_t size) { splitter_.set_max_data_size(size); }
  // For the next start from READY.
  void clear();
  void free_memory() { slice_pool_.clear(); }
  // Drops all input. The next byte has position `position`.
  void restart(flv::Splitter::Start start, std::uint64_t position);

  // The next chunk: `bytes` are the mapped bytes of `chunk`. Until end_chunk(), the caller calls
  // next() until it returns nullptr.
  void begin_chunk(GstBuffer *chunk, flv::Bytes bytes);
  void end_chunk();
  // Releases the bytes that no later tag needs.
  void release_read_bytes() { chunks_.drop_before(splitter_.keep_from()); }
  // The next item; nullptr: all input is split, or is_malformed(). Valid until the next call.
  [[nodiscard]] const flv::Item *next() { return splitter_.next(*this); }
  // Drops the items that the splitter has found and next() has not returned.
  void drop_items() {
    splitter_.drop_items();
    again_.reset();
  }
  // The input ends, or is interrupted. Returns whether next() has more items: then the caller calls
  // next() until it returns nullptr, and calls finish() again.
  [[nodiscard]] bool finish(More more);

  [[nodiscard]] bool is_malformed() const { return splitter_.is_malformed(); }
  [[nodiscard]] const flv::Fault &fault() const { return splitter_.fault(); }
  // The first bytes of the input, if the current chunk has them.
  [[nodiscard]] flv::Bytes start() const { return chunk_begin_ == 0 ? chunk_bytes_ : flv::Bytes(); }
  [[nodiscard]] std::uint64_t position() const { return splitter_.position(); }
  [[nodiscard]] std::uint64_t end() const { return splitter_.end(); }
  [[nodiscard]] guint64 file_offset(std::uint64_t position) const {
    return file_offsets_.of(position);
  }

  [[nodiscard]] gstflv::BufferPtr take(const flv::Item &item) {
    return chunks_.take(item.begin, item.end);
  }
  // Sets the buffer, the size and the info of the item's tag. Shares the memory of the current
  // chunk if the chunk holds the tag. Adds a missing PreviousTagSize, unless the tag is the last
  // one.
  void cut_out(const flv::Item &item, More more, Tag &tag);

  // For SpliceSplitter.
  template <typename Function> void with_unread(std::uint64_t position, Function function) const;
  template <typename Function>
  [[nodiscard]] auto with_bytes(std::uint64_t begin, std::uint64_t end, Function function);
  void reread(std::uint64_t position);

private:
  // The chunk between begin_chunk() and end_chunk().
  enum class Chunk {
    None,
    Movable, // its bytes may be at another address after the chunk is unmapped
    InPlace,
  };

  [[nodiscard]] bool has_in_chunk(std::uint64_t position) const {
    return chunk_kind_ != Chunk::None && position >= chunk_begin_;
  }
  [[nodiscard]] flv::Bytes in_chunk(std::uint64_t position) const {
    return chunk_bytes_.subspan(static_cast<std::size_t>(position - chunk_begin_));
  }

  flv::SpliceSplitter splitter_;
  FileOffsets file_offsets_;
  ChunkAssembler chunks_;
  SlicePool slice_pool_;
  Chunk chunk_kind_ = Chunk::None;
  GstBuffer *chunk_ = nullptr; // borrowed
  flv::Bytes chunk_bytes_;
  std::uint64_t chunk_begin_ = 0;
  gstflv::BufferPtr again_; // the bytes before the chunk that the splitter reads again
  std::uint64_t again_begin_ = 0;
};

template <typename Function>
void TagReader::with_unread(std::uint64_t position, Function function) const {
  if (has_in_chunk(position))
    return function(in_chunk(position));
  const gstflv::MappedBuffer again(again_.get());
  function(again.bytes().subspan(static_cast<std::size_t>(position - again_begin_)));
}

template <typename Function>
auto TagReader::with_bytes(std::uint64_t begin, std::uint64_t end, Function function) {
  if (has_in_chunk(begin))
    return function(in_chunk(begin).first(static_cast<std::size_t>(end - begin)));
  const gstflv::BufferPtr bytes = chunks_.take(begin, end);
  return function(gstflv::MappedBuffer(bytes.get()).bytes());
}

} // namespace flvpace
