// SPDX-License-Identifier: LGPL-2.1-or-later
// The messages and the output for files with unusual timestamps, metadata or bytes.
#include "media.h"
#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

constexpr guint32 kHour = 3'600'000;

// Ten seconds from `first` on, with a keyframe each second. The index entries are the time since
// the first tag plus `moved` seconds.
Stream recording(guint32 first, double moved) {
  const auto media = [first](Stream &stream) {
    stream.configs(first);
    append_media(stream, {.duration = 10'000, .start = first, .gop = 25});
  };
  return indexed(media,
                 [=](const Stream &file) {
                   Entries entries = key_frames_of(file);
                   for (auto &[position, time] : entries)
                     time += moved - first / 1000.0;
                   return entries;
                 },
                 {{"duration", {10 + moved}}});
}

std::vector<guint64> keyframe_times(const Seek &seek) {
  GstStructure *keyframes = nullptr;
  g_object_get(seek.element(), "keyframes", &keyframes, nullptr);
  const GValue *array = gst_structure_get_value(keyframes, "times");
  std::vector<guint64> times;
  for (guint i = 0; i < gst_value_array_get_size(array); ++i)
    times.push_back(g_value_get_uint64(gst_value_array_get_value(array, i)));
  gst_structure_free(keyframes);
  return times;
}

guint64 duration_of(GstPad *pad) {
  gint64 duration = -1;
  fail_unless(gst_pad_query_duration(pad, GST_FORMAT_TIME, &duration));
  return static_cast<guint64>(duration) / GST_MSECOND;
}

const char *const kIndexes[] = {"metadata", "scan", "auto"};

} // namespace

// --- Timestamps that start at an hour ---

GST_START_TEST(times_count_from_the_first_tag) {
  const Access access = kAccesses[__i__ % 3];
  const double moved = __i__ < 3 ? 3600 : 0;
  const Stream stream = recording(kHour, moved);
  for (const char *index : kIndexes) {
    Seek seek({.bytes = stream.bytes, .access = access},
              std::string("start-time=5500 snap=previous index=") + index);
    seek.run();
    const std::vector<Start> starts = seek.starts();
    assert_equals_uint64(starts.size(), 1);
    assert_equals_uint64(starts[0].requested_time, 5500);
    assert_equals_uint64(starts[0].actual_time, 5000);
    assert_equals_uint64(starts[0].actual_offset, position(stream, 5));
    assert_equals_uint64(seek.get("actual-time"), 5000);
    const std::vector<guint64> times = keyframe_times(seek);
    for (std::size_t i = 0; i < times.size(); ++i)
      assert_equals_uint64(times[i], 1000 * i);
    assert_equals_uint64(duration_of(seek.source_pad()), 10'000);
    if (access == Access::Forward)
      continue;
    fail_unless(seek.seek_time(7900));
    seek.run();
    assert_equals_uint64(seek.starts().at(0).actual_time, 7000);
    gint64 end = -1;
    fail_unless(gst_pad_query_position(seek.source_pad(), GST_FORMAT_TIME, &end));
    // Over HTTP, a scan ends after the place.
    const guint64 last = access == Access::Seekable && index[0] == 's' ? 8000 : 9000;
    assert_equals_uint64(static_cast<guint64>(end), last * GST_MSECOND);
  }
}
GST_END_TEST

GST_START_TEST(error_texts_count_from_the_first_tag) {
  const Stream stream = recording(kHour, 3600);
  for (const char *index : kIndexes) {
    Seek seek({.bytes = stream.bytes}, std::string("start-time=15000 snap=next index=") + index);
    assert_fails(seek, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK,
                 "15000 ms is past the last key frame, which is at 9000 ms");
  }
}
GST_END_TEST

// --- Unreadable metadata: dropped, with one warning ---

GST_START_TEST(unreadable_metadata) {
  const Access access = kAccesses[__i__];
  Stream stream;
  stream.header().script(0, script("onMetaData", {})).configs();
  append_media(stream, {.duration = 4000, .gop = 25});
  for (const char *index : {"scan", "auto"}) {
    Seek seek({.bytes = stream.bytes, .access = access},
              std::string("start-time=2100 snap=previous index=") + index);
    seek.run();
    assert_problem(seek, false, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
                   "OnMetaData at byte 13, 13 bytes of AMF, cannot be read; it is left out.");
    assert_bytes(seek.take(), started(stream, 2, {.metadata = false}));
    if (access == Access::Forward)
      continue;
    fail_unless(seek.seek_time(1000));
    seek.run();
    assert_bytes(seek.take(), started(stream, 1, {.metadata = false}));
  }
  Seek seek({.bytes = stream.bytes, .access = access}, "start-time=2100 snap=previous");
  assert_fails(seek, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
               "onMetaData at byte 13, 13 bytes of AMF, cannot be read");
}
GST_END_TEST

// --- An index of another file ---

GST_START_TEST(wrong_index) {
  const auto media = [](Stream &stream) {
    stream.configs();
    append_media(stream, {.duration = 6000, .gop = 25});
  };
  const Stream stream = indexed(media, [](const Stream &file) {
    Entries entries = key_frames_of(file);
    for (auto &[position, time] : entries)
      position += 9;
    return entries;
  });
  Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__]},
            "start-time=3300 snap=previous index=auto metadata-keyframes=original");
  seek.run();
  assert_problem(seek, false, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, "does not match the file");
  assert_bytes(seek.take(), started(stream, 3));
}
GST_END_TEST

// --- Files of other formats ---

static const struct {
  std::string_view bytes;
  const char *text;
} kOthers[] = {
    {{"\0\0\0\x18"
      "ftypisom",
      12},
     "looks like MP4"},
    {{"\x1A\x45\xDF\xA3\x01\x42\x82\x84webm", 12}, "looks like WebM"},
    {{"\x1F\x8B\x08\0", 4}, "looks like gzip"},
    {"<!DOCTYPE html><html></html>", "looks like HTML"},
    {"ID3\x04", "an ID3 tag comes first"},
    {"hello", "it starts with 'hel' (0x68656c), not 'FLV'."},
};

GST_START_TEST(other_formats) {
  for (const auto &other : kOthers) {
    Buffer bytes(other.bytes.begin(), other.bytes.end());
    for (const std::size_t size : {bytes.size(), std::size_t{20'000}}) {
      bytes.resize(size, 'x');
      for (const char *properties : {"", "offset=2000", "start-time=100 index=scan"}) {
        Seek seek({.bytes = bytes, .access = kAccesses[__i__]}, properties);
        assert_fails(seek, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, other.text);
      }
    }
  }
}
GST_END_TEST

// --- The reported files, with the elements that gst-launch users combine ---

static const struct {
  const char *name;
  const char *properties;
  guint64 offset, time;
  const char *warning = nullptr;
} kReports[] = {
    {"neg-start", "start-time=5000 index=scan", 18681, 4023},
    {"rec1h", "start-time=10000", 32000, 8023},
    {"rec1h", "start-time=10000 index=scan", 32000, 8023},
    {"meta-novalue", "start-time=5000 index=auto", 18709, 4023, "cannot be read"},
    {"av1-id13", "start-time=5000 index=auto", 18763, 4023},
    {"streamid1", "start-time=5000 index=auto", 18989, 4023},
};

GST_START_TEST(reports) {
  const auto &row = kReports[__i__ % static_cast<int>(std::size(kReports))];
  const Access access = kAccesses[__i__ / static_cast<int>(std::size(kReports))];
  const auto bytes = media_file(std::string("reports/") + row.name + ".flv");
  if (!bytes)
    return;
  Seek seek({.bytes = *bytes, .access = access}, std::string(row.properties) + " snap=previous");
  seek.run();
  if (row.warning)
    assert_problem(seek, false, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, row.warning);
  const std::vector<Start> starts = seek.starts();
  assert_equals_uint64(starts.size(), 1);
  assert_equals_uint64(starts[0].actual_offset, row.offset);
  assert_equals_uint64(starts[0].actual_time, row.time);
  const Buffer sent = seek.take();
  const Bytes tail = Bytes(*bytes).subspan(row.offset);
  fail_unless(sent.size() > tail.size());
  assert_bytes(Bytes(sent).last(tail.size()), tail);
}
GST_END_TEST

static Suite *flvseek_files_suite() {
  Suite *suite = suite_create("flvseek_files");
  TCase *tcase = tcase_create("files");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, times_count_from_the_first_tag, 0, 6);
  tcase_add_test(tcase, error_texts_count_from_the_first_tag);
  tcase_add_loop_test(tcase, unreadable_metadata, 0, 3);
  tcase_add_loop_test(tcase, wrong_index, 0, 3);
  tcase_add_loop_test(tcase, other_formats, 0, 3);
  tcase_add_loop_test(tcase, reports, 0, 3 * static_cast<int>(std::size(kReports)));
  return suite;
}

GST_CHECK_MAIN(flvseek_files);
