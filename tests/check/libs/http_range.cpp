// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdint>
#include <limits>

#include "checkrun.h"
#include "http/range.h"

using namespace http;

namespace {

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
constexpr Range kNone{Range::Kind::None, 0, 0};
constexpr Range kWhole{Range::Kind::Whole, 0, 0};
constexpr Range kUnsatisfiable{Range::Kind::Unsatisfiable, 0, 0};

constexpr Range part(std::uint64_t first, std::uint64_t last) {
  return {Range::Kind::Part, first, last};
}

const struct {
  const char *text;
  std::uint64_t size;
  Range range;
} kRanges[] = {
    {"", 100, kNone},
    {" ", 100, kNone},
    {"bytes=0-", 100, part(0, 99)},
    {"bytes=0-0", 100, part(0, 0)},
    {"bytes=99-", 100, part(99, 99)},
    {"bytes=10-19", 100, part(10, 19)},
    {"bytes=10-100", 100, part(10, 99)},
    {"bytes=-1", 100, part(99, 99)},
    {"bytes=-100", 100, part(0, 99)},
    {"bytes=-101", 100, part(0, 99)},
    {"Bytes=1-2", 100, part(1, 2)},
    {" bytes = 1-2 ", 100, part(1, 2)},
    {"bytes=,1-2,", 100, part(1, 2)},
    {"bytes=007-0008", 100, part(7, 8)},
    {"bytes=0-18446744073709551615", 100, part(0, 99)},
    {"bytes=0-99999999999999999999999999", 100, part(0, 99)},
    {"bytes=4294967296-", kHuge, part(4294967296, kHuge - 1)},
    {"bytes=100-", 100, kUnsatisfiable},
    {"bytes=100-200", 100, kUnsatisfiable},
    {"bytes=99999999999999999999999999-", 100, kUnsatisfiable},
    {"bytes=18446744073709551615-", kHuge, kUnsatisfiable},
    {"bytes=-0", 100, kUnsatisfiable},
    {"bytes=0-", 0, kUnsatisfiable},
    {"bytes=-5", 0, kWhole},
    {"bytes=0-1,5-6", 100, kWhole},
    {"bytes=0-1, 200-", 100, kWhole},
    {"bytes=", 100, kWhole},
    {"bytes=,", 100, kWhole},
    {"bytes", 100, kWhole},
    {"bytes=-", 100, kWhole},
    {"bytes=5", 100, kWhole},
    {"bytes=6-5", 100, kWhole},
    {"bytes=1-2-3", 100, kWhole},
    {"bytes=--3", 100, kWhole},
    {"bytes=+1-2", 100, kWhole},
    {"bytes=0x1-2", 100, kWhole},
    {"bytes=1 -2", 100, kWhole},
    {"bytes=a-b", 100, kWhole},
    {"bytes=1-b", 100, kWhole},
    {"items=0-1", 100, kWhole},
    {"0-1", 100, kWhole},
};

START_TEST(test_range) {
  const auto &row = ROW(kRanges);
  const Range range = parse_range(row.text, row.size);
  ck_assert_msg(range == row.range, "%s of %ju: %d %ju-%ju", row.text, std::uintmax_t{row.size},
                static_cast<int>(range.kind), std::uintmax_t{range.first},
                std::uintmax_t{range.last});
}
END_TEST

START_TEST(test_content_range) {
  ck_assert(content_range(part(5, 9), 100) == "bytes 5-9/100");
  ck_assert_uint_eq(part(5, 9).size(), 5);
  ck_assert(unsatisfied_content_range(100) == "bytes */100");
}
END_TEST

} // namespace

int main() {
  return flvtest::run("http_range", {{test_range, std::size(kRanges)}, {test_content_range}});
}
