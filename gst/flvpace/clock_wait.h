// SPDX-License-Identifier: LGPL-2.1-or-later
// The waits of the streaming thread: for PLAYING, and for the due time of a tag.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/gst_ptr.h"
#include "flv/stream/live_sync.h"
#include "flv/stream/schedule.h"

namespace flvpace {

// How late tags were sent, in ns. A tag is late after its due time plus the pipeline's latency.
struct Lateness {
  std::uint64_t tags = 0; // the number of tags later than flv::Schedule::kTolerance
  std::int64_t last = 0;
  std::int64_t average = 0;
  std::int64_t maximum = 0;
};

enum class Wait {
  Over,    // the wait condition is met
  Preroll, // PLAYING ended: send a GAP event so that sinks can preroll, then wait again
  Flushing,
};

// When a tag is sent.
struct Departure {
  flv::Nanoseconds due = 0;   // running time
  std::int64_t media = 0;     // ms: the position at `due` of a player that started at the origin
  double speed = 1.0;         // the speed that applies to the tag
  bool needs_segment = false; // before the tag, because the last segment is outdated
  flv::Nanoseconds reach = 0; // how far before the tag the segment starts
  flv::Nanoseconds late = 0;  // after the due time plus the pipeline's latency
};

// Statistics of a live source.
struct Following {
  std::int64_t delay = 0; // ns that the last tag waited
  double skew = 0;        // ppm: how much faster the publisher's clock is
  std::uint64_t corrections = 0;
};

// Combines the schedule with the clock, the element's state and the properties that change due
// times. Holds no lock during a wait.
class ClockWait {
public:
  explicit ClockWait(GstElement *element) : element_(element) {} // borrowed

  // From any thread. A new max_delay applies to the next tag. The other values also apply to the
  // current wait.
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

  // true: due times follow the arrival of tags; burst and speed have no effect.
  void set_live(bool live);
  // The running time. Outside PLAYING: the running time at which PLAYING will continue.
  [[nodiscard]] flv::Nanoseconds now();

  void set_playing(bool playing);
  // true: ends all waits, and lets no tag leave. set_flushing() is for a flush, set_stopped() for
  // the element's stop.
  void set_flushing(bool flushing);
  void set_stopped(bool stopped);
  // The pipeline's latency. A tag is late only after its due time plus the latency.
  void set_latency(flv::Nanoseconds latency);
  // Resets everything except the settings.
  void clear();
  // Stops the schedule after a flush. `time_resets`: the running time restarts at 0.
  void flushed(bool time_resets);

  // From the streaming thread. Starts the schedule: the tag at media time `first` (ms) is due at
  // the origin. The origin is the current running time, or the start of PLAYING if that is still to
  // come. Returns the tag's departure, for the first segment.
  Departure start(std::int64_t first);
  // Sets the current tag: its media time (ms) and, for a live source, the running time of its
  // arrival. Returns its departure if it may leave now.
  [[nodiscard]] std::optional<Departure> try_leave(std::int64_t time, flv::Nanoseconds arrival);
  // A demuxer downstream has started its own segment. With a live source, the next tag needs a new
  // one.
  void renew_segment();
  // Waits until the current tag may leave.
  [[nodiscard]] Wait wait(Departure &departure);
  // Waits until media time `time` (ms) is due. No tag leaves then. With a live source, does not
  // wait.
  [[nodiscard]] Wait wait_for_end(std::int64_t time);

  [[nodiscard]] Lateness lateness() const;
  [[nodiscard]] Following following() const;
  // The media time (ms) by which the last tag is ahead of real time now; 0 before the first tag.
  [[nodiscard]] std::int64_t lead();

private:
  using Lock = std::unique_lock<std::mutex>;

  // The pipeline's clock, and the clock time at running time 0.
  struct RunningClock {
    gstflv::ClockPtr clock;
    GstClockTime zero = 0;

    [[nodiscard]] flv::Nanoseconds now() const;
  };

  // Whether the current tag may leave, and the clock and time that the decision is based on.
  struct Look {
    bool may_leave = false;
    std::optional<RunningClock> clock; // set in PLAYING with sync, if the pipeline has a clock
    flv::Nanoseconds now = 0;          // running time; valid with a clock
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
  bool live_ = false; // true: live_sync_ replaces schedule_
  flv::LiveSync live_sync_;
  std::int64_t live_time_ = 0; // ms, of the current tag
  flv::Nanoseconds live_due_ = 0;
  flv::Nanoseconds live_start_ = 0;     // no tag is due before this
  flv::Nanoseconds segment_offset_ = 0; // running time minus media time in the last segment
  bool sync_ = true;
  std::uint32_t burst_ = 0;
  double catch_up_speed_ = 0;
  bool playing_ = false;
  bool flushing_ = false;
  bool stopped_ = false;
  bool needs_preroll_ = false;
  GstClockID clock_id_ = nullptr; // of the current wait; borrowed

  // start() was called outside PLAYING, so the change to PLAYING sets the origin. Until then, tags
  // due at the origin leave at once, so that sinks can preroll.
  bool origin_is_open_ = false;
  bool needs_segment_ = false; // the origin has moved, or a demuxer has started its own segment
  // The running time at which the element left PLAYING.
  flv::Nanoseconds paused_at_ = 0;
  // After a flush that resets the running time, the base time is outdated until the pipeline
  // changes it. While it equals `stale_base_time_`, running time counts from the first clock
  // reading after the flush.
  bool base_time_is_stale_ = false;
  GstClockTime stale_base_time_ = 0;
  std::optional<GstClockTime> stand_in_zero_;

  flv::Nanoseconds latency_ = 0;
  std::uint64_t left_ = 0;
  double lateness_sum_ = 0;
  Lateness lateness_;
};

} // namespace flvpace
