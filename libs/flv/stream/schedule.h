// SPDX-License-Identifier: LGPL-2.1-or-later
// The due times of tags: media time to running time.
#pragma once

#include <cstdint>

namespace flv {

// ns of running time.
using Nanoseconds = std::int64_t;

// A tag is due at origin + (time - first) / speed - burst, and not before the origin. Each due time
// is computed from an anchor and not from the previous tag, so errors do not add up. A tag that
// leaves late does not change the due times of later tags.
class Schedule {
public:
  // A delay of up to this is wake-up latency. Only a longer delay starts a catch-up.
  static constexpr Nanoseconds kTolerance = 10'000'000;

  // Starts a new schedule: the tag with media time `first` (ms) is due at `origin`. Keeps the
  // speed, the burst and the catch-up speed.
  void start(Nanoseconds origin, std::int64_t first);
  // Moves the origin. Keeps the first media time and the current tag.
  void restart(Nanoseconds origin);
  void stop() { started_ = false; }
  [[nodiscard]] bool started() const { return started_; }

  // Sets the current tag, which has media time `time` (ms). If an earlier tag had a higher time,
  // both are due at the same time.
  void take(std::int64_t time);

  // The due time of the current tag.
  [[nodiscard]] Nanoseconds due() const;
  // Whether the current tag is due at the origin, as all tags of a burst are.
  [[nodiscard]] bool is_due_at_origin() const { return due() == floor_; }
  // The earliest time at which the current tag may leave. During a catch-up, it can be later than
  // the due time.
  [[nodiscard]] Nanoseconds leave() const;
  // The current tag left at `now`.
  void left(Nanoseconds now);

  // `speed` > 0. Applies from the current tag on.
  void set_speed(double speed);
  // ms. The tags that an increase of the burst releases are due at `now`.
  void set_burst(std::uint32_t burst, Nanoseconds now);
  // The speed at which tags leave until a late stream is on time again; 0: at once. A stream stays
  // late if this is not above its own speed.
  void set_catch_up_speed(double speed);

  [[nodiscard]] double speed() const { return speed_; }
  // The media time (ms) that a player has reached at `now` if it started at the origin.
  [[nodiscard]] std::int64_t media_at(Nanoseconds now) const;
  // ms from media_at(`now`) to the media time of the last tag that left.
  [[nodiscard]] std::int64_t lead(Nanoseconds now) const { return last_left_ - media_at(now); }

private:
  [[nodiscard]] Nanoseconds line(std::int64_t time) const;

  bool started_ = false;
  double speed_ = 1.0;
  Nanoseconds burst_ = 0;
  // The earliest due time: the origin, or the time of the last burst increase.
  Nanoseconds floor_ = 0;
  std::int64_t anchor_time_ = 0;
  Nanoseconds anchor_ = 0;
  std::int64_t current_ = 0;
  std::int64_t last_left_ = 0;

  double catch_up_speed_ = 0;
  bool catching_up_ = false;
  std::int64_t catch_up_time_ = 0;
  Nanoseconds catch_up_ = 0;
};

} // namespace flv
