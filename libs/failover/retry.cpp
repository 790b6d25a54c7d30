// SPDX-License-Identifier: LGPL-2.1-or-later
#include "retry.h"

#include <algorithm>

namespace failover {

Time retry_delay(const RetryLimits &limits, unsigned failures, double jitter) {
  constexpr unsigned kMaxDoublings = 31;
  constexpr double kShare = 0.25;
  const Time max = std::max(limits.min, limits.max);
  const unsigned doublings = std::min(failures > 0 ? failures - 1 : 0, kMaxDoublings);
  const Time delay = std::min(limits.min << doublings, max);
  return delay - static_cast<Time>(static_cast<double>(delay) * kShare * jitter);
}

} // namespace failover
