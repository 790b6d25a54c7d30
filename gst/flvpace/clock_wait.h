// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the streaming thread waits: for PLAYING, and for the clock to reach a tag's due time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/gst_ptr.h"
#include "flv/stream/live_sync.h"
#include "flv/stream/schedule.h"

namespace flvpace {

// How far behind their due times tags left, in ns.
struct Lateness {
  std::uint64_t tags = 0; // those that were held up, see flv::Schedule::kTolerance
  std::int64_t last = 0;
  std::int64_t average = 0;
  std::int64_t maximum = 0;
};

enum class Wait {
  Over,    // what was waited for has come
  Preroll, // PLAYING was left: sinks need something that is no tag; then wait again
  Flushing,
};

// A tag that may leave.
struct Departure {
  flv::Nanoseconds due = 0;   // running time
  std::int64_t media = 0;     // ms, what a player that began at the origin has reached then
  double speed = 1.0;         // in force for it
  bool needs_segment = false; // in front of it, since the last one is not true any more
  flv::Nanoseconds reach = 0; // of the segment, back from this tag
  flv::Nanoseconds late = 0;  // beyond the due time and the pipeline's latency
};

// How a live source is followed.
struct Following {
  std::int64_t delay = 0; // ns that the last tag waited
  double skew = 0;        // ppm by which the publisher's clock is faster
  std::uint64_t corrections = 0;
};

// Holds the schedule together with the clock, the state and the properties that move due times. No
// lock is held while it waits.
class ClockWait {
public:
  explicit ClockWait(GstElement *element) : element_(element) {} // borrowed

  // From any thread. Whoever waits looks again at once.
  void set_sync(bool sync);
  void set_burst(std::uint32_t ms);
  void set_speed(double speed);
  void set_catch_up_speed(double speed);
  void set_max_delay(std::uint32_t ms);
  [[nodiscard]] bool sync() const;
  [[nodiscard]] std::uint32_t burst() const;
  [[nodiscard]] double speed() const;
  [[nodiscard]] double catch_up_speed() const;
  [[nodiscard]] std::uint32_t max_delay() const;

  // From now on due times follow when tags arrive; burst and speed have no effect.
  void set_live(bool live);
  // Running time, or where it will go on with PLAYING.
  [[nodiscard]] flv::Nanoseconds now();

  void set_playing(bool playing);
  // true: nobody waits, nobody may leave. By a flush, or by the element's stop.
  void set_flushing(bool flushing);
  void set_stopped(bool stopped);
  // The pipeline's latency: a tag is late only after its due time plus this.
  void set_latency(flv::Nanoseconds latency);
  // Everything begins anew, settings aside.
  void clear();
  // After a flush the schedule begins anew; if `time_resets`, the running time as well.
  void flushed(bool time_resets);

  // From the streaming thread. The tag at media time `first` (ms) is the schedule's origin: now, or
  // the start of PLAYING if that has yet to come. Gives what goes in front of it.
  Departure start(std::int64_t first);
  // Sets the current tag: its media time (ms) and, of a live source, the running time at which it
  // arrived. Returns its departure if it may leave now.
  [[nodiscard]] std::optional<Departure> try_leave(std::int64_t time, flv::Nanoseconds arrival);
  // A demuxer has begun a segment of its own: of a live source, the next tag needs another one.
  void renew_segment();
  // Waits until the tag at hand may leave.
  [[nodiscard]] Wait wait(Departure &departure);
  // Waits until media time `time` (ms) is due, with nothing to leave then.
  [[nodiscard]] Wait wait_for_end(std::int64_t time);

  [[nodiscard]] Lateness lateness() const;
  [[nodiscard]] Following following() const;
  // Media (ms) that the last tag is ahead of real time now; 0 before there is any.
  [[nodiscard]] std::int64_t lead();

private:
  using Lock = std::unique_lock<std::mutex>;

  // The pipeline's clock, and the time on it at which running time is 0.
  struct RunningClock {
    gstflv::ClockPtr clock;
    GstClockTime zero = 0;

    [[nodiscard]] flv::Nanoseconds now() const;
  };

  // What a look at state, clock and schedule says of the tag at hand.
  struct Look {
    bool may_leave = false;
    std::optional<RunningClock> clock; // where there is something to wait for or to measure
    flv::Nanoseconds now = 0;          // running time, with the clock
  };

  [[nodiscard]] std::optional<RunningClock> running_clock();
  [[nodiscard]] flv::Nanoseconds running_time();
  [[nodiscard]] bool shut() const { return flushing_ || stopped_; }
  [[nodiscard]] Look look();
  [[nodiscard]] Wait wait_here(Lock &lock, Look &seen);
  void wait_a_turn(Lock &lock, const Look &seen);
  [[nodiscard]] Departure current() const;
  void check_segment(Departure &departure);
  Departure depart(const Look &seen);
  void wake();

  GstElement *element_;
  mutable std::mutex mutex_;
  std::condition_variable state_changed_;
  flv::Schedule schedule_;
  bool live_ = false; // then this takes the place of the schedule
  flv::LiveSync live_sync_;
  std::int64_t live_time_ = 0; // ms, of the current tag
  flv::Nanoseconds live_due_ = 0;
  flv::Nanoseconds live_start_ = 0;     // nothing is due before
  flv::Nanoseconds segment_offset_ = 0; // running time minus media time in the last segment
  bool sync_ = true;
  std::uint32_t burst_ = 0;
  double catch_up_speed_ = 0;
  bool playing_ = false;
  bool flushing_ = false;
  bool stopped_ = false;
  bool needs_preroll_ = false;
  GstClockID clock_id_ = nullptr; // of the wait under way; borrowed

  // The element has not been PLAYING since the start, so PLAYING sets the origin. Tags due at the
  // origin leave at once, for sinks to preroll.
  bool origin_is_open_ = false;
  bool needs_segment_ = false; // the origin is another, or the demuxer's segment
  // The running time at which PLAYING was left.
  flv::Nanoseconds paused_at_ = 0;
  // After a flush that resets the running time, the pipeline has yet to move the base time: until
  // it is no longer `stale_base_time_`, running time counts from the first look at the clock.
  bool base_time_is_stale_ = false;
  GstClockTime stale_base_time_ = 0;
  std::optional<GstClockTime> stand_in_zero_;

  flv::Nanoseconds latency_ = 0;
  std::uint64_t left_ = 0;
  double lateness_sum_ = 0;
  Lateness lateness_;
};

} // namespace flvpace
