// SPDX-License-Identifier: LGPL-2.1-or-later
#include "push_source.h"

#include <algorithm>
#include <utility>

namespace flvseek {

using gstflv::BufferPtr;

void PushSource::reset(guint64 position) {
  held_.clear();
  begin_ = position;
  end_ = position;
}

void PushSource::append(BufferPtr buffer) {
  const gsize size = gst_buffer_get_size(buffer.get());
  if (size == 0)
    return;
  end_ += size;
  held_.push_back({end_, std::move(buffer)});
}

// A position after end() drops all bytes.
void PushSource::drop_before(guint64 position) {
  begin_ = std::clamp(position, begin_, end_);
  while (!held_.empty() && held_.front().end <= begin_)
    held_.pop_front();
}

BufferPtr PushSource::read(const flv::ReadRequest &wanted) const {
  if (wanted.offset < begin_ || wanted.offset >= end_)
    return BufferPtr(gst_buffer_new());
  const gsize size = std::min<guint64>(wanted.size, end_ - wanted.offset);
  BufferPtr buffer(gst_buffer_new_allocate(nullptr, size, nullptr));
  GstMapInfo info;
  if (!gst_buffer_map(buffer.get(), &info, GST_MAP_WRITE))
    return buffer;
  auto from = std::ranges::upper_bound(held_, wanted.offset, {}, &Held::end);
  gsize skip = wanted.offset - from->begin();
  for (gsize copied = 0; copied < size && from != held_.end(); ++from, skip = 0)
    copied += gst_buffer_extract(from->buffer.get(), skip, info.data + copied, size - copied);
  gst_buffer_unmap(buffer.get(), &info);
  return buffer;
}

BufferPtr PushSource::take_from(guint64 position) {
  drop_before(position);
  if (begin_ == end_ || begin_ < position)
    return nullptr;
  Held held = std::move(held_.front());
  held_.pop_front();
  const gsize skip = begin_ - held.begin();
  begin_ = held.end;
  if (skip == 0)
    return std::move(held.buffer);
  return BufferPtr(gst_buffer_copy_region(held.buffer.get(), GST_BUFFER_COPY_MEMORY, skip,
                                          static_cast<gsize>(-1)));
}

} // namespace flvseek
