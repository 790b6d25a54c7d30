// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plot.h"

#include <algorithm>
#include <cmath>

namespace bench {

Axes make_axes(const Figures &figures, int wall_ticks, int media_ticks) {
  constexpr double kLeast = 0.001;
  // The minimum slope of the real-time line, for a stream that arrives all at once.
  constexpr double kLeastSlope = 0.1;
  Axes axes;
  axes.media_end = std::max(figures.media / 1000, kLeast);
  axes.wall_end = std::max(figures.wall / 1000, kLeastSlope * axes.media_end);
  axes.wall_begin = -0.02 * axes.wall_end;
  axes.wall_step = nice_step(axes.wall_end, wall_ticks);
  axes.media_step = nice_step(axes.media_end, media_ticks);
  return axes;
}

double nice_step(double range, int count) {
  const double rough = range / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * 0.999)
      return factor * power;
  }
  return 10 * power;
}

int decimals(double step) {
  return std::max(0, static_cast<int>(-std::floor(std::log10(step * 1.001))));
}

} // namespace bench
