// SPDX-License-Identifier: LGPL-2.1-or-later
// The due time of each tag, and that it leaves at that time: origin, burst, speed, lateness, the
// end.
#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// Every tag of the stream is due, and leaves, at these times.
void assert_paced(const Stream &stream, const std::string &properties, const std::string &times) {
  const Arrivals arrivals = passed(stream.bytes, properties);
  assert_text(due_times(arrivals), times);
  assert_text(arrival_times(arrivals), times);
}

} // namespace

GST_START_TEST(starts_at_any_timestamp) {
  for (const std::uint32_t start : {0U, 5000U, 3600000U, 16777200U, 4294960000U}) {
    const Stream stream = video_at({start, start + 40, start + 100});
    const Arrivals arrivals = passed(stream.bytes, "");
    assert_text(due_times(arrivals), "0 0 40 100");
    assert_text(arrival_times(arrivals), "0 0 40 100");
    // Media time follows the timestamps.
    assert_text(stream_times(arrivals), std::to_string(start) + timestamps_of(stream).substr(1));
    assert_bytes(bytes(arrivals), stream.bytes);
  }
}
GST_END_TEST

GST_START_TEST(segment_of_the_first_tag) {
  Pace pace;
  pace.run_until(700);
  pace.push(video_at({5000, 5040}).bytes);
  pace.settle();
  const EventPtr event = pace.last_event(GST_EVENT_SEGMENT);
  fail_unless(event != nullptr);
  const GstSegment *segment = nullptr;
  gst_event_parse_segment(event.get(), &segment);
  assert_equals_int(segment->format, GST_FORMAT_TIME);
  assert_equals_uint64(segment->start, 5000 * GST_MSECOND);
  assert_equals_uint64(segment->time, 5000 * GST_MSECOND);
  assert_equals_uint64(segment->base, 700 * GST_MSECOND);
  fail_unless(segment->rate == 1.0 && segment->applied_rate == 1.0);
}
GST_END_TEST

GST_START_TEST(origin_is_the_first_arrival) {
  Pace pace;
  pace.run_until(5000);
  pace.push(video_at({300, 340, 380}).bytes);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "5000 5000 5040 5080");
  assert_text(arrival_times(arrivals), "5000 5000 5040 5080");
}
GST_END_TEST

GST_START_TEST(origin_is_playing_for_earlier_data) {
  Pace pace("", GST_STATE_PAUSED);
  pace.push(video_at({300, 340, 380}).bytes);
  pace.end();
  pace.wait_for([&] { return pace.count() == 2; });
  pace.advance(3000);
  pace.resume();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "0 0 40 80");
  assert_text(arrival_times(arrivals), "0 0 3040 3080");
}
GST_END_TEST

GST_START_TEST(configurations_set_no_origin) {
  Stream early, late;
  early.header().metadata().configs(0).key(10000).aac(10000).inter(10040).aac(10023);
  late.header().script(77777, payload(9)).configs(99999).key(500).aac(500).inter(540).aac(523);
  assert_paced(early, "", "0 0 0 0 0 0 40 40");
  assert_paced(late, "", "0 0 0 0 0 0 40 40");
}
GST_END_TEST

GST_START_TEST(burst_is_a_lead) {
  const Stream stream = steady(600);
  assert_paced(stream, "burst=1", "0 0 99 199 299 399 499 599");
  assert_paced(stream, "burst=300", "0 0 0 0 0 100 200 300");
  assert_paced(stream, "burst=100000", "0 0 0 0 0 0 0 0");
}
GST_END_TEST

GST_START_TEST(speed) {
  const Stream stream = steady(400);
  assert_paced(stream, "speed=2", "0 0 50 100 150 200");
  assert_paced(stream, "speed=0.5", "0 0 200 400 600 800");
  assert_paced(stream, "speed=1000", "0 0 0+100000ns 0+200000ns 0+300000ns 0+400000ns");
  assert_paced(stream, "speed=0.01", "0 0 10000 20000 30000 40000");
}
GST_END_TEST

// The speed does not scale the burst.
GST_START_TEST(speed_and_burst) {
  const Stream stream = steady(600);
  assert_paced(stream, "speed=2 burst=100", "0 0 0 0 50 100 150 200");
}
GST_END_TEST

GST_START_TEST(speed_adds_no_rounding) {
  Stream stream = video_at({0});
  for (std::uint32_t time = 1; time < 1000; ++time)
    stream.inter(time * 10001, 5);
  const Arrivals arrivals = passed(stream.bytes, "speed=3 sync=false max-gap=0");
  assert_text(milliseconds(arrivals.back().running), "3330333"); // 999 · 10001 / 3
  assert_text(milliseconds(arrivals.at(2).running), "3333+666667ns");
}
GST_END_TEST

GST_START_TEST(applied_rate_is_the_speed) {
  Pace pace("speed=4");
  pace.push(steady(800).bytes);
  pace.end();
  pace.run();
  const EventPtr event = pace.last_event(GST_EVENT_SEGMENT);
  const GstSegment *segment = nullptr;
  gst_event_parse_segment(event.get(), &segment);
  fail_unless(segment->rate == 1.0 && segment->applied_rate == 4.0);
  assert_text(stream_times(pace.take()), "0 0 100 200 300 400 500 600 700 800");
}
GST_END_TEST

GST_START_TEST(interleaved_steps_back) {
  Stream stream;
  stream.header().key(0).aac(100).inter(40).aac(123).inter(80).inter(200).aac(146);
  const Arrivals arrivals = passed(stream.bytes, "");
  assert_text(due_times(arrivals), "0 0 100 100 123 123 200 200");
  assert_text(arrival_times(arrivals), "0 0 100 100 123 123 200 200");
  assert_bytes(bytes(arrivals), stream.bytes);
}
GST_END_TEST

GST_START_TEST(scripts_and_configurations_between) {
  Stream stream = video_at({0, 40});
  stream.script(60, payload(9)).inter(80); // at its own timestamp
  stream.script(80, payload(9)).inter(120);
  stream.script(90, payload(9));   // slightly before the media: due with it
  stream.script(1121, payload(9)); // more than a second after the media: due with it
  stream.script(0, on_metadata({}));
  stream.inter(2000);
  stream.video(0, avc_config()); // more than a second before the media
  stream.video(999, avc_config(1)).inter(2040);
  const std::string due = "0 0 40 60 80 80 120 120 120 120 2000 2000 2000 2040";
  assert_paced(stream, "", due);
  assert_bytes(bytes(passed(stream.bytes)), stream.bytes);
}
GST_END_TEST

GST_START_TEST(script_tag_less_than_a_second_ahead) {
  Stream stream = video_at({0, 40});
  stream.script(1040, payload(9)).inter(1080);
  assert_paced(stream, "", "0 0 40 1040 1080");
}
GST_END_TEST

GST_START_TEST(late_sink) {
  Pace pace;
  pace.block_sink(3, 500); // the sink blocks
  pace.push(steady(1000).bytes);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "0 0 100 200 300 400 500 600 700 800 900 1000");
  assert_text(arrival_times(arrivals), "0 0 100 200 700 700 700 700 700 800 900 1000");
}
GST_END_TEST

GST_START_TEST(late_sink_catching_up) {
  Pace pace("catch-up-speed=2");
  pace.block_sink(3, 500);
  pace.push(steady(1300).bytes);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "0 0 100 200 300 400 500 600 700 800 900 1000 1100 1200 1300");
  assert_text(arrival_times(arrivals),
              "0 0 100 200 700 750 800 850 900 950 1000 1050 1100 1200 1300");
}
GST_END_TEST

GST_START_TEST(burst_is_not_caught_up) {
  const Stream stream = steady(600);
  assert_paced(stream, "burst=400 catch-up-speed=2", "0 0 0 0 0 0 100 200");
}
GST_END_TEST

GST_START_TEST(late_input) {
  // Upstream pauses for a second: the schedule is unchanged, and the stream catches up.
  const Stream stream = steady(1500);
  Pace pace;
  const std::size_t cut = stream.tags[4].begin;
  pace.push(Bytes(stream.bytes).first(cut));
  pace.run_until(1300);
  pace.push(Bytes(stream.bytes).subspan(cut));
  pace.end();
  pace.run();
  assert_text(arrival_times(pace.take()), "0 0 100 200 300 1300 1300 1300 1300 1300 1300 1300 1300 "
                                          "1300 1300 1400 1500");
}
GST_END_TEST

GST_START_TEST(sync_off) {
  const Stream stream = steady(300);
  const Arrivals arrivals = passed(stream.bytes, "sync=false");
  assert_text(due_times(arrivals), "0 0 100 200 300");
  assert_text(arrival_times(arrivals), "0 0 0 0 0");
  assert_text(due_times(passed(stream.bytes, "sync=false burst=150")), "0 0 0 50 150");
}
GST_END_TEST

namespace {

// EOS of `stream` leaves at `time`.
void assert_end(const Stream &stream, const std::string &properties, guint64 time) {
  Pace pace(properties);
  pace.push(stream.bytes);
  pace.end();
  if (time > 0) {
    pace.run_until(time - 1);
    assert_equals_uint64(pace.count(), stream.tags.size() + 1);
    assert_equals_uint64(pace.count_events(GST_EVENT_EOS), 0);
    assert_text(pace.waits_until(), std::to_string(time));
  }
  pace.run_until(time);
  assert_equals_uint64(pace.count_events(GST_EVENT_EOS), 1);
}

} // namespace

GST_START_TEST(eos_after_the_duration_of_the_last_tag) {
  const Stream stream = video_at({1000, 1040, 1080, 1120});
  assert_end(stream, "", 160);
  assert_end(stream, "speed=2", 80);
  assert_end(stream, "burst=50", 110);
  assert_end(stream, "burst=5000", 0);
  assert_end(stream, "sync=false", 0);
}
GST_END_TEST

// The duration of the last tag is the median of the last 5 steps of its kind.
GST_START_TEST(eos_after_the_usual_step) {
  assert_end(video_at({0, 500, 530, 570, 620, 650, 700}), "", 740);
  Stream stream;
  stream.header().key(0).aac(0).aac(23).inter(40).aac(46).aac(69).inter(80).aac(92).aac(115);
  assert_end(stream, "", 138);
}
GST_END_TEST

GST_START_TEST(end_without_media) {
  Stream stream;
  assert_end(stream.header().metadata().configs(), "", 0);
}
GST_END_TEST

GST_START_TEST(stamps_never_step_back) {
  Stream stream;
  stream.header().metadata().configs(500).key(500).aac(470).script(0, payload(9)).inter(540);
  stream.aac(493).video(500, avc_config(1)).inter(20000).aac(19000).inter(10).aac(20).inter(50);
  for (const char *properties : {"burst=100", "speed=0.3", "retimestamp=zero", "mtu=20"}) {
    GstClockTime last = 0;
    for (const Arrival &arrival : passed(stream.bytes, properties)) {
      fail_unless(GST_CLOCK_TIME_IS_VALID(arrival.running) && arrival.running >= last,
                  "%s: %s after %s", properties, milliseconds(arrival.running).c_str(),
                  milliseconds(last).c_str());
      last = arrival.running;
    }
  }
}
GST_END_TEST

static Suite *flvpace_time_suite() {
  Suite *suite = suite_create("flvpace_time");
  TCase *tcase = tcase_create("time");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, starts_at_any_timestamp);
  tcase_add_test(tcase, segment_of_the_first_tag);
  tcase_add_test(tcase, origin_is_the_first_arrival);
  tcase_add_test(tcase, origin_is_playing_for_earlier_data);
  tcase_add_test(tcase, configurations_set_no_origin);
  tcase_add_test(tcase, burst_is_a_lead);
  tcase_add_test(tcase, speed);
  tcase_add_test(tcase, speed_and_burst);
  tcase_add_test(tcase, speed_adds_no_rounding);
  tcase_add_test(tcase, applied_rate_is_the_speed);
  tcase_add_test(tcase, interleaved_steps_back);
  tcase_add_test(tcase, scripts_and_configurations_between);
  tcase_add_test(tcase, script_tag_less_than_a_second_ahead);
  tcase_add_test(tcase, late_sink);
  tcase_add_test(tcase, late_sink_catching_up);
  tcase_add_test(tcase, burst_is_not_caught_up);
  tcase_add_test(tcase, late_input);
  tcase_add_test(tcase, sync_off);
  tcase_add_test(tcase, eos_after_the_duration_of_the_last_tag);
  tcase_add_test(tcase, eos_after_the_usual_step);
  tcase_add_test(tcase, end_without_media);
  tcase_add_test(tcase, stamps_never_step_back);
  return suite;
}

GST_CHECK_MAIN(flvpace_time);
