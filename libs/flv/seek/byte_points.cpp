// SPDX-License-Identifier: LGPL-2.1-or-later
#include "byte_points.h"

#include <algorithm>
#include <cmath>

namespace flv {

namespace {

constexpr double kMaxTime = 1e12; // s
// s, and a multiple of the estimated time after the last entry: a later end is wrong.
constexpr double kMaxTail = 60;
constexpr double kMaxTimes = 10;

std::uint64_t ms_of(double seconds) {
  return static_cast<std::uint64_t>(std::llround(std::clamp(seconds, 0.0, kMaxTime) * 1000));
}

// At the byte rate of the bytes before the last entry.
double estimated_tail(const BytePoint &last, std::uint64_t file_size) {
  if (last.position == 0)
    return 0;
  return static_cast<double>(file_size - last.position) * static_cast<double>(last.time) /
         static_cast<double>(last.position) / 1000;
}

} // namespace

std::vector<BytePoint> byte_points(const KeyframeIndex &index, std::uint64_t file_size,
                                   std::optional<double> duration) {
  if (index.positions.empty())
    return {};
  std::vector<BytePoint> points{{0, 0}};
  for (std::size_t i = 0; i < index.positions.size(); ++i) {
    const std::uint64_t position = index.positions[i];
    if (position > points.back().position && position < file_size)
      points.push_back({position, std::max(points.back().time, ms_of(index.times[i]))});
  }
  const BytePoint last = points.back();
  const double tail = estimated_tail(last, file_size);
  const double told = duration.value_or(-1) - static_cast<double>(last.time) / 1000;
  const bool fits = told >= 0 && (last.time == 0 || told <= std::max(kMaxTail, tail * kMaxTimes));
  const std::uint64_t end = last.time + ms_of(fits ? told : tail);
  if (end == 0)
    return {};
  points.push_back({file_size, end});
  return points;
}

} // namespace flv
