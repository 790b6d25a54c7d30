// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that can be read anywhere.
#pragma once

#include "base/gst_ptr.h"
#include "flv/seek/read_request.h"

namespace flvseek {

class PullSource {
public:
  explicit PullSource(GstPad *pad) : pad_(pad) {} // borrowed

  // Lets go of what was read ahead.
  void clear() { ahead_.reset(); }
  // Gives the bytes, or as many as there are; `buffer` holds them.
  [[nodiscard]] GstFlowReturn read(const flv::ReadRequest &wanted, gstflv::BufferPtr &buffer);
  // The next large piece of the stream.
  [[nodiscard]] GstFlowReturn next(guint64 offset, gstflv::BufferPtr &buffer);

private:
  [[nodiscard]] GstFlowReturn pull(guint64 offset, gsize size, gstflv::BufferPtr &buffer);

  GstPad *pad_;
  gstflv::BufferPtr ahead_; // what was last read in order
  guint64 ahead_begin_ = 0;
};

} // namespace flvseek
