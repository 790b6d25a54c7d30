// SPDX-License-Identifier: LGPL-2.1-or-later
// Queries from downstream, in bytes and in time.
#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

struct Seeking {
  bool seekable = false;
  gint64 start = -1;
  gint64 end = -1;
};

Seeking seeking(const Seek &seek, GstFormat format) {
  Seeking answer;
  gboolean seekable = FALSE;
  GstQuery *query = gst_query_new_seeking(format);
  if (gst_pad_query(seek.source_pad(), query))
    gst_query_parse_seeking(query, nullptr, &seekable, &answer.start, &answer.end);
  gst_query_unref(query);
  answer.seekable = seekable;
  return answer;
}

gint64 duration(const Seek &seek, GstFormat format) {
  gint64 value = -1;
  return gst_pad_query_duration(seek.source_pad(), format, &value) ? value : -1;
}

gint64 queried_position(const Seek &seek, GstFormat format) {
  gint64 value = -1;
  return gst_pad_query_position(seek.source_pad(), format, &value) ? value : -1;
}

constexpr gint64 kDuration = 3200 * static_cast<gint64>(GST_MSECOND);

} // namespace

GST_START_TEST(durations) {
  const Stream stream = clip();
  Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__]}, "start-time=1200");
  seek.run();
  assert_equals_int64(duration(seek, GST_FORMAT_TIME), kDuration);
  assert_equals_int64(duration(seek, GST_FORMAT_BYTES), static_cast<gint64>(stream.bytes.size()));
  assert_equals_int64(duration(seek, GST_FORMAT_BUFFERS), -1);
}
GST_END_TEST

GST_START_TEST(seekable) {
  const Stream stream = clip();
  const Access access = kAccesses[__i__];
  Seek seek({.bytes = stream.bytes, .access = access}, "start-time=1200");
  seek.run();
  const Seeking time = seeking(seek, GST_FORMAT_TIME);
  const Seeking bytes = seeking(seek, GST_FORMAT_BYTES);
  assert_equals_int(time.seekable, access != Access::Forward);
  assert_equals_int(bytes.seekable, access != Access::Forward);
  if (access == Access::Forward)
    return;
  assert_equals_int64(time.start, 0);
  assert_equals_int64(time.end, kDuration);
  assert_equals_int64(bytes.start, 0);
  assert_equals_int64(bytes.end, static_cast<gint64>(stream.bytes.size()));
  fail_if(seeking(seek, GST_FORMAT_BUFFERS).seekable);
}
GST_END_TEST

// The element reads the index from the passing file, without an upstream seek.
GST_START_TEST(seekable_from_the_start) {
  for (const std::size_t scale : {1U, 300U, 3000U}) {
    const Stream stream = clip(scale);
    Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__]}, "", GST_STATE_READY);
    seek.block(0);
    seek.set_state(GST_STATE_PLAYING);
    seek.wait_until_blocked();
    fail_unless(seeking(seek, GST_FORMAT_TIME).seekable);
    fail_unless(seeking(seek, GST_FORMAT_BYTES).seekable);
    assert_equals_int64(duration(seek, GST_FORMAT_TIME), kDuration);
    fail_unless(queried_position(seek, GST_FORMAT_TIME) >= 0);
    seek.release();
    seek.run();
    assert_bytes(seek.take(), stream.bytes);
    assert_equals_uint64(seek.upstream_seeks().size(), 0);
  }
}
GST_END_TEST

GST_START_TEST(not_seekable_without_an_index) {
  const Access access = kAccesses[__i__];
  Seek seek({.bytes = file().bytes, .access = access});
  seek.run();
  fail_if(seeking(seek, GST_FORMAT_TIME).seekable);
  fail_if(seek.seek_time(40));
  fail_if(seek.seek(GST_FORMAT_BYTES, 500));
  Seek scanning({.bytes = file().bytes, .access = access}, "index=auto");
  scanning.run();
  fail_unless(seeking(scanning, GST_FORMAT_TIME).seekable);
}
GST_END_TEST

// The time of the last keyframe before the next output.
GST_START_TEST(positions) {
  const Stream stream = clip(300);
  Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__]}, "start-time=1200",
            GST_STATE_READY);
  seek.block(1);
  seek.set_state(GST_STATE_PLAYING);
  seek.wait_until_blocked();
  const gint64 bytes = queried_position(seek, GST_FORMAT_BYTES);
  const auto place = static_cast<gint64>(position(stream, 3));
  fail_unless(bytes >= place && bytes < place + 200000, "%d", static_cast<int>(bytes));
  assert_equals_int64(queried_position(seek, GST_FORMAT_TIME),
                      1200 * static_cast<gint64>(GST_MSECOND));
  seek.release();
  seek.run();
  assert_equals_int64(queried_position(seek, GST_FORMAT_TIME),
                      2800 * static_cast<gint64>(GST_MSECOND));
  assert_equals_int64(queried_position(seek, GST_FORMAT_BYTES),
                      static_cast<gint64>(stream.bytes.size()));
}
GST_END_TEST

GST_START_TEST(source_pad_only_pushes) {
  Seek seek({.bytes = clip().bytes}, "start-time=1200");
  GstQuery *query = gst_query_new_scheduling();
  fail_unless(gst_pad_query(seek.source_pad(), query));
  fail_unless(gst_query_has_scheduling_mode(query, GST_PAD_MODE_PUSH));
  fail_if(gst_query_has_scheduling_mode(query, GST_PAD_MODE_PULL));
  gst_query_unref(query);
  seek.run();
}
GST_END_TEST

// Downstream can pull an unchanged file.
GST_START_TEST(source_pad_can_be_pulled) {
  const struct {
    const char *properties;
    bool pull;
  } rows[] = {{"", true},
              {"snap=exact index=scan reinsert=header metadata-keyframes=strip", true},
              {"offset=1", false},
              {"start-time=1", false},
              {"stop-offset=2000", false}};
  const Access access = kAccesses[__i__];
  for (const auto &[properties, pull] : rows) {
    const Seek seek({.bytes = clip().bytes, .access = access}, properties, GST_STATE_READY);
    GstQuery *query = gst_query_new_scheduling();
    fail_unless(gst_pad_query(seek.source_pad(), query));
    fail_unless(gst_query_has_scheduling_mode(query, GST_PAD_MODE_PUSH));
    assert_equals_int(gst_query_has_scheduling_mode_with_flags(query, GST_PAD_MODE_PULL,
                                                               GST_SCHEDULING_FLAG_SEEKABLE),
                      pull && access == Access::Pull);
    gst_query_unref(query);
  }
}
GST_END_TEST

GST_START_TEST(mode_of_the_sink_pad) {
  const Access access = kAccesses[__i__];
  Seek seek({.bytes = clip().bytes, .access = access});
  assert_equals_int(GST_PAD_MODE(seek.sink_pad()),
                    access == Access::Pull ? GST_PAD_MODE_PULL : GST_PAD_MODE_PUSH);
  seek.run();
}
GST_END_TEST

// In READY, no value is known, and queries do not fail the element.
GST_START_TEST(no_answers_in_ready) {
  Seek seek({.bytes = clip().bytes, .access = kAccesses[__i__]}, "start-time=1200",
            GST_STATE_READY);
  fail_if(seeking(seek, GST_FORMAT_TIME).seekable);
  assert_equals_int64(duration(seek, GST_FORMAT_TIME), -1);
  fail_if(seek.seek_time(400));
}
GST_END_TEST

static Suite *flvseek_queries_suite() {
  Suite *suite = suite_create("flvseek_queries");
  TCase *tcase = tcase_create("queries");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, durations, 0, 3);
  tcase_add_loop_test(tcase, seekable, 0, 3);
  tcase_add_loop_test(tcase, seekable_from_the_start, 0, 2);
  tcase_add_loop_test(tcase, not_seekable_without_an_index, 0, 2);
  tcase_add_loop_test(tcase, positions, 0, 3);
  tcase_add_test(tcase, source_pad_only_pushes);
  tcase_add_loop_test(tcase, source_pad_can_be_pulled, 0, 3);
  tcase_add_loop_test(tcase, mode_of_the_sink_pad, 0, 3);
  tcase_add_loop_test(tcase, no_answers_in_ready, 0, 3);
  return suite;
}

GST_CHECK_MAIN(flvseek_queries);
