// SPDX-License-Identifier: LGPL-2.1-or-later
// The codec, the kind and the payload of an FLV audio or video tag with one track.
#pragma once

#include <optional>
#include <string>

#include "flv/format/tag.h"
#include "track.h"

namespace remux {

struct FlvPayload {
  enum class Kind { Config, Media, Other };
  Kind kind = Kind::Other;
  std::optional<Codec> codec; // nullopt: `name` is not one of Codec
  std::string name;           // for an error message
  flv::Bytes data;
  std::int64_t composition = 0; // ms
  std::int64_t offset = 0;      // ns: added to the tag's time
  bool key = false;
};

// nullopt: the tag is empty, truncated, multitrack or a command.
[[nodiscard]] std::optional<FlvPayload> read_payload(flv::TagType type, flv::Bytes data);

} // namespace remux
