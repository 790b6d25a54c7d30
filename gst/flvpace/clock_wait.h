// SPDX-License-Identifier: LGPL-2.1-or-later
// The waits of the streaming thread: for PLAYING, and for the due time of a tag.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <variant>

#include "base/gst_ptr.h"
#include "due_times.h"
#include "lateness.h"
#include "states/transition.h"

namespace flvpace {

enum class Wait {
  Over,    // the wait condition is met
  Preroll, // PLAYING ended: send a GAP event so that sinks can preroll, then wait again
  Flushing,
};

// Statistics of a live source.
struct Following {
  std::int64_t delay = 0; // ns that the last tag waited
  double skew = 0;        // ppm: how much faster the publisher's clock is
  std::uint64_t corrections = 0;
};

// Combines the due times with the clock, the element's state and the properties that change due
// times. Holds no lock during a wait.
//
// The element's state:
//
//               set_playing(true)
//    Paused <----------------------> Playing
//               set_playing(false)
//
// Whether tags may leave:
//
//             set_flushing(true)
//    Open <----------------------> Flushing
//    ^  |     set_flushing(false)     |
//    |  |                             |
//    |  | set_stopped(true)           | set_stopped(true)
//    |  |                             |
//    |  +---------> Stopped <---------+
//    |                 |
//    +-----------------+ set_stopped(false)
//
// A flush in Stopped changes nothing.
class ClockWait {
public:
  struct Paused {
    static constexpr const char *kName = "Paused";

    bool needs_preroll = false; // since PLAYING: sinks wait for data
    // start() was called in this state, so the change to PLAYING sets the origin. Until then, tags
    // due at the origin leave at once, so that sinks can preroll.
    bool origin_is_open = false;
  };
  struct Playing {
    static constexpr const char *kName = "Playing";
  };
  using Play = std::variant<Paused, Playing>;
  using PlayTransitions = states::TransitionTable<states::Transition<Paused, Playing>,
                                                  states::Transition<Playing, Paused>>;

  struct Open {
    static constexpr const char *kName = "Open";
  };
  struct Flushing {
    static constexpr const char *kName = "Flushing";
  };
  struct Stopped {
    static constexpr const char *kName = "Stopped";
  };
  using Output = std::variant<Open, Flushing, Stopped>;
  using OutputTransitions =
      states::TransitionTable<states::Transition<Open, Flushing>,
                              states::Transition<Flushing, Open>, states::Transition<Open, Stopped>,
                              states::Transition<Flushing, Stopped>,
                              states::Transition<Stopped, Open>>;

  explicit ClockWait(GstElement *element) : element_(element), play_(Paused{}) {} // borrowed

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

  // After a flush that resets the running time, the base time is outdated until the pipeline
  // changes it.
  struct StaleBaseTime {
    GstClockTime time = 0;
    // The clock time at running time 0 until then: the first clock reading after the flush.
    std::optional<GstClockTime> zero;
  };

  void set_play(Play next);
  void set_output(Output next);
  [[nodiscard]] bool is_playing() const { return std::holds_alternative<Playing>(play_); }
  [[nodiscard]] bool is_open() const { return std::holds_alternative<Open>(output_); }
  // Calls `function` with the due times in use.
  template <typename Function> decltype(auto) with_times(Function function) {
    return std::visit([&function](auto *times) -> decltype(auto) { return function(*times); },
                      times_);
  }
  [[nodiscard]] std::optional<RunningClock> running_clock();
  [[nodiscard]] flv::Nanoseconds running_time();
  [[nodiscard]] Look look();
  [[nodiscard]] Wait wait_here(Lock &lock, Look &seen);
  void wait_a_turn(Lock &lock, const Look &seen);
  Departure depart(const Look &seen);
  void wake();

  GstElement *element_;
  mutable std::mutex mutex_;
  std::condition_variable state_changed_;
  Play play_;
  Output output_;
  ScheduledTimes scheduled_;
  LiveTimes live_;
  std::variant<ScheduledTimes *, LiveTimes *> times_ = &scheduled_; // in use
  bool sync_ = true;
  std::uint32_t burst_ = 0;
  double catch_up_speed_ = 0;
  GstClockID clock_id_ = nullptr; // of the current wait; borrowed
  // The running time at which the element left PLAYING.
  flv::Nanoseconds paused_at_ = 0;
  std::optional<StaleBaseTime> stale_base_time_;
  flv::Nanoseconds latency_ = 0;
  LatenessMeter lateness_;
};

} // namespace flvpace
