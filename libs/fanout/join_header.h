// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds the join headers of an FLV stream.
#pragma once

#include <optional>

#include "entry.h"
#include "flv/format/amf0.h"
#include "flv/stream/stream_header.h"

namespace fanout {

using DecoderConfigs = std::vector<flv::SharedBytes>; // whole tags

// The content of an FLV join header.
struct JoinHeaderInput {
  bool has_audio = false;
  bool has_video = false;
  DecoderConfigs configs;

  bool operator==(const JoinHeaderInput &) const = default;
};

[[nodiscard]] Kind kind_of(Bytes tag);

// An onMetaData tag that describes a live stream of these kinds. Empty: there is no metadata, or
// it is too large for a tag.
[[nodiscard]] std::vector<std::uint8_t>
metadata_tag(const std::optional<flv::amf0::Value> &metadata, bool has_audio, bool has_video);

[[nodiscard]] JoinHeaderPtr make_join_header(const std::optional<flv::amf0::Value> &metadata,
                                             const JoinHeaderInput &input);

} // namespace fanout
