// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that comes from front to back.
#pragma once

#include <optional>

#include "common/gstptr.h"
#include "flv/reading.h"

namespace flvseek {

// Holds the bytes that have come and may still be wanted. Positions are bytes of the file.
class PushSource {
public:
  // The next byte that comes is number `position`.
  void reset(guint64 position);
  void append(gstflv::BufferPtr buffer);

  // The first byte that is held, and the one that comes next.
  [[nodiscard]] guint64 begin() const { return begin_; }
  [[nodiscard]] guint64 end() const { return begin_ + gst_adapter_available(adapter_.get()); }
  void drop_before(guint64 position);

  // The bytes, as far as they are held; they stay.
  [[nodiscard]] gstflv::BufferPtr read(const flv::Wanted &wanted) const;
  // All that is held from `position` on. Nothing: that is no byte.
  [[nodiscard]] gstflv::BufferPtr take_from(guint64 position);

private:
  gstflv::AdapterPtr adapter_{gst_adapter_new()};
  guint64 begin_ = 0;
};

} // namespace flvseek
