// SPDX-License-Identifier: LGPL-2.1-or-later
// The sequence header of AV1.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "flv/format/bytes.h"

namespace remux {

struct Av1Sequence {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::vector<std::uint8_t> config; // AV1CodecConfigurationRecord
};

// Whether the bytes are an AV1CodecConfigurationRecord. qtdemux 1.22 cuts its start off.
[[nodiscard]] bool is_av1_config(flv::Bytes config);

// Reads the sequence header of a temporal unit. nullopt: there is none.
[[nodiscard]] std::optional<Av1Sequence> read_av1(flv::Bytes unit);

} // namespace remux
