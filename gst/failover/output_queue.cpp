// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output_queue.h"

#include <memory>
#include <utility>

namespace gstfailover {

using failover::Buffer;

namespace {

// A buffer that owns the bytes.
gstflv::BufferPtr wrap(Buffer bytes) {
  auto owner = std::make_unique<Buffer>(std::move(bytes));
  const gsize size = owner->size();
  std::uint8_t *data = owner->data();
  return gstflv::BufferPtr(gst_buffer_new_wrapped_full(
      static_cast<GstMemoryFlags>(0), data, size, 0, size, owner.release(),
      [](gpointer buffer) { std::unique_ptr<Buffer>(static_cast<Buffer *>(buffer)).reset(); }));
}

} // namespace

void OutputQueue::push(Buffer bytes, guint flags, gstflv::CapsPtr caps) {
  bytes_ += bytes.size();
  total_ += bytes.size();
  Packet packet{wrap(std::move(bytes)), std::move(caps)};
  GST_MINI_OBJECT_FLAG_SET(packet.buffer.get(), flags);
  packets_.push_back(std::move(packet));
}

Packet OutputQueue::pop() {
  Packet packet = std::move(packets_.front());
  packets_.pop_front();
  bytes_ -= gst_buffer_get_size(packet.buffer.get());
  return packet;
}

void OutputQueue::clear() {
  packets_.clear();
  total_ -= bytes_;
  bytes_ = 0;
}

} // namespace gstfailover
