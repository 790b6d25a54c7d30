// SPDX-License-Identifier: LGPL-2.1-or-later
// The due times of the tags, and the segments that map media time to running time.
#pragma once

#include <cstdint>
#include <utility>

#include "flv/stream/live_sync.h"
#include "flv/stream/schedule.h"

namespace flvpace {

// When a tag is sent.
struct Departure {
  flv::Nanoseconds due = 0;   // running time
  std::int64_t media = 0;     // ms: the position at `due` of a player that started at the origin
  double speed = 1.0;         // the speed that applies to the tag
  bool needs_segment = false; // before the tag, because the last segment is outdated
  flv::Nanoseconds reach = 0; // how far before the tag the segment starts
  flv::Nanoseconds late = 0;  // after the due time plus the pipeline's latency
};

// The source is not live: due times follow a schedule. ScheduledTimes and LiveTimes have the same
// functions.
class ScheduledTimes {
public:
  // Outside PLAYING, the change to PLAYING sets the origin.
  static constexpr bool kOriginWaitsForPlaying = true;
  // At the end of the stream, the duration of the last tag passes.
  static constexpr bool kWaitsForEnd = true;

  [[nodiscard]] flv::Schedule &schedule() { return schedule_; }
  [[nodiscard]] const flv::Schedule &schedule() const { return schedule_; }

  // The tag at media time `first` (ms) is due at `now`.
  void start(flv::Nanoseconds now, std::int64_t first);
  void stop() { schedule_.stop(); }
  // Moves the origin.
  void restart(flv::Nanoseconds origin);
  // Sets the current tag: its media time (ms), and the running time of its arrival.
  void take(std::int64_t time, flv::Nanoseconds /*arrival*/) { schedule_.take(time); }
  [[nodiscard]] bool is_due_at_origin() const { return schedule_.is_due_at_origin(); }
  // The earliest running time at which the current tag may leave.
  [[nodiscard]] flv::Nanoseconds earliest() const { return schedule_.leave(); }
  // The current tag's departure, without a change of the segment.
  [[nodiscard]] Departure current() const {
    const flv::Nanoseconds due = schedule_.due();
    return {due, schedule_.media_at(due), schedule_.speed()};
  }
  // The current tag leaves.
  [[nodiscard]] Departure take_departure() {
    Departure departure = current();
    departure.needs_segment = std::exchange(needs_segment_, false);
    return departure;
  }
  void note_sent(flv::Nanoseconds now) { schedule_.left(now); }
  // A demuxer downstream has started its own segment.
  void renew_segment() {}
  // ms of media time by which the last tag can be ahead of `now`.
  [[nodiscard]] bool has_lead() const { return schedule_.started(); }
  [[nodiscard]] std::int64_t lead(flv::Nanoseconds now) const { return schedule_.lead(now); }

private:
  flv::Schedule schedule_;
  bool needs_segment_ = false; // the origin has moved
};

// The source is live: due times follow the arrival of tags.
class LiveTimes {
public:
  static constexpr bool kOriginWaitsForPlaying = false;
  static constexpr bool kWaitsForEnd = false;

  [[nodiscard]] flv::LiveSync &sync() { return sync_; }
  [[nodiscard]] const flv::LiveSync &sync() const { return sync_; }

  void start(flv::Nanoseconds now, std::int64_t first);
  void stop() { sync_.stop(); }
  void restart(flv::Nanoseconds /*origin*/) {}
  void take(std::int64_t time, flv::Nanoseconds arrival);
  [[nodiscard]] bool is_due_at_origin() const { return false; }
  [[nodiscard]] flv::Nanoseconds earliest() const { return due_; }
  [[nodiscard]] Departure current() const;
  [[nodiscard]] Departure take_departure();
  void note_sent(flv::Nanoseconds /*now*/) {}
  void renew_segment() { needs_segment_ = true; }
  // A live source cannot be ahead.
  [[nodiscard]] bool has_lead() const { return false; }
  [[nodiscard]] std::int64_t lead(flv::Nanoseconds /*now*/) const { return 0; }

private:
  flv::LiveSync sync_;
  std::int64_t time_ = 0; // ms, of the current tag
  flv::Nanoseconds due_ = 0;
  flv::Nanoseconds start_ = 0;          // no tag is due before this
  flv::Nanoseconds segment_offset_ = 0; // running time minus media time in the last segment
  bool needs_segment_ = false;          // a demuxer has started its own segment
};

} // namespace flvpace
