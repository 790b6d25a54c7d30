// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/stream/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "checkrun.h"

using namespace flv;

namespace {

constexpr Nanoseconds kMs = 1'000'000;
constexpr Nanoseconds kSecond = 1000 * kMs;

Schedule started(Nanoseconds origin = 0, std::int64_t first = 0) {
  Schedule schedule;
  schedule.start(origin, first);
  return schedule;
}

Nanoseconds due(Schedule &schedule, std::int64_t time) {
  schedule.take(time);
  return schedule.due();
}

const struct {
  Nanoseconds origin;
  std::int64_t first;
  std::uint32_t burst;
  double speed;
  std::int64_t time;
  Nanoseconds due;
} kDues[] = {
    {0, 0, 0, 1, 0, 0},
    {0, 0, 0, 1, 40, 40 * kMs},
    {7 * kSecond, 0, 0, 1, 40, 7 * kSecond + 40 * kMs},
    {0, 3'600'000, 0, 1, 3'600'040, 40 * kMs},
    {0, 5000, 0, 1, 4000, 0}, // before the first timestamp
    {kSecond, 0, 3000, 1, 3000, kSecond},
    {kSecond, 0, 3000, 1, 3001, kSecond + kMs},
    {kSecond, 0, 3000, 1, 10'000, 8 * kSecond},
    {0, 0, 0, 2, 1000, 500 * kMs},
    {0, 0, 0, 0.5, 1000, 2 * kSecond},
    {0, 0, 0, 3, 1000, 333'333'333},
    {0, 0, 0, 0.01, 1, 100 * kMs},
    {0, 0, 0, 1000, 1000, kMs},
    // The burst is real time: the speed does not divide it.
    {0, 0, 1000, 2, 2000, 0},
    {0, 0, 1000, 2, 3000, 500 * kMs},
    {0, 1 << 20, 0xFFFFFFFF, 1, (std::int64_t{1} << 32) + (1 << 20), kMs},
    {0, 0, 0, 1, std::int64_t{1} << 40, (std::int64_t{1} << 40) * kMs},
};

START_TEST(test_due) {
  const auto &row = ROW(kDues);
  Schedule schedule;
  schedule.set_burst(row.burst, 0);
  schedule.set_speed(row.speed);
  ck_assert(!schedule.started());
  schedule.start(row.origin, row.first);
  ck_assert(schedule.started());
  ck_assert_double_eq(schedule.speed(), row.speed);
  ck_assert_int_eq(schedule.due(), row.origin);
  ck_assert_int_eq(due(schedule, row.time), row.due);
  ck_assert_int_eq(schedule.leave(), row.due);
}
END_TEST

START_TEST(test_a_step_back_is_due_with_the_highest) {
  Schedule schedule = started();
  ck_assert_int_eq(due(schedule, 1000), kSecond);
  ck_assert_int_eq(due(schedule, 960), kSecond);
  ck_assert_int_eq(due(schedule, 1001), 1001 * kMs);
}
END_TEST

START_TEST(test_late_tags_keep_the_schedule) {
  Schedule schedule = started(kSecond);
  for (std::int64_t time = 0; time < 100'000; time += 40) {
    ck_assert_int_eq(due(schedule, time), kSecond + time * kMs);
    schedule.left(schedule.due() + (time % 7) * kSecond);
  }
}
END_TEST

START_TEST(test_restart_repeats_the_burst) {
  Schedule schedule;
  schedule.set_burst(2000, 0);
  schedule.set_speed(2);
  schedule.start(0, 0);
  ck_assert_int_eq(due(schedule, 10'000), 3 * kSecond);
  schedule.start(50 * kSecond, 700'000);
  ck_assert_int_eq(schedule.due(), 50 * kSecond);
  ck_assert_int_eq(due(schedule, 704'000), 50 * kSecond);
  ck_assert_int_eq(due(schedule, 706'000), 51 * kSecond);
}
END_TEST

START_TEST(test_speed_counts_from_the_current_tag) {
  Schedule schedule = started(kSecond);
  schedule.take(10'000);
  schedule.set_speed(2);
  ck_assert_int_eq(schedule.due(), 11 * kSecond);
  ck_assert_int_eq(due(schedule, 12'000), 12 * kSecond);
  schedule.set_speed(0.5);
  ck_assert_int_eq(due(schedule, 13'000), 14 * kSecond);
  schedule.set_speed(1);
  ck_assert_int_eq(due(schedule, 14'000), 15 * kSecond);
}
END_TEST

START_TEST(test_speed_with_a_burst) {
  Schedule schedule;
  schedule.set_burst(3000, 0);
  schedule.start(0, 0);
  // The lead stays constant within the burst and at its end.
  schedule.take(1000);
  schedule.set_speed(2);
  ck_assert_int_eq(schedule.due(), 0);
  ck_assert_int_eq(due(schedule, 5000), 0);
  ck_assert_int_eq(due(schedule, 7000), kSecond);
}
END_TEST

START_TEST(test_larger_burst_sends_the_difference_at_once) {
  Schedule schedule = started();
  schedule.take(1000);
  schedule.set_burst(500, 960 * kMs);
  ck_assert_int_eq(schedule.due(), 960 * kMs);
  ck_assert_int_eq(due(schedule, 1460), 960 * kMs);
  ck_assert_int_eq(due(schedule, 1500), 1000 * kMs);
  // By less than the current tag's wait.
  schedule.take(2000);
  schedule.set_burst(600, 1000 * kMs);
  ck_assert_int_eq(schedule.due(), 1400 * kMs);
}
END_TEST

START_TEST(test_smaller_burst_waits) {
  Schedule schedule;
  schedule.set_burst(3000, 0);
  schedule.start(0, 0);
  schedule.take(4000);
  schedule.set_burst(1000, kSecond);
  ck_assert_int_eq(schedule.due(), 3 * kSecond);
  schedule.set_burst(0, kSecond);
  ck_assert_int_eq(schedule.due(), 4 * kSecond);
  ck_assert_int_eq(due(schedule, 4040), 4040 * kMs);
  // A change of the burst makes no tag late.
  schedule.set_burst(100, 3 * kSecond);
  schedule.set_burst(50, 10 * kSecond);
  ck_assert_int_eq(schedule.due(), 3990 * kMs);
}
END_TEST

START_TEST(test_lead) {
  Schedule schedule;
  schedule.set_burst(3000, 0);
  schedule.start(kSecond, 500);
  ck_assert_int_eq(schedule.lead(kSecond), 0);
  ck_assert_int_eq(schedule.media_at(3 * kSecond), 2500);
  schedule.take(3500);
  schedule.left(kSecond);
  ck_assert_int_eq(schedule.lead(kSecond), 3000);
  ck_assert_int_eq(schedule.lead(2 * kSecond), 2000);
  // A tag that has not left yet does not add to the lead.
  schedule.take(4500);
  ck_assert_int_eq(schedule.due(), 2 * kSecond);
  ck_assert_int_eq(schedule.lead(2 * kSecond), 2000);
  schedule.left(2 * kSecond);
  ck_assert_int_eq(schedule.lead(2 * kSecond), 3000);
  schedule.set_speed(2);
  schedule.take(6500);
  schedule.left(schedule.due());
  ck_assert_int_eq(schedule.media_at(5 * kSecond), 4500);
  ck_assert_int_eq(schedule.lead(5 * kSecond), 2000);
  ck_assert_int_eq(schedule.lead(6 * kSecond), 0);
  ck_assert_int_eq(schedule.lead(7 * kSecond), -2000);
}
END_TEST

START_TEST(test_stop) {
  Schedule schedule = started();
  schedule.stop();
  ck_assert(!schedule.started());
  // The next start uses a burst that was increased since the last one.
  schedule.set_burst(1000, kSecond);
  schedule.start(5 * kSecond, 0);
  ck_assert_int_eq(due(schedule, 1000), 5 * kSecond);
}
END_TEST

// --- Catching up ---

// At 10 s of media, a sink returns after it has blocked for four seconds.
Schedule held_up(double catch_up_speed) {
  Schedule schedule = started();
  schedule.set_catch_up_speed(catch_up_speed);
  schedule.take(10'000);
  schedule.left(14 * kSecond);
  return schedule;
}

START_TEST(test_catch_up) {
  Schedule schedule = held_up(2);
  for (std::int64_t time = 10'000; time <= 20'000; time += 40) {
    const Nanoseconds regaining = 14 * kSecond + (time - 10'000) * kMs / 2;
    ck_assert_int_eq(due(schedule, time), time * kMs);
    ck_assert_int_eq(schedule.leave(), std::max(time * kMs, regaining));
    schedule.left(schedule.leave());
  }
  // The delay is recovered: from now on tags leave when they are due, at any speed.
  schedule.set_speed(8);
  ck_assert_int_eq(due(schedule, 24'000), 20'500 * kMs);
  ck_assert_int_eq(schedule.leave(), 20'500 * kMs);
}
END_TEST

START_TEST(test_catch_up_at_once) {
  Schedule schedule = held_up(0);
  schedule.take(11'000);
  ck_assert_int_eq(schedule.leave(), 11 * kSecond);
  // A later change of the catch-up speed takes effect at the next delay.
  schedule.set_catch_up_speed(2);
  ck_assert_int_eq(schedule.leave(), 11 * kSecond);
}
END_TEST

START_TEST(test_catch_up_ends) {
  for (const int way : {0, 1}) {
    Schedule schedule = held_up(2);
    schedule.take(11'000);
    ck_assert_int_eq(schedule.leave(), 14'500 * kMs);
    if (way == 0)
      schedule.set_catch_up_speed(0);
    else
      schedule.start(11 * kSecond, 11'000);
    ck_assert_int_eq(schedule.leave(), 11 * kSecond);
  }
}
END_TEST

// Blocked again while it catches up: the catch-up starts again from there.
START_TEST(test_delayed_while_catching_up) {
  Schedule schedule = held_up(2);
  schedule.take(11'000);
  schedule.left(20 * kSecond);
  schedule.take(12'000);
  ck_assert_int_eq(schedule.leave(), 20'500 * kMs);
  // A slightly late wake-up does not count as blocked.
  schedule.left(20'500 * kMs + Schedule::kTolerance);
  schedule.take(13'000);
  ck_assert_int_eq(schedule.leave(), 21 * kSecond);
}
END_TEST

START_TEST(test_catch_up_speed_below_the_speed) {
  Schedule schedule = held_up(0.5);
  schedule.take(11'000);
  ck_assert_int_eq(schedule.leave(), 16 * kSecond);
  schedule.left(16 * kSecond);
  schedule.take(12'000);
  ck_assert_int_eq(schedule.leave(), 18 * kSecond);
}
END_TEST

START_TEST(test_tolerance) {
  for (const Nanoseconds late : {Schedule::kTolerance, Schedule::kTolerance + 1}) {
    Schedule schedule = started();
    schedule.set_catch_up_speed(2);
    schedule.take(1000);
    schedule.left(kSecond + late);
    schedule.take(1001);
    ck_assert_int_eq(schedule.leave() > schedule.due(), late > Schedule::kTolerance);
  }
}
END_TEST

// No tag of a burst is late, however long the burst takes to send.
START_TEST(test_burst_is_not_late) {
  Schedule schedule;
  schedule.set_burst(3000, 0);
  schedule.set_catch_up_speed(2);
  schedule.start(0, 0);
  for (std::int64_t time = 0; time <= 3000; time += 100) {
    schedule.take(time);
    ck_assert_int_eq(schedule.leave(), 0);
    schedule.left(time * kMs);
  }
  schedule.take(3100);
  ck_assert_int_eq(schedule.leave(), 100 * kMs);
  schedule.left(3 * kSecond);
  schedule.take(3200);
  ck_assert_int_eq(schedule.leave(), 3050 * kMs);
}
END_TEST

// --- Long durations and extreme values ---

const double kSpeeds[] = {1, 0.01, 0.1, 1.0 / 3, 0.999, 1.001, 1.1, 3, 29.97, 1000};

// 60 days with a tag each second: the due times are exact within the precision of doubles.
START_TEST(test_sixty_days) {
  const double speed = ROW(kSpeeds);
  Schedule schedule;
  schedule.set_speed(speed);
  schedule.start(kSecond, 0);
  long double worst = 0;
  for (std::int64_t time = 0; time < 60LL * 24 * 3'600'000; time += 1001) {
    const long double exact =
        static_cast<long double>(time) * 1e6L / static_cast<long double>(speed) + kSecond;
    worst = std::max(worst, std::fabs(static_cast<long double>(due(schedule, time)) - exact));
  }
  const long double span = 60 * 24 * 3.6e12L / static_cast<long double>(speed);
  ck_assert_ldouble_le(worst, 1 + span * std::numeric_limits<double>::epsilon());
}
END_TEST

// Media times beyond the range of the clock stay in the future, in order.
START_TEST(test_unlimited_times) {
  Schedule schedule;
  schedule.set_speed(ROW(kSpeeds));
  schedule.set_burst(0xFFFFFFFF, 0);
  schedule.set_catch_up_speed(0.01);
  schedule.start(kSecond, 0);
  Nanoseconds last = 0;
  for (int bit = 0; bit < 62; ++bit) {
    const Nanoseconds now = due(schedule, std::int64_t{1} << bit);
    ck_assert_int_ge(now, last);
    last = now;
    ck_assert_int_ge(schedule.leave(), now);
    schedule.left(now + kSecond);
    schedule.set_speed(schedule.speed());
    (void)schedule.lead(now);
  }
  constexpr Nanoseconds kTenYears = 10LL * 365 * 24 * 3600 * kSecond;
  ck_assert_int_gt(last, kTenYears);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("schedule", {{test_due, std::size(kDues)},
                                   {test_a_step_back_is_due_with_the_highest},
                                   {test_late_tags_keep_the_schedule},
                                   {test_restart_repeats_the_burst},
                                   {test_speed_counts_from_the_current_tag},
                                   {test_speed_with_a_burst},
                                   {test_larger_burst_sends_the_difference_at_once},
                                   {test_smaller_burst_waits},
                                   {test_lead},
                                   {test_stop},
                                   {test_catch_up},
                                   {test_catch_up_at_once},
                                   {test_catch_up_ends},
                                   {test_delayed_while_catching_up},
                                   {test_catch_up_speed_below_the_speed},
                                   {test_tolerance},
                                   {test_burst_is_not_late},
                                   {test_sixty_days, std::size(kSpeeds)},
                                   {test_unlimited_times, std::size(kSpeeds)}});
}
