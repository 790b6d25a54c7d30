// SPDX-License-Identifier: LGPL-2.1-or-later
// Seeks by the application while the stream runs.
#include <thread>

#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

constexpr int kFlush = GST_SEEK_FLAG_FLUSH;
constexpr int kKeyUnit = GST_SEEK_FLAG_KEY_UNIT;
constexpr int kBefore = kKeyUnit | GST_SEEK_FLAG_SNAP_BEFORE;
constexpr int kAfter = kKeyUnit | GST_SEEK_FLAG_SNAP_AFTER;

const std::string kOriginal = "metadata-keyframes=original ";

// Where seeks are possible; small enough to be held as a whole, or not.
struct Way {
  Access access;
  std::size_t scale;
};
constexpr Way kWays[] = {
    {Access::Pull, 1}, {Access::Pull, 300}, {Access::Seekable, 1}, {Access::Seekable, 300}};

// Where a jump is dear, a change of configuration far in front of the place is not found.
Stream stream_of(const Way &way) {
  return clip(way.scale, key_frames_of, way.access == Access::Pull || way.scale == 1);
}

Source source_of(const Stream &stream, const Way &way) {
  return {.bytes = stream.bytes, .access = way.access};
}

struct Row {
  guint64 ms;
  int flags;
  std::size_t key;
};

const Row kRows[] = {
    {800, kFlush, 2},
    {1000, kFlush, 2},
    {1000, kFlush | kKeyUnit, 2},
    {1000, kFlush | kBefore, 2},
    {1000, kFlush | kAfter, 3},
    {801, kFlush | kBefore | kAfter, 2},
    {1199, kFlush | kBefore | kAfter, 3},
    {2800, kFlush, 7},
    {3100, kFlush, 7},
    {1600, kFlush, 4},
    {1599, kFlush, 3},
};

} // namespace

GST_START_TEST(in_time) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400");
  seek.run();
  assert_bytes(seek.take(), started(stream, 1));
  for (const Row &row : kRows) {
    fail_unless(seek.seek_time(row.ms, row.flags), "to %d", static_cast<int>(row.ms));
    seek.run();
    const std::string difference = pacetest::difference(seek.take(), started(stream, row.key));
    fail_unless(difference.empty(), "to %d with %x: %s", static_cast<int>(row.ms),
                static_cast<unsigned>(row.flags), difference.c_str());
    assert_equals_uint64(seek.get("actual-time"), row.key * 400);
  }
}
GST_END_TEST

GST_START_TEST(in_bytes) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400");
  seek.run();
  const guint64 place = position(stream, 4);
  const struct {
    guint64 offset;
    int flags;
    std::size_t key;
  } rows[] = {
      {place, kFlush, 4},
      {place + 1, kFlush, 5}, // as `snap` says
      {place + 1, kFlush | kBefore, 4},
      {place - 1, kFlush | kAfter, 4},
      {place + 1, kFlush | kBefore | kAfter, 4},
      {position(stream, 5) - 1, kFlush | kBefore | kAfter, 5},
  };
  for (const auto &row : rows) {
    fail_unless(seek.seek(GST_FORMAT_BYTES, row.offset, row.flags));
    seek.run();
    assert_bytes(seek.take(), started(stream, row.key));
    assert_equals_uint64(seek.get("actual-offset"), position(stream, row.key));
  }
}
GST_END_TEST

GST_START_TEST(to_the_start) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  for (const GstFormat format : {GST_FORMAT_TIME, GST_FORMAT_BYTES}) {
    Seek seek(source_of(stream, way), "start-time=1200");
    seek.run();
    (void)seek.take();
    (void)seek.starts();
    fail_unless(seek.seek(format, 0));
    seek.run();
    assert_bytes(seek.take(), stream.bytes);
    assert_equals_uint64(seek.starts().at(0).actual_offset, 0);
  }
}
GST_END_TEST

// The whole file, of which the index may be unknown yet.
GST_START_TEST(from_the_start) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal);
  seek.run();
  assert_bytes(seek.take(), stream.bytes);
  fail_unless(seek.seek_time(2000));
  seek.run();
  assert_bytes(seek.take(), started(stream, 5));
}
GST_END_TEST

GST_START_TEST(order_and_segment) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), "start-time=400");
  seek.run();
  assert_text(seek.order(), "stream-start caps segment B eos");
  const GstSegment segment = seek.segment();
  assert_equals_int(segment.format, GST_FORMAT_BYTES);
  assert_equals_uint64(segment.start, 0);
  fail_unless(seek.seek_time(2000));
  seek.run();
  assert_text(seek.order(), "flush-start flush-stop segment B eos");
  assert_equals_uint64(seek.segment().start, 0);
  // Offsets count in the stream as it is sent.
  guint64 next = 0;
  bool is_first = true;
  for (const Piece &piece : seek.take_pieces()) {
    assert_equals_uint64(piece.offset, next);
    next += piece.bytes.size();
    assert_equals_uint64(piece.offset_end, next);
    fail_unless(piece.discont == is_first && piece.header == is_first && !piece.stamped);
    is_first = false;
  }
}
GST_END_TEST

GST_START_TEST(seqnums) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), "start-time=400");
  seek.run();
  for (const guint64 ms : {2800U, 0U, 1200U}) {
    GstEvent *event =
        gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                           static_cast<gint64>(ms * GST_MSECOND), GST_SEEK_TYPE_NONE, -1);
    const guint32 seqnum = gst_event_get_seqnum(event);
    fail_unless(seek.send(event));
    seek.run();
    for (const GstEventType type :
         {GST_EVENT_FLUSH_START, GST_EVENT_FLUSH_STOP, GST_EVENT_SEGMENT, GST_EVENT_EOS})
      fail_unless(gst_event_get_seqnum(seek.last_event(type).get()) == seqnum, "%s to %d",
                  gst_event_type_get_name(type), static_cast<int>(ms));
  }
}
GST_END_TEST

GST_START_TEST(without_flushing) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400", GST_STATE_READY);
  seek.block(1);
  seek.set_state(GST_STATE_PLAYING);
  seek.wait_until_blocked();
  std::thread thread([&] { fail_unless(seek.seek_time(2000, kKeyUnit)); });
  g_usleep(20000);
  seek.release();
  thread.join();
  const Buffer should = started(stream, 5);
  Seek::wait_for([&] { return seek.count_starts() == 2; });
  seek.run();
  // What was under way, and behind it another start. The bytes of the stream go on being counted.
  const guint64 from = seek.segment().start;
  const std::vector<Piece> pieces = seek.take_pieces();
  Buffer all;
  for (const Piece &piece : pieces) {
    assert_equals_uint64(piece.offset, all.size());
    fail_unless(piece.discont == (all.empty() || all.size() == from));
    append(all, piece.bytes);
  }
  fail_unless(seek.order().find("flush") == std::string::npos);
  const Buffer before = started(stream, 1);
  assert_bytes(Bytes(all).first(from), Bytes(before).first(from));
  assert_bytes(Bytes(all).subspan(from), should);
}
GST_END_TEST

GST_START_TEST(impossible) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400", GST_STATE_READY);
  seek.block(1);
  seek.set_state(GST_STATE_PLAYING);
  seek.wait_until_blocked();
  (void)seek.order();
  fail_if(seek.seek_time(2801, kFlush | kAfter));
  fail_if(seek.seek(GST_FORMAT_BYTES, stream.bytes.size() + 1));
  fail_if(seek.seek(GST_FORMAT_DEFAULT, 1));
  fail_if(seek.send(gst_event_new_seek(-1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                                       GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_SET, GST_SECOND)));
  fail_if(seek.send(gst_event_new_seek(2.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                                       0, GST_SEEK_TYPE_NONE, 0)));
  seek.release();
  seek.run();
  fail_unless(seek.order().find("flush") == std::string::npos);
  assert_bytes(seek.take(), started(stream, 1));
}
GST_END_TEST

// BYTES seeks without a wish follow the property. Only where it can be pulled from, the place is
// looked at before the stream is disturbed.
GST_START_TEST(impossible_with_exact) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400 snap=exact");
  seek.run();
  fail_if(seek.seek(GST_FORMAT_BYTES, position(stream, 3) + 1));
  fail_unless(seek.seek(GST_FORMAT_BYTES, position(stream, 3)));
  seek.run();
  assert_bytes(seek.take(), started(stream, 3));
}
GST_END_TEST

GST_START_TEST(not_forward_only) {
  const Stream stream = clip();
  Seek seek({.bytes = stream.bytes, .access = Access::Forward}, kOriginal + "start-time=400",
            GST_STATE_READY);
  seek.block(1);
  seek.set_state(GST_STATE_PLAYING);
  seek.wait_until_blocked();
  fail_if(seek.seek_time(2000));
  seek.release();
  seek.run();
  assert_bytes(seek.take(), started(stream, 1));
}
GST_END_TEST

GST_START_TEST(while_the_sink_blocks) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  for (const std::size_t index : {0U, 1U}) {
    Seek seek(source_of(stream, way), kOriginal + "start-time=400", GST_STATE_READY);
    seek.block(index);
    seek.set_state(GST_STATE_PLAYING);
    seek.wait_until_blocked();
    std::thread([&] {
      fail_unless(seek.seek_time(2000));
      seek.release();
    }).join();
    seek.run();
    assert_bytes(seek.take(), started(stream, 5));
  }
}
GST_END_TEST

// Whether it is taken or not, what comes is whole.
GST_START_TEST(before_data_flows) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  for (int turn = 0; turn < 30; ++turn) {
    Seek seek(source_of(stream, way), kOriginal + "start-time=400", GST_STATE_READY);
    seek.set_state(turn % 2 == 0 ? GST_STATE_PAUSED : GST_STATE_PLAYING);
    if (turn % 3 > 0)
      g_usleep(static_cast<gulong>(turn) * 20);
    const bool taken = seek.seek_time(2000);
    fail_unless(taken || way.access == Access::Seekable);
    seek.run();
    assert_bytes(seek.take(), started(stream, taken ? 5 : 1));
  }
}
GST_END_TEST

GST_START_TEST(many_in_a_row) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400");
  seek.run();
  for (int round = 0; round < 10; ++round) {
    std::thread([&] {
      for (std::size_t turn = 0; turn < 20; ++turn) {
        fail_unless(seek.seek_time((turn * 7 % 8) * 400));
        if (turn % 4 == 0)
          g_usleep(turn * 30);
      }
      fail_unless(seek.seek_time(2000));
    }).join();
    seek.run();
    assert_bytes(seek.take(), started(stream, 5));
  }
}
GST_END_TEST

GST_START_TEST(from_two_threads) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400");
  const auto work = [&](std::size_t step) {
    for (std::size_t turn = 0; turn < 50; ++turn)
      (void)seek.seek_time((turn * step % 7 + 1) * 400);
  };
  std::thread first(work, 3);
  std::thread second(work, 5);
  first.join();
  second.join();
  fail_unless(seek.seek_time(2000));
  seek.run();
  assert_bytes(seek.take(), started(stream, 5));
}
GST_END_TEST

// What ended with an error can be sought in.
GST_START_TEST(after_an_error) {
  const Stream stream = clip(300);
  Seek seek({.bytes = stream.bytes, .fails_at = position(stream, 6)},
            kOriginal + "start-time=2000");
  seek.run();
  (void)seek.problem();
  (void)seek.take();
  fail_unless(seek.seek_time(400));
  seek.run();
  fail_unless(seek.take().size() > 100000);
  while (seek.problem().found) {
  }
}
GST_END_TEST

GST_START_TEST(stops) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400");
  seek.run();
  (void)seek.take();
  fail_unless(
      seek.send(gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                                   static_cast<gint64>(800 * GST_MSECOND), GST_SEEK_TYPE_SET,
                                   static_cast<gint64>(2000 * GST_MSECOND))));
  seek.run();
  Buffer should = started(stream, 2);
  should.resize(should.size() - (stream.bytes.size() - position(stream, 5)));
  assert_bytes(seek.take(), should);
}
GST_END_TEST

static Suite *flvseek_seeks_suite() {
  Suite *suite = suite_create("flvseek_seeks");
  TCase *tcase = tcase_create("seeks");
  constexpr int kCount = std::size(kWays);
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, in_time, 0, kCount);
  tcase_add_loop_test(tcase, in_bytes, 0, kCount);
  tcase_add_loop_test(tcase, to_the_start, 0, kCount);
  tcase_add_loop_test(tcase, from_the_start, 0, kCount);
  tcase_add_loop_test(tcase, order_and_segment, 0, kCount);
  tcase_add_loop_test(tcase, seqnums, 0, kCount);
  tcase_add_loop_test(tcase, without_flushing, 0, kCount);
  tcase_add_loop_test(tcase, impossible, 0, kCount);
  tcase_add_loop_test(tcase, impossible_with_exact, 0, 2);
  tcase_add_test(tcase, not_forward_only);
  tcase_add_loop_test(tcase, while_the_sink_blocks, 0, kCount);
  tcase_add_loop_test(tcase, before_data_flows, 0, kCount);
  tcase_add_loop_test(tcase, many_in_a_row, 0, kCount);
  tcase_add_loop_test(tcase, from_two_threads, 0, kCount);
  tcase_add_test(tcase, after_an_error);
  tcase_add_loop_test(tcase, stops, 0, kCount);
  return suite;
}

GST_CHECK_MAIN(flvseek_seeks);
