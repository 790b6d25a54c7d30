// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clock_wait.h"

#include <algorithm>
#include <atomic>
#include <utility>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/state_change.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_pace_clock_debug);
#define GST_CAT_DEFAULT gst_flv_pace_clock_debug

namespace flvpace {

using flv::Nanoseconds;

namespace {

// When a pipeline starts to play, its running time is 0 plus the duration of the start. This is the
// maximum of that duration (ns).
constexpr Nanoseconds kStartTolerance = 100'000'000;

// By default, Linux lets the timers of normal threads expire up to 50 us late, to have fewer
// wake-ups. With one stream, this is a large part of the jitter. With a thousand streams, it saves
// CPU time.
void wake_punctually() {
#ifdef __linux__
  constexpr unsigned long kSlack = 15'000; // ns
  thread_local bool done = false;
  if (!std::exchange(done, true))
    prctl(PR_SET_TIMERSLACK, kSlack);
#endif
}

// After a long sleep the CPU caches are cold, and sending a tag takes two or three times as long.
// So a thread wakes up kNap (ns) early, reads the clock, and sleeps until the due time. If many
// streams wait, one of them is always running, and additional wake-ups only cost CPU time.
constexpr Nanoseconds kNap = 150'000;
constexpr int kFew = 4;

// The number of streams in this process that wait for a clock.
std::atomic<int> sleepers = 0;

// The running time at which to wake up for a tag that is due at `due`. Clocks other than the system
// clock may be too coarse for such a short sleep.
Nanoseconds wake_up_time(GstClock *clock, Nanoseconds now, Nanoseconds due) {
  const bool naps = sleepers.load(std::memory_order_relaxed) < kFew && GST_IS_SYSTEM_CLOCK(clock);
  return naps && due - now > 2 * kNap ? due - kNap : due;
}

} // namespace

void ClockWait::set_play(Play next) {
  gstflv::change_state<PlayTransitions>(GST_CAT_DEFAULT, element_, "ClockWait::Play", play_, next);
}

void ClockWait::set_output(Output next) {
  gstflv::change_state<OutputTransitions>(GST_CAT_DEFAULT, element_, "ClockWait::Output", output_,
                                          next);
}

void ClockWait::set_sync(bool sync) {
  const Lock lock(mutex_);
  sync_ = sync;
  wake();
}

void ClockWait::set_burst(std::uint32_t ms) {
  const Lock lock(mutex_);
  burst_ = ms;
  scheduled_.schedule().set_burst(ms, running_time());
  wake();
}

void ClockWait::set_speed(double speed) {
  const Lock lock(mutex_);
  scheduled_.schedule().set_speed(speed);
  wake();
}

void ClockWait::set_catch_up_speed(double speed) {
  const Lock lock(mutex_);
  catch_up_speed_ = speed;
  scheduled_.schedule().set_catch_up_speed(speed);
  wake();
}

void ClockWait::set_max_delay(std::uint32_t ms) {
  const Lock lock(mutex_);
  live_.sync().set_max_delay(ms);
}

std::uint32_t ClockWait::max_delay() const {
  const Lock lock(mutex_);
  return live_.sync().max_delay();
}

void ClockWait::set_live(bool live) {
  const Lock lock(mutex_);
  if (live)
    times_ = &live_;
  else
    times_ = &scheduled_;
}

Nanoseconds ClockWait::now() {
  const Lock lock(mutex_);
  return running_time();
}

bool ClockWait::sync() const {
  const Lock lock(mutex_);
  return sync_;
}

std::uint32_t ClockWait::burst() const {
  const Lock lock(mutex_);
  return burst_;
}

double ClockWait::speed() const {
  const Lock lock(mutex_);
  return scheduled_.schedule().speed();
}

double ClockWait::catch_up_speed() const {
  const Lock lock(mutex_);
  return catch_up_speed_;
}

void ClockWait::set_playing(bool playing) {
  const Lock lock(mutex_);
  auto *paused = std::get_if<Paused>(&play_);
  if (playing && paused) {
    const bool origin_is_open = paused->origin_is_open;
    set_play(Playing{});
    // The element was added to a pipeline that is already playing: the origin moves to now.
    if (origin_is_open) {
      if (const Nanoseconds now = running_time(); now > paused_at_ + kStartTolerance)
        with_times([now](auto &times) { times.restart(now); });
    }
  } else if (!playing && !paused) {
    paused_at_ = running_time();
    set_play(Paused{.needs_preroll = true});
  } else if (paused) {
    paused->needs_preroll = false;
  }
  wake();
}

void ClockWait::set_flushing(bool flushing) {
  const Lock lock(mutex_);
  if (flushing && is_open())
    set_output(Flushing{});
  else if (!flushing && std::holds_alternative<Flushing>(output_))
    set_output(Open{});
  wake();
}

void ClockWait::set_latency(Nanoseconds latency) {
  const Lock lock(mutex_);
  latency_ = latency;
}

void ClockWait::set_stopped(bool stopped) {
  const Lock lock(mutex_);
  const bool is_stopped = std::holds_alternative<Stopped>(output_);
  if (stopped && !is_stopped)
    set_output(Stopped{});
  else if (!stopped && is_stopped)
    set_output(Open{});
  wake();
}

void ClockWait::clear() {
  const Lock lock(mutex_);
  scheduled_.stop();
  live_.stop();
  times_ = &scheduled_;
  if (auto *paused = std::get_if<Paused>(&play_))
    *paused = {};
  paused_at_ = 0;
  stale_base_time_.reset();
  latency_ = 0;
  lateness_.clear();
}

void ClockWait::flushed(bool time_resets) {
  const Lock lock(mutex_);
  scheduled_.stop();
  live_.stop();
  if (!time_resets)
    return;
  paused_at_ = 0;
  stale_base_time_ = StaleBaseTime{gst_element_get_base_time(element_), std::nullopt};
}

Departure ClockWait::start(std::int64_t first) {
  const Lock lock(mutex_);
  const Nanoseconds now = std::max<Nanoseconds>(running_time(), 0);
  auto *paused = std::get_if<Paused>(&play_);
  return with_times([now, first, paused](auto &times) {
    if (paused)
      paused->origin_is_open = times.kOriginWaitsForPlaying;
    times.start(now, first);
    return times.current();
  });
}

std::optional<Departure> ClockWait::try_leave(std::int64_t time, Nanoseconds arrival) {
  const Lock lock(mutex_);
  with_times([time, arrival](auto &times) { times.take(time, arrival); });
  const Look seen = look();
  if (!is_open() || !seen.may_leave)
    return std::nullopt;
  return depart(seen);
}

Wait ClockWait::wait(Departure &departure) {
  Lock lock(mutex_);
  Look seen;
  const Wait end = wait_here(lock, seen);
  if (end == Wait::Over)
    departure = depart(seen);
  return end;
}

Wait ClockWait::wait_for_end(std::int64_t time) {
  Lock lock(mutex_);
  if (!with_times([](auto &times) { return times.kWaitsForEnd; }))
    return is_open() ? Wait::Over : Wait::Flushing;
  with_times([time](auto &times) { times.take(time, 0); });
  Look seen;
  return wait_here(lock, seen);
}

Wait ClockWait::wait_here(Lock &lock, Look &seen) {
  for (seen = look(); is_open() && !seen.may_leave; seen = look()) {
    auto *paused = std::get_if<Paused>(&play_);
    if (paused && std::exchange(paused->needs_preroll, false))
      return Wait::Preroll;
    wait_a_turn(lock, seen);
  }
  return is_open() ? Wait::Over : Wait::Flushing;
}

ClockWait::Look ClockWait::look() {
  Look seen;
  if (!sync_) {
    seen.may_leave = true;
    return seen;
  }
  if (const auto *paused = std::get_if<Paused>(&play_)) {
    seen.may_leave =
        paused->origin_is_open && with_times([](auto &times) { return times.is_due_at_origin(); });
    return seen;
  }
  seen.clock = running_clock();
  seen.now = seen.clock ? seen.clock->now() : 0;
  seen.may_leave =
      !seen.clock || seen.now >= with_times([](auto &times) { return times.earliest(); });
  return seen;
}

void ClockWait::wait_a_turn(Lock &lock, const Look &seen) {
  if (!seen.clock) {
    GST_TRACE_OBJECT(element_, "waits for a change of the state or a property");
    state_changed_.wait(lock);
    return;
  }
  GstClock *clock = seen.clock->clock.get();
  const Nanoseconds due = with_times([](auto &times) { return times.earliest(); });
  const Nanoseconds wake_up = wake_up_time(clock, seen.now, due);
  const Nanoseconds until = static_cast<Nanoseconds>(seen.clock->zero) + wake_up;
  const gstflv::ClockIdPtr id(gst_clock_new_single_shot_id(
      clock, static_cast<GstClockTime>(std::max<Nanoseconds>(0, until))));
  clock_id_ = id.get();
  lock.unlock();
  GST_TRACE_OBJECT(element_,
                   "due at %" GST_STIME_FORMAT ", the clock is at %" GST_STIME_FORMAT
                   ", waits for %" G_GINT64_FORMAT " us",
                   GST_STIME_ARGS(due), GST_STIME_ARGS(seen.now), (wake_up - seen.now) / 1000);
  wake_punctually();
  sleepers.fetch_add(1, std::memory_order_relaxed);
  gst_clock_id_wait(id.get(), nullptr);
  sleepers.fetch_sub(1, std::memory_order_relaxed);
  lock.lock();
  clock_id_ = nullptr;
}

void ClockWait::wake() {
  if (clock_id_)
    gst_clock_id_unschedule(clock_id_);
  state_changed_.notify_all();
}

void ClockWait::renew_segment() {
  const Lock lock(mutex_);
  with_times([](auto &times) { times.renew_segment(); });
}

Departure ClockWait::depart(const Look &seen) {
  if (auto *paused = std::get_if<Paused>(&play_))
    paused->origin_is_open &= sync_;
  return with_times([this, &seen](auto &times) {
    Departure departure = times.take_departure();
    if (seen.clock) {
      departure.late = std::max<Nanoseconds>(seen.now - departure.due - latency_, 0);
      lateness_.add(departure.late);
    }
    times.note_sent(seen.clock ? seen.now : departure.due);
    return departure;
  });
}

Nanoseconds ClockWait::RunningClock::now() const {
  return static_cast<Nanoseconds>(gst_clock_get_time(clock.get()) - zero);
}

std::optional<ClockWait::RunningClock> ClockWait::running_clock() {
  gstflv::ClockPtr clock(gst_element_get_clock(element_));
  if (!clock)
    return std::nullopt;
  GstClockTime zero = gst_element_get_base_time(element_);
  if (stale_base_time_ && zero != stale_base_time_->time)
    stale_base_time_.reset();
  if (stale_base_time_) {
    if (!stale_base_time_->zero)
      stale_base_time_->zero = gst_clock_get_time(clock.get());
    zero = *stale_base_time_->zero;
  }
  return RunningClock{std::move(clock), zero};
}

Nanoseconds ClockWait::running_time() {
  if (!is_playing())
    return paused_at_;
  const auto clock = running_clock();
  return clock ? clock->now() : paused_at_;
}

Lateness ClockWait::lateness() const {
  const Lock lock(mutex_);
  return lateness_.total();
}

Following ClockWait::following() const {
  const Lock lock(mutex_);
  const flv::LiveSync &sync = live_.sync();
  return {sync.delay(), sync.skew(), sync.corrections()};
}

std::int64_t ClockWait::lead() {
  const Lock lock(mutex_);
  return with_times([this](auto &times) -> std::int64_t {
    return times.has_lead() ? times.lead(running_time()) : 0;
  });
}

} // namespace flvpace
