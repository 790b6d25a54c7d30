// SPDX-License-Identifier: LGPL-2.1-or-later
// When a tag is due: media time to running time.
#pragma once

#include <cstdint>

namespace flv {

// Running time, nanoseconds.
using Nanoseconds = std::int64_t;

// A tag is due at origin + (time - first) / speed - burst, and never before the origin. Every due
// time is computed from an anchor, never from the tag before it, so nothing adds up; a tag that
// leaves late moves nothing.
class Schedule {
public:
  // A tag that is later than this has been held up, not just woken late.
  static constexpr Nanoseconds kTolerance = 10'000'000;

  // Begins anew: the tag at media time `first` (ms) is due at `origin`. Speed, burst and catch-up
  // speed stay.
  void start(Nanoseconds origin, std::int64_t first);
  // Moves the origin; the first media time and the current tag stay.
  void restart(Nanoseconds origin);
  void stop() { started_ = false; }
  [[nodiscard]] bool started() const { return started_; }

  // Puts the tag at media time `time` (ms) at hand. One that lies before an earlier one is due when
  // that was.
  void take(std::int64_t time);

  // When the tag at hand is due.
  [[nodiscard]] Nanoseconds due() const;
  // Whether that is at the origin, as it is for all of a burst.
  [[nodiscard]] bool is_due_at_origin() const { return due() == floor_; }
  // When it may leave: later than it is due while the schedule is regained at catch-up speed.
  [[nodiscard]] Nanoseconds leave() const;
  // The tag at hand has left at `now`.
  void left(Nanoseconds now);

  // `speed` > 0 counts from the tag at hand on.
  void set_speed(double speed);
  // What a larger burst (ms) newly lets go is due `now`.
  void set_burst(std::uint32_t burst, Nanoseconds now);
  // 0: at once. A speed that is not above the stream's own never regains the schedule.
  void set_catch_up_speed(double speed);

  [[nodiscard]] double speed() const { return speed_; }
  // The media time (ms) that a player which started at the origin has reached at `now`.
  [[nodiscard]] std::int64_t media_at(Nanoseconds now) const;
  // By how much (ms) the last tag that left is ahead of it.
  [[nodiscard]] std::int64_t lead(Nanoseconds now) const { return last_left_ - media_at(now); }

private:
  [[nodiscard]] Nanoseconds line(std::int64_t time) const;

  bool started_ = false;
  double speed_ = 1.0;
  Nanoseconds burst_ = 0;
  Nanoseconds floor_ = 0; // nothing is due before this: the origin, or when the burst was raised
  std::int64_t anchor_time_ = 0;
  Nanoseconds anchor_ = 0;
  std::int64_t at_hand_ = 0;
  std::int64_t last_left_ = 0;

  double catch_up_speed_ = 0;
  bool catching_up_ = false;
  std::int64_t catch_up_time_ = 0;
  Nanoseconds catch_up_ = 0;
};

} // namespace flv
