// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pushsource.h"

#include <algorithm>

namespace flvseek {

using gstflv::BufferPtr;

void PushSource::reset(guint64 position) {
  gst_adapter_clear(adapter_.get());
  begin_ = position;
}

void PushSource::append(BufferPtr buffer) {
  gst_adapter_push(adapter_.get(), buffer.release());
}

// Also of bytes that have yet to come.
void PushSource::drop_before(guint64 position) {
  if (position <= begin_)
    return;
  const gsize count = std::min<guint64>(position - begin_, gst_adapter_available(adapter_.get()));
  gst_adapter_flush(adapter_.get(), count);
  begin_ += count;
}

BufferPtr PushSource::read(const flv::Wanted &wanted) const {
  if (wanted.offset < begin_ || wanted.offset >= end())
    return BufferPtr(gst_buffer_new());
  const gsize skip = wanted.offset - begin_;
  const gsize size = std::min<guint64>(wanted.size, end() - wanted.offset);
  BufferPtr buffer(gst_buffer_new_allocate(nullptr, size, nullptr));
  GstMapInfo info;
  if (gst_buffer_map(buffer.get(), &info, GST_MAP_WRITE)) {
    gst_adapter_copy(adapter_.get(), info.data, skip, size);
    gst_buffer_unmap(buffer.get(), &info);
  }
  return buffer;
}

BufferPtr PushSource::take_from(guint64 position) {
  drop_before(position);
  const gsize size = gst_adapter_available(adapter_.get());
  if (size == 0 || begin_ < position)
    return nullptr;
  begin_ += size;
  return BufferPtr(gst_adapter_take_buffer_fast(adapter_.get(), size));
}

} // namespace flvseek
