// SPDX-License-Identifier: LGPL-2.1-or-later
// Copies of tags in which a few bytes differ.
#pragma once

#include "base/gst_ptr.h"
#include "flv/format/tag.h"

namespace flvpace {

// A copy of `tag` with another timestamp. It shares the data of `tag`, except for small tags, which
// are copied into one memory.
[[nodiscard]] gstflv::BufferPtr retimestamped(GstBuffer *tag, std::uint32_t timestamp);

// A copy of `tag` with the correct PreviousTagSize. In `tag` it is missing or incomplete.
// `tag_size` counts header and data.
[[nodiscard]] gstflv::BufferPtr completed(GstBuffer *tag, std::uint32_t tag_size);

} // namespace flvpace
