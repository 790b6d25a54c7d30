// SPDX-License-Identifier: LGPL-2.1-or-later
#include "schedule.h"

#include <algorithm>
#include <cmath>

namespace flv {

namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;
// 73 years, which no clock reaches. The limit prevents overflows by hostile timestamps.
constexpr Nanoseconds kNever = Nanoseconds{1} << 61;

Nanoseconds scaled(std::int64_t milliseconds, double speed) {
  constexpr std::int64_t kFar = kNever / kMillisecond;
  if (speed == 1.0)
    return std::clamp(milliseconds, -kFar, kFar) * kMillisecond;
  constexpr auto kLimit = static_cast<double>(kNever);
  const double exact =
      static_cast<double>(milliseconds) * static_cast<double>(kMillisecond) / speed;
  return std::llround(std::clamp(exact, -kLimit, kLimit));
}

Nanoseconds later(Nanoseconds from, std::int64_t milliseconds, double speed) {
  return std::clamp(from + scaled(milliseconds, speed), -kNever, kNever);
}

} // namespace

void Schedule::start(Nanoseconds origin, std::int64_t first) {
  started_ = true;
  floor_ = origin;
  anchor_ = origin;
  anchor_time_ = first;
  current_ = first;
  last_left_ = first;
  catching_up_ = false;
}

void Schedule::restart(Nanoseconds origin) {
  const std::int64_t current = current_;
  start(origin, anchor_time_);
  current_ = current;
}

void Schedule::take(std::int64_t time) {
  current_ = std::max(current_, time);
}

Nanoseconds Schedule::due() const {
  return std::max(line(current_) - burst_, floor_);
}

Nanoseconds Schedule::leave() const {
  if (!catching_up_)
    return due();
  return std::max(due(), later(catch_up_, current_ - catch_up_time_, catch_up_speed_));
}

void Schedule::left(Nanoseconds now) {
  last_left_ = current_;
  if (catching_up_ && leave() == due())
    catching_up_ = false;
  // The tags of a burst are not late, however long it takes to send them.
  if (catch_up_speed_ > 0 && now > leave() + kTolerance && due() > floor_) {
    catching_up_ = true;
    catch_up_time_ = current_;
    catch_up_ = std::min(now, kNever);
  }
}

void Schedule::set_speed(double speed) {
  anchor_ = line(current_);
  anchor_time_ = current_;
  speed_ = speed;
}

void Schedule::set_burst(std::uint32_t burst, Nanoseconds now) {
  const Nanoseconds lead = burst * kMillisecond;
  if (started_ && lead > burst_)
    floor_ = std::max(floor_, now);
  burst_ = lead;
}

void Schedule::set_catch_up_speed(double speed) {
  catch_up_speed_ = speed;
  catching_up_ = false;
}

std::int64_t Schedule::media_at(Nanoseconds now) const {
  return anchor_time_ + std::llround(static_cast<double>(now - anchor_) * speed_ / kMillisecond);
}

// The due time of a media time without a burst.
Nanoseconds Schedule::line(std::int64_t time) const {
  return later(anchor_, time - anchor_time_, speed_);
}

} // namespace flv
