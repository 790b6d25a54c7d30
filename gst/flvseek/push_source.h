// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that comes from front to back.
#pragma once

#include <deque>

#include "base/gst_ptr.h"
#include "flv/seek/read_request.h"

namespace flvseek {

// Holds the bytes that have come and may still be wanted. Positions are bytes of the file. A
// group of pictures may be long, and nothing here takes longer for it.
class PushSource {
public:
  // The next byte that comes is number `position`.
  void reset(guint64 position);
  void append(gstflv::BufferPtr buffer);

  // The first byte that is held, and the one that comes next.
  [[nodiscard]] guint64 begin() const { return begin_; }
  [[nodiscard]] guint64 end() const { return end_; }
  void drop_before(guint64 position);

  // The bytes, as far as they are held; they stay.
  [[nodiscard]] gstflv::BufferPtr read(const flv::ReadRequest &wanted) const;
  // From `position` on what is left of one buffer as it came. Nothing: that is no byte.
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
