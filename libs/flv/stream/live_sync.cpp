// SPDX-License-Identifier: LGPL-2.1-or-later
#include "live_sync.h"

#include <algorithm>
#include <limits>

namespace flv {

namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;
// A tag that arrives this much later than the line was not delayed by the network alone.
constexpr Nanoseconds kPause = 100 * kMillisecond;
constexpr std::int64_t kWindow = 2000; // ms
// ms. A longer step of media time does not show the rate of the publisher's clock.
constexpr std::int64_t kFarStep = 10'000;
constexpr double kSmoothing = 0.25;

Nanoseconds media(std::int64_t ms) {
  constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max() / 4 / kMillisecond;
  return std::clamp(ms, -kFar, kFar) * kMillisecond;
}

} // namespace

void LiveSync::set_max_delay(std::uint32_t ms) {
  max_delay_ = ms * kMillisecond;
}

std::uint32_t LiveSync::max_delay() const {
  return static_cast<std::uint32_t>(max_delay_ / kMillisecond);
}

void LiveSync::start(std::int64_t time, Nanoseconds arrival) {
  started_ = true;
  offset_ = arrival - media(time);
  last_time_ = time;
  last_due_ = arrival;
  window_ = {time, max_delay_, std::numeric_limits<Nanoseconds>::max()};
  slack_.reset();
  last_offset_.reset();
  skew_ = 0;
}

Nanoseconds LiveSync::line(std::int64_t time) const {
  return media(time) + offset_;
}

Nanoseconds LiveSync::take(std::int64_t time, Nanoseconds arrival) {
  if (!started_)
    start(time, arrival);
  const std::int64_t step = std::max<std::int64_t>(time - last_time_, 0);
  time = std::max(time, last_time_);
  slew(step);
  const Nanoseconds wait = line(time) - arrival;
  if (wait > max_delay_ || wait < -kPause) {
    correct(-wait);
  } else {
    offset_ -= std::min<Nanoseconds>(wait, 0);
    note(time, std::max<Nanoseconds>(wait, 0), arrival - media(time));
  }
  last_time_ = time;
  last_due_ = std::max({line(time), arrival, last_due_});
  delay_ = last_due_ - arrival;
  return last_due_;
}

// Moves the line, and restarts the measurements that refer to it.
void LiveSync::correct(Nanoseconds by) {
  ++corrections_;
  offset_ += by;
  slack_.reset();
  last_offset_.reset();
  window_ = {last_time_, max_delay_, std::numeric_limits<Nanoseconds>::max()};
}

void LiveSync::note(std::int64_t time, Nanoseconds wait, Nanoseconds offset) {
  window_.least_wait = std::min(window_.least_wait, wait);
  window_.least_offset = std::min(window_.least_offset, offset);
  if (time - window_.begin < kWindow)
    return;
  slack_ = window_.least_wait;
  if (last_offset_) {
    const auto moved = static_cast<double>(*last_offset_ - window_.least_offset);
    const auto span = static_cast<double>(media(window_.begin - last_begin_));
    skew_ += (moved / (span - moved) * 1e6 - skew_) * kSmoothing;
  }
  last_offset_ = window_.least_offset;
  last_begin_ = window_.begin;
  window_ = {time, max_delay_, std::numeric_limits<Nanoseconds>::max()};
}

// Gradually removes the wait that all tags of the last window had in common.
void LiveSync::slew(std::int64_t step) {
  if (!slack_ || *slack_ <= 0 || step > kFarStep)
    return;
  const auto most = static_cast<Nanoseconds>(static_cast<double>(media(step)) * kMaxSlew);
  const Nanoseconds by = std::min(most, *slack_);
  offset_ -= by;
  *slack_ -= by;
  window_.least_wait -= by;
}

} // namespace flv
