// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts positions in the stream to file offsets.
#pragma once

#include <array>

#include <gst/gst.h>

namespace flvpace {

// Messages contain file offsets. After flvseek, these differ from the positions in the stream,
// because flvseek sends a generated header before a part of the file. The offsets of the buffers
// show the difference.
class FileOffsets {
public:
  void clear() { *this = {}; }
  // Records a buffer. Its first byte has position `position` in the stream.
  void note(guint64 position, GstBuffer *buffer);
  // The file offset of a byte that arrived in one of the last buffers. If it is unknown, the
  // position in the stream.
  [[nodiscard]] guint64 of(guint64 position) const;

private:
  // From position `begin` on, the file offset is the position plus `shift`, modulo 2^64.
  struct Stretch {
    guint64 begin = 0;
    guint64 shift = 0;
  };

  std::array<Stretch, 3> stretches_{}; // newest first
};

} // namespace flvpace
