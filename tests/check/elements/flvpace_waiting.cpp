// SPDX-License-Identifier: LGPL-2.1-or-later
// What ends a wait, and what does not: pause, flush, stop, another clock.
#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// Plays up to the wait for the tag at 300.
void play_to_wait(Pace &pace, const Stream &stream) {
  pace.push(stream.bytes);
  pace.end();
  pace.run_until(250);
  assert_text(pace.waits_until(), "300");
  assert_text(arrival_times(pace.take()), "0 0 100 200");
}

} // namespace

GST_START_TEST(pause_holds_the_waiting_tag) {
  Pace pace;
  play_to_wait(pace, steady());
  pace.pause();
  pace.advance(2000);
  pace.resume();
  // 50 ms of the wait were left.
  assert_text(pace.waits_until(), "2300");
  assert_equals_uint64(pace.count(), 0);
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "300 400 500 600 700 800 900 1000");
  assert_text(arrival_times(arrivals), "2300 2400 2500 2600 2700 2800 2900 3000");
}
GST_END_TEST

GST_START_TEST(nothing_leaves_while_paused) {
  Pace pace;
  play_to_wait(pace, steady());
  pace.pause();
  pace.advance(5000);
  fail_unless(pace.stays_blocked());
  pace.resume();
  pace.run_until(5300);
  assert_text(arrival_times(pace.take()), "5300");
}
GST_END_TEST

GST_START_TEST(many_pauses) {
  Pace pace;
  play_to_wait(pace, steady());
  for (guint64 turn = 0; turn < 20; ++turn) {
    pace.pause();
    pace.advance(100);
    pace.resume();
    assert_text(pace.waits_until(), std::to_string(300 + 100 * (turn + 1)));
    assert_equals_uint64(pace.count(), 0);
  }
  pace.run();
  assert_text(due_times(pace.take()), "300 400 500 600 700 800 900 1000");
}
GST_END_TEST

// The burst is also sent in PAUSED, so that downstream can preroll. The rest waits for PLAYING.
GST_START_TEST(first_tags_pass_in_paused) {
  const struct {
    const char *properties;
    const char *dues;
  } rows[] = {{"", "0 0"}, {"burst=250", "0 0 0 0"}, {"burst=500", "0 0 0 0 0 0 0"}};
  for (const auto &row : rows) {
    Pace pace(row.properties, GST_STATE_PAUSED);
    pace.push(steady().bytes);
    pace.end();
    const std::string text = row.dues;
    const auto expected = static_cast<std::size_t>(std::count(text.begin(), text.end(), '0'));
    pace.wait_for([&] { return pace.count() == expected; });
    fail_unless(pace.stays_blocked());
    const Arrivals arrivals = pace.take();
    assert_text(due_times(arrivals), text);
    assert_bytes(arrivals[0].bytes, file_header(false, true));
    pace.advance(10'000); // running time starts with PLAYING
    pace.resume();
    pace.run();
    assert_equals_uint64(pace.count() + expected, steady().tags.size() + 1);
    assert_equals_int(pace.take()[0].state, GST_STATE_PLAYING);
  }
}
GST_END_TEST

// A pause during the burst stops the burst, too.
GST_START_TEST(pause_in_the_burst) {
  Pace pace("burst=800");
  pace.set_sink([&pace](std::size_t index) {
    if (index == 3)
      pace.pause();
    return GST_FLOW_OK;
  });
  pace.push(steady().bytes, 50);
  pace.end();
  pace.wait_for([&] { return pace.count() == 4; });
  fail_unless(pace.stays_blocked());
  pace.advance(1000);
  pace.resume();
  pace.run();
  assert_text(arrival_times(pace.take()), "0 0 0 0 1000 1000 1000 1000 1000 1000 1100 1200");
}
GST_END_TEST

GST_START_TEST(flush_ends_the_wait) {
  Pace pace;
  play_to_wait(pace, steady());
  pace.flush_start();
  assert_equals_int(pace.flow(), GST_FLOW_FLUSHING);
  pace.flush_stop();
  assert_equals_uint64(pace.count(), 0);
}
GST_END_TEST

GST_START_TEST(stop_ends_the_wait) {
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL}) {
    Pace pace;
    play_to_wait(pace, steady());
    pace.set_state(state);
    assert_equals_int(pace.flow(), GST_FLOW_FLUSHING);
    assert_equals_uint64(pace.count(), 0);
  }
}
GST_END_TEST

GST_START_TEST(stop_and_flush_while_paused) {
  for (const bool flush : {false, true}) {
    Pace pace;
    play_to_wait(pace, steady());
    pace.pause();
    if (flush)
      pace.flush();
    else
      pace.set_state(GST_STATE_READY);
    assert_equals_int(pace.flow(), GST_FLOW_FLUSHING);
    assert_equals_uint64(pace.count(), 0);
  }
}
GST_END_TEST

GST_START_TEST(stop_before_playing) {
  Pace pace("", GST_STATE_PAUSED);
  pace.push(steady().bytes);
  pace.wait_for([&] { return pace.count() == 2; });
  pace.set_state(GST_STATE_READY);
  assert_equals_int(pace.flow(), GST_FLOW_FLUSHING);
  assert_equals_uint64(pace.count(), 2);
}
GST_END_TEST

GST_START_TEST(flush_restarts_the_burst) {
  Pace pace("burst=200");
  pace.push(steady().bytes);
  pace.run_until(350);
  assert_text(arrival_times(pace.take()), "0 0 0 0 100 200 300");
  pace.flush();
  Stream rest;
  rest.key(7000).inter(7100).inter(7200).inter(7300).inter(7400);
  pace.push(rest.bytes);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "0 0 0 100 200");
  assert_text(arrival_times(arrivals), "350 350 350 450 550");
}
GST_END_TEST

GST_START_TEST(flush_resets_the_running_time) {
  Pace pace;
  play_to_wait(pace, steady());
  pace.flush();
  pace.run_until(1000); // 750 ms without data
  Stream rest;
  rest.key(7000).inter(7100);
  pace.push(rest.bytes);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "750 850");
  assert_text(arrival_times(arrivals), "1000 1100");
}
GST_END_TEST

// Upstream may keep the running time across a flush, as a playlist does.
GST_START_TEST(flush_that_keeps_the_running_time) {
  Pace pace("burst=100");
  pace.push(steady().bytes);
  pace.run_until(250);
  (void)pace.take();
  pace.flush_start();
  const GstSegment segment = bytes_segment();
  gst_pad_push_event(pace.upstream(), gst_event_new_flush_stop(FALSE));
  gst_pad_push_event(pace.upstream(), gst_event_new_segment(&segment));
  pace.push(video_at({7000, 7100, 7200}).bytes);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "250 250 350");
  assert_text(arrival_times(arrivals), "250 250 350");
}
GST_END_TEST

namespace {

// Plays all tags, up to the wait before EOS, from 1000 to 1100.
void play_to_end(Pace &pace) {
  pace.push(steady().bytes);
  pace.end();
  pace.run_until(1050);
  assert_text(pace.waits_until(), "1100");
  assert_equals_uint64(pace.count_events(GST_EVENT_EOS), 0);
}

} // namespace

GST_START_TEST(pause_before_the_end) {
  Pace pace;
  play_to_end(pace);
  pace.pause();
  pace.advance(500);
  pace.resume();
  assert_text(pace.waits_until(), "1600");
  assert_equals_uint64(pace.count_events(GST_EVENT_EOS), 0);
  pace.run();
  assert_equals_uint64(pace.count_events(GST_EVENT_EOS), 1);
}
GST_END_TEST

GST_START_TEST(flush_and_stop_before_the_end) {
  for (const bool flush : {false, true}) {
    Pace pace;
    play_to_end(pace);
    if (flush)
      pace.flush();
    else
      pace.set_state(GST_STATE_READY);
    pace.settle();
    assert_text(pace.waits_until(), "");
    assert_equals_uint64(pace.count_events(GST_EVENT_EOS), 0);
  }
}
GST_END_TEST

GST_START_TEST(property_before_the_end) {
  Pace pace;
  play_to_end(pace);
  pace.set("burst", 20U);
  assert_text(pace.waits_until(), "1080");
  pace.set("sync", FALSE);
  assert_text(pace.waits_until(), "");
  assert_equals_uint64(pace.count_events(GST_EVENT_EOS), 1);
}
GST_END_TEST

GST_START_TEST(another_clock) {
  Pace pace;
  play_to_wait(pace, steady());
  pace.pause();
  // The pipeline selects a clock at each change to PLAYING. The new clock is at one hour.
  GstClock *other = gst_test_clock_new_with_start_time(3600 * GST_SECOND);
  gst_element_set_clock(pace.element(), other);
  gst_element_set_base_time(pace.element(), 3600 * GST_SECOND - 250 * GST_MSECOND);
  pace.set_state(GST_STATE_PLAYING);
  GstClockID id = nullptr;
  pace.wait_for([&] { return gst_test_clock_peek_next_pending_id(GST_TEST_CLOCK(other), &id); });
  assert_text(milliseconds(gst_clock_id_get_time(id)), "3600050");
  gst_clock_id_unref(id);
  assert_equals_uint64(pace.count(), 0);
  fail_unless(gst_test_clock_crank(GST_TEST_CLOCK(other)));
  pace.wait_for([&] { return pace.count() == 1; });
  assert_text(due_times(pace.take()), "300");
  pace.set_state(GST_STATE_READY);
  gst_object_unref(other);
}
GST_END_TEST

GST_START_TEST(no_clock_no_wait) {
  Pace pace("", GST_STATE_PAUSED);
  gst_element_set_clock(pace.element(), nullptr);
  pace.set_state(GST_STATE_PLAYING);
  pace.push(steady().bytes);
  pace.end();
  pace.settle();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "0 0 100 200 300 400 500 600 700 800 900 1000");
  assert_text(arrival_times(arrivals), "0 0 0 0 0 0 0 0 0 0 0 0");
  assert_equals_uint64(pace.count_events(GST_EVENT_EOS), 1);
}
GST_END_TEST

GST_START_TEST(no_lock_is_held_in_the_wait) {
  Pace pace;
  play_to_wait(pace, steady());
  // The element answers the application while it waits.
  (void)pace.lead();
  guint burst = 1;
  g_object_get(pace.element(), "burst", &burst, nullptr);
  assert_equals_int(static_cast<int>(burst), 0);
  gint64 position = -1;
  fail_unless(gst_pad_peer_query_position(pace.downstream(), GST_FORMAT_TIME, &position));
  assert_equals_uint64(static_cast<guint64>(position), 200 * GST_MSECOND);
  gst_pad_push_event(pace.downstream(), gst_event_new_reconfigure());
  assert_text(pace.waits_until(), "300");
}
GST_END_TEST

// Out-of-band events do not wait.
GST_START_TEST(event_overtakes_the_wait) {
  Pace pace;
  play_to_wait(pace, steady());
  gst_pad_push_event(pace.upstream(), gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_OOB,
                                                           gst_structure_new_empty("test")));
  assert_equals_uint64(pace.count_events(GST_EVENT_CUSTOM_DOWNSTREAM_OOB), 1);
  assert_text(pace.waits_until(), "300");
}
GST_END_TEST

static Suite *flvpace_waiting_suite() {
  Suite *suite = suite_create("flvpace_waiting");
  TCase *tcase = tcase_create("waiting");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, pause_holds_the_waiting_tag);
  tcase_add_test(tcase, nothing_leaves_while_paused);
  tcase_add_test(tcase, many_pauses);
  tcase_add_test(tcase, first_tags_pass_in_paused);
  tcase_add_test(tcase, pause_in_the_burst);
  tcase_add_test(tcase, flush_ends_the_wait);
  tcase_add_test(tcase, stop_ends_the_wait);
  tcase_add_test(tcase, stop_and_flush_while_paused);
  tcase_add_test(tcase, stop_before_playing);
  tcase_add_test(tcase, flush_restarts_the_burst);
  tcase_add_test(tcase, flush_resets_the_running_time);
  tcase_add_test(tcase, flush_that_keeps_the_running_time);
  tcase_add_test(tcase, pause_before_the_end);
  tcase_add_test(tcase, flush_and_stop_before_the_end);
  tcase_add_test(tcase, property_before_the_end);
  tcase_add_test(tcase, another_clock);
  tcase_add_test(tcase, no_clock_no_wait);
  tcase_add_test(tcase, no_lock_is_held_in_the_wait);
  tcase_add_test(tcase, event_overtakes_the_wait);
  return suite;
}

GST_CHECK_MAIN(flvpace_waiting);
