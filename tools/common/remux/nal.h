// SPDX-License-Identifier: LGPL-2.1-or-later
// H.264 and HEVC: parameter sets in decoder configurations, start codes, and the reorder depth.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "track.h"

namespace remux {

struct NalConfig {
  std::size_t length_size = 4;            // bytes of each length prefix
  std::vector<flv::Bytes> parameter_sets; // in the order of the configuration; borrowed
};

// nullopt: `config` is not a valid AVC or HEVC configuration record.
[[nodiscard]] std::optional<NalConfig> parse_config(Codec codec, flv::Bytes config);

// The parameter sets, each with a length prefix of the configuration's size. Empty for other
// codecs.
[[nodiscard]] std::vector<std::uint8_t> prefixed_parameter_sets(Codec codec, flv::Bytes config);

// Appends the access unit with start codes. It starts with an access unit delimiter. Puts the
// parameter sets before a key frame that has none.
void append_byte_stream(const Track &track, const NalConfig &config, flv::Bytes unit, bool key,
                        std::vector<std::uint8_t> &out);

struct SequenceInfo {
  std::uint32_t width = 0; // pixels, after cropping
  std::uint32_t height = 0;
  // The maximum number of pictures that precede a picture in decoding order and follow it in
  // presentation order. nullopt: the parameter sets do not say.
  std::optional<std::size_t> reorder;
};

// Reads the first sequence parameter set. nullopt: there is none.
[[nodiscard]] std::optional<SequenceInfo> read_sequence(Codec codec, flv::Bytes config);

} // namespace remux
