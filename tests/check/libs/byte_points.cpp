// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/seek/byte_points.h"

#include "checkrun.h"

using namespace flv;
using Points = std::vector<BytePoint>;

namespace {

void check(const KeyframeIndex &index, std::uint64_t size, std::optional<double> duration,
           const Points &expected) {
  ck_assert(byte_points(index, size, duration) == expected);
}

START_TEST(test_points) {
  const KeyframeIndex index{{1000, 3000, 6000}, {0, 2, 4.5}};
  check(index, 8000, 6.0, {{0, 0}, {1000, 0}, {3000, 2000}, {6000, 4500}, {8000, 6000}});
  // 4.5 s for the first 6000 bytes.
  check(index, 8000, std::nullopt, {{0, 0}, {1000, 0}, {3000, 2000}, {6000, 4500}, {8000, 6000}});
  // A duration that does not fit.
  for (const double wrong : {4.0, 1000.0, 1e300})
    check(index, 8000, wrong, {{0, 0}, {1000, 0}, {3000, 2000}, {6000, 4500}, {8000, 6000}});
}
END_TEST

START_TEST(test_few_entries) {
  check({}, 8000, 6.0, {});
  check({{13}, {0}}, 8000, 6.0, {{0, 0}, {13, 0}, {8000, 6000}});
  check({{13}, {0}}, 8000, std::nullopt, {});
  check({{13}, {0}}, 8000, 0.0, {});
  check({{0, 4000}, {0, 1}}, 8000, std::nullopt, {{0, 0}, {4000, 1000}, {8000, 2000}});
}
END_TEST

START_TEST(test_unusual_entries) {
  // Entries at or after the end, and of a file whose first keyframe is not at time 0.
  check({{500, 1000, 2000}, {0.5, 1, 2}}, 1000, 1.0, {{0, 0}, {500, 500}, {1000, 1000}});
  // The same time twice.
  check({{500, 600}, {1, 1}}, 1000, 2.0, {{0, 0}, {500, 1000}, {600, 1000}, {1000, 2000}});
  // Times over the limit.
  const auto points = byte_points({{500, 600}, {1e200, 1e300}}, 1000, std::nullopt);
  ck_assert_uint_eq(points.size(), 4);
  ck_assert(points[2].time == points[1].time && points[3].time >= points[2].time);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("bytepoints", {{test_points}, {test_few_entries}, {test_unusual_entries}});
}
