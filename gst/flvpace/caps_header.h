// SPDX-License-Identifier: LGPL-2.1-or-later
// The stream header in upstream's caps, for a stream that does not begin with a file header.
#pragma once

#include <vector>

#include "base/gst_ptr.h"

namespace flvpace {

// The buffers of `streamheader` in the caps; empty if there is none.
[[nodiscard]] std::vector<gstflv::BufferPtr> stream_header_of(const GstCaps *caps);

[[nodiscard]] bool is_file_header(GstBuffer *buffer);

} // namespace flvpace
