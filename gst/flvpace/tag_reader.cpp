// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tag_reader.h"

#include "tag_buffers.h"

namespace flvpace {

using flv::Item;

namespace {

// System memory stays at its mapped address while the buffer exists.
bool stays_in_place(GstBuffer *buffer) {
  return gst_buffer_n_memory(buffer) == 1 &&
         gst_memory_is_type(gst_buffer_peek_memory(buffer, 0), GST_ALLOCATOR_SYSMEM);
}

} // namespace

void TagReader::clear() {
  file_offsets_.clear();
  splitter_.clear_stream_ids();
}

void TagReader::restart(flv::Splitter::Start start, std::uint64_t position) {
  splitter_.reset(start, position);
  chunks_.reset(position);
}

void TagReader::begin_chunk(GstBuffer *chunk, flv::Bytes bytes) {
  chunk_ = chunk;
  chunk_bytes_ = bytes;
  chunk_kind_ = stays_in_place(chunk) ? Chunk::InPlace : Chunk::Movable;
  chunk_begin_ = splitter_.position();
  file_offsets_.note(chunk_begin_, chunk);
  chunks_.append(chunk, bytes);
  splitter_.begin(bytes.size());
}

void TagReader::end_chunk() {
  chunk_kind_ = Chunk::None;
  chunk_ = nullptr;
  chunk_bytes_ = {};
  again_.reset();
}

bool TagReader::finish(More more) {
  const bool has_more = more == More::Follows ? splitter_.finish_interrupted() : splitter_.finish();
  if (!has_more)
    again_.reset();
  return has_more;
}

void TagReader::reread(std::uint64_t position) {
  if (has_in_chunk(position) || again_)
    return;
  again_ = chunks_.take(position, chunk_kind_ != Chunk::None ? chunk_begin_ : splitter_.end());
  again_begin_ = position;
}

void TagReader::cut_out(const Item &item, More more, Tag &tag) {
  const auto classify = [&item](flv::Bytes bytes) {
    return flv::classify(item.tag.type, bytes.subspan(flv::kTagHeaderSize, item.tag.data_size));
  };
  tag.size = static_cast<std::size_t>(item.end - item.begin);
  if (!has_in_chunk(item.begin)) {
    tag.buffer = take(item);
    tag.info = classify(gstflv::MappedBuffer(tag.buffer.get()).bytes());
  } else {
    const auto offset = static_cast<gsize>(item.begin - chunk_begin_);
    tag.info = classify(chunk_bytes_.subspan(offset, tag.size));
    if (chunk_kind_ == Chunk::InPlace)
      tag.buffer = slice_pool_.cut(chunk_, chunk_bytes_, offset, tag.size);
    else
      tag.buffer.reset(gst_buffer_copy_region(chunk_, GST_BUFFER_COPY_MEMORY, offset, tag.size));
  }
  if (const std::size_t whole = item.tag.tag_size() + flv::kPreviousTagSizeSize;
      tag.size < whole && (more == More::Follows || item.end < splitter_.position())) {
    tag.buffer = completed(tag.buffer.get(), item.tag.tag_size());
    tag.size = whole;
  }
}

} // namespace flvpace
