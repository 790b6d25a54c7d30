// SPDX-License-Identifier: LGPL-2.1-or-later
// The arithmetic of the meter: from arrivals to figures. Everything is in milliseconds.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace bench {

// A tag of the paced kind (audio or video, no configuration): when it was complete, and the media
// received by then. Both count from the first of them. Media never decreases: a tag that steps back
// is due with the highest one before it.
struct Point {
  double wall = 0;
  double media = 0;
};

// What arrives this soon after the first tag is the burst.
inline constexpr double kStartWindow = 50;
// The paced part has to last at least so long to say anything.
inline constexpr double kShortestPace = 500;
inline constexpr double kShortestDrift = 2000;
// The line of due times is laid so that this percentage of the tags came earlier: a lower envelope,
// since nothing leaves before it is due, that a single odd timestamp cannot move.
inline constexpr double kEarliest = 1;

// Media received less the wall time since the first tag, at the moment that a tag arrives, that tag
// included.
struct Lead {
  double minimum = 0;
  double median = 0;
};

struct Lateness {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double max = 0;
};

// The tags behind the start window that the burst did not let go at once, against the line
// wall = media - lead.
struct Pace {
  double lead = 0;
  std::size_t tags = 0;
  Lateness lateness; // drift included
  // Slope of lateness over media in parts per million: positive if the stream is slower than its
  // media. Theil-Sen, which no outlier moves.
  std::optional<double> drift_ppm;
};

struct Figures {
  double wall = 0;          // from the first tag to the last
  double media = 0;         // likewise
  double start_media = 0;   // received within the start window
  double burst = 0;         // the lead as the start window closes, if there is one
  std::optional<Lead> lead; // behind the start window
  std::optional<Pace> pace;
};

[[nodiscard]] Figures measure(std::span<const Point> points);

// By nearest rank. `values` must not be empty, and is reordered.
[[nodiscard]] double percentile(std::vector<double> &values, double percent);

// How late a tag came against the line.
[[nodiscard]] inline double lateness(const Point &point, const Pace &pace) {
  return point.wall - (point.media - pace.lead);
}

// Whether the tag is one that pace.lateness speaks of.
[[nodiscard]] inline bool is_paced(const Point &point, double lead) {
  return point.wall > kStartWindow && point.media > lead;
}

} // namespace bench
