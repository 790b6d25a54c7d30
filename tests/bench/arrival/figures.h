// SPDX-License-Identifier: LGPL-2.1-or-later
// Computes figures from arrivals. All values are in milliseconds.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace bench {

// A tag of the paced kind (audio or video, not a configuration): the time when it was complete, and
// the media received by then. Both count from the first such tag. Media never decreases: a tag with
// a lower timestamp is due at the same time as the highest one before it.
struct Point {
  double wall = 0;
  double media = 0;
};

// Data that arrives within this time from the first tag is the burst.
inline constexpr double kStartWindow = 50;
// The paced part must have at least this duration to give figures.
inline constexpr double kShortestPace = 500;
inline constexpr double kShortestDrift = 2000;
// The line of due times is placed so that this percentage of the tags is earlier. It is a lower
// envelope, because no tag leaves before it is due. A single wrong timestamp does not move it.
inline constexpr double kEarliest = 1;

// The media received minus the wall time since the first tag, at each tag's arrival, that tag
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

// The tags after the start window that were not part of the burst, compared with the line wall =
// media - lead.
struct Pace {
  double lead = 0;
  std::size_t tags = 0;
  Lateness lateness; // includes the drift
  // The slope of lateness over media in parts per million; positive if the stream is slower than
  // its media. Theil-Sen, which is robust against outliers.
  std::optional<double> drift_ppm;
};

struct Figures {
  double wall = 0;          // from the first tag to the last
  double media = 0;         // the same
  double start_media = 0;   // received within the start window
  double burst = 0;         // the lead at the end of the start window, if there is a burst
  std::optional<Lead> lead; // after the start window
  std::optional<Pace> pace;
};

[[nodiscard]] Figures measure(std::span<const Point> points);

// By nearest rank. Requires `values` not to be empty. Reorders it.
[[nodiscard]] double percentile(std::vector<double> &values, double percent);

// The lateness of a tag relative to the line.
[[nodiscard]] inline double lateness(const Point &point, const Pace &pace) {
  return point.wall - (point.media - pace.lead);
}

// Whether pace.lateness includes the tag.
[[nodiscard]] inline bool is_paced(const Point &point, double lead) {
  return point.wall > kStartWindow && point.media > lead;
}

} // namespace bench
