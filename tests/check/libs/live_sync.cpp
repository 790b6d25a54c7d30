// SPDX-License-Identifier: LGPL-2.1-or-later
// LiveSync with publishers whose clocks are wrong, that pause and jump, and with networks that
// delay tags.
#include "flv/stream/live_sync.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <random>

#include "checkrun.h"

using namespace flv;

namespace {

constexpr Nanoseconds kMs = 1'000'000;
constexpr std::int64_t kStep = 200; // ms
constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kDays60 = 60 * 24 * kHour;
constexpr Nanoseconds kMaxDelay = 500 * kMs;

// A publisher that sends tags by its own clock, which is `ppm` faster than the local clock.
struct Publisher {
  double ppm = 0;
  Nanoseconds pauses = 0; // in all tags so far
  LiveSync sync{};
  Nanoseconds due = 0;
  Nanoseconds longest = 0;

  Nanoseconds send(std::int64_t time, Nanoseconds held_up = 0) {
    const auto arrival =
        static_cast<Nanoseconds>(std::llround(static_cast<double>(time) * 1e6 / (1 + ppm / 1e6))) +
        pauses + held_up;
    const Nanoseconds next = sync.take(time, arrival);
    // One condition, because a ck_assert for each of millions of tags would be slow.
    if (next < arrival || next < due || next - arrival != sync.delay())
      ck_abort_msg("tag %lld is due %lld before it came, %lld before the last", time + 0LL,
                   arrival - next + 0LL, due - next + 0LL);
    due = next;
    longest = std::max(longest, sync.delay());
    return sync.delay();
  }
};

const struct {
  double ppm;
  Nanoseconds longest; // the longest delay
  bool jumps;
} kClocks[] = {
    {0, 0, false},           {500, 5 * kMs, false},      {-500, 0, false},
    {4000, 20 * kMs, false}, {20'000, kMaxDelay, true},  {-20'000, 0, false},
    {-4000, 0, false},       {100'000, kMaxDelay, true},
};

START_TEST(test_clocks) {
  const auto &row = kClocks[_i];
  Publisher publisher{.ppm = row.ppm};
  for (std::int64_t time = 7000; time < kDays60; time += kStep)
    (void)publisher.send(time);
  ck_assert_msg(publisher.longest <= row.longest, "%g ppm: %g ms", row.ppm,
                static_cast<double>(publisher.longest) / 1e6);
  ck_assert_int_eq(publisher.sync.corrections() > 0, row.jumps);
  if (!row.jumps)
    ck_assert_double_eq_tol(publisher.sync.skew(), row.ppm, std::abs(row.ppm) / 100 + 1);
}
END_TEST

// After a pause and a jump of the delay, every tag except one is on time.
START_TEST(test_pauses) {
  Publisher publisher{.ppm = 100};
  std::uint64_t corrections = 0;
  Nanoseconds longest = 0;
  for (std::int64_t time = 0; time < 24 * kHour; time += kStep) {
    if (time > 0 && time % 60'000 == 0) {
      publisher.pauses += 2000 * kMs;
      ck_assert_int_eq(publisher.send(time), 0);
      ck_assert_int_eq(publisher.sync.corrections(), ++corrections);
    } else {
      longest = std::max(longest, publisher.send(time));
    }
  }
  ck_assert_int_le(longest, 20 * kMs);
  ck_assert_int_eq(publisher.sync.corrections(), corrections);
}
END_TEST

// Tags that the network has delayed arrive at once, and the delay decreases again.
START_TEST(test_stall) {
  Publisher publisher;
  for (std::int64_t time = 0; time < 10'000; time += 40)
    (void)publisher.send(time);
  for (std::int64_t time = 10'000; time < 12'000; time += 40)
    ck_assert_int_le(publisher.send(time, (12'000 - time) * kMs), kMaxDelay);
  std::int64_t time = 12'000;
  for (; time < 200'000; time += 40)
    ck_assert_int_le(publisher.send(time), kMaxDelay);
  ck_assert_int_eq(publisher.send(time), 0);
}
END_TEST

// A server sends the last seconds at once to a client that joins.
START_TEST(test_history) {
  Publisher publisher;
  for (std::int64_t time = 0; time < 4000; time += 40)
    ck_assert_int_le(publisher.send(time, (4000 - time) * kMs), kMaxDelay);
  for (std::int64_t time = 4000; time < 8000; time += 40)
    ck_assert_int_le(publisher.send(time), kMaxDelay);
}
END_TEST

START_TEST(test_jitter) {
  std::mt19937 random(3);
  Publisher publisher{.ppm = 50};
  for (std::int64_t time = 0; time < 2 * kHour; time += 40) {
    const auto held_up = static_cast<Nanoseconds>(random() % 30) * kMs;
    (void)publisher.send(time, held_up);
  }
  // The tag with the longest network delay determines the delay of all tags.
  ck_assert_int_le(publisher.longest, 40 * kMs);
  ck_assert_int_eq(publisher.sync.corrections(), 0);
}
END_TEST

START_TEST(test_timestamps) {
  LiveSync sync{};
  sync.set_max_delay(200);
  ck_assert_int_eq(sync.take(1'000'000, 5 * kMs), 5 * kMs);
  ck_assert_int_eq(sync.take(1'000'040, 25 * kMs), 45 * kMs);
  ck_assert_int_eq(sync.take(999'000, 25 * kMs), 45 * kMs);   // before it: at the same time
  ck_assert_int_eq(sync.take(1'000'300, 45 * kMs), 45 * kMs); // 260 ms after it: at once
  ck_assert_int_eq(sync.take(1'000'340, 85 * kMs), 85 * kMs); // the new line continues from there
  ck_assert_int_eq(sync.take(INT64_MAX, 90 * kMs), 90 * kMs);
  ck_assert_int_eq(sync.corrections(), 2);
  sync.stop();
  ck_assert_int_eq(sync.take(0, 100 * kMs), 100 * kMs);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("livesync", {{test_clocks, std::size(kClocks)},
                                   {test_pauses},
                                   {test_stall},
                                   {test_history},
                                   {test_jitter},
                                   {test_timestamps}});
}
