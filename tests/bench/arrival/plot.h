// SPDX-License-Identifier: LGPL-2.1-or-later
// Plots media time against wall time, and a reference line at exactly real time.
#pragma once

#include <span>
#include <string>

#include "figures.h"

namespace bench {

// 80 columns, 20 rows; colours are ANSI escapes.
[[nodiscard]] std::string plot_terminal(std::span<const Point> points, const Figures &figures,
                                        bool colours);

[[nodiscard]] std::string plot_svg(std::span<const Point> points, const Figures &figures);

// Common to both plots: the axes, both in seconds.
struct Axes {
  double wall_begin = 0; // slightly below 0, so that a burst does not touch the axis
  double wall_end = 0;
  double media_end = 0;
  double wall_step = 0;
  double media_step = 0;
};

[[nodiscard]] Axes make_axes(const Figures &figures, int wall_ticks, int media_ticks);

// 1, 2 or 5 times a power of ten. `range` has about `count` steps.
[[nodiscard]] double nice_step(double range, int count);

// The number of decimals of a step's multiples.
[[nodiscard]] int decimals(double step);

} // namespace bench
