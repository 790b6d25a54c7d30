// SPDX-License-Identifier: LGPL-2.1-or-later
// The load on upstream: few seeks, few bytes.
#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

Source seekable(const Stream &stream, guint chunk = 4096) {
  return {.bytes = stream.bytes, .access = Access::Seekable, .chunk = chunk};
}

} // namespace

GST_START_TEST(one_seek_to_a_distant_start_point) {
  const Stream stream = clip(300);
  const guint64 place = position(stream, 7);
  Seek seek(seekable(stream), "offset=" + std::to_string(place));
  seek.run();
  const std::vector<guint64> seeks = seek.upstream_seeks();
  assert_equals_uint64(seeks.size(), 1);
  fail_unless(seeks[0] <= place && seeks[0] + 100000 > place);
  // The head, and the bytes from shortly before the place on.
  fail_unless(seek.bytes_read() < stream.bytes.size() - place + 300000);
}
GST_END_TEST

GST_START_TEST(no_seek_to_a_near_start_point) {
  const Stream stream = clip();
  for (const guint chunk : {7U, 4096U, 1U << 20}) {
    Seek seek(seekable(stream, chunk), "start-time=2000");
    seek.run();
    assert_equals_uint64(seek.upstream_seeks().size(), 0);
  }
}
GST_END_TEST

GST_START_TEST(no_seek_for_the_whole_file) {
  const Stream stream = clip(300);
  Seek seek(seekable(stream));
  seek.run();
  assert_equals_uint64(seek.upstream_seeks().size(), 0);
  assert_equals_uint64(seek.bytes_read(), stream.bytes.size());
}
GST_END_TEST

GST_START_TEST(never_seeks_where_upstream_cannot) {
  const Stream stream = clip(300);
  Seek seek({.bytes = stream.bytes, .access = Access::Forward}, "start-time=2400");
  seek.run();
  assert_equals_uint64(seek.upstream_seeks().size(), 0);
  assert_equals_uint64(seek.bytes_read(), stream.bytes.size());
}
GST_END_TEST

// The bytes between them are not read.
GST_START_TEST(reads_little) {
  const Stream stream = clip(3000);
  const guint64 place = position(stream, 7);
  Seek seek({.bytes = stream.bytes}, "offset=" + std::to_string(place));
  seek.run();
  fail_unless(seek.bytes_read() < stream.bytes.size() - place + 4000000, "%d bytes",
              static_cast<int>(seek.bytes_read()));
}
GST_END_TEST

GST_START_TEST(scans_by_headers) {
  const Stream stream = clip(3000);
  Seek seek({.bytes = stream.bytes}, "index=scan start-time=2800");
  seek.run();
  const guint64 tail = stream.bytes.size() - position(stream, 7);
  fail_unless(seek.bytes_read() < tail + stream.tags.size() * 10000, "%d bytes",
              static_cast<int>(seek.bytes_read()));
}
GST_END_TEST

// Upstream ends early, at the stop position of the stream.
GST_START_TEST(reads_no_further_than_the_stop) {
  const Stream stream = clip(300);
  for (const Access access : kAccesses) {
    Seek seek({.bytes = stream.bytes, .access = access},
              "metadata-keyframes=original stop-offset=" + std::to_string(position(stream, 1)));
    seek.run();
    fail_unless(seek.bytes_read() < position(stream, 1) + 700000);
  }
}
GST_END_TEST

// A seek that is known to be impossible is refused without any effect.
GST_START_TEST(no_seek_without_a_start_point) {
  const Stream stream = clip(300, key_frames_of, false);
  const guint64 between = position(stream, 3) + 200'000;
  const auto ms = [](guint64 value) { return value * GST_MSECOND; };
  const struct {
    GstFormat format;
    int flags;
    guint64 start;
    gint64 stop;
    const char *snap;
  } rows[] = {
      {GST_FORMAT_BYTES, 0, between, -1, "exact"},
      {GST_FORMAT_BYTES, 0, stream.bytes.size(), -1, "next"},
      {GST_FORMAT_TIME, GST_SEEK_FLAG_KEY_UNIT | GST_SEEK_FLAG_SNAP_AFTER, ms(2801), -1, "next"},
      {GST_FORMAT_BYTES, 0, between, static_cast<gint64>(between), "previous"},
      {GST_FORMAT_BYTES, 0, between, 5000, "next"},
      {GST_FORMAT_BYTES, 0, between, static_cast<gint64>(between) + 100, "next"},
      {GST_FORMAT_TIME, 0, ms(2000), static_cast<gint64>(ms(2000)), "next"},
      {GST_FORMAT_TIME, 0, ms(2000), static_cast<gint64>(ms(400)), "next"},
  };
  Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__]},
            "start-time=400 metadata-keyframes=original", GST_STATE_READY);
  seek.block(1);
  seek.set_state(GST_STATE_PLAYING);
  seek.wait_until_blocked();
  (void)seek.upstream_seeks();
  for (const auto &row : rows) {
    gst_util_set_object_arg(G_OBJECT(seek.element()), "snap", row.snap);
    for (const int flags : {row.flags, row.flags | GST_SEEK_FLAG_FLUSH})
      fail_if(seek.send(gst_event_new_seek(1.0, row.format, static_cast<GstSeekFlags>(flags),
                                           GST_SEEK_TYPE_SET, static_cast<gint64>(row.start),
                                           row.stop < 0 ? GST_SEEK_TYPE_NONE : GST_SEEK_TYPE_SET,
                                           row.stop)),
              "row %d", static_cast<int>(&row - rows));
  }
  seek.release();
  seek.run();
  assert_bytes(seek.take(), started(stream, 1));
  assert_text(seek.order(), "stream-start caps segment B eos");
  assert_equals_uint64(seek.upstream_seeks().size(), 0);
}
GST_END_TEST

// Another element seeks upstream: the following bytes start a new stream.
GST_START_TEST(flush_from_upstream) {
  const Stream stream = clip(300);
  Seek seek(seekable(stream), "start-time=2000 metadata-keyframes=original");
  seek.run();
  (void)seek.order();
  const gstflv::PadPtr upstream(gst_pad_get_peer(seek.sink_pad()));
  fail_unless(gst_pad_send_event(upstream.get(),
                                 gst_event_new_seek(1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
                                                    GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, -1)));
  seek.run();
  assert_text(seek.order(), "flush-start flush-stop segment B eos");
}
GST_END_TEST

static Suite *flvseek_upstream_suite() {
  Suite *suite = suite_create("flvseek_upstream");
  TCase *tcase = tcase_create("upstream");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, one_seek_to_a_distant_start_point);
  tcase_add_test(tcase, no_seek_to_a_near_start_point);
  tcase_add_test(tcase, no_seek_for_the_whole_file);
  tcase_add_test(tcase, never_seeks_where_upstream_cannot);
  tcase_add_test(tcase, reads_little);
  tcase_add_test(tcase, scans_by_headers);
  tcase_add_test(tcase, reads_no_further_than_the_stop);
  tcase_add_loop_test(tcase, no_seek_without_a_start_point, 0, 2);
  tcase_add_test(tcase, flush_from_upstream);
  return suite;
}

GST_CHECK_MAIN(flvseek_upstream);
