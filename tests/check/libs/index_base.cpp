// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/seek/index_base.h"

#include <iterator>

#include "checkrun.h"
#include "drive.h"

using namespace flv;
using flvtest::Entries;
using flvtest::Stream;

namespace {

constexpr std::uint32_t kHour = 3'600'000;

FileFacts open(Bytes file) {
  FileProbe opening;
  (void)flvtest::drive(opening, file);
  return opening.take();
}

struct Found {
  double base = 0;
  flvtest::Reads reads;
};

Found find(Bytes file, const Entries &entries, bool may_read = true) {
  KeyframeIndex index;
  for (const auto &[position, time] : entries) {
    index.positions.push_back(position);
    index.times.push_back(time);
  }
  const FileFacts facts = open(file);
  IndexBase base(index, facts, may_read);
  Found found;
  found.reads = flvtest::drive(base, file);
  found.base = base.base();
  return found;
}

Entries moved(Entries entries, double seconds) {
  for (auto &[position, time] : entries)
    time = std::max(0.0, time + seconds);
  return entries;
}

// Configurations at `configured`, then ten groups of pictures from `first` on.
Stream file(std::uint32_t first, std::uint32_t configured) {
  Stream stream;
  stream.header().metadata().configs(configured);
  flvtest::append_media(stream, {.duration = 10'000, .start = first, .gop = 25});
  return stream;
}

// --- The conventions ---

const struct {
  const char *what;
  std::uint32_t first; // timestamp
  std::uint32_t configured;
  double listed; // s: added by the producer to the time since the first tag
  double base;
} kConventions[] = {
    {"from 0", 0, 0, 0, 0},
    {"from 0, off by a frame", 0, 0, 0.08, 0},
    {"tags' timestamps", kHour, kHour, 3600, 3600},
    {"tags' timestamps, off by a frame", kHour, kHour, 3600.08, 3600},
    {"since the first tag", kHour, kHour, 0, 0},
    {"since the first tag, off by a frame", kHour, kHour, 0.08, 0},
    {"tags' timestamps, configurations at 0", kHour, 0, 3600, 3600},
    {"since the first tag, configurations at 0", kHour, 0, 0, 0},
    {"tags' timestamps, from 20 s", 20'000, 20'000, 20, 20},
    {"since the first tag, from 20 s", 20'000, 20'000, 0, 0},
    {"close to the wrap", 0xFFFFFFFF - 9000, 0, 4294958.295, 4294958.295},
};

START_TEST(test_conventions) {
  const auto &row = ROW(kConventions);
  const Stream stream = file(row.first, row.configured);
  Entries entries;
  for (const auto &[position, time] : flvtest::key_frames_of(stream))
    entries.emplace_back(position, time - row.first / 1000.0 + row.listed);
  for (const bool may_read : {true, false}) {
    const Found found = find(stream.bytes, entries, may_read);
    ck_assert_msg(std::abs(found.base - row.base) < 1e-6, "%s: %f", row.what, found.base);
    ck_assert_uint_eq(found.reads.count, 0); // the first keyframe is in the opening
  }
  // An index that starts later, with a configuration or with audio.
  Entries late(entries.begin() + 5, entries.end());
  const Found found = find(stream.bytes, late);
  ck_assert_msg(std::abs(found.base - row.base) < 1e-6, "%s: %f", row.what, found.base);
  ck_assert_uint_eq(found.reads.count, row.first == 0 ? 0 : 1);
  Entries configured;
  configured.emplace_back(stream.tags[1].begin, row.configured / 1000.0);
  for (const auto &entry : entries)
    configured.push_back(entry);
  ck_assert(std::abs(find(stream.bytes, configured).base - row.base) < 1e-6);
}
END_TEST

// The first tag is at -33 ms.
START_TEST(test_negative) {
  const Stream stream = file(0xFFFFFFDF, 0);
  Entries since_first;
  Entries timestamps;
  for (const auto &[position, time] : flvtest::key_frames_of(stream)) {
    const double second = static_cast<double>(since_first.size());
    since_first.emplace_back(position, second);
    timestamps.emplace_back(position, std::max(0.0, second - 0.033));
  }
  ck_assert(find(stream.bytes, since_first).base == 0);
  timestamps.erase(timestamps.begin());
  ck_assert(std::abs(find(stream.bytes, timestamps).base + 0.033) < 1e-9);
}
END_TEST

// Entries that are not tags are skipped, up to a limit.
START_TEST(test_bound) {
  const Stream stream = file(kHour, kHour);
  Entries entries;
  for (std::uint64_t i = 0; i < 1000; ++i)
    entries.emplace_back(stream.tags[40].begin + 1 + i, 3600.0 + static_cast<double>(i));
  const Found found = find(stream.bytes, entries);
  ck_assert_uint_eq(found.reads.count, 8);
  ck_assert(found.base == 3600);
  ck_assert(find(stream.bytes, moved(entries, -3600)).base == 0);
}
END_TEST

START_TEST(test_rebase) {
  KeyframeIndex index{{100, 200, 300}, {3600, 3601.04, 3602.08}};
  rebase(index, 3600.04);
  ck_assert(index.times == (std::vector<double>{0, 1, 2.04}));
  rebase(index, -3600);
  ck_assert(index.times == (std::vector<double>{3600, 3601, 3602.04}));
}
END_TEST

} // namespace

int main() {
  return flvtest::run(
      "indexbase",
      {{test_conventions, std::size(kConventions)}, {test_negative}, {test_bound}, {test_rebase}});
}
