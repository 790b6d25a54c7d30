// SPDX-License-Identifier: LGPL-2.1-or-later
// What the element reports at a start: the message, the properties, the warning.
#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

void count(GObject *, GParamSpec *, gpointer counter) {
  g_atomic_int_inc(static_cast<gint *>(counter));
}

std::vector<guint64> list(const Seek &seek, const char *name) {
  GstStructure *keyframes = nullptr;
  g_object_get(seek.element(), "keyframes", &keyframes, nullptr);
  fail_unless(keyframes != nullptr);
  const GValue *array = gst_structure_get_value(keyframes, name);
  fail_unless(array && GST_VALUE_HOLDS_ARRAY(array), "no %s", name);
  std::vector<guint64> numbers;
  for (guint i = 0; i < gst_value_array_get_size(array); ++i)
    numbers.push_back(g_value_get_uint64(gst_value_array_get_value(array, i)));
  gst_structure_free(keyframes);
  return numbers;
}

} // namespace

GST_START_TEST(message_at_each_start) {
  const Access access = kAccesses[__i__];
  const Stream stream = clip();
  const guint64 asked = position(stream, 3) - 10;
  Seek seek({.bytes = stream.bytes, .access = access}, "offset=" + std::to_string(asked));
  seek.run();
  std::vector<Start> starts = seek.starts();
  assert_equals_uint64(starts.size(), 1);
  assert_equals_uint64(starts[0].requested_offset, asked);
  assert_equals_uint64(starts[0].requested_time, 0);
  assert_equals_uint64(starts[0].actual_offset, position(stream, 3));
  assert_equals_uint64(starts[0].actual_time, 1200);
  if (access == Access::Forward)
    return;
  fail_unless(seek.seek_time(900));
  seek.run();
  starts = seek.starts();
  assert_equals_uint64(starts.size(), 1);
  assert_equals_uint64(starts[0].requested_offset, 0);
  assert_equals_uint64(starts[0].requested_time, 900);
  assert_equals_uint64(starts[0].actual_offset, position(stream, 2));
  assert_equals_uint64(starts[0].actual_time, 800);
}
GST_END_TEST

GST_START_TEST(message_for_the_whole_file) {
  const Stream stream = clip();
  Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__]}, "offset=5");
  seek.run();
  const std::vector<Start> starts = seek.starts();
  assert_equals_uint64(starts.size(), 1);
  assert_equals_uint64(starts[0].requested_offset, 5);
  assert_equals_uint64(starts[0].actual_offset, 0);
  assert_equals_uint64(starts[0].actual_time, 0);
}
GST_END_TEST

GST_START_TEST(properties_and_notify) {
  const Stream stream = clip();
  Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__]}, "start-time=1300",
            GST_STATE_READY);
  gint counters[3] = {};
  const char *const names[] = {"notify::actual-offset", "notify::actual-time", "notify::keyframes"};
  for (std::size_t i = 0; i < 3; ++i)
    g_signal_connect(seek.element(), names[i], G_CALLBACK(count), &counters[i]);
  assert_equals_uint64(seek.get("actual-offset"), 0);
  seek.set_state(GST_STATE_PLAYING);
  seek.run();
  assert_equals_uint64(seek.get("actual-offset"), position(stream, 4));
  assert_equals_uint64(seek.get("actual-time"), 1600);
  for (gint &counter : counters)
    fail_unless(g_atomic_int_get(&counter) >= 1);
}
GST_END_TEST

GST_START_TEST(keyframes) {
  const Stream stream = clip();
  const char *index = __i__ < 3 ? "metadata" : "scan";
  Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__ % 3]},
            "start-time=2800 index=" + std::string(index));
  seek.run();
  const std::vector<guint64> offsets = list(seek, "offsets");
  const std::vector<guint64> times = list(seek, "times");
  assert_equals_uint64(offsets.size(), 8);
  assert_equals_uint64(times.size(), 8);
  for (std::size_t key = 0; key < 8; ++key) {
    assert_equals_uint64(offsets[key], position(stream, key));
    assert_equals_uint64(times[key], key * 400);
  }
}
GST_END_TEST

GST_START_TEST(warning_about_ignored_entries) {
  // flvmux writes audio tags as index entries, too.
  const auto with_audio = [](const Stream &stream) {
    return entries_of(stream, [&](std::size_t tag) {
      const flv::Role role = role_of(stream, tag);
      return role == flv::Role::KeyFrame ||
             (role == flv::Role::Media && stream.tags[tag].type == TagType::Audio);
    });
  };
  const Stream stream = clip(1, with_audio);
  const std::size_t audio = keys(stream)[3] + 1;
  const guint64 asked = stream.tags[audio].begin;
  const Source source{.bytes = stream.bytes, .access = kAccesses[__i__]};
  Seek next(source, "reinsert=0 offset=" + std::to_string(asked));
  next.run();
  assert_problem(next, false, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, std::to_string(asked));
  assert_bytes(next.take(), started(stream, 4, {false, false, false}));
  Seek exact(source, "snap=exact offset=" + std::to_string(asked));
  assert_fails(exact, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK, std::to_string(asked));
  if (source.access == Access::Forward) // the bytes before the start are gone
    return;
  Seek previous(source, "reinsert=0 snap=previous offset=" + std::to_string(asked));
  previous.run();
  assert_problem(previous, false, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, std::to_string(asked));
  assert_bytes(previous.take(), started(stream, 3, {false, false, false}));
}
GST_END_TEST

// flvmeta and yamdi write such indexes.
GST_START_TEST(entries_that_are_configurations) {
  const auto listed = [](const Stream &stream) {
    Entries entries = key_frames_of(stream);
    entries.front().first = stream.tags[1].begin;
    return entries;
  };
  const Stream stream = clip(1, listed);
  const Source source{.bytes = stream.bytes, .access = kAccesses[__i__]};
  const std::string offset = std::to_string(stream.tags[1].begin);
  for (const char *snap : {"next", "previous", "exact"}) {
    Seek seek(source, "reinsert=0 offset=" + offset + " snap=" + snap);
    seek.run();
    assert_bytes(seek.take(), started(stream, 0, {false, false, false}));
  }
}
GST_END_TEST

static Suite *flvseek_messages_suite() {
  Suite *suite = suite_create("flvseek_messages");
  TCase *tcase = tcase_create("messages");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, message_at_each_start, 0, 3);
  tcase_add_loop_test(tcase, message_for_the_whole_file, 0, 3);
  tcase_add_loop_test(tcase, properties_and_notify, 0, 3);
  tcase_add_loop_test(tcase, keyframes, 0, 6);
  tcase_add_loop_test(tcase, warning_about_ignored_entries, 0, 3);
  tcase_add_loop_test(tcase, entries_that_are_configurations, 0, 3);
  return suite;
}

GST_CHECK_MAIN(flvseek_messages);
