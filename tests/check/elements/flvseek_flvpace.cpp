// SPDX-License-Identifier: LGPL-2.1-or-later
// flvpace behind flvseek: a seek in time is a new start, with its burst.
#include <atomic>
#include <thread>

#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

// The pipeline's clock only moves when the test moves it.
class Paced {
public:
  Paced(const Stream &stream, Access access, const std::string &properties, const std::string &pace)
      : seek_({.bytes = stream.bytes, .access = access}, properties, GST_STATE_READY,
              " ! flvpace " + pace),
        clock_(GST_TEST_CLOCK(gst_test_clock_new())) {
    gst_pipeline_use_clock(GST_PIPELINE(seek_.pipeline()), GST_CLOCK(clock_));
    seek_.set_state(GST_STATE_PLAYING);
  }
  ~Paced() {
    seek_.set_state(GST_STATE_NULL);
    gst_object_unref(clock_);
  }
  Paced(const Paced &) = delete;
  Paced &operator=(const Paced &) = delete;

  [[nodiscard]] Seek &seek() { return seek_; }

  // The time (ms) for which flvpace waits.
  [[nodiscard]] guint64 waits_until() {
    GstClockTime time = 0;
    Seek::wait_for([&] { return pacetest::next_wait(clock_, time); });
    return time / GST_MSECOND;
  }
  // Moves the clock along as long as the condition does not hold.
  void run_until(const std::function<bool()> &condition) {
    Seek::wait_for([&] {
      GstClockTime time = 0;
      if (pacetest::next_wait(clock_, time))
        gst_test_clock_set_time(clock_, time);
      return condition();
    });
  }

  // The timestamps of the video frames that have come, configurations aside.
  [[nodiscard]] std::string frames() {
    std::string text;
    for (const Piece &piece : seek_.take_pieces()) {
      flv::TagHeader header;
      if (piece.bytes.size() <= 13 ||
          flv::read_tag_header(piece.bytes.data(), flv::kMaxDataSize, header) != flv::Fault())
        continue;
      const auto data = Bytes(piece.bytes).subspan(flv::kTagHeaderSize);
      if (header.type == TagType::Video &&
          flv::classify(header.type, data).role != flv::Role::Configuration)
        text.append(text.empty() ? "" : " ").append(std::to_string(header.timestamp));
    }
    return text;
  }

private:
  Seek seek_;
  GstTestClock *clock_;
};

} // namespace

GST_START_TEST(starts_in_the_middle) {
  Paced paced(clip(), kAccesses[__i__], "start-time=1200", "burst=100");
  assert_equals_uint64(paced.waits_until(), 20);
  assert_text(paced.frames(), "1200 1240 1280");
  const GstSegment segment = paced.seek().segment();
  assert_equals_int(segment.format, GST_FORMAT_TIME);
  assert_equals_uint64(segment.time, 1200 * GST_MSECOND);
}
GST_END_TEST

GST_START_TEST(seek_in_time) {
  Paced paced(clip(), kAccesses[__i__], "start-time=400", "burst=100");
  assert_equals_uint64(paced.waits_until(), 20);
  fail_unless(paced.seek().seek_time(2100));
  Seek::wait_for([&] { return paced.seek().segment().time == 2000 * GST_MSECOND; });
  assert_equals_uint64(paced.waits_until(), 20);
  assert_text(paced.frames(), "2000 2040 2080");
}
GST_END_TEST

GST_START_TEST(seek_in_time_unpaced) {
  Seek seek({.bytes = clip().bytes, .access = kAccesses[__i__]}, "start-time=400",
            GST_STATE_PLAYING, " ! flvpace sync=false");
  seek.run();
  for (const guint64 ms : {2000U, 800U, 2800U}) {
    fail_unless(seek.seek_time(ms));
    seek.run();
    assert_equals_uint64(seek.segment().time, ms * GST_MSECOND);
  }
}
GST_END_TEST

// The timeline goes on.
GST_START_TEST(seek_that_does_not_flush) {
  Paced paced(clip(), kAccesses[__i__], "start-time=400", "burst=100");
  assert_equals_uint64(paced.waits_until(), 20);
  const std::size_t flushes = paced.seek().count_events(GST_EVENT_FLUSH_STOP);
  std::thread thread([&] { fail_unless(paced.seek().seek_time(2000, GST_SEEK_FLAG_KEY_UNIT)); });
  paced.run_until([&] { return paced.seek().count_starts() == 2; });
  thread.join();
  paced.run_until([&] { return paced.seek().count_events(GST_EVENT_EOS) > 0; });
  assert_equals_uint64(paced.seek().count_events(GST_EVENT_FLUSH_STOP), flushes);
}
GST_END_TEST

// In PAUSED flvpace holds upstream's thread, for which the seek must not wait.
GST_START_TEST(seek_that_does_not_flush_while_paused) {
  Paced paced(clip(300), Access::Seekable, "start-time=400", "");
  Seek &seek = paced.seek();
  (void)paced.waits_until();
  seek.set_state(GST_STATE_PAUSED);
  fail_unless(seek.seek_time(800));
  Seek::wait_for([&] { return seek.count_starts() == 2; });
  g_usleep(20000);
  std::atomic<bool> back = false;
  std::thread thread([&] {
    fail_unless(seek.seek_time(2000, GST_SEEK_FLAG_KEY_UNIT));
    back = true;
  });
  Seek::wait_for([&] { return back.load(); });
  thread.join();
  seek.set_state(GST_STATE_PLAYING);
  paced.run_until([&] { return seek.count_events(GST_EVENT_EOS) > 0; });
  const std::string frames = paced.frames();
  fail_unless(frames.find(" 2040 2080 ") != std::string::npos, "%s", frames.c_str());
  fail_unless(frames.find(" 1200 ") == std::string::npos, "%s", frames.c_str());
}
GST_END_TEST

static Suite *flvseek_flvpace_suite() {
  Suite *suite = suite_create("flvseek_flvpace");
  TCase *tcase = tcase_create("flvpace");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, starts_in_the_middle, 0, 3);
  tcase_add_loop_test(tcase, seek_in_time, 0, 2);
  tcase_add_loop_test(tcase, seek_in_time_unpaced, 0, 2);
  tcase_add_loop_test(tcase, seek_that_does_not_flush, 0, 2);
  tcase_add_test(tcase, seek_that_does_not_flush_while_paused);
  return suite;
}

GST_CHECK_MAIN(flvseek_flvpace);
