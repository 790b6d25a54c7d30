// SPDX-License-Identifier: LGPL-2.1-or-later
// The next time at which each owner is to be called, earliest first.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "poller.h"

namespace flvhttp {

template <typename Owner> class Timers {
  using Queue = std::multimap<Clock::time_point, Owner *>;

public:
  // One per owner. Must be cancelled before it is destroyed.
  class Timer {
  public:
    [[nodiscard]] bool is_set() const { return place_.has_value(); }
    [[nodiscard]] Clock::time_point time() const { return (*place_)->first; }

  private:
    friend class Timers;
    std::optional<typename Queue::iterator> place_;
  };

  void set(Timer &timer, Clock::time_point time, Owner *owner) {
    if (!timer.place_) {
      timer.place_ = queue_.emplace(time, owner);
      return;
    }
    // Reuses the node.
    auto node = queue_.extract(*timer.place_);
    node.key() = time;
    timer.place_ = queue_.insert(std::move(node));
  }

  void cancel(Timer &timer) {
    if (timer.place_)
      queue_.erase(*timer.place_);
    timer.place_.reset();
  }

  [[nodiscard]] std::optional<Clock::time_point> next() const {
    return queue_.empty() ? std::nullopt : std::optional(queue_.begin()->first);
  }

  // The owner whose time has come. Its timer must be set again or cancelled. nullptr: none.
  [[nodiscard]] Owner *due(Clock::time_point now) const {
    return queue_.empty() || queue_.begin()->first > now ? nullptr : queue_.begin()->second;
  }

private:
  Queue queue_;
};

} // namespace flvhttp
