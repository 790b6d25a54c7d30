// SPDX-License-Identifier: LGPL-2.1-or-later
// Sixty days of media, beyond the timestamp wrap at 49.7 days: no due time drifts.
#include "pacetest.h"
#include "watched.h"

using namespace flvtest;
using namespace pacetest;

namespace {

constexpr guint64 kDay = 24 * 3600 * 1000; // ms
constexpr guint64 kDays = 60;
constexpr guint64 kStep = 9000;
constexpr guint64 kLongStep = 900'000; // the step under slow tools
constexpr guint64 kShortStep = 40;

// The due times of the tags of a day, in ms: one every 9 s, and every 40 ms for one second in each
// hour.
std::vector<guint64> times_of_a_day() {
  const guint64 step = is_watched() ? kLongStep : kStep;
  std::vector<guint64> times;
  for (guint64 time = 0; time < kDay; time += step) {
    times.push_back(time);
    const bool dense = time % (is_watched() ? kDay : kDay / 24) == 0;
    for (guint64 more = kShortStep; dense && more < 1000; more += kShortStep)
      times.push_back(time + more);
  }
  return times;
}

// Plays one day after another, and checks all output.
class Marathon {
public:
  // The speed is `numerator` / `denominator`.
  explicit Marathon(const std::string &properties, guint64 numerator = 1, guint64 denominator = 1)
      : pace_(properties + (is_watched() ? " max-gap=0" : "")), numerator_(numerator),
        denominator_(denominator), times_(times_of_a_day()),
        clock_(gst_harness_get_testclock(pace_.harness())) {
    pace_.set_sink([this](std::size_t index) {
      move_on(index);
      return GST_FLOW_OK;
    });
    pace_.push(file_header(false, true));
  }
  ~Marathon() { pace_.set_sink(nullptr); }
  Marathon(const Marathon &) = delete;
  Marathon &operator=(const Marathon &) = delete;

  // Each tag has the time since the start, modulo 2^32.
  void play_day(guint64 day) {
    push_day(day * kDay);
    pace_.run();
    assert_day(day);
  }

  // Each day is another round of the same file.
  void play_round(guint64 day) {
    if (day > 0)
      pace_.push(file_header(false, true));
    push_day(0);
    pace_.run();
    assert_day(day);
  }

  void assert_stats(guint64 discontinuities) {
    assert_equals_uint64(pace_.stat("video-tags"), kDays * times_.size());
    assert_equals_uint64(pace_.stat("discontinuities"), discontinuities);
    assert_equals_uint64(pace_.stat("late-tags"), 0);
    assert_equals_uint64(pace_.stat("bytes-skipped"), 0);
    fail_unless(pace_.stat("lateness-maximum") <= kRounding);
  }

  // EOS leaves one step after the last tag.
  void assert_end() {
    pace_.end();
    pace_.run();
    assert_equals_uint64(pace_.count_events(GST_EVENT_EOS), 1);
    assert_near(pace_.now(), kDays * kDay);
  }

private:
  static constexpr GstClockTime kRounding = 1; // ns

  // The time of tag number `index` since the start, in ms of media.
  [[nodiscard]] guint64 time_of(std::size_t index) const {
    return index / times_.size() * kDay + times_[index % times_.size()];
  }

  // Rounded up.
  [[nodiscard]] GstClockTime due(guint64 time) const {
    return (time * GST_MSECOND * denominator_ + numerator_ - 1) / numerator_;
  }

  void assert_near(GstClockTime is, guint64 time) const { assert_rounded(is, due(time)); }

  // At speed 1 there is no rounding.
  void assert_rounded(GstClockTime is, GstClockTime should) const {
    const GstClockTime rounding = numerator_ == 1 ? 0 : kRounding;
    fail_unless(is <= should + rounding && is + rounding >= should, "%s, not %s",
                milliseconds(is).c_str(), milliseconds(should).c_str());
  }

  // At each tag, the clock advances to the time of the next tag, which saves a wait; but for some
  // tags the element waits. Buffer number 0 is the file header, and number 1 the first tag.
  void move_on(std::size_t index) {
    constexpr std::size_t kWaitEach = 997;
    if (index > 0 && index % kWaitEach != 0 && index < kDays * times_.size())
      gst_test_clock_set_time(clock_.get(), due(time_of(index)));
  }

  void push_day(guint64 start) {
    Stream stream;
    for (const guint64 time : times_)
      stream.key(static_cast<std::uint32_t>(start + time), 5);
    pace_.push(stream.bytes, 65536);
  }

  void assert_day(guint64 day) {
    const Arrivals arrivals = pace_.take();
    std::size_t index = day * times_.size();
    for (const Arrival &arrival : arrivals) {
      if (index == 0 && arrival.bytes.at(0) == 'F')
        continue;
      const guint64 time = time_of(index++);
      assert_near(arrival.running, time);
      assert_near(arrival.clock, time);
      assert_rounded(arrival.stream, time * GST_MSECOND);
      flv::TagHeader header;
      fail_unless(flv::read_tag_header(arrival.bytes.data(), flv::kMaxDataSize, header) ==
                  flv::Fault());
      assert_equals_uint64(header.timestamp, static_cast<std::uint32_t>(time));
    }
    assert_equals_uint64(index, (day + 1) * times_.size());
  }

  struct Unref {
    void operator()(GstTestClock *clock) const { gst_object_unref(clock); }
  };

  Pace pace_;
  guint64 numerator_;
  guint64 denominator_;
  std::vector<guint64> times_;
  std::unique_ptr<GstTestClock, Unref> clock_;
};

} // namespace

GST_START_TEST(sixty_days) {
  Marathon marathon("");
  for (guint64 day = 0; day < kDays; ++day)
    marathon.play_day(day);
  marathon.assert_stats(0);
  marathon.assert_end();
}
GST_END_TEST

GST_START_TEST(sixty_days_at_another_speed) {
  Marathon marathon("speed=1.5", 3, 2);
  for (guint64 day = 0; day < kDays; ++day)
    marathon.play_day(day);
  marathon.assert_stats(0);
  marathon.assert_end();
}
GST_END_TEST

// One splice a day; no splice loses or gains a millisecond.
GST_START_TEST(sixty_rounds_of_a_day) {
  Marathon marathon("");
  for (guint64 day = 0; day < kDays; ++day)
    marathon.play_round(day);
  marathon.assert_stats(kDays - 1);
  marathon.assert_end();
}
GST_END_TEST

static Suite *flvpace_long_suite() {
  Suite *suite = suite_create("flvpace_long");
  TCase *tcase = tcase_create("long");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, sixty_days);
  tcase_add_test(tcase, sixty_days_at_another_speed);
  tcase_add_test(tcase, sixty_rounds_of_a_day);
  return suite;
}

GST_CHECK_MAIN(flvpace_long);
