// SPDX-License-Identifier: LGPL-2.1-or-later
// The delays between attempts to connect.
#pragma once

#include <cstdint>

namespace failover {

using Time = std::int64_t; // ms

struct RetryLimits {
  Time min = 500;
  Time max = 15000;
};

// The delay after `failures` consecutive failed attempts (at least 1): `min`, doubled with each
// failure up to `max`. `jitter` (0 to 1) shortens it by up to a quarter, so that many clients of a
// server that restarts do not connect at the same time.
[[nodiscard]] Time retry_delay(const RetryLimits &limits, unsigned failures, double jitter);

} // namespace failover
