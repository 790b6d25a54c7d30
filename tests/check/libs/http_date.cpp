// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdint>
#include <string>

#include "checkrun.h"
#include "http/date.h"

using namespace http;

namespace {

constexpr std::int64_t kNow = 1'700'000'000; // November 2023

const struct {
  const char *text;
  std::int64_t seconds;
} kDates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Wed Nov 16 08:49:37 1994", 784975777},
    {"  Sun, 06 Nov 1994 08:49:37 GMT ", 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
    {"Thu, 29 Feb 2024 12:00:00 GMT", 1709208000},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800}, // a leap second
    {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
    {"Tuesday, 19-Jan-38 03:14:08 GMT", 2147483648},
    {"Friday, 01-Jan-73 00:00:00 GMT", 3250454400}, // 50 years later
    {"Tuesday, 01-Jan-74 00:00:00 GMT", 126230400}, // more than 50 years later: 1974
    {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777},   // it was a Sunday
};

START_TEST(test_date) {
  const auto &row = ROW(kDates);
  const auto seconds = parse_date(row.text, kNow);
  ck_assert_msg(seconds == row.seconds, "%s: %jd", row.text, std::intmax_t{seconds.value_or(-999)});
  ck_assert(parse_date(format_date(row.seconds), kNow) == row.seconds);
}
END_TEST

const char *const kInvalid[] = {
    "",
    "yesterday",
    "784111777",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 06 Nov 1994 08:49:37 GMT x",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    "Son, 06 Nov 1994 08:49:37 GMT",
    "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 29 Feb 2023 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 -8:49:37 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov  16 08:49:37 1994",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun,",
    "Sun",
    "Sun, ",
};

START_TEST(test_invalid) {
  ck_assert_msg(!parse_date(ROW(kInvalid), kNow), "%s", ROW(kInvalid));
}
END_TEST

START_TEST(test_format) {
  ck_assert(format_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  ck_assert(format_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  ck_assert(format_date(INT64_MAX) == "Fri, 31 Dec 9999 23:59:59 GMT");
  ck_assert(format_date(INT64_MIN) == "Mon, 01 Jan 0001 00:00:00 GMT");
}
END_TEST

// Every day of 400 years.
START_TEST(test_all_days) {
  constexpr std::int64_t kDay = 24 * 60 * 60;
  for (std::int64_t time = 12345; time < 400 * 366 * kDay; time += kDay)
    ck_assert(parse_date(format_date(time), kNow) == time);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("http_date", {{test_date, std::size(kDates)},
                                    {test_invalid, std::size(kInvalid)},
                                    {test_format},
                                    {test_all_days}});
}
