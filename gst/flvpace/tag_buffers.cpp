// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tag_buffers.h"

#include <array>

namespace flvpace {

using gstflv::BufferPtr;

namespace {

// The filesink of GStreamer 1.22 loses bytes if one write has more than 1024 memories and the last
// of them is not the last one of its buffer. So tags up to this size (bytes) are copied into one
// memory. Larger tags share their data: too few of them fit into one write.
constexpr gsize kMaxCopied = 1024;

// A copy of the first `size` bytes of `tag`, with space for `room` more bytes.
BufferPtr copied(GstBuffer *tag, gsize size, gsize room = 0) {
  BufferPtr out(gst_buffer_new_allocate(nullptr, size + room, nullptr));
  GstMapInfo map;
  if (gst_buffer_map(out.get(), &map, GST_MAP_WRITE)) {
    gst_buffer_extract(tag, 0, map.data, size);
    gst_buffer_unmap(out.get(), &map);
  }
  return out;
}

} // namespace

BufferPtr retimestamped(GstBuffer *tag, std::uint32_t timestamp) {
  const gsize size = gst_buffer_get_size(tag);
  BufferPtr out = copied(tag, size <= kMaxCopied ? size : flv::kTagHeaderSize);
  std::array<std::uint8_t, flv::kTagHeaderSize> header{};
  gst_buffer_extract(tag, 0, header.data(), header.size());
  flv::store_timestamp(header.data(), timestamp);
  gst_buffer_fill(out.get(), 0, header.data(), header.size());
  if (size > kMaxCopied)
    gst_buffer_copy_into(out.get(), tag, GST_BUFFER_COPY_MEMORY, flv::kTagHeaderSize,
                         static_cast<gsize>(-1));
  return out;
}

BufferPtr completed(GstBuffer *tag, std::uint32_t tag_size) {
  BufferPtr out = copied(tag, tag_size, flv::kPreviousTagSizeSize);
  std::array<std::uint8_t, flv::kPreviousTagSizeSize> previous_size{};
  flv::store_u32(previous_size.data(), tag_size);
  gst_buffer_fill(out.get(), tag_size, previous_size.data(), previous_size.size());
  return out;
}

} // namespace flvpace
