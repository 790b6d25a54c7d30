// SPDX-License-Identifier: LGPL-2.1-or-later
// Tests of the meter with synthetic arrivals.
#include <cmath>
#include <functional>

#include "checkrun.h"
#include "flvbuild.h"
#include "plot.h"
#include "report.h"

using namespace bench;
using flvtest::Stream;

namespace {

constexpr double kFrame = 20;

// A tag every 20 ms of media; `wall` gives its arrival time.
std::vector<Point> arrivals(double media_end, const std::function<double(double)> &wall) {
  std::vector<Point> points;
  for (double media = 0; media < media_end; media += kFrame)
    points.push_back({.wall = wall(media), .media = media});
  return points;
}

void feed(Meter &meter, flv::Bytes bytes, std::size_t chunk, double ms = 0) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(chunk, bytes.size());
    meter.feed(bytes.first(size), static_cast<Nanoseconds>(ms * 1e6));
    bytes = bytes.subspan(size);
  }
}

Meter read(flv::Bytes bytes, std::size_t chunk = SIZE_MAX) {
  Meter meter;
  feed(meter, bytes, chunk);
  meter.finish();
  return meter;
}

START_TEST(test_percentile) {
  std::vector<double> values = {5, 1, 4, 2, 3};
  ck_assert_double_eq(percentile(values, 0), 1);
  ck_assert_double_eq(percentile(values, 20), 1);
  ck_assert_double_eq(percentile(values, 21), 2);
  ck_assert_double_eq(percentile(values, 50), 3);
  ck_assert_double_eq(percentile(values, 99), 5);
  ck_assert_double_eq(percentile(values, 100), 5);
}
END_TEST

START_TEST(test_nothing) {
  const Figures figures = measure({});
  ck_assert_double_eq(figures.media, 0);
  ck_assert(!figures.lead);
  ck_assert(!figures.pace);
}
END_TEST

START_TEST(test_exact_pace) {
  const Figures figures = measure(arrivals(10000, [](double media) { return media; }));
  ck_assert_double_eq(figures.wall, 9980);
  ck_assert_double_eq(figures.media, 9980);
  ck_assert_double_eq(figures.start_media, 40);
  ck_assert_double_eq(figures.burst, 0);
  ck_assert_double_eq(figures.lead->minimum, 0);
  ck_assert_uint_eq(figures.pace->tags, 497); // all tags after the first 50 ms
  ck_assert_double_eq(figures.pace->lateness.max, 0);
  ck_assert_double_eq_tol(*figures.pace->drift_ppm, 0, 0.001);
}
END_TEST

START_TEST(test_burst) {
  const auto points =
      arrivals(10000, [](double media) { return std::max(media * 0.001, media - 3000); });
  const Figures figures = measure(points);
  ck_assert_double_eq(figures.start_media, 3040);
  ck_assert_double_eq(figures.burst, 3000);
  ck_assert_double_eq(figures.lead->minimum, 3000);
  ck_assert_double_eq(figures.lead->median, 3000);
  ck_assert_double_eq(figures.pace->lead, 3000);
  ck_assert_double_eq(figures.pace->lateness.max, 0);
}
END_TEST

// A burst that is sent slowly affects the lead, and not the lateness.
START_TEST(test_slow_burst) {
  const auto points =
      arrivals(10000, [](double media) { return std::max(media * 0.1, media - 3000); });
  const Figures figures = measure(points);
  ck_assert_double_eq(figures.start_media, 500);
  ck_assert_double_eq(figures.burst, 450);
  ck_assert_double_eq(figures.lead->minimum, 520 - 52);
  ck_assert_double_eq(figures.pace->lead, 3000);
  ck_assert_double_lt(figures.pace->lateness.p90, 0.001);
}
END_TEST

// One tag in ten is 1 ms late, one in fifty 7 ms.
START_TEST(test_lateness) {
  const auto points = arrivals(20000, [](double media) {
    const long frame = std::lround(media / kFrame);
    return media + (frame % 50 == 49 ? 7 : frame % 10 == 5 ? 1 : 0);
  });
  const Pace pace = measure(points).pace.value();
  ck_assert_double_eq(pace.lateness.p50, 0);
  ck_assert_double_eq_tol(pace.lateness.p90, 1, 1e-6);
  ck_assert_double_eq_tol(pace.lateness.p99, 7, 1e-6);
  ck_assert_double_eq_tol(pace.lateness.max, 7, 1e-6);
  ck_assert_double_eq_tol(*pace.drift_ppm, 0, 0.001);
}
END_TEST

// A tag that is early because of a wrong timestamp does not make the others late.
START_TEST(test_one_early_tag) {
  auto points = arrivals(20000, [](double media) { return media; });
  points[500].wall -= 15;
  const Pace pace = measure(points).pace.value();
  ck_assert_double_eq(pace.lead, 0);
  ck_assert_double_eq(pace.lateness.p50, 0);
  ck_assert_double_eq(pace.lateness.max, 0);
}
END_TEST

struct DriftRow {
  double ppm;
  double media_end;
};
const DriftRow kDrifts[] = {{0, 3000}, {20, 15000}, {-35, 15000}, {100, 1200000}, {-100, 1200000}};

// Varying lateness and stalls are not drift. The drift does not affect the lateness.
START_TEST(test_drift) {
  const auto [ppm, media_end] = ROW(kDrifts);
  const auto points = arrivals(media_end, [ppm = ppm](double media) {
    const long frame = std::lround(media / kFrame);
    const double jitter = 0.01 * static_cast<double>(frame * 7919 % 13);
    const double stall = frame % 97 < 3 ? 8.0 : 0;
    return media * (1 + ppm / 1e6) + jitter + stall;
  });
  const Pace pace = measure(points).pace.value();
  ck_assert_double_eq_tol(*pace.drift_ppm, ppm, 1);
  const double drifted = std::abs(ppm) / 1e6 * media_end;
  ck_assert_double_ge(pace.lateness.max, 8 + drifted * 0.9);
}
END_TEST

START_TEST(test_not_paced) {
  const Figures at_once = measure(arrivals(10000, [](double) { return 0.0; }));
  ck_assert_double_eq(at_once.burst, 9980);
  ck_assert(!at_once.lead);
  ck_assert(!at_once.pace);
  const Figures fast = measure(arrivals(1000000, [](double media) { return media / 2500; }));
  ck_assert(fast.lead.has_value());
  ck_assert(!fast.pace);
}
END_TEST

// Half a second of paced tags is enough for the lateness, but not for the drift.
START_TEST(test_short_pace) {
  const Figures figures = measure(arrivals(1000, [](double media) { return media; }));
  ck_assert(figures.pace.has_value());
  ck_assert(!figures.pace->drift_ppm);
}
END_TEST

START_TEST(test_counts) {
  const Stream file = flvtest::file({.duration = 1000});
  const std::size_t chunks[] = {1, 7, 4096, SIZE_MAX};
  const Meter meter = read(file.bytes, ROW(chunks));
  const Counts &counts = meter.counts();
  ck_assert_uint_eq(counts.bytes, file.bytes.size());
  ck_assert_uint_eq(counts.script, 1);
  ck_assert_uint_eq(counts.video, 26);
  ck_assert_uint_eq(counts.audio, 45);
  ck_assert_uint_eq(counts.configurations, 2);
  ck_assert_uint_eq(counts.key_frames, 3);
  ck_assert_uint_eq(meter.points().size(), 25 + 44);
  ck_assert_double_eq(meter.points().back().media, 998);
  ck_assert(meter.start().decodable());
  ck_assert_uint_eq(counts.damaged_places + counts.skipped_bytes + counts.truncated_bytes +
                        counts.wrong_previous_sizes + counts.backward_timestamps +
                        counts.discontinuities + counts.extra_file_headers,
                    0);
}
END_TEST

// A tag arrives with its last byte, and time counts from the first timed tag.
START_TEST(test_stamps) {
  const Stream file = flvtest::file({.duration = 200, .audio = false});
  const std::size_t cut = file.tags[3].end - 1;
  Meter meter;
  feed(meter, flv::Bytes(file.bytes).first(file.tags[1].end), SIZE_MAX, 1000);
  feed(meter, flv::Bytes(file.bytes).subspan(file.tags[1].end, cut - file.tags[1].end), SIZE_MAX,
       1500);
  feed(meter, flv::Bytes(file.bytes).subspan(cut), SIZE_MAX, 1520);
  const auto &points = meter.points();
  ck_assert_uint_eq(points.size(), 5);
  ck_assert_double_eq(points[0].wall, 0);
  ck_assert_double_eq(points[0].media, 0);
  ck_assert_double_eq(points[1].wall, 20);
  ck_assert_double_eq(points[1].media, 40);
}
END_TEST

// The last tag of a stream without its PreviousTagSize arrives with the last bytes.
START_TEST(test_missing_last_size) {
  const Stream file = flvtest::file({.duration = 200, .audio = false});
  Meter meter;
  feed(meter, file.at(0), SIZE_MAX, 0);
  feed(meter,
       flv::Bytes(file.bytes)
           .subspan(file.tags[1].end)
           .first(file.tags.back().end - 4 - file.tags[1].end),
       SIZE_MAX, 700);
  meter.finish();
  ck_assert_uint_eq(meter.counts().video, 5);
  ck_assert_double_eq(meter.points().back().wall, 0);
  ck_assert_uint_eq(meter.counts().wrong_previous_sizes, 1);
}
END_TEST

START_TEST(test_steps_back) {
  Stream stream;
  stream.header().metadata().configs();
  stream.key(0).aac(20).inter(10).inter(60).aac(50).inter(55).aac(90);
  const Meter meter = read(stream.bytes);
  ck_assert_uint_eq(meter.counts().backward_timestamps, 1);
  ck_assert_uint_eq(meter.counts().interleaved_steps_back, 2);
  const double media[] = {0, 20, 20, 60, 60, 60, 90};
  for (std::size_t i = 0; i < std::size(media); ++i)
    ck_assert_double_eq(meter.points()[i].media, media[i]);
}
END_TEST

START_TEST(test_faults) {
  const Stream file = flvtest::file({.duration = 1000});
  Stream twice = file;
  twice.raw(file.bytes);
  const Meter loop = read(twice.bytes);
  ck_assert_uint_eq(loop.counts().extra_file_headers, 1);
  ck_assert_uint_eq(loop.counts().discontinuities, 1);

  const auto junk = flvtest::inserted(file.bytes, file.tags[10].begin, flvtest::payload(300));
  const Meter damaged = read(junk, 7);
  ck_assert_uint_eq(damaged.counts().damaged_places, 1);
  ck_assert_uint_eq(damaged.counts().skipped_bytes, 300);
  ck_assert_uint_eq(damaged.counts().tags(), file.tags.size());
  ck_assert_enum_eq(damaged.first_fault().kind, flv::Fault::Kind::TagType);

  // The stream starts in the middle of a tag.
  const std::size_t tail = file.tags[10].begin + 5;
  const Meter joined = read(flv::Bytes(file.bytes).subspan(tail), 7);
  ck_assert(!joined.start().file_header);
  ck_assert_uint_eq(joined.counts().tags(), file.tags.size() - 11);
  ck_assert_uint_eq(joined.counts().skipped_bytes, file.tags[10].end - tail);
  ck_assert_enum_eq(joined.first_fault().kind, flv::Fault::Kind::Signature);

  const Meter stub = read(flv::Bytes(file.bytes).first(5));
  ck_assert_uint_eq(stub.counts().truncated_bytes, 5);

  const Meter cut = read(flv::Bytes(file.bytes).first(file.tags[5].end + 20));
  ck_assert_uint_eq(cut.counts().truncated_bytes, 20);

  const Meter sizes = read(flvtest::with_previous_sizes(file, 3));
  ck_assert_uint_eq(sizes.counts().wrong_previous_sizes, file.tags.size());
}
END_TEST

struct StartRow {
  Stream stream;
  bool file_header;
  bool metadata;
  bool configuration;
  bool key_frame;
};

const StartRow kStarts[] = {
    {Stream().header().metadata().configs().key(0).aac(0), true, true, true, true},
    {Stream().metadata().configs().key(0), false, true, true, true},
    {Stream().header().configs().key(0).metadata(), true, false, true, true},
    {Stream().header().metadata().key(0).configs(), true, true, false, true},
    {Stream().header().metadata().video(0, flvtest::avc_config()).key(0).aac(0), true, true, false,
     true},
    {Stream().header().metadata().configs().inter(0).key(40), true, true, true, false},
    {Stream().header().metadata().configs().aac(0).key(0), true, true, true, true},
    // A command frame comes before the first picture.
    {Stream().header().metadata().configs().video(0, flvtest::ex_command(0)).key(0), true, true,
     true, true},
    // These codecs need no configuration. G.711 has the same number as H.264.
    {Stream().header().metadata().video(0, flvtest::h263_frame(true, 99)), true, true, true, true},
    {Stream().header().metadata().audio(0, flvtest::Buffer{0x72, 1, 2}), true, true, true, true},
    {Stream().header().metadata().audio(
         0, flvtest::ex_audio(flvtest::Packet::CodedFrames, ".mp3", flvtest::payload(9))),
     true, true, true, true},
    {Stream().header().metadata().video(
         0, flvtest::ex_video(1, flvtest::Packet::CodedFramesX, "hvc1", flvtest::payload(9))),
     true, true, false, true},
};

START_TEST(test_start) {
  const StartRow &row = ROW(kStarts);
  const Start start = read(row.stream.bytes).start();
  ck_assert_int_eq(start.file_header, row.file_header);
  ck_assert_int_eq(start.metadata, row.metadata);
  ck_assert_int_eq(start.configuration, row.configuration);
  ck_assert_int_eq(start.key_frame, row.key_frame);
}
END_TEST

START_TEST(test_axes) {
  ck_assert_double_eq(nice_step(15, 10), 2);
  ck_assert_double_eq(nice_step(10, 10), 1);
  ck_assert_double_eq(nice_step(0.9, 10), 0.1);
  ck_assert_double_eq(nice_step(1200, 10), 200);
  ck_assert_int_eq(decimals(2), 0);
  ck_assert_int_eq(decimals(0.1), 1);
  ck_assert_int_eq(decimals(0.05), 2);
}
END_TEST

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text)
    count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

// 80 columns and 20 rows for any figures.
START_TEST(test_terminal_plot) {
  const double slopes[] = {1, 0, 0.001, 50};
  const auto points = arrivals(12345, [](double media) { return std::max(0.0, media - 2000); });
  auto scaled = points;
  for (Point &point : scaled)
    point.wall *= ROW(slopes);
  const std::string plot = plot_terminal(scaled, measure(scaled), false);
  std::size_t lines = 0;
  for (std::size_t begin = 0; begin < plot.size(); ++lines) {
    const std::size_t end = plot.find('\n', begin);
    ck_assert_uint_ne(end, std::string::npos);
    ck_assert_uint_le(characters(std::string_view(plot).substr(begin, end - begin)), 80);
    begin = end + 1;
  }
  ck_assert_uint_eq(lines, 20);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("arrival", {{test_percentile},
                                  {test_nothing},
                                  {test_exact_pace},
                                  {test_burst},
                                  {test_slow_burst},
                                  {test_lateness},
                                  {test_one_early_tag},
                                  {test_drift, std::size(kDrifts)},
                                  {test_not_paced},
                                  {test_short_pace},
                                  {test_counts, 4},
                                  {test_stamps},
                                  {test_missing_last_size},
                                  {test_steps_back},
                                  {test_faults},
                                  {test_start, std::size(kStarts)},
                                  {test_axes},
                                  {test_terminal_plot, 4}});
}
