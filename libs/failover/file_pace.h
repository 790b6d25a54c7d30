// SPDX-License-Identifier: LGPL-2.1-or-later
// Plays a file in real time.
#pragma once

#include <cstdint>
#include <optional>

#include "retry.h"

namespace failover {

class FilePace {
public:
  // When media with this timestamp (ms) is due. A jump of the timestamps, or media that is late by
  // more than kMaxLate, sets a new origin.
  [[nodiscard]] Time due(Time now, std::int64_t media);

private:
  static constexpr Time kMaxLate = 1000;
  static constexpr std::int64_t kMaxStep = 10'000;

  struct Origin {
    Time time = 0;
    std::int64_t media = 0;
  };
  std::optional<Origin> origin_;
  std::int64_t last_ = 0; // the highest timestamp
};

} // namespace failover
