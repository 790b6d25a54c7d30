// SPDX-License-Identifier: LGPL-2.1-or-later
// Errors: each one contains the offending number, and there is no second message.
#include <limits>

#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

const Stream &whole() {
  static const Stream stream = clip();
  return stream;
}

Source source_of(Buffer bytes, int access) {
  return {.bytes = std::move(bytes), .access = kAccesses[access]};
}

// A file with media, whose onMetaData has these members.
Buffer with_metadata(Members members) {
  Stream stream;
  stream.header().metadata(std::move(members)).configs();
  append_media(stream, {});
  return stream.bytes;
}

Buffer with_lists(std::vector<double> positions, std::vector<double> times) {
  flv::amf0::Value keyframes;
  keyframes.data = flv::amf0::Object{
      {{"filepositions", numbers(std::move(positions))}, {"times", numbers(std::move(times))}}};
  return with_metadata({{"keyframes", std::move(keyframes)}});
}

Buffer without_metadata() {
  Stream stream;
  stream.header().configs();
  append_media(stream, {});
  return stream.bytes;
}

// onMetaData that claims to be an object, but is not.
Buffer malformed() {
  Buffer data = on_metadata({{"duration", {1.0}}});
  data[13] = 0x7F;
  Stream stream;
  stream.header().script(0, data).configs();
  append_media(stream, {});
  return stream.bytes;
}

struct NoIndex {
  Buffer bytes;
  const char *words;
  bool is_wrong = false; // the file has an index
};

std::vector<NoIndex> without_an_index() {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  return {
      {without_metadata(), "no onMetaData"},
      {with_metadata({{"duration", {1.0}}}), "keyframe index"},
      {with_lists({}, {}), "0 entries"},
      {with_lists({500, 600, 700}, {0, 1}), "3", true},
      {with_lists({500, kNan}, {0, 1}), "1", true},
      {with_lists({500, -17}, {0, 1}), "-17", true},
      {with_lists({500, 450}, {0, 1}), "450", true},
      {with_lists({500, 123456789}, {0, 1}), "123456789", true},
  };
}

} // namespace

GST_START_TEST(not_flv) {
  for (const Buffer &bytes : {payload(20000), Buffer{'G', 'I', 'F', '8', '9', 'a'}}) {
    for (const char *properties : {"", "offset=500", "start-time=100", "offset=500 index=scan"}) {
      Seek seek(source_of(bytes, __i__), properties);
      assert_fails(seek, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, "");
    }
  }
}
GST_END_TEST

GST_START_TEST(header_cut_off) {
  for (const std::size_t size : {3U, 5U, 8U}) {
    const Buffer bytes(whole().bytes.begin(), whole().bytes.begin() + static_cast<int>(size));
    for (const char *properties : {"", "offset=500"}) {
      Seek seek(source_of(bytes, __i__), properties);
      assert_fails(seek, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, std::to_string(size));
    }
  }
}
GST_END_TEST

GST_START_TEST(metadata_cut_off) {
  const Buffer bytes(whole().bytes.begin(), whole().bytes.begin() + 100);
  Seek seek(source_of(bytes, __i__), "offset=500");
  assert_fails(seek, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, "cut off");
}
GST_END_TEST

GST_START_TEST(metadata_cannot_be_read) {
  Seek seek(source_of(malformed(), __i__), "offset=500");
  assert_fails(seek, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, "13");
  // A scan does not use the index.
  for (const char *index : {"scan", "auto"}) {
    Seek scanning(source_of(malformed(), __i__), "offset=500 index=" + std::string(index));
    scanning.run();
    assert_problem(scanning, false, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, "13");
    assert_equals_uint64(scanning.count_starts(), 1);
  }
}
GST_END_TEST

GST_START_TEST(no_index) {
  for (const NoIndex &row : without_an_index()) {
    Seek seek(source_of(row.bytes, __i__), "offset=500");
    assert_fails(seek, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, row.words);
    // Then the element uses the tag headers.
    Seek scanning(source_of(row.bytes, __i__), "offset=500 index=auto reinsert=0");
    scanning.run();
    if (row.is_wrong)
      assert_problem(scanning, false, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, row.words);
    fail_unless(scanning.take().size() > 1000);
    assert_equals_uint64(scanning.count_starts(), 1);
  }
}
GST_END_TEST

GST_START_TEST(no_start_point) {
  const Stream &stream = whole();
  const std::string first = std::to_string(position(stream, 0));
  const std::string last = std::to_string(position(stream, 7));
  const std::string behind = std::to_string(position(stream, 7) + 1);
  const std::string before = std::to_string(position(stream, 0) - 1);
  const std::string between = std::to_string(position(stream, 3) + 40);
  const struct {
    std::string properties;
    std::vector<std::string> numbers;
  } rows[] = {
      {"offset=" + behind, {behind, last}},
      {"offset=9999999", {"9999999", last}},
      {"offset=18446744073709551615", {"18446744073709551615", last}},
      {"offset=" + before + " snap=previous", {before, first}},
      {"offset=" + between + " snap=exact",
       {between, std::to_string(position(stream, 3)), std::to_string(position(stream, 4))}},
      {"start-time=2801", {"2801", "2800"}},
      {"start-time=18446744073709551615", {"18446744073709551615", "2800"}},
      {"start-time=801 snap=exact", {"801", "800", "1200"}},
  };
  for (const auto &row : rows) {
    for (const char *index : {"metadata", "auto", "scan"}) {
      Seek seek(source_of(stream.bytes, __i__), row.properties + " index=" + index);
      seek.run();
      const Problem problem = seek.problem();
      fail_unless(problem.found && problem.error, "%s", row.properties.c_str());
      fail_unless(problem.domain == GST_RESOURCE_ERROR && problem.code == GST_RESOURCE_ERROR_SEEK,
                  "%s index=%s: %s", row.properties.c_str(), index, problem.text.c_str());
      for (const std::string &number : row.numbers)
        fail_unless(problem.says(number), "%s, %s: \"%s\" does not say %s", row.properties.c_str(),
                    index, problem.text.c_str(), number.c_str());
      assert_equals_uint64(seek.size(), 0);
    }
  }
}
GST_END_TEST

// The index of another file: its entries are inside the file, but are not keyframes.
GST_START_TEST(index_does_not_match) {
  const auto shifted = [](const Stream &stream) {
    Entries entries = key_frames_of(stream);
    for (auto &[place, time] : entries)
      place += 17;
    return entries;
  };
  const Stream stream = clip(1, shifted);
  Seek seek(source_of(stream.bytes, __i__), "start-time=800");
  assert_fails(seek, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
               std::to_string(position(stream, 2) + 17));
}
GST_END_TEST

// Keyframe number 3 and audio after it, which the index lists. Only a pipe cannot go back to it.
GST_START_TEST(start_after_the_last_keyframe) {
  const Stream stream = clip(1, [](const Stream &file) {
    return entries_of(file, [&](std::size_t tag) {
      return role_of(file, tag) == flv::Role::KeyFrame || tag == keys(file).at(3) + 3;
    });
  });
  const guint64 offset = stream.tags[keys(stream).at(3) + 3].begin;
  const Source source{.bytes = stream.bytes, .access = kAccesses[__i__], .chunk = 100};
  Seek seek(source, "snap=previous offset=" + std::to_string(offset));
  seek.run();
  if (source.access == Access::Forward) {
    const Problem problem = seek.problem();
    fail_unless(problem.error && problem.domain == GST_RESOURCE_ERROR &&
                problem.code == GST_RESOURCE_ERROR_SEEK);
    for (const std::string &words :
         {"byte " + std::to_string(offset),
          "byte " + std::to_string(position(stream, 3)) + ", which", std::string("has passed")})
      fail_unless(problem.says(words), "\"%s\" does not say \"%s\"", problem.text.c_str(),
                  words.c_str());
    assert_equals_uint64(seek.size(), 0);
    return;
  }
  assert_equals_uint64(seek.get("actual-offset"), position(stream, 3));
  assert_problem(seek, false, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, std::to_string(offset));
}
END_TEST

// After the last keyframe there is only the end of sequence, which the index also lists.
GST_START_TEST(start_after_the_last_indexed_keyframe) {
  const auto media = [](Stream &file) {
    file.configs().key(0).inter(40).key(80).inter(120).video(160, avc_end());
  };
  const Stream stream = indexed(media, [](const Stream &file) {
    return roles_of(file, {flv::Role::KeyFrame, flv::Role::EndOfSequence});
  });
  const guint64 last = position(stream, 1);
  Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__], .chunk = 100},
            "offset=" + std::to_string(last + 1));
  assert_fails(seek, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK, std::to_string(last));
}
END_TEST

GST_START_TEST(settings) {
  const Stream &stream = whole();
  const struct {
    const char *properties;
    const char *number;
  } rows[] = {
      {"offset=1234 start-time=5678", "5678"},
      {"offset=1234 stop-offset=1233", "1233"},
      {"offset=1234 stop-offset=1234", "1234"},
  };
  for (const auto &row : rows) {
    Seek seek(source_of(stream.bytes, __i__), row.properties, GST_STATE_READY);
    assert_equals_int(seek.set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    assert_fails(seek, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, row.number);
  }
}
GST_END_TEST

GST_START_TEST(stop_before_start) {
  const Stream &stream = whole();
  const std::string stop = std::to_string(position(stream, 4) - 100);
  for (const std::string &start :
       {std::string("start-time=1600"), "offset=" + std::to_string(position(stream, 3) + 1)}) {
    Seek seek(source_of(stream.bytes, __i__), start + " stop-offset=" + stop);
    assert_fails(seek, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, stop);
  }
}
GST_END_TEST

// An error before data flow fails the state change.
GST_START_TEST(state_change_fails) {
  for (const char *properties : {"offset=9999999", "start-time=2801"}) {
    Seek seek(source_of(whole().bytes, 0), properties, GST_STATE_READY);
    assert_equals_int(seek.set_state(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    assert_fails(seek, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK, "");
  }
}
GST_END_TEST

// --- Upstream that cannot deliver the bytes ---

GST_START_TEST(read_fails_at_once) {
  Seek seek({.bytes = whole().bytes, .fails_at = 0}, "offset=500");
  assert_fails(seek, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "0");
}
GST_END_TEST

GST_START_TEST(read_fails_at_the_start_point) {
  const Stream stream = clip(300);
  const guint64 place = position(stream, 4);
  Seek seek({.bytes = stream.bytes, .fails_at = place}, "offset=" + std::to_string(place));
  assert_fails(seek, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, std::to_string(place));
}
GST_END_TEST

GST_START_TEST(read_fails_during_the_search) {
  const Stream stream = clip(300);
  const guint64 place = position(stream, 2);
  Seek seek({.bytes = stream.bytes, .fails_at = place + 200000},
            "metadata-keyframes=original offset=" + std::to_string(place));
  seek.run();
  const Buffer out = seek.take();
  fail_unless(out.size() > 100000);
  assert_problem(seek, true, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "");
}
GST_END_TEST

GST_START_TEST(upstream_refuses_to_seek) {
  const Stream stream = clip(300);
  Seek seek({.bytes = stream.bytes, .access = Access::Seekable, .refuses_seeks = true},
            "offset=" + std::to_string(position(stream, 5)));
  seek.run();
  assert_problem(seek, true, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "");
  assert_equals_uint64(seek.size(), 0);
  // Upstream sends EOS then, which may be forwarded, too.
  seek.set_state(GST_STATE_NULL);
  while (seek.problem().found) {
  }
}
GST_END_TEST

// The index is correct, but the file is truncated.
GST_START_TEST(file_ends_before_the_start_point) {
  const Stream stream = clip(300);
  const guint64 place = position(stream, 5);
  Buffer bytes = stream.bytes;
  bytes.resize(place - 5000);
  for (const bool size_known : {true, false}) {
    Seek seek({.bytes = bytes, .access = kAccesses[__i__], .size_known = size_known},
              "snap=exact offset=" + std::to_string(place));
    seek.run();
    const Problem problem = seek.problem();
    fail_unless(problem.found && problem.error);
    assert_equals_uint64(seek.size(), 0);
    // If the size is known, the index is already invalid at the start.
    if (size_known && kAccesses[__i__] != Access::Forward)
      fail_unless(problem.domain == GST_STREAM_ERROR, "%s", problem.text.c_str());
  }
}
GST_END_TEST

// Only upstream's bytes show that the seek is impossible. There is one error, although the stream
// was already beyond the scanned position.
GST_START_TEST(one_error_per_seek) {
  const Stream stream = clip(300);
  Seek seek(source_of(stream.bytes, 1), "index=scan start-time=400");
  seek.run();
  seek.set("snap", 2); // exact
  fail_unless(seek.seek(GST_FORMAT_BYTES, position(stream, 3) + 1));
  Seek::wait_for([&] { return seek.count_events(GST_EVENT_EOS) == 2; });
  assert_problem(seek, true, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK, "no key frame");
}
GST_END_TEST

GST_START_TEST(empty_file) {
  for (const char *properties : {"", "offset=500"}) {
    Seek seek(source_of({}, __i__), properties);
    seek.run();
    fail_unless(seek.problem().error);
    assert_equals_uint64(seek.size(), 0);
  }
}
GST_END_TEST

static Suite *flvseek_errors_suite() {
  Suite *suite = suite_create("flvseek_errors");
  TCase *tcase = tcase_create("errors");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, not_flv, 0, 3);
  tcase_add_loop_test(tcase, header_cut_off, 0, 3);
  tcase_add_loop_test(tcase, metadata_cut_off, 0, 3);
  tcase_add_loop_test(tcase, metadata_cannot_be_read, 0, 3);
  tcase_add_loop_test(tcase, no_index, 0, 3);
  tcase_add_loop_test(tcase, no_start_point, 0, 3);
  tcase_add_loop_test(tcase, index_does_not_match, 0, 3);
  tcase_add_loop_test(tcase, start_after_the_last_keyframe, 0, 3);
  tcase_add_loop_test(tcase, start_after_the_last_indexed_keyframe, 0, 3);
  tcase_add_loop_test(tcase, settings, 0, 3);
  tcase_add_loop_test(tcase, stop_before_start, 0, 3);
  tcase_add_test(tcase, state_change_fails);
  tcase_add_test(tcase, read_fails_at_once);
  tcase_add_test(tcase, read_fails_at_the_start_point);
  tcase_add_test(tcase, read_fails_during_the_search);
  tcase_add_test(tcase, upstream_refuses_to_seek);
  tcase_add_loop_test(tcase, file_ends_before_the_start_point, 0, 3);
  tcase_add_test(tcase, one_error_per_seek);
  tcase_add_loop_test(tcase, empty_file, 0, 3);
  return suite;
}

GST_CHECK_MAIN(flvseek_errors);
