// SPDX-License-Identifier: LGPL-2.1-or-later
// Recovery points in the data of video tags. At a recovery point an intra refresh begins, and a
// decoder can start without a keyframe (H.264 D.2.8, H.265 D.3.8).
#pragma once

#include "flv/format/bytes.h"

namespace fanout {

// Bytes of the length field before each NAL unit, from the data of a sequence header tag. 0: the
// codec is not H.264 or H.265, or the data is truncated.
[[nodiscard]] std::size_t nal_length_size(flv::Bytes configuration);

// Whether a frame's data has a recovery point SEI message. Reads a few NAL units before the first
// slice only.
[[nodiscard]] bool has_recovery_point(flv::Bytes frame, std::size_t length_size);

} // namespace fanout
