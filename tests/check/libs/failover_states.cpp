// SPDX-License-Identifier: LGPL-2.1-or-later
// The state changes of failoversrc's classes, and the decisions that need no element.
#include <csignal>

#include "checkrun.h"
#include "failover/container.h"
#include "failover/engine.h"
#include "failover/file_pace.h"
#include "failover/source_reader.h"
#include "failover/supervisor.h"
#include "failover/uri_list.h"
#include "transitions.h"

using namespace failover;
using flvtest::allows;
using flvtest::change;
using flvtest::change_by_table;

namespace {

// --- The tables ---

using SourceTable = Supervisor::SourceTransitions;
static_assert(allows<SourceTable, Supervisor::Source, Supervisor::Idle>(".x.."));
static_assert(allows<SourceTable, Supervisor::Source, Supervisor::Connecting>("x.xx"));
static_assert(allows<SourceTable, Supervisor::Source, Supervisor::Delivering>("x..x"));
static_assert(allows<SourceTable, Supervisor::Source, Supervisor::Waiting>("xx.."));

using SelectionTable = Supervisor::SelectionTransitions;
static_assert(allows<SelectionTable, Supervisor::Selection, Supervisor::Off>(".x."));
static_assert(allows<SelectionTable, Supervisor::Selection, Supervisor::Searching>("x.x"));
static_assert(allows<SelectionTable, Supervisor::Selection, Supervisor::Using>("xxx"));

using DemandTable = Supervisor::DemandTransitions;
static_assert(allows<DemandTable, Supervisor::Demand, Supervisor::Unwanted>(".x."));
static_assert(allows<DemandTable, Supervisor::Demand, Supervisor::Wanted>("..x"));
static_assert(allows<DemandTable, Supervisor::Demand, Supervisor::Lingering>("xx."));

static_assert(allows<SourceReader, SourceReader::Detecting>(".xx"));
static_assert(allows<SourceReader, SourceReader::Cutting>("..x"));
static_assert(allows<SourceReader, SourceReader::Failed>("..."));

using gstfailover::Engine;
using gstfailover::SourceRun;
static_assert(allows<Engine, Engine::Ready>(".xx"));
static_assert(allows<Engine, Engine::Running>("..x"));
static_assert(allows<Engine, Engine::Stopped>("..."));

static_assert(allows<SourceRun, SourceRun::Starting>(".xx."));
static_assert(allows<SourceRun, SourceRun::Running>("..x."));
static_assert(allows<SourceRun, SourceRun::Stopping>("...x"));
static_assert(allows<SourceRun, SourceRun::Ended>("...."));

START_TEST(test_delivers_before_it_connects) {
  change_by_table<SourceTable, Supervisor::Source>(Supervisor::Idle{},
                                                   Supervisor::Delivering{0, Health(0)});
}
END_TEST

START_TEST(test_uses_a_source_while_off) {
  change_by_table<SelectionTable, Supervisor::Selection>(Supervisor::Off{}, Supervisor::Using{0});
}
END_TEST

START_TEST(test_lingers_without_demand) {
  change_by_table<DemandTable, Supervisor::Demand>(Supervisor::Unwanted{},
                                                   Supervisor::Lingering{0});
}
END_TEST

START_TEST(test_engine_starts_twice) {
  change<Engine>(Engine::Stopped{}, Engine::Running{});
}
END_TEST

START_TEST(test_source_runs_after_its_end) {
  change<SourceRun>(SourceRun::Ended{}, SourceRun::Running{});
}
END_TEST

// --- Lists of URIs ---

START_TEST(test_uris) {
  const auto uris = split_uris(" http://a/x ;\n;rtmp://b/live/y\r\n\tfile:///z;");
  ck_assert_uint_eq(uris.size(), 3);
  ck_assert_str_eq(uris[0].c_str(), "http://a/x");
  ck_assert_str_eq(uris[1].c_str(), "rtmp://b/live/y");
  ck_assert_str_eq(uris[2].c_str(), "file:///z");
  ck_assert(split_uris("").empty());
  ck_assert(split_uris(" ; \n;;").empty());
}
END_TEST

START_TEST(test_secrets) {
  constexpr std::pair<const char *, const char *> kRows[] = {
      {"http://a/x.flv", "http://a/x.flv"},
      {"http://u:p@a/x", "http://u:***@a/x"},
      {"http://u@a/x", "http://u@a/x"},
      {"http://u:p@x:q@a/x", "http://u:***@a/x"},
      {"http://a:80/x@y", "http://a:80/x@y"},
      {"http://a/x?token=1", "http://a/x?***"},
      {"fd://0", "fd://0"},
      {"not a uri", "not a uri"},
  };
  for (const auto &[uri, shown] : kRows)
    ck_assert_msg(without_secrets(uri) == shown, "%s", uri);
}
END_TEST

// --- Retries ---

START_TEST(test_retry_delays) {
  const RetryLimits limits{500, 15000};
  constexpr Time kDelays[] = {500, 1000, 2000, 4000, 8000, 15000, 15000};
  for (unsigned failures = 1; failures <= std::size(kDelays); failures++) {
    ck_assert_int_eq(retry_delay(limits, failures, 0), kDelays[failures - 1]);
    ck_assert_int_eq(retry_delay(limits, failures, 1), kDelays[failures - 1] * 3 / 4);
  }
  ck_assert_int_eq(retry_delay(limits, 4'000'000'000U, 0), 15000);
  ck_assert_int_eq(retry_delay({4294967295, 4294967295}, 32, 0), 4294967295);
  ck_assert_int_eq(retry_delay({1000, 10}, 5, 0), 1000); // the minimum wins
}
END_TEST

// --- Detection ---

Detection detect_text(const std::string &text) {
  const Buffer bytes(text.begin(), text.end());
  return detect(bytes);
}

START_TEST(test_detection) {
  using Kind = Detection::Kind;
  ck_assert_enum_eq(detect_text("").kind, Kind::NeedMore);
  ck_assert_enum_eq(detect_text("FL").kind, Kind::NeedMore);
  ck_assert_enum_eq(detect_text("\x1A\x45").kind, Kind::NeedMore);
  ck_assert_enum_eq(detect_text("FLV").container, Container::Flv);
  ck_assert_enum_eq(detect_text("\x1A\x45\xDF\xA3").container, Container::Matroska);
  ck_assert_enum_eq(detect_text("<html>").kind, Kind::Unknown);
  ck_assert_str_eq(detect_text(" <!DOCTYPE HTML>").other.c_str(), "HTML");
  ck_assert_enum_eq(detect_text("hello").kind, Kind::NeedMore);
  ck_assert_enum_eq(detect_text(std::string(kDetectionBytes, 'x')).kind, Kind::Unknown);
  for (std::size_t offset = 0; offset < 188; offset++) {
    std::string packets(offset, 'x');
    for (int packet = 0; packet < 4; packet++)
      packets += "G" + std::string(187, 'y');
    ck_assert_enum_eq(detect_text(packets).kind, Kind::Known);
    ck_assert_enum_eq(detect_text(packets).container, Container::MpegTs);
  }
}
END_TEST

// --- The pace of files ---

START_TEST(test_file_pace) {
  FilePace pace;
  ck_assert_int_eq(pace.due(1000, 5000), 1000);
  ck_assert_int_eq(pace.due(1000, 5040), 1040);
  ck_assert_int_eq(pace.due(1040, 5020), 1040); // interleaving
  ck_assert_int_eq(pace.due(1040, 5080), 1080);
  ck_assert_int_eq(pace.due(1500, 5120), 1120);  // late: it catches up
  ck_assert_int_eq(pace.due(9000, 5160), 9000);  // much later: from now on
  ck_assert_int_eq(pace.due(9000, 5200), 9040);  //
  ck_assert_int_eq(pace.due(9040, 99000), 9040); // a jump
  ck_assert_int_eq(pace.due(9040, 99040), 9080); //
  ck_assert_int_eq(pace.due(9080, 0), 9080);     // a step back
  ck_assert_int_eq(pace.due(9080, 40), 9120);
}
END_TEST

// --- The health of a source ---

START_TEST(test_health) {
  Health health(0);
  ck_assert(!health.loss(4999, 5000));
  ck_assert_enum_eq(*health.loss(5000, 5000), Loss::NoData);
  ck_assert_int_eq(health.deadline(5000), 5000);
  // A slow connection is no lag.
  health.note_bytes(4000);
  health.note_media(4000, 100'000);
  health.note_start_point();
  ck_assert_int_eq(health.deadline(5000), 9000);
  ck_assert_enum_eq(*health.loss(9000, 5000), Loss::Silent);
  health.block(6000);
  ck_assert(!health.loss(100'000, 5000));
  health.unblock(100'000);
  ck_assert(!health.loss(104'999, 5000));
  ck_assert_enum_eq(*health.loss(105'000, 5000), Loss::Silent);
}
END_TEST

// A source whose clock is slow by 200 ppm, for a day.
START_TEST(test_slow_clock) {
  Health health(0);
  health.note_start_point();
  for (Time now = 0; now < 86'400'000; now += 100) {
    health.note_bytes(now);
    health.note_media(now, now - now / 5000);
    ck_assert(!health.loss(now, 5000));
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("failover_states", {{test_delivers_before_it_connects, 1, SIGABRT},
                                          {test_uses_a_source_while_off, 1, SIGABRT},
                                          {test_lingers_without_demand, 1, SIGABRT},
                                          {test_engine_starts_twice, 1, SIGABRT},
                                          {test_source_runs_after_its_end, 1, SIGABRT},
                                          {test_uris},
                                          {test_secrets},
                                          {test_retry_delays},
                                          {test_detection},
                                          {test_file_pace},
                                          {test_health},
                                          {test_slow_clock}});
}
