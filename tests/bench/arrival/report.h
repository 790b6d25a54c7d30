// SPDX-License-Identifier: LGPL-2.1-or-later
// Formats the figures as text and as JSON.
#pragma once

#include <cstdint>
#include <string>

#include "meter.h"

namespace bench {

struct Report {
  const Meter &meter;
  Figures figures;
  std::uint64_t lost_datagrams = 0;
};

[[nodiscard]] std::string to_json(const Report &report);
[[nodiscard]] std::string to_text(const Report &report);

// The line of text below a plot.
[[nodiscard]] std::string summary(const Figures &figures);

} // namespace bench
