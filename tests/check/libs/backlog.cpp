// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fanout/backlog.h"

#include "checkrun.h"
#include "flvbuild.h"

using namespace fanout;
using flvtest::Buffer;

namespace {

using Number = Backlog::Number;

const JoinHeaderPtr kHeader = std::make_shared<const JoinHeader>();

Entry entry_of(std::int64_t time, std::size_t size, bool can_join = false) {
  const auto bytes = std::make_shared<const Buffer>(flvtest::payload(size));
  Entry entry;
  entry.owner = bytes;
  entry.bytes = *bytes;
  entry.time = time;
  if (can_join)
    entry.join_header = kHeader;
  return entry;
}

// Ten entries of 40 ms. Entry n has n + 1 bytes. Entries 2, 5 and 8 are keyframes.
Backlog ten() {
  Backlog backlog;
  for (std::size_t i = 0; i < 10; ++i)
    backlog.append(entry_of(static_cast<std::int64_t>(40 * i), i + 1, i % 3 == 2));
  return backlog;
}

START_TEST(test_empty) {
  Backlog backlog;
  ck_assert_uint_eq(backlog.begin(), 0);
  ck_assert_uint_eq(backlog.end(), 0);
  ck_assert_int_eq(backlog.newest_time(), 0);
  ck_assert(!backlog.last_join() && !backlog.join_from(0) && !backlog.join_ahead(0));
  ck_assert_int_eq(backlog.lag(0), 0);
  ck_assert_uint_eq(backlog.bytes_from(0), 0);
  backlog.trim(5);
  ck_assert_uint_eq(backlog.begin(), 0);
}
END_TEST

START_TEST(test_numbers) {
  Backlog backlog = ten();
  ck_assert_uint_eq(backlog.begin(), 0);
  ck_assert_uint_eq(backlog.end(), 10);
  for (const auto &[number, begin] : {std::pair<Number, Number>(0, 0), {4, 4}, {3, 4}, {9, 9}}) {
    backlog.trim(number);
    ck_assert_uint_eq(backlog.begin(), begin);
    ck_assert_uint_eq(backlog.end(), 10);
    for (Number i = begin; i < 10; ++i)
      ck_assert_uint_eq(backlog.at(i).bytes.size(), i + 1);
  }
  // A later append is not affected by a trim past the end.
  backlog.trim(100);
  ck_assert_uint_eq(backlog.begin(), 10);
  ck_assert_uint_eq(backlog.end(), 10);
  backlog.append(entry_of(400, 77));
  ck_assert_uint_eq(backlog.at(10).bytes.size(), 77);
}
END_TEST

// An evicted entry releases its bytes.
START_TEST(test_owner) {
  Backlog backlog;
  Entry first = entry_of(0, 10);
  const std::weak_ptr<const void> owner = first.owner;
  backlog.append(std::exchange(first, {}));
  backlog.append(entry_of(40, 10));
  ck_assert(!owner.expired());
  backlog.trim(1);
  ck_assert(owner.expired());
}
END_TEST

START_TEST(test_lag) {
  Backlog backlog = ten();
  ck_assert_int_eq(backlog.newest_time(), 360);
  for (const Number trimmed : {0U, 3U, 9U}) {
    backlog.trim(trimmed);
    for (Number i = trimmed; i < 10; ++i) {
      ck_assert_int_eq(backlog.lag(i), static_cast<std::int64_t>(360 - 40 * i));
      ck_assert_uint_eq(backlog.bytes_from(i), 55 - i * (i + 1) / 2);
    }
    ck_assert_int_eq(backlog.lag(10), 0);
    ck_assert_uint_eq(backlog.bytes_from(10), 0);
  }
  // The newest time is the highest one, not the last one.
  backlog.append(entry_of(350, 1));
  ck_assert_int_eq(backlog.newest_time(), 360);
  ck_assert_int_eq(backlog.lag(9), 0);
  ck_assert_int_eq(backlog.lag(10), 10);
  backlog.append(entry_of(300, 1));
  backlog.append(entry_of(500, 1));
  ck_assert_int_eq(backlog.lag(11), 200);
  backlog.trim(13);
  ck_assert_int_eq(backlog.newest_time(), 500);
}
END_TEST

// An evicted entry has the lag of the first entry.
START_TEST(test_lag_of_evicted_entries) {
  Backlog backlog = ten();
  backlog.trim(7);
  for (const Number number : {0U, 3U, 6U, 7U}) {
    ck_assert_int_eq(backlog.lag(number), 80);
    ck_assert_uint_eq(backlog.bytes_from(number), 8 + 9 + 10);
  }
  backlog.trim(10);
  ck_assert_int_eq(backlog.lag(3), 0);
  ck_assert_uint_eq(backlog.bytes_from(3), 0);
}
END_TEST

// The first time may have any value.
START_TEST(test_start) {
  for (const std::int64_t start : {-5000, 0, 3'600'000}) {
    Backlog backlog;
    backlog.append(entry_of(start, 1));
    ck_assert_int_eq(backlog.newest_time(), start);
    backlog.append(entry_of(start - 20, 1));
    ck_assert_int_eq(backlog.newest_time(), start);
    ck_assert_int_eq(backlog.lag(1), 20);
    Backlog empty;
    empty.append(entry_of(start, 0));
    empty.append(entry_of(start - 20, 1));
    ck_assert_int_eq(empty.newest_time(), start);
  }
}
END_TEST

START_TEST(test_joins) {
  Backlog backlog = ten();
  ck_assert_uint_eq(*backlog.last_join(), 8);
  const Number from[] = {2, 2, 2, 5, 5, 5, 8, 8, 8};
  for (Number i = 0; i < 9; ++i)
    ck_assert_uint_eq(*backlog.join_from(i), from[i]);
  ck_assert(!backlog.join_from(9) && !backlog.join_from(100));
  backlog.trim(5);
  ck_assert_uint_eq(*backlog.join_from(0), 5);
  backlog.trim(6);
  ck_assert_uint_eq(*backlog.join_from(0), 8);
  ck_assert_uint_eq(*backlog.last_join(), 8);
  backlog.trim(9);
  ck_assert(!backlog.last_join() && !backlog.join_from(0) && !backlog.join_ahead(0));
  backlog.append(entry_of(400, 1, true));
  ck_assert_uint_eq(*backlog.last_join(), 10);
}
END_TEST

// The keyframes are at 80, 200 and 320 ms. The newest time is 360 ms.
const struct {
  std::int64_t ms;
  Number join;
  Number trimmed;
} kAhead[] = {
    {0, 8, 0},   {40, 8, 0},  {41, 5, 0},      {160, 5, 0}, {161, 2, 0},
    {280, 2, 0}, {281, 2, 0}, {1 << 30, 2, 0}, {280, 5, 3}, {280, 8, 6},
};

START_TEST(test_join_ahead) {
  const auto &row = ROW(kAhead);
  Backlog backlog = ten();
  backlog.trim(row.trimmed);
  ck_assert_uint_eq(*backlog.join_ahead(row.ms), row.join);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("backlog", {{test_empty},
                                  {test_numbers},
                                  {test_owner},
                                  {test_lag},
                                  {test_lag_of_evicted_entries},
                                  {test_start},
                                  {test_joins},
                                  {test_join_ahead, std::size(kAhead)}});
}
