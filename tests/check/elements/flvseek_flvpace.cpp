// SPDX-License-Identifier: LGPL-2.1-or-later
// flvpace after flvseek: a seek in time restarts it, with a burst.
#include <atomic>
#include <thread>

#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

// The pipeline's clock moves only by the test.
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
  // Advances the clock until the condition is true.
  void run_until(const std::function<bool()> &condition) {
    Seek::wait_for([&] {
      GstClockTime time = 0;
      if (pacetest::next_wait(clock_, time))
        gst_test_clock_set_time(clock_, time);
      return condition();
    });
  }

  // The timestamps of the video frames in the output, without configurations.
  [[nodiscard]] std::string frames() {
    std::string text;
    for (const Piece &piece : seek_.take_pieces()) {
      flv::TagHeader header;
      if (piece.bytes.size() <= 13 ||
          flv::read_tag_header(piece.bytes.data(), flv::kMaxDataSize, header) != flv::Fault())
        continue;
      const auto data = Bytes(piece.bytes).subspan(flv::kTagHeaderSize);
      if (header.type == TagType::Video &&
          flv::classify(header.type, data).role != flv::Role::DecoderConfig)
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

// flvpace receives also a whole file in push mode, in which flvseek accepts seeks in time.
GST_START_TEST(seek_in_time) {
  for (const char *properties : {"start-time=400", ""}) {
    Paced paced(clip(), kAccesses[__i__], properties, "burst=100");
    assert_equals_uint64(paced.waits_until(), 20);
    fail_unless(paced.seek().seek_time(2100));
    Seek::wait_for([&] { return paced.seek().segment().time == 2000 * GST_MSECOND; });
    assert_equals_uint64(paced.waits_until(), 20);
    assert_text(paced.frames(), "2000 2040 2080");
  }
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

// The end of the segment waits for its last tag, and the next loop follows it.
GST_START_TEST(segment_seek) {
  Paced paced(clip(), kAccesses[__i__], "start-time=400", "retimestamp=none");
  Seek &seek = paced.seek();
  (void)paced.waits_until();
  const auto send = [&](int flags) {
    return seek.send(gst_event_new_seek(1.0, GST_FORMAT_TIME, static_cast<GstSeekFlags>(flags),
                                        GST_SEEK_TYPE_SET, 800 * GST_MSECOND, GST_SEEK_TYPE_SET,
                                        1200 * GST_MSECOND));
  };
  fail_unless(send(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_SEGMENT));
  for (std::size_t turn = 1; turn <= 3; ++turn) {
    paced.run_until([&] { return seek.count_events(GST_EVENT_SEGMENT_DONE) == turn; });
    assert_text(paced.frames(), "800 840 880 920 960 1000 1040 1080 1120 1160");
    if (turn < 3)
      fail_unless(send(GST_SEEK_FLAG_SEGMENT));
  }
  assert_equals_uint64(seek.count_events(GST_EVENT_EOS), 0);
  fail_unless(seek.seek_time(2800, GST_SEEK_FLAG_KEY_UNIT));
  paced.run_until([&] { return seek.count_events(GST_EVENT_EOS) == 1; });
}
GST_END_TEST

// The timeline continues.
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

// In PAUSED, flvpace blocks upstream's thread. The seek must not wait for it.
GST_START_TEST(seek_that_does_not_flush_while_paused) {
  Paced paced(clip(300), Access::Seekable, "start-time=400", "retimestamp=none");
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

// --- Damage after a start: the warning has the byte offset in the file ---

namespace {

// Stores the text of the first warning of any element.
GstBusSyncReply note_warning(GstBus *, GstMessage *message, gpointer text) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
    GError *error = nullptr;
    gst_message_parse_warning(message, &error, nullptr);
    auto &first = *static_cast<std::string *>(text);
    if (first.empty())
      first = error->message;
    g_clear_error(&error);
  }
  gst_message_unref(message);
  return GST_BUS_DROP;
}

// The warning of flvpace in a pipeline with stock elements.
std::string warning_of(const Buffer &bytes, const std::string &between,
                       const std::string &properties) {
  const TemporaryFile file(bytes);
  GstElement *pipeline =
      gst_parse_launch(("filesrc location=" + file.path() + between + " ! flvseek " + properties +
                        " ! flvpace sync=false ! fakesink name=end sync=false")
                           .c_str(),
                       nullptr);
  fail_unless(pipeline != nullptr);
  std::string text;
  GstBus *bus = gst_element_get_bus(pipeline);
  gst_bus_set_sync_handler(bus, note_warning, &text, nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstState state = GST_STATE_NULL;
  gst_element_get_state(pipeline, &state, nullptr, 20 * GST_SECOND);
  Seek::wait_for([&] {
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "end");
    GstPad *pad = gst_element_get_static_pad(sink, "sink");
    const bool ended = GST_PAD_IS_EOS(pad);
    gst_object_unref(pad);
    gst_object_unref(sink);
    return ended;
  });
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(pipeline);
  return text;
}

// The three access modes of upstream: pull, seekable, not seekable.
const char *const kBetween[] = {"", " ! queue", " ! identity"};

} // namespace

GST_START_TEST(damage_is_named_by_the_file) {
  const Stream stream = clip();
  const std::size_t zeros = keys(stream).at(5) + 3;
  const std::size_t at = stream.tags[zeros].begin;
  for (const std::size_t size : {6000U, 200'000U}) {
    const Buffer bytes = inserted(stream.bytes, at, Buffer(size));
    const std::string place = "Damaged at byte " + std::to_string(at) + ":";
    for (const char *properties :
         {"", "start-time=400", "start-time=2000", "start-time=1200 index=scan", "offset=1000",
          "start-time=400 stop-offset=400000"}) {
      const std::string text =
          warning_of(bytes, kBetween[__i__], std::string(properties) + " snap=previous");
      fail_unless(text.starts_with(place), "%s: \"%s\" instead of \"%s\"", properties, text.c_str(),
                  place.c_str());
    }
  }
}
GST_END_TEST

// The same for a tag that the end of the file cuts off, and for a discontinuity.
GST_START_TEST(end_is_named_by_the_file) {
  const Stream stream = clip();
  Buffer bytes = stream.bytes;
  bytes.resize(bytes.size() - 7);
  const std::string place =
      "from byte " + std::to_string(stream.tags.back().begin) + " on, are not sent";
  for (const char *properties : {"", "start-time=400 index=scan", "start-time=2000 index=scan"}) {
    const std::string text = warning_of(bytes, kBetween[__i__], properties);
    fail_unless(text.find(place) != std::string::npos, "%s: \"%s\"", properties, text.c_str());
  }
}
GST_END_TEST

static Suite *flvseek_flvpace_suite() {
  Suite *suite = suite_create("flvseek_flvpace");
  TCase *tcase = tcase_create("flvpace");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, starts_in_the_middle, 0, 3);
  tcase_add_loop_test(tcase, seek_in_time, 0, 2);
  tcase_add_loop_test(tcase, seek_in_time_unpaced, 0, 2);
  tcase_add_loop_test(tcase, segment_seek, 0, 2);
  tcase_add_loop_test(tcase, seek_that_does_not_flush, 0, 2);
  tcase_add_test(tcase, seek_that_does_not_flush_while_paused);
  tcase_add_loop_test(tcase, damage_is_named_by_the_file, 0, 3);
  tcase_add_loop_test(tcase, end_is_named_by_the_file, 0, 3);
  return suite;
}

GST_CHECK_MAIN(flvseek_flvpace);
