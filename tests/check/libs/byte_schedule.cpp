// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdint>
#include <utility>

#include "checkrun.h"
#include "fanout/byte_schedule.h"

using fanout::ByteSchedule;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using Points = ByteSchedule::Points;

namespace {

constexpr std::uint64_t kAll = ByteSchedule::kAll;

// 1000 bytes in the first second, 3000 in the second one, none in the third, 10 in 10 ms.
const Points kPoints = {{100, 5000}, {1100, 6000}, {4100, 7000}, {4101, 8000}, {4111, 8010}};

ByteSchedule schedule(std::uint64_t head, std::uint64_t offset, milliseconds burst,
                      std::uint64_t key_frame = 0) {
  return {ByteSchedule::make_table(kPoints), head, offset, burst, key_frame};
}

const struct {
  std::uint64_t head;
  std::uint64_t offset;
  milliseconds burst;
  milliseconds elapsed;
  std::uint64_t bytes;
  std::uint64_t key_frame = 0;
} kDue[] = {
    // From the start of the table.
    {0, 100, milliseconds(0), milliseconds(0), 0},
    {0, 100, milliseconds(0), milliseconds(1), 1},
    {0, 100, milliseconds(0), milliseconds(999), 999},
    {0, 100, milliseconds(0), milliseconds(1000), 1000},
    {0, 100, milliseconds(0), milliseconds(1500), 2500},
    {0, 100, milliseconds(0), milliseconds(2000), 4000},
    {0, 100, milliseconds(0), milliseconds(2999), 4000},
    {0, 100, milliseconds(0), milliseconds(3000), 4001},
    {0, 100, milliseconds(0), milliseconds(3009), 4010},
    {0, 100, milliseconds(0), milliseconds(3010), kAll},
    {0, 100, milliseconds(0), milliseconds(99999), kAll},
    // The bytes before the table are due at once.
    {0, 0, milliseconds(0), milliseconds(0), 100},
    {0, 0, milliseconds(0), milliseconds(1000), 1100},
    // With a burst, and with a head.
    {0, 100, milliseconds(500), milliseconds(0), 500},
    {0, 100, milliseconds(500), milliseconds(1000), 2500},
    {0, 100, milliseconds(99999), milliseconds(0), kAll},
    {77, 100, milliseconds(0), milliseconds(0), 77},
    {77, 100, milliseconds(500), milliseconds(500), 1077},
    // From another offset.
    {0, 1100, milliseconds(0), milliseconds(0), 0},
    {0, 1100, milliseconds(0), milliseconds(500), 1500},
    {0, 600, milliseconds(0), milliseconds(500), 500},
    {20, 2600, milliseconds(100), milliseconds(100), 620},
    // Behind the table.
    {0, 4111, milliseconds(0), milliseconds(0), kAll},
    {5, 9999, milliseconds(0), milliseconds(0), kAll},
    // 1000 bytes are all of the first second, and a third of the next one.
    {0, 100, milliseconds(0), milliseconds(0), 1000, 1000},
    {0, 100, milliseconds(0), milliseconds(999), 1000, 1000},
    {0, 100, milliseconds(0), milliseconds(1000), 2000, 1000},
    {0, 100, milliseconds(0), milliseconds(1500), 3000, 1000},
    {0, 100, milliseconds(0), milliseconds(2000), 4001, 1000},
    {5, 100, milliseconds(500), milliseconds(499), 1005, 1000},
    {5, 100, milliseconds(500), milliseconds(500), 2005, 1000},
    // An offset in the middle of a second is in the middle of its time.
    {0, 600, milliseconds(0), milliseconds(0), 500, 1000},
    {0, 600, milliseconds(0), milliseconds(499), 500, 1000},
    {0, 600, milliseconds(0), milliseconds(500), 1500, 1000},
    {0, 100, milliseconds(0), milliseconds(0), 1000, ByteSchedule::kMaxKeyFrame},
    {0, 100, milliseconds(0), milliseconds(1000), 4000, ByteSchedule::kMaxKeyFrame},
};

START_TEST(test_bytes_due) {
  const auto &row = ROW(kDue);
  const ByteSchedule it = schedule(row.head, row.offset, row.burst, row.key_frame);
  ck_assert_uint_eq(it.bytes_due(row.elapsed), row.bytes);
}
END_TEST

// due() is the earliest time for which bytes_due() is enough.
START_TEST(test_due) {
  for (const std::uint64_t offset : {0U, 100U, 101U, 600U, 1100U, 4100U, 4101U, 4111U, 5000U}) {
    for (const auto &[burst, key_frame] : {std::pair(0, 0),
                                           {1, 0},
                                           {500, 0},
                                           {3000, 0},
                                           {100'000, 0},
                                           {0, 7},
                                           {1, 999},
                                           {500, 1001},
                                           {300, 100'000}}) {
      const ByteSchedule it = schedule(13, offset, milliseconds(burst), std::uint64_t(key_frame));
      microseconds last(0);
      for (std::uint64_t bytes = 0; bytes < 4300; bytes += bytes < 50 ? 1 : 13) {
        const microseconds due = it.due(bytes);
        ck_assert(due >= last);
        ck_assert_uint_ge(it.bytes_due(due), bytes);
        if (due.count() > 0)
          ck_assert_uint_lt(it.bytes_due(due - microseconds(1)), bytes);
        last = due;
      }
    }
  }
}
END_TEST

START_TEST(test_table) {
  const auto table = ByteSchedule::make_table(
      {{10, 50}, {10, 60}, {5, 70}, {20, 40}, {30, 45}, {30, 90}, {40, 100}});
  ck_assert(*table == (Points{{10, 50}, {20, 50}, {30, 50}, {40, 100}}));
  ck_assert(ByteSchedule::make_table({})->empty());
}
END_TEST

START_TEST(test_empty_table) {
  const ByteSchedule it(ByteSchedule::make_table({}), 10, 5, milliseconds(0));
  ck_assert_uint_eq(it.bytes_due(microseconds(0)), kAll);
  ck_assert(it.due(1000) == microseconds(0));
  ck_assert(it.due(kAll) == microseconds(0));
}
END_TEST

// Bytes at the same time, and negative times.
START_TEST(test_step) {
  const ByteSchedule it(ByteSchedule::make_table({{0, -1000}, {10, -500}, {20, -500}, {30, 0}}), 0,
                        0, milliseconds(0), 0);
  ck_assert_uint_eq(it.bytes_due(milliseconds(250)), 5);
  ck_assert_uint_eq(it.bytes_due(milliseconds(499)), 9);
  ck_assert_uint_eq(it.bytes_due(milliseconds(500)), 20);
  ck_assert_uint_eq(it.bytes_due(milliseconds(750)), 25);
  ck_assert(it.due(11) == milliseconds(500));
}
END_TEST

// A file of 100 TB and 10 years.
START_TEST(test_large) {
  constexpr std::uint64_t kSize = 100'000'000'000'000;
  constexpr std::int64_t kTime = 10LL * 365 * 24 * 60 * 60 * 1000;
  const ByteSchedule it(ByteSchedule::make_table({{0, 0}, {kSize, kTime}}), 0, 0, milliseconds(0),
                        0);
  ck_assert_uint_eq(it.bytes_due(milliseconds(kTime / 2)), kSize / 2);
  ck_assert_uint_eq(it.bytes_due(milliseconds(kTime)), kAll);
  ck_assert(it.due(kSize / 4) == milliseconds(kTime / 4));
  ck_assert(it.due(kAll) == milliseconds(kTime));
}
END_TEST

} // namespace

int main() {
  return flvtest::run("byte_schedule", {{test_bytes_due, std::size(kDue)},
                                        {test_due},
                                        {test_table},
                                        {test_empty_table},
                                        {test_step},
                                        {test_large}});
}
