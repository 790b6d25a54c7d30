// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the bytes of a stream stand in the file that they come from.
#pragma once

#include <array>

#include <gst/gst.h>

namespace flvpace {

// Warnings name bytes of the file. Behind flvseek these are other numbers than the bytes of the
// stream: a made-up head is in front of a part of the file. The offsets of the buffers tell.
class FileOffsets {
public:
  void clear() { *this = {}; }
  // The buffer's first byte is number `position` of the stream.
  void note(guint64 position, GstBuffer *buffer);
  // Of a byte that came with one of the last buffers; the byte's number in the stream where the
  // file offset is unknown.
  [[nodiscard]] guint64 of(guint64 position) const;

private:
  // From `begin` on, the file offset is the position and this number, modulo 2^64.
  struct Stretch {
    guint64 begin = 0;
    guint64 shift = 0;
  };

  std::array<Stretch, 3> stretches_{}; // the last one first
};

} // namespace flvpace
