// SPDX-License-Identifier: LGPL-2.1-or-later
#include "arrival_queue.h"

#include <utility>

namespace flvpace {

namespace {

gsize size_of(const ArrivalQueue::Item &item) {
  const auto *buffer = std::get_if<gstflv::BufferPtr>(&item.content);
  return buffer ? gst_buffer_get_size(buffer->get()) : 0;
}

} // namespace

GstFlowReturn ArrivalQueue::put(Item item) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return bytes_ < kMaxBytes || flow_ != GST_FLOW_OK; });
  if (flow_ != GST_FLOW_OK)
    return flow_;
  bytes_ += size_of(item);
  items_.push_back(std::move(item));
  changed_.notify_all();
  return GST_FLOW_OK;
}

std::optional<ArrivalQueue::Item> ArrivalQueue::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !items_.empty() || flow_ != GST_FLOW_OK; });
  if (flow_ != GST_FLOW_OK)
    return std::nullopt;
  Item item = std::move(items_.front());
  items_.pop_front();
  bytes_ -= size_of(item);
  changed_.notify_all();
  return item;
}

void ArrivalQueue::fail(GstFlowReturn flow) {
  const std::lock_guard lock(mutex_);
  if (flow_ == GST_FLOW_OK)
    flow_ = flow;
  changed_.notify_all();
}

void ArrivalQueue::shut() {
  const std::lock_guard lock(mutex_);
  flow_ = GST_FLOW_FLUSHING;
  items_.clear();
  bytes_ = 0;
  changed_.notify_all();
}

void ArrivalQueue::open() {
  const std::lock_guard lock(mutex_);
  flow_ = GST_FLOW_OK;
}

} // namespace flvpace
