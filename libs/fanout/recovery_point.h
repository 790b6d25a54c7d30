// SPDX-License-Identifier: LGPL-2.1-or-later
// Recovery points in the data of video tags: where intra refresh begins, a decoder can start
// without a key frame (H.264 D.2.8, H.265 D.3.8).
#pragma once

#include "flv/format/bytes.h"

namespace fanout {

// Bytes of the length in front of each NAL unit, by the data of a sequence header tag; nothing: it
// is of another codec than H.264 or H.265, or ends too early.
[[nodiscard]] std::size_t nal_length_size(flv::Bytes configuration);

// Whether a frame's data holds a recovery point SEI message. Looks at the NAL units in front of the
// picture, and at a few of them only.
[[nodiscard]] bool has_recovery_point(flv::Bytes frame, std::size_t length_size);

} // namespace fanout
