// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers that the streaming thread writes and other threads read.
#pragma once

#include <atomic>
#include <initializer_list>

#include <gst/gst.h>

namespace flvpace {

// A number that one thread writes and other threads read.
template <typename T> class Shared {
public:
  Shared(T value = {}) : value_(value) {}
  Shared &operator=(T value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  operator T() const { return value_.load(std::memory_order_relaxed); }
  void add(T more) { *this = *this + more; }

private:
  std::atomic<T> value_;
};

struct Counters {
  Shared<guint64> audio_tags;
  Shared<guint64> video_tags;
  Shared<guint64> script_tags;
  Shared<guint64> key_frames;
  Shared<guint64> bytes_in;
  Shared<guint64> bytes_out;
  Shared<guint64> bytes_skipped;
  Shared<guint64> discontinuities;
  Shared<guint64> wrong_previous_sizes;
  Shared<guint64> nonzero_stream_ids;

  void clear() {
    for (Shared<guint64> *counter :
         {&audio_tags, &video_tags, &script_tags, &key_frames, &bytes_in, &bytes_out,
          &bytes_skipped, &discontinuities, &wrong_previous_sizes, &nonzero_stream_ids})
      *counter = 0;
  }
};

} // namespace flvpace
