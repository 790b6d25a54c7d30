// SPDX-License-Identifier: LGPL-2.1-or-later
// One access unit on its way from the demuxer to the writer.
#pragma once

#include <cstdint>
#include <memory>

#include "base/gst_ptr.h"
#include "track.h"

namespace remux {

struct Packet {
  gstflv::BufferPtr buffer;
  std::size_t track = 0;
  std::int64_t pts = 0;      // ns of running time
  std::int64_t dts = 0;      // ns of running time
  std::int64_t position = 0; // ns: the presentation time in the source
  bool key = false;          // decoding can start here; true for audio
  bool is_picture = false;
  std::shared_ptr<const Track> change; // the configuration from this packet on
};

} // namespace remux
