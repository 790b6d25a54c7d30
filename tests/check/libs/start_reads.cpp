// SPDX-License-Identifier: LGPL-2.1-or-later
// The number of reads of a start in a large file.
#include "flv/seek/indexed_file.h"
#include "flv/seek/seek_planner.h"

#include <algorithm>

#include "checkrun.h"
#include "sparse.h"

using namespace flv;
using flvtest::SparseFile;

namespace {

// An hour and 1.5 GB, with a keyframe every 2 s.
constexpr SparseFile::Layout kLong{.groups = 1900, .key_size = 200'000, .inter_size = 600'000};
constexpr std::size_t kMaxReads = 300;
constexpr std::size_t kMaxBytes = 1 << 20;
// Reads that a caller has to wait for one after the other.
constexpr std::size_t kMaxUnannounced = 16;

bool is_in(const ReadRequest &wanted, const std::vector<ReadRequest> &likely) {
  return std::ranges::any_of(likely, [&](const ReadRequest &one) {
    return wanted.offset >= one.offset && wanted.offset + wanted.size <= one.offset + one.size;
  });
}

struct Reading {
  std::size_t count = 0;
  std::size_t bytes = 0;
  std::size_t unannounced = 0;
  std::vector<ReadRequest> likely;
};

template <typename Part> Reading drive(Part &part, const SparseFile &file) {
  Reading reading;
  while (const auto wanted = part.next_request()) {
    const auto likely = part.take_likely_requests();
    ck_assert(part.take_likely_requests().empty());
    reading.likely.insert(reading.likely.end(), likely.begin(), likely.end());
    const auto bytes = file.read(*wanted);
    ++reading.count;
    reading.bytes += bytes.size();
    reading.unannounced += is_in(*wanted, reading.likely) ? 0 : 1;
    part.supply(bytes);
  }
  return reading;
}

StartSettings settings_for(const StartRequest &request, IndexSource index) {
  StartSettings settings;
  settings.request = request;
  settings.index = index;
  return settings;
}

void check_reading(const Reading &reading, const StreamStart &start) {
  ck_assert_uint_le(reading.count, kMaxReads);
  ck_assert_uint_le(reading.bytes, kMaxBytes);
  ck_assert_uint_le(reading.unannounced, kMaxUnannounced);
  ck_assert(is_in({start.position, 4096}, reading.likely));
}

START_TEST(test_start) {
  const SparseFile file = SparseFile::indexed(kLong);
  ck_assert_uint_gt(file.size(), 1'500'000'000U);
  for (const IndexSource source : {IndexSource::Metadata, IndexSource::Auto}) {
    for (const std::uint64_t group : {1U, 10U, 950U, 1890U, 1899U}) {
      SeekPlanner planner(Access::Anywhere, file.size());
      planner.look_for(settings_for(
          {StartRequest::Measure::Offset, file.key_frame(group) - 1000, Snap::Next}, source));
      const Reading first = drive(planner, file);
      ck_assert_msg(planner.error().kind == StartError::Kind::None, "%s",
                    planner.error().text.c_str());
      ck_assert_uint_eq(planner.start().position, file.key_frame(group));
      check_reading(first, planner.start());
      // A second start does not read the beginning again.
      planner.look_for(
          settings_for({StartRequest::Measure::Time, group * 2000 + 500, Snap::Previous}, source));
      const Reading second = drive(planner, file);
      ck_assert_uint_eq(planner.start().position, file.key_frame(group));
      ck_assert_uint_eq(planner.start().time, group * 2000);
      check_reading(second, planner.start());
      ck_assert_uint_lt(second.bytes, first.bytes);
    }
  }
}
END_TEST

// Each read costs much if the file is remote or can only be read in order.
START_TEST(test_nothing_is_likely) {
  const SparseFile file = SparseFile::indexed({.groups = 20});
  for (const Access access : {Access::Seekable, Access::Forward}) {
    SeekPlanner planner(access, file.size());
    planner.look_for(settings_for({StartRequest::Measure::Offset, file.key_frame(10), Snap::Next},
                                  IndexSource::Metadata));
    const Reading reading = drive(planner, file);
    ck_assert_uint_eq(planner.start().position, file.key_frame(10));
    ck_assert(reading.likely.empty());
  }
}
END_TEST

// The requests of a start that was given up are not returned.
START_TEST(test_other_start) {
  const SparseFile file = SparseFile::indexed({.groups = 1000});
  SeekPlanner planner(Access::Anywhere, file.size());
  const auto settings = settings_for(
      {StartRequest::Measure::Offset, file.key_frame(500), Snap::Next}, IndexSource::Metadata);
  planner.look_for(settings);
  (void)drive(planner, file);
  planner.look_for(settings);
  planner.supply(file.read(*planner.next_request()));
  planner.look_for({});
  ck_assert(planner.take_likely_requests().empty());
}
END_TEST

// A file whose own index is usable needs no scan.
START_TEST(test_indexed_file) {
  const SparseFile file = SparseFile::indexed(kLong, {{"duration", {3800.0}}});
  IndexedFile indexed(file.size());
  const Reading reading = drive(indexed, file);
  ck_assert_uint_le(reading.count, 50);
  ck_assert_uint_le(reading.unannounced, kMaxUnannounced);
  ck_assert_msg(indexed.reason().empty(), "%s", indexed.reason().c_str());
  ck_assert(!indexed.virtual_file());
  ck_assert_uint_eq(indexed.index().positions.size(), kLong.groups);
  ck_assert_uint_eq(indexed.size(), file.size());
  const auto points = indexed.byte_points();
  ck_assert_uint_eq(points.size(), kLong.groups + 2);
  ck_assert(points[0] == (BytePoint{0, 0}));
  ck_assert(points[100] == (BytePoint{file.key_frame(99), 198'000}));
  ck_assert(points.back() == (BytePoint{file.size(), 3'800'000}));
}
END_TEST

// An index that covers only a part of the file is not used.
START_TEST(test_partial_index) {
  const SparseFile whole = SparseFile::indexed({.groups = 100});
  const std::uint64_t beginning = whole.key_frame(0);
  const flvtest::Buffer bytes = whole.read({0, static_cast<std::size_t>(beginning), true});
  const SparseFile file(bytes, {.groups = 200});
  IndexedFile indexed(file.size());
  (void)drive(indexed, file);
  ck_assert(indexed.virtual_file());
  ck_assert_msg(indexed.reason().find("a part of the file") != std::string::npos, "%s",
                indexed.reason().c_str());
  ck_assert_uint_eq(indexed.index().positions.size(), 201); // and the configuration
}
END_TEST

// Over 4 GB, without an index.
START_TEST(test_over_4_gb) {
  constexpr std::uint64_t kGroups = 300;
  flvtest::Stream beginning;
  beginning.header().metadata({{"encoder", {std::string("x")}}}).configs();
  const SparseFile file(beginning.bytes,
                        {.groups = kGroups, .key_size = 8'000'000, .inter_size = 8'000'000});
  ck_assert_uint_gt(file.size(), std::uint64_t{1} << 32);
  IndexedFile indexed(file.size());
  (void)drive(indexed, file);
  ck_assert(indexed.virtual_file());
  const VirtualFile &made = *indexed.virtual_file();
  ck_assert_uint_eq(made.body_offset, beginning.tags[1].begin);
  ck_assert_uint_eq(made.size(), made.head.size() + file.size() - made.body_offset);
  ck_assert_uint_eq(made.index.positions.size(), kGroups + 1);
  ck_assert_uint_eq(made.index.positions[0], made.head.size());
  for (std::uint64_t group = 0; group < kGroups; ++group) {
    const std::uint64_t position = made.index.positions[group + 1];
    ck_assert(made.to_stored(position) == file.key_frame(group));
    ck_assert(made.from_stored(file.key_frame(group)) == position);
    ck_assert_double_eq_tol(made.index.times[group + 1], 2.0 * static_cast<double>(group), 1e-9);
  }
  // The head lists the same numbers.
  FileProbe probe;
  (void)flvtest::drive(probe, made.head);
  KeyframeIndex listed;
  ck_assert_enum_eq(read_keyframe_index(probe.facts().metadata, made.size(), listed).kind,
                    IndexFault::Kind::None);
  ck_assert(listed.positions == made.index.positions && listed.times == made.index.times);
  ck_assert(summarize(probe.facts().metadata).file_size == static_cast<double>(made.size()));
}
END_TEST

} // namespace

int main() {
  return flvtest::run("startreads", {{test_start},
                                     {test_nothing_is_likely},
                                     {test_other_start},
                                     {test_indexed_file},
                                     {test_partial_index},
                                     {test_over_4_gb}});
}
