// SPDX-License-Identifier: LGPL-2.1-or-later
// A tag to be sent.
#pragma once

#include "base/gst_ptr.h"
#include "flv/stream/schedule.h"
#include "flv/stream/stream_header.h"

namespace flvpace {

struct Tag {
  flv::TagHeader header;
  flv::TagInfo info;
  gstflv::BufferPtr buffer;
  std::uint64_t position = 0;   // the file offset of its first byte, for messages
  std::size_t size = 0;         // of the buffer
  std::int64_t time = 0;        // ms of media time
  flv::Nanoseconds arrival = 0; // running time; only with a live source
  flv::StreamHeader::Change head_change = flv::StreamHeader::Change::None;
  bool discont = false;

  [[nodiscard]] bool is_media() const {
    return !header.is_script() && info.role != flv::Role::DecoderConfig &&
           info.role != flv::Role::Empty;
  }
};

} // namespace flvpace
