// SPDX-License-Identifier: LGPL-2.1-or-later
// Properties that are set while the element plays, mostly while it waits.
#include <atomic>
#include <thread>

#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// Pushes in chunks, so that the element has at most one tag at a time.
void push_in_chunks(Pace &pace, const Stream &stream) {
  constexpr std::size_t kLessThanATag = 50;
  pace.push(stream.bytes, kLessThanATag);
}

// Plays up to the wait for the tag at 300, which starts at 250.
void play_to_wait(Pace &pace) {
  push_in_chunks(pace, steady());
  pace.end();
  pace.run_until(250);
  assert_text(pace.waits_until(), "300");
  (void)pace.take();
}

// All later tags are due, and leave, at these times.
void assert_rest(Pace &pace, const std::string &times) {
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), times);
  assert_text(arrival_times(arrivals), times);
}

} // namespace

GST_START_TEST(burst_raised) {
  Pace pace;
  play_to_wait(pace);
  pace.set("burst", 350U);
  // The tags up to 600 are due now.
  pace.settle();
  assert_text(due_times(pace.take()), "250 250 250 250");
  assert_text(pace.waits_until(), "350");
  assert_rest(pace, "350 450 550 650");
}
GST_END_TEST

GST_START_TEST(burst_raised_less_than_the_wait) {
  Pace pace;
  play_to_wait(pace);
  pace.set("burst", 20U);
  assert_text(pace.waits_until(), "280");
  assert_rest(pace, "280 380 480 580 680 780 880 980");
}
GST_END_TEST

GST_START_TEST(burst_lowered) {
  Pace pace("burst=300");
  pace.push(steady().bytes);
  pace.end();
  pace.run_until(150);
  assert_text(due_times(pace.take()), "0 0 0 0 0 100");
  pace.set("burst", 100U);
  assert_text(pace.waits_until(), "400"); // the tag at 500
  assert_rest(pace, "400 500 600 700 800 900");
}
GST_END_TEST

GST_START_TEST(burst_raised_and_lowered) {
  Pace pace;
  play_to_wait(pace);
  pace.set("burst", 200U);
  pace.settle();
  pace.set("burst", 0U);
  assert_text(due_times(pace.take()), "250 250");
  assert_text(pace.waits_until(), "500");
  assert_rest(pace, "500 600 700 800 900 1000");
}
GST_END_TEST

GST_START_TEST(burst_unchanged) {
  Pace pace("burst=100");
  pace.push(steady().bytes);
  pace.end();
  pace.run_until(250);
  (void)pace.take();
  pace.set("burst", 100U);
  assert_text(pace.waits_until(), "300");
  assert_rest(pace, "300 400 500 600 700 800 900");
}
GST_END_TEST

GST_START_TEST(speed_raised) {
  Pace pace;
  play_to_wait(pace);
  pace.set("speed", 2.0);
  assert_text(pace.waits_until(), "300"); // the current tag keeps its due time
  assert_rest(pace, "300 350 400 450 500 550 600 650");
}
GST_END_TEST

GST_START_TEST(speed_lowered) {
  Pace pace;
  play_to_wait(pace);
  pace.set("speed", 0.5);
  assert_text(pace.waits_until(), "300");
  assert_rest(pace, "300 500 700 900 1100 1300 1500 1700");
}
GST_END_TEST

GST_START_TEST(speed_counts_from_the_last_tag) {
  // The element does not wait: upstream has sent only the tags up to 200.
  const Stream stream = steady(500);
  const std::size_t cut = stream.tags[3].begin;
  Pace pace;
  pace.push(Bytes(stream.bytes).first(cut));
  pace.run_until(250);
  (void)pace.take();
  pace.set("speed", 0.5);
  pace.push(Bytes(stream.bytes).subspan(cut));
  pace.end();
  assert_rest(pace, "400 600 800");
}
GST_END_TEST

GST_START_TEST(speed_in_a_burst) {
  Pace pace("burst=200");
  pace.push(steady().bytes);
  pace.end();
  pace.run_until(50);
  assert_text(due_times(pace.take()), "0 0 0 0");
  pace.set("speed", 2.0);
  assert_text(pace.waits_until(), "100");
  assert_rest(pace, "100 150 200 250 300 350 400 450");
}
GST_END_TEST

GST_START_TEST(media_time_is_continuous_when_the_speed_changes) {
  Pace pace;
  play_to_wait(pace);
  pace.set("speed", 2.0);
  pace.run();
  assert_text(stream_times(pace.take()), "300 400 500 600 700 800 900 1000");
}
GST_END_TEST

GST_START_TEST(sync_off_and_on) {
  Pace pace;
  play_to_wait(pace);
  // The sink enables it again when it receives the tag at 600.
  pace.set_sink([&pace](std::size_t index) {
    if (index == 7)
      pace.set("sync", TRUE);
    return GST_FLOW_OK;
  });
  pace.set("sync", FALSE);
  pace.settle();
  assert_text(pace.waits_until(), "700");
  Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "300 400 500 600");
  assert_text(arrival_times(arrivals), "250 250 250 250");
  assert_rest(pace, "700 800 900 1000");
}
GST_END_TEST

GST_START_TEST(catch_up_speed_while_late) {
  Pace pace("catch-up-speed=2");
  pace.block_sink(3, 500); // the sink blocks until 700
  pace.push(steady().bytes);
  pace.end();
  pace.run_until(760);
  assert_text(arrival_times(pace.take()), "0 0 100 200 700 750");
  assert_text(pace.waits_until(), "800");
  pace.set("catch-up-speed", 0.0);
  pace.settle();
  // The tags at 500, 600 and 700 are late.
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "500 600 700");
  assert_text(arrival_times(arrivals), "760 760 760");
  assert_rest(pace, "800 900 1000");
}
GST_END_TEST

GST_START_TEST(max_gap) {
  Stream stream = steady(300);
  // For one kind alone: more than ten times the longest step.
  stream.inter(2300).inter(2400).inter(25'400).inter(25'500);
  const std::size_t cut = stream.tags[6].begin;
  Pace pace("max-gap=30000");
  pace.push(Bytes(stream.bytes).first(cut));
  pace.run_until(2450);
  assert_text(due_times(pace.take()), "0 0 100 200 300 2300 2400");
  pace.set("max-gap", 2999U);
  pace.push(Bytes(stream.bytes).subspan(cut));
  pace.end();
  assert_rest(pace, "2500 2600");
}
GST_END_TEST

GST_START_TEST(while_paused) {
  Pace pace;
  play_to_wait(pace);
  pace.pause();
  pace.set("burst", 200U);
  fail_unless(pace.stays_blocked());
  pace.advance(1000);
  pace.resume();
  pace.settle();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "250 250");
  assert_text(arrival_times(arrivals), "1250 1250");
  assert_text(pace.waits_until(), "1300");
}
GST_END_TEST

GST_START_TEST(before_the_start) {
  Pace pace("", GST_STATE_PAUSED);
  pace.set("burst", 300U);
  pace.set("speed", 2.0);
  pace.set_state(GST_STATE_PLAYING);
  pace.push(steady().bytes);
  pace.end();
  assert_rest(pace, "0 0 0 0 0 0 0 0 50 100 150 200");
}
GST_END_TEST

// An application may set properties in a pad probe or in a sink's callback.
GST_START_TEST(from_the_streaming_thread) {
  Pace pace;
  pace.set_sink([&pace](std::size_t index) {
    if (index == 3) {
      pace.set("burst", 300U);
      pace.set("speed", 2.0);
      (void)pace.lead();
    }
    return GST_FLOW_OK;
  });
  push_in_chunks(pace, steady());
  pace.end();
  pace.run();
  // At 200, while the sink has the tag at 200.
  assert_text(arrival_times(pace.take()), "0 0 100 200 200 200 200 200 200 200 250 300");
}
GST_END_TEST

// Any combination of changes loses no tag, sends no tag twice, and does not hang.
GST_START_TEST(all_at_once) {
  const Stream stream = file({.duration = 20000});
  Pace pace;
  std::atomic<bool> over = false;
  std::thread changes([&] {
    for (guint turn = 0; !over; ++turn) {
      pace.set("burst", turn % 7 * 50);
      pace.set("speed", turn % 3 == 0 ? 1.0 : 2.0);
      pace.set("catch-up-speed", turn % 5 == 0 ? 4.0 : 0.0);
      pace.set("sync", turn % 11 != 0);
      pace.set("max-gap", turn % 2 == 0 ? 10000U : 5000U);
      (void)pace.stat("bytes-out");
      g_usleep(100);
    }
  });
  pace.push(stream.bytes, 200);
  pace.end();
  for (int turn = 0; turn < 50; ++turn) {
    pace.run_until(static_cast<guint64>(turn) * 100);
    pace.pause();
    pace.resume();
  }
  pace.run();
  over = true;
  changes.join();
  assert_bytes(bytes(pace.take()), stream.bytes);
}
GST_END_TEST

static Suite *flvpace_changes_suite() {
  Suite *suite = suite_create("flvpace_changes");
  TCase *tcase = tcase_create("changes");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, burst_raised);
  tcase_add_test(tcase, burst_raised_less_than_the_wait);
  tcase_add_test(tcase, burst_lowered);
  tcase_add_test(tcase, burst_raised_and_lowered);
  tcase_add_test(tcase, burst_unchanged);
  tcase_add_test(tcase, speed_raised);
  tcase_add_test(tcase, speed_lowered);
  tcase_add_test(tcase, speed_counts_from_the_last_tag);
  tcase_add_test(tcase, speed_in_a_burst);
  tcase_add_test(tcase, media_time_is_continuous_when_the_speed_changes);
  tcase_add_test(tcase, sync_off_and_on);
  tcase_add_test(tcase, catch_up_speed_while_late);
  tcase_add_test(tcase, max_gap);
  tcase_add_test(tcase, while_paused);
  tcase_add_test(tcase, before_the_start);
  tcase_add_test(tcase, from_the_streaming_thread);
  tcase_add_test(tcase, all_at_once);
  return suite;
}

GST_CHECK_MAIN(flvpace_changes);
