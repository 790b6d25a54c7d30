// SPDX-License-Identifier: LGPL-2.1-or-later
// How flvpace sleeps on a real clock: a long wait until shortly before the due time, then a short
// wait.
#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// A system clock whose time is the latest time that was waited for. Records the waits.
struct TellingClock {
  GstSystemClock parent;
  GstClockTime now;
  std::vector<GstClockTime> *waits;
};
struct TellingClockClass {
  GstSystemClockClass parent;
};

// NOLINTNEXTLINE
G_DEFINE_TYPE(TellingClock, telling_clock, GST_TYPE_SYSTEM_CLOCK)

TellingClock &telling(GstClock *clock) {
  return *reinterpret_cast<TellingClock *>(clock);
}

GstClockTime time_of(GstClock *clock) {
  return telling(clock).now;
}

GstClockReturn wait(GstClock *clock, GstClockEntry *entry, GstClockTimeDiff *) {
  telling(clock).waits->push_back(entry->time);
  telling(clock).now = std::max(telling(clock).now, entry->time);
  return GST_CLOCK_OK;
}

void telling_clock_class_init(TellingClockClass *klass) {
  klass->parent.parent_class.get_internal_time = time_of;
  klass->parent.parent_class.wait = wait;
}

void telling_clock_init(TellingClock *) {}

// The waits (us) for a stream.
std::string waits(const Stream &stream) {
  std::vector<GstClockTime> times;
  const gstflv::ClockPtr clock(GST_CLOCK(g_object_new(telling_clock_get_type(), nullptr)));
  telling(clock.get()).waits = &times;
  GstHarness *harness = gst_harness_new("flvpace");
  gst_harness_set_live(harness, FALSE);
  gst_element_set_clock(harness->element, clock.get());
  gst_element_set_base_time(harness->element, 0);
  gst_harness_play(harness);
  gst_harness_set_src_caps_str(harness, "video/x-flv");
  gst_harness_push(harness, gst_buffer_new_memdup(stream.bytes.data(), stream.bytes.size()));
  gst_harness_teardown(harness);
  std::string told;
  for (const GstClockTime time : times)
    told += (told.empty() ? "" : " ") + std::to_string(GST_TIME_AS_USECONDS(time));
  return told;
}

} // namespace

GST_START_TEST(wakes_up_early) {
  assert_text(waits(video_at({0, 100, 200})), "99850 100000 199850 200000");
}
GST_END_TEST

GST_START_TEST(not_for_tags_of_the_same_time) {
  assert_text(waits(video_at({0, 100, 100, 100, 101})), "99850 100000 100850 101000");
}
GST_END_TEST

// If several elements wait, the process wakes often anyway.
GST_START_TEST(not_among_many) {
  std::array<Pace, 4> others;
  for (Pace &other : others) {
    other.push(steady().bytes);
    other.settle();
    assert_text(other.waits_until(), "100");
  }
  assert_text(waits(video_at({0, 100, 200})), "100000 200000");
  others[0].flush_start();
  others[0].settle();
  assert_text(waits(video_at({0, 100, 200})), "99850 100000 199850 200000");
}
GST_END_TEST

static Suite *flvpace_naps_suite() {
  Suite *suite = suite_create("flvpace_naps");
  TCase *tcase = tcase_create("naps");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, wakes_up_early);
  tcase_add_test(tcase, not_for_tags_of_the_same_time);
  tcase_add_test(tcase, not_among_many);
  return suite;
}

GST_CHECK_MAIN(flvpace_naps);
