// SPDX-License-Identifier: LGPL-2.1-or-later
#include "due_times.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace flvpace {

using flv::Nanoseconds;

namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;
// A new segment is sent if the last one is off by more than this.
constexpr Nanoseconds kMaxSegmentDrift = 5 * kMillisecond;
// A step back by more than this starts a new timeline.
constexpr Nanoseconds kMaxStepBack = 1000 * kMillisecond;

} // namespace

void ScheduledTimes::start(Nanoseconds now, std::int64_t first) {
  schedule_.start(now, first);
  needs_segment_ = false;
}

void ScheduledTimes::restart(Nanoseconds origin) {
  schedule_.restart(origin);
  needs_segment_ = true;
}

void LiveTimes::start(Nanoseconds now, std::int64_t first) {
  sync_.stop();
  time_ = first;
  start_ = now;
  due_ = now;
  segment_offset_ = now - first * kMillisecond;
  needs_segment_ = false;
}

void LiveTimes::take(std::int64_t time, Nanoseconds arrival) {
  time_ = std::max(time_, time);
  due_ = std::max(sync_.take(time, arrival), start_);
}

Departure LiveTimes::current() const {
  return {due_, time_, 1.0, false, std::min(due_, kMaxStepBack)};
}

// Demuxers compute timestamps from the last segment, which is outdated after the due times have
// shifted.
Departure LiveTimes::take_departure() {
  Departure departure = current();
  const Nanoseconds offset = departure.due - departure.media * kMillisecond;
  departure.needs_segment =
      std::exchange(needs_segment_, false) || std::abs(offset - segment_offset_) > kMaxSegmentDrift;
  if (departure.needs_segment)
    segment_offset_ = offset;
  return departure;
}

} // namespace flvpace
