// SPDX-License-Identifier: LGPL-2.1-or-later
// Media time over wall time, next to a stream that is always exactly at real time.
#pragma once

#include <span>
#include <string>

#include "figures.h"

namespace bench {

// 80 columns, 20 rows; colours are ANSI escapes.
[[nodiscard]] std::string plot_terminal(std::span<const Point> points, const Figures &figures,
                                        bool colours);

[[nodiscard]] std::string plot_svg(std::span<const Point> points, const Figures &figures);

// What both draw on: seconds on both axes.
struct Axes {
  double wall_begin = 0; // a little before 0, so that a burst stands clear of the axis
  double wall_end = 0;
  double media_end = 0;
  double wall_step = 0;
  double media_step = 0;
};

[[nodiscard]] Axes make_axes(const Figures &figures, int wall_ticks, int media_ticks);

// 1, 2 or 5 times a power of ten, so that `range` has about `count` of them.
[[nodiscard]] double nice_step(double range, int count);

// How many decimals the multiples of a step need.
[[nodiscard]] int decimals(double step);

} // namespace bench
