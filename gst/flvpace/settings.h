// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings of the Pacer: any thread changes them, and the streaming thread copies them.
#pragma once

#include <atomic>
#include <mutex>

#include <gst/gst.h>

#include "flv/format/tag.h"

namespace flvpace {

enum class Retimestamp { Continuous, Zero, None };
enum class OnCorrupt { Skip, Fail };

// Read when the stream starts. Only max_gap is read again later.
struct Settings {
  Retimestamp retimestamp = Retimestamp::Continuous;
  OnCorrupt on_corrupt = OnCorrupt::Skip;
  guint max_gap = 10000;                  // ms
  guint mtu = 0;                          // bytes
  guint max_tag_size = flv::kMaxDataSize; // bytes
};

class SharedSettings {
public:
  // From any thread.
  template <typename Change> void change(Change change) {
    const std::lock_guard lock(mutex_);
    change(settings_);
    changed_.store(true, std::memory_order_release);
  }
  [[nodiscard]] Settings latest() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  // From the streaming thread.
  [[nodiscard]] const Settings &current() const { return current_; }
  void copy() { current_ = latest(); }
  // If a setting has changed, copies max_gap and returns true.
  [[nodiscard]] bool copy_max_gap() {
    if (!changed_.load(std::memory_order_relaxed) ||
        !changed_.exchange(false, std::memory_order_acquire))
      return false;
    current_.max_gap = latest().max_gap;
    return true;
  }

private:
  mutable std::mutex mutex_;
  Settings settings_; // guarded by mutex_
  std::atomic<bool> changed_ = true;
  Settings current_; // the streaming thread's copy
};

} // namespace flvpace
