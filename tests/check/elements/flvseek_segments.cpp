// SPDX-License-Identifier: LGPL-2.1-or-later
// SEGMENT seeks, seeks with a new rate, relative seeks, and the resulting segments.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

constexpr int kFlush = GST_SEEK_FLAG_FLUSH;
constexpr int kKeyUnit = GST_SEEK_FLAG_KEY_UNIT;
constexpr int kSegment = GST_SEEK_FLAG_SEGMENT;
const std::string kOriginal = "metadata-keyframes=original ";

struct Way {
  Access access;
  bool queued = false;
};
constexpr Way kWays[] = {{Access::Pull}, {Access::Seekable}, {Access::Seekable, true}};
constexpr int kWayCount = std::size(kWays);

Source source_of(const Stream &stream, const Way &way) {
  return {.bytes = stream.bytes, .access = way.access, .queued = way.queued};
}

constexpr gint64 ms(gint64 time) {
  return time * static_cast<gint64>(GST_MSECOND);
}

struct Wish {
  GstFormat format = GST_FORMAT_TIME;
  gint64 start = 0;
  int flags = kFlush;
  double rate = 1;
  gint64 stop = -1;
  GstSeekType start_type = GST_SEEK_TYPE_SET;
  GstSeekType stop_type = GST_SEEK_TYPE_SET;
};

GstEvent *event_of(const Wish &wish) {
  return gst_event_new_seek(wish.rate, wish.format, static_cast<GstSeekFlags>(wish.flags),
                            wish.start_type, wish.start, wish.stop_type, wish.stop);
}

// The file from one keyframe to another, with its head.
Buffer part(const Stream &stream, std::size_t from, std::size_t to) {
  Buffer bytes = started(stream, from);
  bytes.resize(bytes.size() - (stream.bytes.size() - position(stream, to)));
  return bytes;
}

// SEGMENT_START or SEGMENT_DONE on the bus.
struct SegmentMessage {
  bool done = false;
  GstFormat format = GST_FORMAT_UNDEFINED;
  gint64 position = 0;
  guint32 seqnum = 0;
};

// Records the messages of flvseek itself, because its bin does not forward SEGMENT_START.
class SegmentMessages {
public:
  explicit SegmentMessages(const Seek &seek) : bus_(gst_bus_new()) {
    gst_element_set_bus(seek.element(), bus_);
  }
  ~SegmentMessages() { gst_object_unref(bus_); }
  SegmentMessages(const SegmentMessages &) = delete;
  SegmentMessages &operator=(const SegmentMessages &) = delete;

  // Since the last call.
  [[nodiscard]] std::vector<SegmentMessage> take() {
    constexpr auto kTypes =
        static_cast<GstMessageType>(GST_MESSAGE_SEGMENT_START | GST_MESSAGE_SEGMENT_DONE);
    std::vector<SegmentMessage> all;
    while (GstMessage *message = gst_bus_pop_filtered(bus_, kTypes)) {
      SegmentMessage told;
      told.done = GST_MESSAGE_TYPE(message) == GST_MESSAGE_SEGMENT_DONE;
      told.seqnum = gst_message_get_seqnum(message);
      if (told.done)
        gst_message_parse_segment_done(message, &told.format, &told.position);
      else
        gst_message_parse_segment_start(message, &told.format, &told.position);
      all.push_back(told);
      gst_message_unref(message);
    }
    return all;
  }

private:
  GstBus *bus_;
};

// Sends the seek and waits until its segment is done. Returns the seek's number.
guint32 run_segment(Seek &seek, const Wish &wish) {
  const std::size_t before = seek.count_events(GST_EVENT_SEGMENT_DONE);
  GstEvent *event = event_of(wish);
  const guint32 seqnum = gst_event_get_seqnum(event);
  fail_unless(seek.send(event));
  Seek::wait_for([&] { return seek.count_events(GST_EVENT_SEGMENT_DONE) > before; });
  return seqnum;
}

// Checks the two messages and the event of a segment.
void assert_segment_told(Seek &seek, SegmentMessages &messages, guint32 seqnum, GstFormat format,
                         guint64 start, guint64 end) {
  const std::vector<SegmentMessage> told = messages.take();
  assert_equals_uint64(told.size(), 2);
  fail_unless(!told[0].done && told[1].done);
  for (const SegmentMessage &message : told) {
    assert_equals_int(message.format, format);
    assert_equals_uint64(message.seqnum, seqnum);
    assert_equals_uint64(static_cast<guint64>(message.position), message.done ? end : start);
  }
  const EventPtr event = seek.last_event(GST_EVENT_SEGMENT_DONE);
  GstFormat event_format = GST_FORMAT_UNDEFINED;
  gint64 position = 0;
  gst_event_parse_segment_done(event.get(), &event_format, &position);
  assert_equals_int(event_format, format);
  assert_equals_uint64(static_cast<guint64>(position), end);
  assert_equals_uint64(gst_event_get_seqnum(event.get()), seqnum);
}

// A clip whose timestamps start at an hour.
constexpr std::uint32_t kHour = 3'600'000;
Stream late_clip() {
  return indexed(
      [](Stream &stream) {
        stream.configs(kHour);
        for (std::uint32_t time = kHour; time < kHour + 3200; time += 40) {
          if ((time - kHour) % 400 == 0)
            stream.key(time, 400);
          else
            stream.inter(time, 100);
          stream.aac(time, 50);
        }
      },
      key_frames_of, {{"duration", {3.2}}});
}

} // namespace

// A demuxer uses rate, start and stop of the segment.
GST_START_TEST(time_seek_gives_a_time_segment) {
  const Stream stream = clip();
  const struct {
    Wish wish;
    std::size_t key;
    gint64 start;
    gint64 stop;
  } rows[] = {
      {{.start = ms(1000)}, 2, ms(1000), -1},
      {{.start = ms(1000), .flags = kFlush | kKeyUnit}, 2, ms(800), -1},
      {{.start = ms(1000), .flags = kFlush | GST_SEEK_FLAG_ACCURATE, .rate = 2}, 2, ms(1000), -1},
      {{.start = ms(1000), .flags = kFlush | GST_SEEK_FLAG_TRICKMODE, .rate = 0.5},
       2,
       ms(1000),
       -1},
      {{.start = ms(2000), .rate = 4, .stop = ms(9000)}, 5, ms(2000), ms(9000)},
  };
  Seek seek(source_of(stream, kWays[__i__]), kOriginal + "start-time=400");
  seek.run();
  for (const auto &row : rows) {
    fail_unless(seek.send(event_of(row.wish)));
    seek.run();
    const GstSegment segment = seek.segment();
    assert_equals_int(segment.format, GST_FORMAT_TIME);
    fail_unless(segment.rate == row.wish.rate && segment.applied_rate == 1.0);
    assert_equals_int(segment.flags, row.wish.flags & (kFlush | GST_SEEK_FLAG_TRICKMODE));
    assert_equals_int64(static_cast<gint64>(segment.start), row.start);
    assert_equals_int64(static_cast<gint64>(segment.time), row.start);
    assert_equals_int64(static_cast<gint64>(segment.position), row.start);
    assert_equals_int64(static_cast<gint64>(segment.stop), row.stop);
    assert_equals_uint64(segment.base, 0);
    assert_bytes(seek.take(), started(stream, row.key));
  }
}
GST_END_TEST

// Start and stop are in the tags' timestamps. Stream time counts from the first tag.
GST_START_TEST(time_segment_of_a_file_that_begins_at_an_hour) {
  const Stream stream = late_clip();
  Seek seek(source_of(stream, kWays[__i__]), kOriginal + "start-time=400");
  seek.run();
  for (const gint64 time : {gint64{1000}, gint64{0}}) {
    fail_unless(seek.send(event_of({.start = ms(time), .stop = ms(5000)})));
    seek.run();
    const GstSegment segment = seek.segment();
    assert_equals_int64(static_cast<gint64>(segment.start), ms(kHour + time));
    assert_equals_int64(static_cast<gint64>(segment.stop), ms(kHour + 5000));
    assert_equals_int64(static_cast<gint64>(segment.time), ms(time));
  }
}
GST_END_TEST

GST_START_TEST(bytes_seek_carries_its_rate) {
  const Stream stream = clip();
  Seek seek(source_of(stream, kWays[__i__]), kOriginal + "start-time=400");
  seek.run();
  fail_unless(seek.send(event_of({.format = GST_FORMAT_BYTES,
                                  .start = static_cast<gint64>(position(stream, 3)),
                                  .flags = kFlush | GST_SEEK_FLAG_ACCURATE,
                                  .rate = 2.5})));
  seek.run();
  const GstSegment segment = seek.segment();
  assert_equals_int(segment.format, GST_FORMAT_BYTES);
  fail_unless(segment.rate == 2.5 && segment.applied_rate == 1.0);
  assert_equals_uint64(segment.start, 0);
  assert_bytes(seek.take(), started(stream, 3));
}
GST_END_TEST

GST_START_TEST(segment_in_time) {
  const Stream stream = clip();
  Seek seek(source_of(stream, kWays[__i__]), kOriginal + "start-time=400");
  SegmentMessages messages(seek);
  seek.run();
  (void)seek.order();
  const Wish to_stop{.start = ms(1000), .flags = kFlush | kSegment, .stop = ms(2000)};
  guint32 seqnum = run_segment(seek, to_stop);
  assert_text(seek.order(), "flush-start flush-stop segment B segment-done");
  assert_equals_int(seek.segment().flags, GST_SEGMENT_FLAG_SEGMENT | GST_SEGMENT_FLAG_RESET);
  assert_segment_told(seek, messages, seqnum, GST_FORMAT_TIME, 1000 * GST_MSECOND,
                      2000 * GST_MSECOND);
  assert_bytes(seek.take(), part(stream, 2, 5));
  // A segment to the end of the file ends at the duration. A segment at a keyframe ends at its
  // time.
  seqnum = run_segment(seek, {.start = ms(2500), .flags = kFlush | kSegment | kKeyUnit});
  assert_text(seek.order(), "flush-start flush-stop segment B segment-done");
  assert_segment_told(seek, messages, seqnum, GST_FORMAT_TIME, 2400 * GST_MSECOND,
                      3200 * GST_MSECOND);
  assert_bytes(seek.take(), started(stream, 6));
}
GST_END_TEST

GST_START_TEST(segment_in_bytes) {
  const Stream stream = clip();
  Seek seek(source_of(stream, kWays[__i__]), kOriginal + "start-time=400");
  SegmentMessages messages(seek);
  seek.run();
  (void)seek.order();
  const guint64 from = position(stream, 2);
  const guint64 to = position(stream, 4);
  guint32 seqnum = run_segment(seek, {.format = GST_FORMAT_BYTES,
                                      .start = static_cast<gint64>(from),
                                      .flags = kFlush | kSegment,
                                      .stop = static_cast<gint64>(to)});
  assert_text(seek.order(), "flush-start flush-stop segment B segment-done");
  assert_segment_told(seek, messages, seqnum, GST_FORMAT_BYTES, from, to);
  assert_bytes(seek.take(), part(stream, 2, 4));
  seqnum = run_segment(seek, {.format = GST_FORMAT_BYTES, .flags = kFlush | kSegment});
  assert_segment_told(seek, messages, seqnum, GST_FORMAT_BYTES, 0, stream.bytes.size());
  assert_bytes(seek.take(), stream.bytes);
}
GST_END_TEST

// A loop: each turn starts at the running time of the end of the previous turn.
GST_START_TEST(segments_without_flushing) {
  const Stream stream = clip();
  Seek seek(source_of(stream, kWays[__i__]), kOriginal + "start-time=400");
  SegmentMessages messages(seek);
  seek.run();
  (void)seek.take();
  const Wish loop{.start = ms(800), .flags = kSegment, .rate = 2, .stop = ms(2000)};
  Wish first = loop;
  first.flags |= kFlush;
  run_segment(seek, first);
  (void)messages.take();
  Buffer should = part(stream, 2, 5);
  for (guint64 turn = 1; turn <= 3; ++turn) {
    const guint32 seqnum = run_segment(seek, loop);
    assert_segment_told(seek, messages, seqnum, GST_FORMAT_TIME, 800 * GST_MSECOND,
                        2000 * GST_MSECOND);
    assert_equals_uint64(seek.segment().base, turn * 600 * GST_MSECOND);
    append(should, part(stream, 2, 5));
  }
  const std::size_t ends = seek.count_events(GST_EVENT_EOS);
  fail_unless(seek.send(event_of({.start = ms(2000), .flags = 0})));
  Seek::wait_for([&] { return seek.count_events(GST_EVENT_EOS) > ends; });
  append(should, started(stream, 5));
  assert_equals_uint64(seek.segment().base, 2400 * GST_MSECOND);
  assert_bytes(seek.take(), should);
  assert_text(seek.order().substr(0, 12), "stream-start");
}
GST_END_TEST

// The running time in a BYTES segment, as a demuxer computes it, counts as well.
GST_START_TEST(running_time_goes_on_in_mid_stream) {
  const Stream stream = clip(30);
  const Way &way = kWays[__i__];
  Seek seek(source_of(stream, way), kOriginal + "start-time=400", GST_STATE_READY);
  seek.block(way.access == Access::Pull ? 1 : 10); // the buffers there are larger
  seek.set_state(GST_STATE_PLAYING);
  seek.wait_until_blocked();
  std::atomic<bool> back = false;
  std::thread thread([&] {
    fail_unless(seek.send(event_of({.start = ms(2000), .flags = 0})));
    back = true;
  });
  seek.release_slowly([&] { return back.load(); });
  thread.join();
  Seek::wait_for([&] { return seek.count_starts() == 2; });
  seek.run();
  const std::size_t end = position(stream, 1) + seek.segment_begin() - head(stream, 1).size();
  std::uint32_t last = 0;
  for (const auto &tag : stream.tags) {
    if (tag.end <= end)
      last = tag.timestamp;
  }
  fail_unless(last > 400);
  assert_equals_uint64(seek.segment().base, (last - 400) * GST_MSECOND);
}
GST_END_TEST

GST_START_TEST(relative) {
  const Stream stream = clip();
  const auto size = static_cast<gint64>(stream.bytes.size());
  Seek seek(source_of(stream, kWays[__i__]), kOriginal + "start-time=400");
  seek.run();
  (void)seek.take();
  const auto goes_to = [&](const Wish &wish, const Buffer &should) {
    fail_unless(seek.send(event_of(wish)));
    seek.run();
    assert_bytes(seek.take(), should);
  };
  goes_to({.start = ms(-700), .start_type = GST_SEEK_TYPE_END}, started(stream, 6));
  goes_to({.start = ms(-9000), .start_type = GST_SEEK_TYPE_END}, stream.bytes);
  goes_to({.start = ms(400), .stop = ms(-1200), .stop_type = GST_SEEK_TYPE_END},
          part(stream, 1, 5));
  goes_to({.format = GST_FORMAT_BYTES,
           .start = static_cast<gint64>(position(stream, 7)) - size,
           .start_type = GST_SEEK_TYPE_END},
          started(stream, 7));
  // A new rate from the current position: the end of the file is in the last group.
  goes_to({.rate = 2, .start_type = GST_SEEK_TYPE_NONE, .stop_type = GST_SEEK_TYPE_NONE},
          started(stream, 7));
  fail_unless(seek.segment().rate == 2.0);
  assert_equals_uint64(seek.segment().start, 3160 * GST_MSECOND);
}
GST_END_TEST

namespace {

// What the debug log prints meanwhile. GStreamer leaks memory with each log function that is added.
template <typename Action> std::string log_of(Action action) {
  FILE *file = std::tmpfile();
  const int kept = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  action();
  std::fflush(stderr);
  dup2(kept, STDERR_FILENO);
  close(kept);
  std::fseek(file, 0, SEEK_END);
  std::string text(static_cast<std::size_t>(std::ftell(file)), ' ');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

} // namespace

GST_START_TEST(refused_with_a_reason) {
  const Stream stream = clip();
  Seek seek(source_of(stream, kWays[__i__]), kOriginal + "start-time=400");
  seek.run();
  (void)seek.order();
  const struct {
    Wish wish;
    const char *reason;
  } rows[] = {
      {{.rate = -1, .stop = ms(1000)}, "rate -1"},
      {{.format = GST_FORMAT_DEFAULT, .start = 1}, "in default"},
      {{.start = ms(1000), .stop = ms(1000)}, "stop 1000000000 is not after the start 1000000000"},
  };
  gst_debug_set_threshold_for_name("flvseek", GST_LEVEL_WARNING);
  for (const auto &row : rows) {
    bool taken = true;
    const std::string warnings = log_of([&] { taken = seek.send(event_of(row.wish)); });
    fail_if(taken);
    fail_unless(warnings.find(row.reason) != std::string::npos, "\"%s\" without \"%s\"",
                warnings.c_str(), row.reason);
  }
  assert_text(seek.order(), "");
}
GST_END_TEST

static Suite *flvseek_segments_suite() {
  Suite *suite = suite_create("flvseek_segments");
  TCase *tcase = tcase_create("segments");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, time_seek_gives_a_time_segment, 0, kWayCount);
  tcase_add_loop_test(tcase, time_segment_of_a_file_that_begins_at_an_hour, 0, kWayCount);
  tcase_add_loop_test(tcase, bytes_seek_carries_its_rate, 0, kWayCount);
  tcase_add_loop_test(tcase, segment_in_time, 0, kWayCount);
  tcase_add_loop_test(tcase, segment_in_bytes, 0, kWayCount);
  tcase_add_loop_test(tcase, segments_without_flushing, 0, kWayCount);
  tcase_add_loop_test(tcase, running_time_goes_on_in_mid_stream, 0, kWayCount);
  tcase_add_loop_test(tcase, relative, 0, kWayCount);
  tcase_add_loop_test(tcase, refused_with_a_reason, 0, kWayCount);
  return suite;
}

GST_CHECK_MAIN(flvseek_segments);
