// SPDX-License-Identifier: LGPL-2.1-or-later
// What a live source sends, until it is its turn: the source is not kept waiting for due times, so
// that the time at which a buffer arrives is known.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <variant>

#include "common/gstptr.h"
#include "flv/schedule.h"

namespace flvpace {

class Inbox {
public:
  struct Item {
    std::variant<gstflv::BufferPtr, gstflv::EventPtr> content;
    flv::Nanoseconds arrival = 0; // running time
  };

  // Waits while there are too many bytes. Gives what became of an earlier item, if that was no
  // success; the item is dropped then.
  [[nodiscard]] GstFlowReturn put(Item item);
  // Waits for an item. Nothing: the inbox is shut.
  [[nodiscard]] std::optional<Item> take();

  // An item has failed: nothing more is taken in.
  void fail(GstFlowReturn flow);
  // Nobody waits any more, and what is inside is dropped.
  void shut();
  void open();

private:
  // Enough for several seconds of a stream; then the source waits with downstream.
  static constexpr gsize kMaxBytes = 16 << 20;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  gsize bytes_ = 0;
  GstFlowReturn flow_ = GST_FLOW_FLUSHING; // of what is put in; FLUSHING: shut
};

} // namespace flvpace
