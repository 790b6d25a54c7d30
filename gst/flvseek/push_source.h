// SPDX-License-Identifier: LGPL-2.1-or-later
// The bytes of a file that upstream pushes from start to end.
#pragma once

#include <deque>

#include "base/gst_ptr.h"
#include "flv/seek/read_request.h"

namespace flvseek {

// Holds the received bytes that may still be needed. Positions are file offsets. A long group of
// pictures does not make any call slower.
class PushSource {
public:
  // Drops all bytes. The next byte has offset `position`.
  void reset(guint64 position);
  void append(gstflv::BufferPtr buffer);

  // The offsets of the first held byte and of the next byte to arrive.
  [[nodiscard]] guint64 begin() const { return begin_; }
  [[nodiscard]] guint64 end() const { return end_; }
  void drop_before(guint64 position);

  // Copies the requested bytes, as far as they are held.
  [[nodiscard]] gstflv::BufferPtr read(const flv::ReadRequest &wanted) const;
  // Removes and returns the held buffer from `position` on. Drops the bytes before it. nullptr: the
  // byte at `position` is not held.
  [[nodiscard]] gstflv::BufferPtr take_from(guint64 position);

private:
  struct Held {
    guint64 end = 0;
    gstflv::BufferPtr buffer;

    [[nodiscard]] guint64 begin() const { return end - gst_buffer_get_size(buffer.get()); }
  };

  std::deque<Held> held_;
  guint64 begin_ = 0;
  guint64 end_ = 0;
};

} // namespace flvseek
