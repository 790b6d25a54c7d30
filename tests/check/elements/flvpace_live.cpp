// SPDX-License-Identifier: LGPL-2.1-or-later
// Live sources: the due times depend on the arrival times of the tags.
#include "pacetest.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace flvtest;
using namespace pacetest;

namespace {

constexpr std::uint32_t kStep = 40;

// A publisher of keyframes with given arrival times, and a record of their departure.
class Publisher : public Pace {
public:
  explicit Publisher(const std::string &properties = "", gboolean live = TRUE) : Pace(properties) {
    gst_harness_set_live(harness(), live);
    gst_harness_set_upstream_latency(harness(), 500 * GST_MSECOND);
  }

  // Sends a tag that arrives at `arrival` (ms). All tags that are due before that time leave first.
  void send(std::uint32_t timestamp, double arrival, TagType type = TagType::Video) {
    run_until(static_cast<guint64>(arrival));
    Stream stream;
    if (sent_.empty())
      stream.header(false, true);
    type == TagType::Video ? stream.key(timestamp) : stream.aac(timestamp);
    sent_.push_back(now());
    push(stream.bytes);
    wait_for([this] { return Pace::idle(); }); // the tag has arrived
    settle();
    note();
  }

  void finish() {
    run();
    note();
    assert_equals_uint64(delays_.size(), sent_.size());
  }

  // Drops the tags that have not left yet from the record.
  void forget() { sent_.clear(); }

  // The waiting time of each tag, in ms.
  [[nodiscard]] const std::vector<double> &delays() const { return delays_; }
  [[nodiscard]] double longest() const { return *std::max_element(delays_.begin(), delays_.end()); }

protected:
  bool idle() override {
    return Pace::idle() && (sent_.empty() || delays_.size() + count() >= sent_.size() + headers_);
  }

private:
  void note() {
    for (const Arrival &arrival : take()) {
      if (headers_ > 0) {
        headers_ = 0;
        continue;
      }
      assert_equals_uint64(arrival.running, arrival.clock);
      delays_.push_back(static_cast<double>(arrival.clock - sent_.at(delays_.size())) / 1e6);
    }
  }

  std::vector<GstClockTime> sent_;
  std::vector<double> delays_;
  std::size_t headers_ = 1;
};

} // namespace

// Each tag leaves at its due time, and no tag waits longer than max-delay.
GST_START_TEST(clocks_of_publishers) {
  for (const double ppm : {0.0, 500.0, -500.0, 20'000.0, -20'000.0}) {
    Publisher publisher;
    for (std::uint32_t time = 0; time < 120'000; time += kStep)
      publisher.send(1000 + time, time / (1 + ppm / 1e6));
    fail_unless(publisher.longest() <= 500, "%g ppm: %g ms", ppm, publisher.longest());
    fail_unless(publisher.stat("corrections") == (ppm > 5000 ? 3U : 0U), "%g ppm: %d corrections",
                ppm, static_cast<int>(publisher.stat("corrections")));
    publisher.finish();
    assert_equals_uint64(publisher.stat("late-tags"), 0);
  }
}
GST_END_TEST

GST_START_TEST(pauses) {
  Publisher publisher;
  double pauses = 0;
  for (std::uint32_t time = 0; time < 60'000; time += kStep) {
    if (time > 0 && time % 10'000 == 0)
      pauses += 2000;
    publisher.send(time, time + pauses);
  }
  publisher.finish();
  assert_equals_uint64(publisher.stat("corrections"), 5);
  assert_equals_uint64(publisher.stat("late-tags"), 0);
  fail_unless(publisher.longest() == 0, "%g ms", publisher.longest());
}
GST_END_TEST

// A server sends the last seconds at once to a client that joins.
GST_START_TEST(history) {
  for (const char *properties : {"", "max-delay=100", "max-delay=0"}) {
    Publisher publisher(properties);
    for (std::uint32_t time = 0; time < 3000; time += kStep)
      publisher.send(time, 0);
    for (std::uint32_t time = 3000; time < 4000; time += kStep)
      publisher.send(time, time - 3000);
    publisher.finish();
    const double most = properties[0] == '\0' ? 500 : std::atof(properties + strlen("max-delay="));
    fail_unless(publisher.longest() <= most, "%s: %g ms", properties, publisher.longest());
  }
}
GST_END_TEST

// Downstream demuxers compute timestamps from the segment.
GST_START_TEST(segments_follow) {
  Publisher publisher;
  publisher.send(5000, 100);
  publisher.send(5040, 140);
  publisher.send(5080, 2180);
  const EventPtr event = publisher.last_event(GST_EVENT_SEGMENT);
  const GstSegment *segment = nullptr;
  gst_event_parse_segment(event.get(), &segment);
  assert_equals_uint64(gst_segment_to_running_time(segment, GST_FORMAT_TIME, 5080 * GST_MSECOND),
                       2180 * GST_MSECOND);
  assert_equals_uint64(publisher.count_events(GST_EVENT_SEGMENT), 3);
  publisher.finish();
}
GST_END_TEST

namespace {

// The running time (ms) that a demuxer computes for a timestamp now.
double demuxed(const Publisher &publisher, std::uint32_t timestamp) {
  const EventPtr event = publisher.last_event(GST_EVENT_SEGMENT);
  const GstSegment *segment = nullptr;
  gst_event_parse_segment(event.get(), &segment);
  const guint64 time =
      gst_segment_to_running_time(segment, GST_FORMAT_TIME, timestamp * GST_MSECOND);
  return GST_CLOCK_TIME_IS_VALID(time) ? static_cast<double>(time) / 1e6 : -1;
}

} // namespace

// Audio after later video would be lost if its timestamp were before a new segment.
GST_START_TEST(segments_include_timestamps_that_step_back) {
  constexpr std::uint32_t kBack = 200;
  constexpr double kDrift = 6; // ms
  Publisher publisher;
  const std::uint32_t first = __i__ == 0 ? 0 : 3'600'000;
  for (std::uint32_t time = 0; time < 10'000; time += kStep) {
    const double arrival = 1000 + time / 0.98; // a clock that is slow
    publisher.send(first + time, arrival);
    fail_unless(std::abs(demuxed(publisher, first + time) - arrival) <= kDrift);
    if (time < kBack)
      continue;
    publisher.send(first + time - kBack, arrival, TagType::Audio);
    const double trailing = demuxed(publisher, first + time - kBack);
    fail_unless(std::abs(trailing - (arrival - kBack)) <= kDrift, "%g", trailing);
  }
  publisher.finish();
}
GST_END_TEST

// flvdemux starts a new segment with the first frame of each kind.
GST_START_TEST(segments_are_repeated_for_demuxers) {
  Publisher publisher;
  const auto segments = [&publisher] { return publisher.count_events(GST_EVENT_SEGMENT); };
  publisher.send(0, 100);
  assert_equals_uint64(segments(), 1);
  publisher.send(40, 140);
  assert_equals_uint64(segments(), 2);
  publisher.send(80, 180);
  assert_equals_uint64(segments(), 2);
  publisher.send(90, 190, TagType::Audio);
  assert_equals_uint64(segments(), 2);
  publisher.send(120, 220);
  assert_equals_uint64(segments(), 3);
  fail_unless(demuxed(publisher, 120) == 220 && demuxed(publisher, 90) == 190);
  publisher.finish();
}
GST_END_TEST

// Also if only the property declares the source as live.
GST_START_TEST(latency) {
  Publisher publisher(__i__ == 0 ? "" : "live=yes", __i__ == 0);
  publisher.send(0, 0);
  GstQuery *query = gst_query_new_latency();
  fail_unless(gst_pad_peer_query(publisher.downstream(), query));
  gboolean live = FALSE;
  GstClockTime minimum = 1;
  GstClockTime maximum = 1;
  gst_query_parse_latency(query, &live, &minimum, &maximum);
  gst_query_unref(query);
  fail_unless(live && minimum == 0 && maximum == GST_CLOCK_TIME_NONE);
  publisher.finish();
}
GST_END_TEST

// The time that a sink waits for the pipeline's latency does not count as late.
GST_START_TEST(latency_of_the_pipeline) {
  for (const guint64 latency : {0U, 500U}) {
    Pace pace;
    (void)gst_pad_push_event(pace.downstream(), gst_event_new_latency(latency * GST_MSECOND));
    pace.block_sink(1, 500);
    pace.push(steady().bytes);
    pace.run_until(2000);
    pace.end();
    pace.run();
    fail_unless((pace.stat("late-tags") > 0) == (latency == 0));
  }
}
GST_END_TEST

GST_START_TEST(live_property_overrides_upstream) {
  Pace not_live("live=no");
  gst_harness_set_live(not_live.harness(), TRUE);
  not_live.push(video_at({0, 5000}).bytes);
  not_live.end();
  not_live.run();
  assert_text(arrival_times(not_live.take()), "0 0 5000");
  Publisher live("live=yes", FALSE);
  live.send(0, 0);
  live.send(5000, 100);
  live.finish();
  fail_unless(live.longest() == 0);
}
GST_END_TEST

GST_START_TEST(burst_has_no_effect) {
  Publisher publisher("burst=3000");
  publisher.send(0, 0);
  const Problem problem = publisher.problem();
  fail_unless(problem.found && !problem.error && problem.says("burst=3000 has no effect"));
  for (std::uint32_t time = kStep; time < 2000; time += kStep)
    publisher.send(time, time);
  publisher.finish();
  fail_unless(publisher.longest() == 0);
}
GST_END_TEST

// The source is not blocked. A flush or a stop leaves no state of earlier tags.
GST_START_TEST(flush_and_stop) {
  for (const bool flush : {true, false}) {
    Publisher publisher("max-delay=10000");
    publisher.send(0, 0);
    for (std::uint32_t time = kStep; time < 4000; time += kStep)
      publisher.send(time, 0);
    assert_equals_int(publisher.flow(), GST_FLOW_OK);
    assert_equals_uint64(publisher.delays().size(), 1);
    publisher.forget();
    if (!flush) {
      publisher.set_state(GST_STATE_READY);
      assert_equals_uint64(publisher.count(), 0);
      continue;
    }
    publisher.flush();
    Stream stream;
    stream.key(7000).inter(7040);
    publisher.push(stream.bytes);
    publisher.wait_for([&] { return publisher.count() == 1; });
    publisher.wait_for([&] { return !publisher.waits_until().empty(); });
    publisher.run_until(publisher.now() / GST_MSECOND + 40);
    publisher.wait_for([&] { return publisher.count() == 2; });
    assert_bytes(bytes(publisher.take()), stream.bytes);
  }
}
GST_END_TEST

GST_START_TEST(end_of_stream) {
  Publisher publisher("max-delay=10000");
  for (std::uint32_t time = 0; time < 400; time += kStep)
    publisher.send(time, 0);
  publisher.end();
  publisher.wait_for([&] { return !publisher.waits_until().empty(); });
  assert_equals_uint64(publisher.count_events(GST_EVENT_EOS), 0);
  publisher.finish();
  publisher.wait_for([&] { return publisher.count_events(GST_EVENT_EOS) == 1; });
}
GST_END_TEST

static Suite *flvpace_live_suite() {
  Suite *suite = suite_create("flvpace_live");
  TCase *tcase = tcase_create("live");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, clocks_of_publishers);
  tcase_add_test(tcase, pauses);
  tcase_add_test(tcase, history);
  tcase_add_test(tcase, segments_follow);
  tcase_add_loop_test(tcase, segments_include_timestamps_that_step_back, 0, 2);
  tcase_add_test(tcase, segments_are_repeated_for_demuxers);
  tcase_add_loop_test(tcase, latency, 0, 2);
  tcase_add_test(tcase, latency_of_the_pipeline);
  tcase_add_test(tcase, live_property_overrides_upstream);
  tcase_add_test(tcase, burst_has_no_effect);
  tcase_add_test(tcase, flush_and_stop);
  tcase_add_test(tcase, end_of_stream);
  return suite;
}

GST_CHECK_MAIN(flvpace_live);
