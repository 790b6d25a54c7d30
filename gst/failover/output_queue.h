// SPDX-License-Identifier: LGPL-2.1-or-later
// The buffers between the sources and the streaming thread of the element. Not thread-safe.
#pragma once

#include <deque>
#include <optional>

#include "base/gst_ptr.h"
#include "failover/cutter.h"

namespace gstfailover {

struct Packet {
  gstflv::BufferPtr buffer;
  gstflv::CapsPtr caps; // of this buffer and the next ones; nullptr: unchanged
};

class OutputQueue {
public:
  // A source waits while the queue has this many bytes.
  static constexpr gsize kMaxBytes = 256 * 1024;

  [[nodiscard]] bool is_full() const { return bytes_ >= kMaxBytes; }
  [[nodiscard]] bool is_empty() const { return packets_.empty(); }
  // `flags`: GstBufferFlags.
  void push(failover::Buffer bytes, guint flags, gstflv::CapsPtr caps = nullptr);
  // The queue must not be empty.
  [[nodiscard]] Packet pop();
  void clear();
  // Of all pushed data that was not cleared.
  [[nodiscard]] guint64 total() const { return total_; }

private:
  std::deque<Packet> packets_;
  gsize bytes_ = 0;
  guint64 total_ = 0;
};

} // namespace gstfailover
