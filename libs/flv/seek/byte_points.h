// SPDX-License-Identifier: LGPL-2.1-or-later
// The times of the bytes of a file, for a sender that sends them in real time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "flv/format/metadata.h"

namespace flv {

struct BytePoint {
  std::uint64_t position = 0; // bytes
  std::uint64_t time = 0;     // ms from the file's first tag

  friend bool operator==(const BytePoint &, const BytePoint &) = default;
};

// The points of the entries, with one for byte 0 and one for the end of the file. Positions
// increase, and times do not decrease. The times of `index` count from the file's first tag.
// `duration` is in s; nullopt: unknown. Then, and if it does not fit the index, the time of the end
// is estimated. Empty: the index has no entries, or all its entries have the time 0 and the
// duration is unknown.
[[nodiscard]] std::vector<BytePoint>
byte_points(const KeyframeIndex &index, std::uint64_t file_size, std::optional<double> duration);

} // namespace flv
