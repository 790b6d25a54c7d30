// SPDX-License-Identifier: LGPL-2.1-or-later
// The timeline of one client: media time to the timestamps of its tags.
#pragma once

#include <limits>

#include "entry.h"

namespace fanout {

// The client's timeline starts at 0 and continues over skips. A rebaser that is not enabled leaves
// the timestamps of the stream unchanged.
class Rebaser {
public:
  void enable() { enabled_ = true; }

  // The client starts or resumes at `entry`. Decoding and presentation times continue after those
  // that the client has received.
  void resume_at(const Entry &entry);
  // The client has received `entry`.
  void note_sent(const Entry &entry);

  // False for media that is earlier than the start point.
  [[nodiscard]] bool accepts(const Entry &entry) const {
    return !entry.is_media() || entry.time >= floor_;
  }
  // Whether the entry is a tag that needs another timestamp.
  [[nodiscard]] bool rewrites(const Entry &entry) const { return enabled_ && entry.is_tag; }
  [[nodiscard]] std::uint32_t timestamp_of(const Entry &entry) const;

private:
  // ms from the last tag to the first tag after a skip.
  static constexpr std::int64_t kStep = 1;

  [[nodiscard]] std::int64_t time_of(const Entry &entry) const;

  bool enabled_ = false;
  std::int64_t base_ = 0; // ms of media time at the client's 0
  std::int64_t floor_ = std::numeric_limits<std::int64_t>::min(); // the time of the start point
  std::int64_t latest_time_ = -kStep;         // ms of the client's timeline: the highest sent
  std::int64_t latest_presentation_ = -kStep; // ms of the client's timeline
};

} // namespace fanout
