// SPDX-License-Identifier: LGPL-2.1-or-later
#include "figures.h"

#include <algorithm>
#include <cmath>

namespace bench {

namespace {

// Theil-Sen is quadratic: if there are more points, it uses the medians of this number of groups.
constexpr std::size_t kGroups = 400;

double median(std::vector<double> values) {
  return percentile(values, 50);
}

std::vector<Point> group_medians(std::span<const Point> points) {
  std::vector<Point> groups;
  const std::size_t count = std::min(kGroups, points.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * points.size() / count;
    const std::size_t end = (i + 1) * points.size() / count;
    std::vector<double> media;
    std::vector<double> delay;
    for (const Point &point : points.subspan(begin, end - begin)) {
      media.push_back(point.media);
      delay.push_back(point.wall - point.media);
    }
    groups.push_back({.wall = median(std::move(delay)), .media = median(std::move(media))});
  }
  return groups;
}

std::optional<double> drift(std::span<const Point> points) {
  if (points.back().media - points.front().media < kShortestDrift)
    return std::nullopt;
  const std::vector<Point> groups = group_medians(points);
  std::vector<double> slopes;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (std::size_t j = i + 1; j < groups.size(); ++j) {
      if (groups[j].media > groups[i].media)
        slopes.push_back((groups[j].wall - groups[i].wall) / (groups[j].media - groups[i].media));
    }
  }
  if (slopes.empty())
    return std::nullopt;
  return percentile(slopes, 50) * 1e6;
}

std::optional<Pace> measure_pace(std::span<const Point> points) {
  std::vector<double> delays;
  for (const Point &point : points) {
    if (point.wall > kStartWindow)
      delays.push_back(point.wall - point.media);
  }
  if (delays.empty())
    return std::nullopt;
  Pace pace;
  pace.lead = -percentile(delays, kEarliest);

  std::vector<Point> paced;
  for (const Point &point : points) {
    if (is_paced(point, pace.lead))
      paced.push_back(point);
  }
  if (paced.empty() || paced.back().wall - paced.front().wall < kShortestPace)
    return std::nullopt;
  std::vector<double> late;
  for (const Point &point : paced)
    late.push_back(lateness(point, pace));
  pace.tags = paced.size();
  pace.lateness = {.p50 = percentile(late, 50),
                   .p90 = percentile(late, 90),
                   .p99 = percentile(late, 99),
                   .max = percentile(late, 100)};
  pace.drift_ppm = drift(paced);
  return pace;
}

} // namespace

double percentile(std::vector<double> &values, double percent) {
  const auto count = static_cast<double>(values.size());
  const double rank = std::clamp(std::ceil(percent / 100 * count), 1.0, count);
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

Figures measure(std::span<const Point> points) {
  Figures figures;
  if (points.empty())
    return figures;
  figures.wall = points.back().wall;
  figures.media = points.back().media;
  std::vector<double> leads;
  for (const Point &point : points) {
    const double lead = point.media - point.wall;
    if (point.wall > kStartWindow) {
      leads.push_back(lead);
      continue;
    }
    figures.start_media = point.media;
    figures.burst = std::max(lead, 0.0);
  }
  if (!leads.empty())
    figures.lead = {.minimum = percentile(leads, 0), .median = percentile(leads, 50)};
  figures.pace = measure_pace(points);
  return figures;
}

} // namespace bench
