// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads a file at any offset, in pull mode.
#pragma once

#include "base/gst_ptr.h"
#include "flv/seek/read_request.h"

namespace flvseek {

class PullSource {
public:
  explicit PullSource(GstPad *pad) : pad_(pad) {} // borrowed

  // Drops the bytes that were read ahead.
  void clear() { ahead_.reset(); }
  // Reads the requested bytes into `buffer`. At the end of the file, `buffer` has fewer bytes.
  [[nodiscard]] GstFlowReturn read(const flv::ReadRequest &wanted, gstflv::BufferPtr &buffer);
  // Reads the next block of the stream.
  [[nodiscard]] GstFlowReturn next(guint64 offset, gstflv::BufferPtr &buffer);

private:
  [[nodiscard]] GstFlowReturn pull(guint64 offset, gsize size, gstflv::BufferPtr &buffer);

  GstPad *pad_;
  gstflv::BufferPtr ahead_; // the bytes that were read ahead
  guint64 ahead_begin_ = 0;
};

} // namespace flvseek
