// SPDX-License-Identifier: LGPL-2.1-or-later
// Statistics: how late tags were sent.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "flv/stream/schedule.h"

namespace flvpace {

// How late tags were sent, in ns. A tag is late after its due time plus the pipeline's latency.
struct Lateness {
  std::uint64_t tags = 0; // the number of tags later than flv::Schedule::kTolerance
  std::int64_t last = 0;
  std::int64_t average = 0;
  std::int64_t maximum = 0;
};

class LatenessMeter {
public:
  void clear() { *this = {}; }
  // Adds a tag. `late` >= 0.
  void add(flv::Nanoseconds late) {
    lateness_.last = late;
    lateness_.maximum = std::max(lateness_.maximum, late);
    sum_ += static_cast<double>(late);
    lateness_.average = std::llround(sum_ / static_cast<double>(++count_));
    if (late > flv::Schedule::kTolerance)
      ++lateness_.tags;
  }
  [[nodiscard]] const Lateness &total() const { return lateness_; }

private:
  std::uint64_t count_ = 0;
  double sum_ = 0;
  Lateness lateness_;
};

} // namespace flvpace
