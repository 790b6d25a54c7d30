// SPDX-License-Identifier: LGPL-2.1-or-later
// A queue between a live source and the thread that sends. The source never waits for due times, so
// the arrival time of each buffer is known.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <variant>

#include "base/gst_ptr.h"
#include "flv/stream/schedule.h"

namespace flvpace {

class ArrivalQueue {
public:
  struct Item {
    std::variant<gstflv::BufferPtr, gstflv::EventPtr> content;
    flv::Nanoseconds arrival = 0; // running time
  };

  // Blocks while the queue is full. If an earlier item has failed, drops this item and returns that
  // error.
  [[nodiscard]] GstFlowReturn put(Item item);
  // Blocks until there is an item. nullopt: the queue is shut or has failed.
  [[nodiscard]] std::optional<Item> take();

  // Records the error of an item. put() returns it from now on.
  void fail(GstFlowReturn flow);
  // Drops all items and ends all waits; put() returns FLUSHING until open().
  void shut();
  void open();

private:
  // Enough for several seconds of a stream. When the queue is full, the source blocks.
  static constexpr gsize kMaxBytes = 16 << 20;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  gsize bytes_ = 0;
  GstFlowReturn flow_ = GST_FLOW_FLUSHING; // what put() returns; FLUSHING: shut
};

} // namespace flvpace
