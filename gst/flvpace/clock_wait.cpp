// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clock_wait.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <utility>

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace flvpace {

using flv::Nanoseconds;

namespace {

// When a pipeline starts to play, its running time is 0 plus the duration of the start. This is the
// maximum of that duration (ns).
constexpr Nanoseconds kStartTolerance = 100'000'000;

constexpr Nanoseconds kMillisecond = 1'000'000;
// A new segment is sent if the last one is off by more than this.
constexpr Nanoseconds kMaxSegmentDrift = 5 * kMillisecond;
// A step back by more than this starts a new timeline.
constexpr Nanoseconds kMaxStepBack = 1000 * kMillisecond;

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

void ClockWait::set_sync(bool sync) {
  const Lock lock(mutex_);
  sync_ = sync;
  wake();
}

void ClockWait::set_burst(std::uint32_t ms) {
  const Lock lock(mutex_);
  burst_ = ms;
  schedule_.set_burst(ms, running_time());
  wake();
}

void ClockWait::set_speed(double speed) {
  const Lock lock(mutex_);
  schedule_.set_speed(speed);
  wake();
}

void ClockWait::set_catch_up_speed(double speed) {
  const Lock lock(mutex_);
  catch_up_speed_ = speed;
  schedule_.set_catch_up_speed(speed);
  wake();
}

void ClockWait::set_max_delay(std::uint32_t ms) {
  const Lock lock(mutex_);
  live_sync_.set_max_delay(ms);
}

std::uint32_t ClockWait::max_delay() const {
  const Lock lock(mutex_);
  return live_sync_.max_delay();
}

void ClockWait::set_live(bool live) {
  const Lock lock(mutex_);
  live_ = live;
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
  return schedule_.speed();
}

double ClockWait::catch_up_speed() const {
  const Lock lock(mutex_);
  return catch_up_speed_;
}

void ClockWait::set_playing(bool playing) {
  const Lock lock(mutex_);
  if (playing_ && !playing)
    paused_at_ = running_time();
  needs_preroll_ = playing_ && !playing;
  playing_ = playing;
  if (playing && origin_is_open_) {
    origin_is_open_ = false;
    // The element was added to a pipeline that is already playing: the origin moves to now.
    if (const Nanoseconds now = running_time(); now > paused_at_ + kStartTolerance) {
      schedule_.restart(now);
      needs_segment_ = true;
    }
  }
  wake();
}

void ClockWait::set_flushing(bool flushing) {
  const Lock lock(mutex_);
  flushing_ = flushing;
  wake();
}

void ClockWait::set_latency(Nanoseconds latency) {
  const Lock lock(mutex_);
  latency_ = latency;
}

void ClockWait::set_stopped(bool stopped) {
  const Lock lock(mutex_);
  stopped_ = stopped;
  wake();
}

void ClockWait::clear() {
  const Lock lock(mutex_);
  schedule_.stop();
  live_ = false;
  live_sync_.stop();
  paused_at_ = 0;
  origin_is_open_ = false;
  needs_preroll_ = false;
  base_time_is_stale_ = false;
  latency_ = 0;
  left_ = 0;
  lateness_sum_ = 0;
  lateness_ = {};
}

void ClockWait::flushed(bool time_resets) {
  const Lock lock(mutex_);
  schedule_.stop();
  live_sync_.stop();
  if (!time_resets)
    return;
  paused_at_ = 0;
  base_time_is_stale_ = true;
  stale_base_time_ = gst_element_get_base_time(element_);
  stand_in_zero_.reset();
}

Departure ClockWait::start(std::int64_t first) {
  const Lock lock(mutex_);
  const Nanoseconds now = std::max<Nanoseconds>(running_time(), 0);
  schedule_.start(now, first);
  live_sync_.stop();
  live_time_ = first;
  live_start_ = now;
  live_due_ = now;
  segment_offset_ = now - first * kMillisecond;
  origin_is_open_ = !playing_ && !live_;
  needs_segment_ = false;
  return current();
}

std::optional<Departure> ClockWait::try_leave(std::int64_t time, Nanoseconds arrival) {
  const Lock lock(mutex_);
  if (live_) {
    live_time_ = std::max(live_time_, time);
    live_due_ = std::max(live_sync_.take(time, arrival), live_start_);
  } else {
    schedule_.take(time);
  }
  const Look seen = look();
  if (shut() || !seen.may_leave)
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
  if (live_)
    return shut() ? Wait::Flushing : Wait::Over;
  schedule_.take(time);
  Look seen;
  return wait_here(lock, seen);
}

Wait ClockWait::wait_here(Lock &lock, Look &seen) {
  for (seen = look(); !shut() && !seen.may_leave; seen = look()) {
    if (needs_preroll_) {
      needs_preroll_ = false;
      return Wait::Preroll;
    }
    wait_a_turn(lock, seen);
  }
  return shut() ? Wait::Flushing : Wait::Over;
}

ClockWait::Look ClockWait::look() {
  Look seen;
  if (!sync_) {
    seen.may_leave = true;
    return seen;
  }
  if (live_) {
    seen.clock = playing_ ? running_clock() : std::nullopt;
    seen.now = seen.clock ? seen.clock->now() : 0;
    seen.may_leave = playing_ && (!seen.clock || seen.now >= live_due_);
    return seen;
  }
  if (!playing_) {
    seen.may_leave = origin_is_open_ && schedule_.is_due_at_origin();
    return seen;
  }
  seen.clock = running_clock();
  seen.now = seen.clock ? seen.clock->now() : 0;
  seen.may_leave = !seen.clock || seen.now >= schedule_.leave();
  return seen;
}

void ClockWait::wait_a_turn(Lock &lock, const Look &seen) {
  if (!seen.clock) {
    state_changed_.wait(lock);
    return;
  }
  GstClock *clock = seen.clock->clock.get();
  const Nanoseconds until = static_cast<Nanoseconds>(seen.clock->zero) +
                            wake_up_time(clock, seen.now, live_ ? live_due_ : schedule_.leave());
  const gstflv::ClockIdPtr id(gst_clock_new_single_shot_id(
      clock, static_cast<GstClockTime>(std::max<Nanoseconds>(0, until))));
  clock_id_ = id.get();
  lock.unlock();
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
  needs_segment_ = needs_segment_ || live_;
}

Departure ClockWait::current() const {
  if (live_)
    return {live_due_, live_time_, 1.0, false, std::min(live_due_, kMaxStepBack)};
  const Nanoseconds due = schedule_.due();
  return {due, schedule_.media_at(due), schedule_.speed()};
}

// Demuxers compute timestamps from the last segment, which is outdated after the line has moved.
void ClockWait::check_segment(Departure &departure) {
  const Nanoseconds offset = departure.due - departure.media * kMillisecond;
  departure.needs_segment = std::exchange(needs_segment_, false) ||
                            (live_ && std::abs(offset - segment_offset_) > kMaxSegmentDrift);
  if (departure.needs_segment)
    segment_offset_ = offset;
}

Departure ClockWait::depart(const Look &seen) {
  Departure departure = current();
  check_segment(departure);
  origin_is_open_ = origin_is_open_ && sync_ && !playing_;
  if (seen.clock) {
    const Nanoseconds late = std::max<Nanoseconds>(seen.now - departure.due - latency_, 0);
    departure.late = late;
    lateness_.last = late;
    lateness_.maximum = std::max(lateness_.maximum, late);
    lateness_sum_ += static_cast<double>(late);
    lateness_.average = std::llround(lateness_sum_ / static_cast<double>(++left_));
    if (late > flv::Schedule::kTolerance)
      ++lateness_.tags;
  }
  if (!live_)
    schedule_.left(seen.clock ? seen.now : departure.due);
  return departure;
}

Nanoseconds ClockWait::RunningClock::now() const {
  return static_cast<Nanoseconds>(gst_clock_get_time(clock.get()) - zero);
}

std::optional<ClockWait::RunningClock> ClockWait::running_clock() {
  gstflv::ClockPtr clock(gst_element_get_clock(element_));
  if (!clock)
    return std::nullopt;
  GstClockTime zero = gst_element_get_base_time(element_);
  if (base_time_is_stale_) {
    base_time_is_stale_ = zero == stale_base_time_;
    if (base_time_is_stale_) {
      if (!stand_in_zero_)
        stand_in_zero_ = gst_clock_get_time(clock.get());
      zero = *stand_in_zero_;
    }
  }
  return RunningClock{std::move(clock), zero};
}

Nanoseconds ClockWait::running_time() {
  if (!playing_)
    return paused_at_;
  const auto clock = running_clock();
  return clock ? clock->now() : paused_at_;
}

Lateness ClockWait::lateness() const {
  const Lock lock(mutex_);
  return lateness_;
}

Following ClockWait::following() const {
  const Lock lock(mutex_);
  return {live_sync_.delay(), live_sync_.skew(), live_sync_.corrections()};
}

std::int64_t ClockWait::lead() {
  const Lock lock(mutex_);
  if (live_)
    return 0; // a live source cannot be ahead
  return schedule_.started() ? schedule_.lead(running_time()) : 0;
}

} // namespace flvpace
