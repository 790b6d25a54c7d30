// SPDX-License-Identifier: LGPL-2.1-or-later
// Seeks by the application during the stream.
#include <atomic>
#include <random>
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

// The access modes that allow seeks; the file is small enough to be held as a whole, or not.
struct Way {
  Access access;
  std::size_t scale;
  bool queued = false;
};
constexpr Way kWays[] = {
    {Access::Pull, 1},       {Access::Pull, 300},         {Access::Seekable, 1},
    {Access::Seekable, 300}, {Access::Seekable, 1, true}, {Access::Seekable, 300, true},
};

// If upstream seeks are expensive, a change of configuration far before the place is not found.
Stream stream_of(const Way &way) {
  return clip(way.scale, key_frames_of, way.access == Access::Pull || way.scale == 1);
}

Source source_of(const Stream &stream, const Way &way) {
  return {.bytes = stream.bytes, .access = way.access, .queued = way.queued};
}

constexpr int kPulled = 2; // the number of pull-mode entries
constexpr int kWayCount = std::size(kWays);

// Whether the seek returns while the stream is blocked. If it does not, the stream is released.
template <class Holder> bool returns(Seek &seek, GstEvent *event, Holder &holder) {
  constexpr gint64 kPatience = 20 * G_USEC_PER_SEC;
  std::atomic<bool> back = false;
  std::thread thread([&] {
    fail_unless(seek.send(event));
    back = true;
  });
  for (const gint64 start = g_get_monotonic_time();
       !back && g_get_monotonic_time() - start < kPatience;)
    g_usleep(100);
  const bool in_time = back;
  if (!in_time)
    holder.release();
  thread.join();
  return in_time;
}

GstEvent *without_flush(guint64 ms) {
  return gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_KEY_UNIT, GST_SEEK_TYPE_SET,
                            static_cast<gint64>(ms * GST_MSECOND), GST_SEEK_TYPE_NONE, -1);
}

// The output up to the last segment is the start of `before`, and the rest is `after`.
void assert_joined(Seek &seek, const Buffer &before, const Buffer &after) {
  const std::size_t from = seek.segment_begin();
  const Buffer all = seek.take();
  fail_unless(from <= before.size() && from <= all.size());
  assert_bytes(Bytes(all).first(from), Bytes(before).first(from));
  assert_bytes(Bytes(all).subspan(from), after);
}

// Blocks EOS before the sink, because a sink accepts no data after EOS.
class Ends {
public:
  // Blocks EOS number `held` until it is released. Counts from 1.
  Ends(GstPad *pad, std::size_t held) : pad_(pad), held_(held) {
    probe_ = gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, see, this, nullptr);
  }
  ~Ends() {
    release();
    gst_pad_remove_probe(pad_, probe_);
  }
  Ends(const Ends &) = delete;
  Ends &operator=(const Ends &) = delete;

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] guint32 seqnum() const { return seqnum_; } // of the last one
  void release() { held_ = 0; }

private:
  static GstPadProbeReturn see(GstPad *, GstPadProbeInfo *info, gpointer data) {
    auto &self = *static_cast<Ends *>(data);
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) != GST_EVENT_EOS)
      return GST_PAD_PROBE_OK;
    self.seqnum_ = gst_event_get_seqnum(event);
    for (const std::size_t number = ++self.count_; number == self.held_;)
      g_usleep(100);
    return GST_PAD_PROBE_DROP;
  }

  GstPad *pad_;
  gulong probe_ = 0;
  std::atomic<std::size_t> held_;
  std::atomic<std::size_t> count_ = 0;
  std::atomic<guint32> seqnum_ = 0;
};

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

int rounds(int usual) {
  return pacetest::is_short() ? usual / 5 : usual;
}

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
      {place + 1, kFlush, 5}, // depends on `snap`
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

// The whole file. Its index may not be known yet.
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
  assert_equals_int(seek.segment().format, GST_FORMAT_TIME);
  // Offsets are file offsets. The head has no offset.
  guint64 next = position(stream, 5);
  bool is_first = true;
  for (const Piece &piece : seek.take_pieces()) {
    assert_equals_uint64(piece.offset, is_first ? 0 : next);
    next += is_first ? 0 : piece.bytes.size();
    assert_equals_uint64(piece.offset_end, is_first ? GST_BUFFER_OFFSET_NONE : next);
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

// A pipeline with two sinks sends its seek to both.
GST_START_TEST(one_seek_from_two_sinks) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400");
  seek.run();
  (void)seek.starts();
  const std::size_t flushes = seek.count_events(GST_EVENT_FLUSH_STOP);
  GstEvent *event = gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                                       2000 * GST_MSECOND, GST_SEEK_TYPE_NONE, -1);
  for (int sink = 0; sink < 2; ++sink)
    fail_unless(seek.send(gst_event_ref(event)));
  seek.run();
  fail_unless(seek.send(event)); // the second one, late
  assert_bytes(seek.take(), started(stream, 5));
  assert_equals_uint64(seek.count_events(GST_EVENT_FLUSH_STOP), flushes + 1);
  assert_equals_uint64(seek.starts().size(), 1);
}
GST_END_TEST

GST_START_TEST(without_flushing) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400", GST_STATE_READY);
  seek.block(1);
  seek.set_state(GST_STATE_PLAYING);
  seek.wait_until_blocked();
  std::atomic<bool> back = false;
  std::thread thread([&] {
    fail_unless(seek.seek_time(2000, kKeyUnit));
    back = true;
  });
  seek.release_slowly([&] { return back.load(); });
  thread.join();
  const Buffer should = started(stream, 5);
  Seek::wait_for([&] { return seek.count_starts() == 2; });
  seek.run();
  const std::size_t from = seek.segment_begin();
  const std::vector<Piece> pieces = seek.take_pieces();
  Buffer all;
  for (const Piece &piece : pieces) {
    if (piece.header)
      fail_unless(piece.offset == 0 && piece.offset_end == GST_BUFFER_OFFSET_NONE);
    else
      assert_bytes(Bytes(stream.bytes).subspan(piece.offset, piece.bytes.size()), piece.bytes);
    fail_unless(piece.discont == (all.empty() || all.size() == from));
    append(all, piece.bytes);
  }
  fail_unless(seek.order().find("flush") == std::string::npos);
  const Buffer before = started(stream, 1);
  assert_bytes(Bytes(all).first(from), Bytes(before).first(from));
  assert_bytes(Bytes(all).subspan(from), should);
}
GST_END_TEST

// Upstream's thread waits in the sink, which is not flushed. The seek does not wait for the thread.
GST_START_TEST(without_flushing_while_the_sink_blocks) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  for (const bool at_once : {true, false}) {
    Seek seek(source_of(stream, way), kOriginal + "start-time=400", GST_STATE_READY);
    seek.block(1);
    seek.set_state(GST_STATE_PLAYING);
    seek.wait_until_blocked();
    fail_unless(seek.seek_time(800));
    if (!at_once)
      seek.wait_until_blocked();
    GstEvent *event = without_flush(2000);
    const guint32 seqnum = gst_event_get_seqnum(event);
    fail_unless(returns(seek, event, seek), "it blocks");
    seek.release();
    seek.run();
    assert_joined(seek, started(stream, 2), started(stream, 5));
    for (const GstEventType type : {GST_EVENT_SEGMENT, GST_EVENT_EOS})
      fail_unless(gst_event_get_seqnum(seek.last_event(type).get()) == seqnum, "%s",
                  gst_event_type_get_name(type));
  }
}
GST_END_TEST

// The last seek takes effect.
GST_START_TEST(several_without_flushing) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400", GST_STATE_READY);
  seek.block(1);
  seek.set_state(GST_STATE_PLAYING);
  seek.wait_until_blocked();
  for (const guint64 ms : {2800U, 0U, 2000U})
    fail_unless(returns(seek, without_flush(ms), seek), "to %d", static_cast<int>(ms));
  seek.release();
  seek.run();
  assert_equals_uint64(seek.count_starts(), 2);
  assert_joined(seek, started(stream, 1), started(stream, 5));
}
GST_END_TEST

// The sink has the last bytes, and upstream has no more.
GST_START_TEST(without_flushing_just_before_the_end) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  const std::string properties = kOriginal + "start-time=400";
  Seek first(source_of(stream, way), properties);
  first.run();
  const std::size_t pieces = first.take_pieces().size();
  Seek seek(source_of(stream, way), properties, GST_STATE_READY);
  seek.block(pieces - 1);
  seek.set_state(GST_STATE_PLAYING);
  seek.wait_until_blocked();
  fail_unless(returns(seek, without_flush(2000), seek), "it blocks");
  seek.release();
  seek.run();
  assert_text(seek.order(), "stream-start caps segment B segment B eos");
  assert_equals_uint64(seek.segment_begin(), started(stream, 1).size());
  assert_joined(seek, started(stream, 1), started(stream, 5));
}
GST_END_TEST

GST_START_TEST(without_flushing_while_the_end_waits) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400", GST_STATE_READY);
  Ends ends(seek.source_pad(), 1);
  seek.set_state(GST_STATE_PLAYING);
  Seek::wait_for([&] { return ends.count() == 1; });
  const bool in_time = returns(seek, without_flush(2000), ends);
  ends.release();
  fail_unless(in_time, "it blocks");
  Seek::wait_for([&] { return ends.count() == 2; });
  assert_joined(seek, started(stream, 1), started(stream, 5));
}
GST_END_TEST

GST_START_TEST(without_flushing_behind_the_end) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400", GST_STATE_READY);
  Ends ends(seek.source_pad(), 0);
  seek.set_state(GST_STATE_PLAYING);
  const Buffer should = started(stream, 5);
  Buffer all = started(stream, 1);
  for (std::size_t turn = 1; turn < 6; ++turn) {
    Seek::wait_for([&] { return ends.count() == turn; });
    g_usleep(turn % 2 * 10000);
    GstEvent *event = without_flush(2000);
    const guint32 seqnum = gst_event_get_seqnum(event);
    fail_unless(seek.send(event));
    Seek::wait_for([&] { return ends.count() == turn + 1; });
    assert_equals_uint64(ends.seqnum(), seqnum);
    assert_equals_uint64(gst_event_get_seqnum(seek.last_event(GST_EVENT_SEGMENT).get()), seqnum);
    append(all, should);
  }
  assert_bytes(seek.take(), all);
}
GST_END_TEST

// A seek that waits for upstream's thread is not lost when a later seek is impossible.
GST_START_TEST(refused_while_another_waits) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "index=scan snap=previous start-time=2800",
            GST_STATE_READY);
  seek.block(1);
  seek.set_state(GST_STATE_PLAYING);
  seek.wait_until_blocked();
  fail_unless(returns(seek, without_flush(2000), seek), "it blocks");
  seek.set("snap", 2); // exact
  fail_if(seek.seek(GST_FORMAT_BYTES, position(stream, 3) + 1, 0));
  fail_if(seek.seek(GST_FORMAT_BYTES, position(stream, 3) + 1));
  seek.release();
  seek.run();
  assert_joined(seek, started(stream, 7), started(stream, 5));
}
GST_END_TEST

GST_START_TEST(with_and_without_flushing) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  Seek seek(source_of(stream, way), kOriginal + "start-time=400");
  Seek::wait_for([&] { return seek.count_starts() > 0; });
  std::mt19937 random(static_cast<std::uint32_t>(__i__));
  for (int round = 0; round < rounds(10); ++round) {
    for (int turn = 0; turn < 20; ++turn) {
      (void)seek.seek_time(random() % 8 * 400, random() % 2 == 0 ? kFlush : kKeyUnit);
      if (random() % 4 == 0)
        g_usleep(random() % 2000);
    }
    fail_unless(seek.seek_time(2000));
    seek.run();
    assert_bytes(seek.take(), started(stream, 5));
  }
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
  seek.release();
  seek.run();
  fail_unless(seek.order().find("flush") == std::string::npos);
  assert_bytes(seek.take(), started(stream, 1));
}
GST_END_TEST

// BYTES seeks without snap flags use the property. Only in pull mode, the place is checked before
// the stream is interrupted.
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

// The seek may be accepted or refused; the output is complete in both cases.
GST_START_TEST(before_data_flows) {
  const Way &way = kWays[__i__];
  const Stream stream = stream_of(way);
  for (int turn = 0; turn < rounds(30); ++turn) {
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
  for (int round = 0; round < rounds(10); ++round) {
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
  Seek::wait_for([&] { return seek.count_starts() > 0; }); // seekable from the first start on
  const auto work = [&](std::size_t step) {
    for (std::size_t turn = 0; turn < (pacetest::is_short() ? 50U : 2000U); ++turn)
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

// A seek is possible after an error.
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
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, in_time, 0, kWayCount);
  tcase_add_loop_test(tcase, in_bytes, 0, kWayCount);
  tcase_add_loop_test(tcase, to_the_start, 0, kWayCount);
  tcase_add_loop_test(tcase, from_the_start, 0, kWayCount);
  tcase_add_loop_test(tcase, order_and_segment, 0, kWayCount);
  tcase_add_loop_test(tcase, seqnums, 0, kWayCount);
  tcase_add_loop_test(tcase, one_seek_from_two_sinks, 0, kWayCount);
  tcase_add_loop_test(tcase, without_flushing, 0, kWayCount);
  tcase_add_loop_test(tcase, without_flushing_while_the_sink_blocks, kPulled, kWayCount);
  tcase_add_loop_test(tcase, several_without_flushing, kPulled, kWayCount);
  tcase_add_loop_test(tcase, without_flushing_just_before_the_end, kPulled, kWayCount);
  tcase_add_loop_test(tcase, without_flushing_while_the_end_waits, kPulled, kWayCount);
  tcase_add_loop_test(tcase, without_flushing_behind_the_end, 0, kWayCount);
  tcase_add_loop_test(tcase, refused_while_another_waits, kPulled, kWayCount);
  tcase_add_loop_test(tcase, with_and_without_flushing, 0, kWayCount);
  tcase_add_loop_test(tcase, impossible, 0, kWayCount);
  tcase_add_loop_test(tcase, impossible_with_exact, 0, 2);
  tcase_add_test(tcase, not_forward_only);
  tcase_add_loop_test(tcase, while_the_sink_blocks, 0, kWayCount);
  tcase_add_loop_test(tcase, before_data_flows, 0, kWayCount);
  tcase_add_loop_test(tcase, many_in_a_row, 0, kWayCount);
  tcase_add_loop_test(tcase, from_two_threads, 0, kWayCount);
  tcase_add_test(tcase, after_an_error);
  tcase_add_loop_test(tcase, stops, 0, kWayCount);
  return suite;
}

GST_CHECK_MAIN(flvseek_seeks);
