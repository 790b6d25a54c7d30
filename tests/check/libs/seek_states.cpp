// SPDX-License-Identifier: LGPL-2.1-or-later
// The state changes of the classes that find a start: the allowed ones, and the abort on all
// others.
#include <csignal>
#include <string_view>

#include "flv/seek/indexed_file.h"

#include "media.h"
#include "starting.h"
#include "transitions.h"

using namespace flvtest::starting;
using flvtest::allows;
using flvtest::change;
using states::change_state;
using states::name_of;
using Planner = SeekPlanner;

namespace {

// --- The tables ---

// Idle, Probing, FindingBase, Scanning, Searching, SearchingForward, Configurations, Verifying,
// FindingStop, Done, Failed.
static_assert(allows<Planner, Planner::Idle>(".x.xxx...xx"));
static_assert(allows<Planner, Planner::Probing>("x.xx.....xx"));
static_assert(allows<Planner, Planner::FindingBase>("...xxx...xx"));
static_assert(allows<Planner, Planner::Scanning>("x...xx...xx"));
static_assert(allows<Planner, Planner::Searching>("x..x..xxxxx"));
static_assert(allows<Planner, Planner::SearchingForward>("x..x.....xx"));
static_assert(allows<Planner, Planner::Configurations>("x......xxx."));
static_assert(allows<Planner, Planner::Verifying>("x.......xx."));
static_assert(allows<Planner, Planner::FindingStop>("x........x."));
static_assert(allows<Planner, Planner::Done>("x.........."));
static_assert(allows<Planner, Planner::Failed>("x.........."));

// Signature, OtherFormat, Header, TagStart, WholeTag, Done.
static_assert(allows<FileProbe, FileProbe::Signature>(".xx..x"));
static_assert(allows<FileProbe, FileProbe::OtherFormat>(".....x"));
static_assert(allows<FileProbe, FileProbe::Header>("...x.x"));
static_assert(allows<FileProbe, FileProbe::TagStart>("....xx"));
static_assert(allows<FileProbe, FileProbe::WholeTag>("...x.x"));
static_assert(allows<FileProbe, FileProbe::Done>("......"));

// TagStart, WholeTag, Resynchronizing, Over.
static_assert(allows<IndexScan, IndexScan::TagStart>(".xxx"));
static_assert(allows<IndexScan, IndexScan::WholeTag>("x.xx"));
static_assert(allows<IndexScan, IndexScan::Resynchronizing>("x.xx"));
static_assert(allows<IndexScan, IndexScan::Over>("...."));

// Probing, FindingBase, Sampling, Scanning, ReadingBetween, Done.
static_assert(allows<IndexedFile, IndexedFile::Probing>(".x.x.x"));
static_assert(allows<IndexedFile, IndexedFile::FindingBase>("..x..."));
static_assert(allows<IndexedFile, IndexedFile::Sampling>("...x.x"));
static_assert(allows<IndexedFile, IndexedFile::Scanning>("....xx"));
static_assert(allows<IndexedFile, IndexedFile::ReadingBetween>(".....x"));
static_assert(allows<IndexedFile, IndexedFile::Done>("......"));

// --- The check at run time ---

START_TEST(test_allowed) {
  Planner::State state;
  ck_assert_str_eq(name_of(state), "Idle");
  change_state<Planner::Transitions>("test", state, {Planner::Probing{}});
  ck_assert_str_eq(name_of(state), "Probing");
  change_state<Planner::Transitions>("test", state, {Planner::Failed{}});
  ck_assert_str_eq(name_of(state), "Failed");
  change_state<Planner::Transitions>("test", state, {Planner::Idle{}});
  ck_assert_str_eq(name_of(state), "Idle");
}
END_TEST

START_TEST(test_probe_begins_twice) {
  change<Planner>(Planner::Probing{}, Planner::Probing{});
}
END_TEST

START_TEST(test_error_follows_a_start) {
  change<Planner>(Planner::Done{}, Planner::Failed{});
}
END_TEST

START_TEST(test_start_follows_an_error) {
  change<Planner>(Planner::Failed{}, Planner::Done{});
}
END_TEST

START_TEST(test_probe_of_another_format_goes_on) {
  change<FileProbe>(FileProbe::OtherFormat{}, FileProbe::Header{});
}
END_TEST

// The scan has ended, and receives bytes.
START_TEST(test_scan_goes_on_after_its_end) {
  IndexScan scan(Splitter::Start::File, 0, 0);
  scan.supply({});
  ck_assert(!scan.next_request());
  scan.supply({});
}
END_TEST

// --- The results of the states ---

Stream two_seconds() {
  return flvtest::indexed(
      [](Stream &file) { flvtest::append_media(file, {.duration = 2000, .gop = 25}); });
}

// A result belongs to one state.
START_TEST(test_results) {
  const Stream file = two_seconds();
  SeekPlanner planner(Access::Anywhere, file.bytes.size());
  const auto has_none = [&planner] {
    const StreamStart start = planner.start();
    return planner.error().kind == Kind::None && !start.place && start.head.empty() &&
           planner.rejected().empty();
  };
  ck_assert(has_none() && !planner.next_request());
  const StartSettings there = at(100);
  ck_assert(look(planner, file.bytes, there).start.place);
  planner.look_for(there);
  ck_assert(has_none() && planner.next_request());
  ck_assert(look(planner, file.bytes, at(UINT64_MAX)).error.kind == Kind::Place);
  ck_assert(!planner.start().place);
  ck_assert(look(planner, file.bytes, there).start.place);
  ck_assert(planner.error().kind == Kind::None);
}
END_TEST

// A search can be replaced by another one after each of its reads.
START_TEST(test_replaced_in_each_state) {
  const Stream file = two_seconds();
  const auto access = kAll[_i % 3];
  StartSettings settings = at_time(1000, Snap::Previous, _i < 3 ? kAuto : kScan);
  settings.stop = file.bytes.size() - 1;
  const Result expected = look(access, file.bytes, settings);
  ck_assert(expected.start.place);
  for (std::size_t reads = 0; reads < expected.reads.count; ++reads) {
    SeekPlanner planner(access, file.bytes.size());
    planner.look_for(settings);
    for (std::size_t read = 0; read < reads; ++read)
      planner.supply(flvtest::piece(file.bytes, *planner.next_request()));
    const Result result = look(planner, file.bytes, settings);
    ck_assert_msg(result.error.kind == Kind::None, "after %zu reads: %s", reads,
                  result.error.text.c_str());
    ck_assert(result.start.head == expected.start.head);
    ck_assert_uint_eq(result.start.position, expected.start.position);
  }
}
END_TEST

// The file is truncated inside onMetaData, and has no keyframe. A start of the whole file reads the
// file header again, and does not change the error.
START_TEST(test_error_does_not_depend_on_other_starts) {
  Buffer file = two_seconds().bytes;
  file.resize(100);
  SeekPlanner planner(Access::Anywhere, file.size());
  const StartSettings there = at(50, Snap::Next, kAuto);
  const Result first = look(planner, file, there);
  ck_assert(first.error.kind == Kind::Unreadable);
  ck_assert(look(planner, file, {}).error.kind == Kind::None);
  ck_assert(look(planner, file, there).error.text == first.error.text);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("seek_states", {{test_allowed},
                                      {test_probe_begins_twice, 1, SIGABRT},
                                      {test_error_follows_a_start, 1, SIGABRT},
                                      {test_start_follows_an_error, 1, SIGABRT},
                                      {test_probe_of_another_format_goes_on, 1, SIGABRT},
                                      {test_scan_goes_on_after_its_end, 1, SIGABRT},
                                      {test_results},
                                      {test_replaced_in_each_state, 6},
                                      {test_error_does_not_depend_on_other_starts}});
}
