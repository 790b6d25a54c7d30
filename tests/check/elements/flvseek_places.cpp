// SPDX-License-Identifier: LGPL-2.1-or-later
// The output for a request, byte by byte. It does not depend on the access mode.
#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

struct Row {
  const char *properties; // %p: the position of keyframe `near`
  std::size_t near;
  int shift; // bytes that are added to it
  std::size_t key;
};

const Row kRows[] = {
    {"offset=%p", 3, 0, 3},
    {"offset=%p", 3, 1, 4},
    {"offset=%p", 3, -1, 3},
    {"offset=%p", 0, -20, 0},
    {"offset=%p", 7, 0, 7},
    {"offset=%p snap=previous", 3, 1, 3},
    {"offset=%p snap=previous", 3, -1, 2},
    {"offset=%p snap=previous", 7, 100, 7},
    {"offset=%p snap=exact", 5, 0, 5},
    {"start-time=800", 0, 0, 2},
    {"start-time=801", 0, 0, 3},
    {"start-time=1999 snap=previous", 0, 0, 4},
    {"start-time=2000 snap=exact", 0, 0, 5},
    {"start-time=90000 snap=previous", 0, 0, 7},
};

std::string with_position(std::string text, guint64 position) {
  if (const std::size_t mark = text.find("%p"); mark != std::string::npos)
    text.replace(mark, 2, std::to_string(position));
  return text;
}

constexpr guint kChunks[] = {4096, 1 << 20, 7, 1};

// Chunks of one byte take the longest.
std::span<const guint> chunks() {
  return std::span(kChunks).first(pacetest::is_short() ? 3 : 4);
}

Source source_of(const Stream &stream, Access access, guint chunk = 4096) {
  return {.bytes = stream.bytes, .access = access, .chunk = chunk};
}

const std::string kOriginal = " metadata-keyframes=original";

} // namespace

GST_START_TEST(start_point) {
  const Row &row = kRows[__i__];
  const Stream stream = clip();
  const guint64 offset = position(stream, row.near) + static_cast<guint64>(row.shift);
  for (const char *index : {"metadata", "scan", "auto"}) {
    const std::string properties =
        with_position(row.properties, offset) + " index=" + index + kOriginal;
    for (const Access access : kAccesses) {
      for (const guint chunk : chunks()) {
        if (access == Access::Pull && chunk != 4096)
          continue;
        const Buffer out = result(source_of(stream, access, chunk), properties);
        const std::string difference = pacetest::difference(out, started(stream, row.key));
        fail_unless(difference.empty(), "%s, access %d, chunks of %u: %s", properties.c_str(),
                    static_cast<int>(access), chunk, difference.c_str());
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(start_point_in_a_large_file) {
  const Row &row = kRows[__i__];
  const Stream stream = clip(300);
  const guint64 offset = position(stream, row.near) + static_cast<guint64>(row.shift);
  const std::string properties = with_position(row.properties, offset) + kOriginal;
  for (const Access access : kAccesses) {
    // If upstream seeks are expensive, a change of configuration far before the place is not found.
    if (access == Access::Seekable && row.key > 4)
      continue;
    const Buffer out = result(source_of(stream, access), properties);
    const std::string difference = pacetest::difference(out, started(stream, row.key));
    fail_unless(difference.empty(), "%s, access %d: %s", properties.c_str(),
                static_cast<int>(access), difference.c_str());
  }
}
GST_END_TEST

// Also without an index, and for any data after the header.
GST_START_TEST(whole_file) {
  const Access access = kAccesses[__i__];
  const Buffer odd = joined({file_header(), payload(3000)});
  for (const Buffer &bytes : {clip().bytes, file().bytes, odd, file_header()}) {
    for (const char *properties : {"", "offset=1", "offset=12", "offset=9 snap=exact"}) {
      for (const guint chunk : chunks()) {
        assert_bytes(result({.bytes = bytes, .access = access, .chunk = chunk}, properties), bytes);
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(long_file_header) {
  Stream stream = clip();
  const Buffer extra = payload(7);
  Buffer bytes = inserted(stream.bytes, flv::kFileHeaderSize, extra);
  bytes[8] = 16;
  assert_bytes(result({.bytes = bytes, .access = kAccesses[__i__]}, "offset=19"), bytes);
}
GST_END_TEST

GST_START_TEST(reinsert) {
  const Access access = kAccesses[__i__];
  const Stream stream = clip();
  const struct {
    const char *flags;
    Parts parts;
  } rows[] = {
      {"0", {false, false, false}},
      {"header", {true, false, false}},
      {"metadata", {false, true, false}},
      {"config", {false, false, true}},
      {"header+metadata", {true, true, false}},
      {"header+config", {true, false, true}},
      {"header+metadata+config", {}},
  };
  for (const auto &row : rows) {
    const std::string properties =
        "offset=" + std::to_string(position(stream, 6)) + kOriginal + " reinsert=" + row.flags;
    assert_bytes(result(source_of(stream, access), properties), started(stream, 6, row.parts));
  }
}
GST_END_TEST

GST_START_TEST(stop_offset) {
  const Access access = kAccesses[__i__];
  const Stream stream = clip();
  const std::size_t tag = keys(stream)[5] + 3;
  const std::size_t begin = stream.tags[tag].begin;
  const std::size_t end = stream.tags[tag].end;
  const struct {
    std::size_t stop;
    std::size_t cut;
  } rows[] = {
      {begin, begin},
      {begin + 1, end},
      {end - 4, end},
      {end, end},
      {stream.bytes.size() + 1, stream.bytes.size()},
  };
  for (const auto &row : rows) {
    for (const guint chunk : chunks()) {
      const std::string stop = " stop-offset=" + std::to_string(row.stop);
      const std::string place = "offset=" + std::to_string(position(stream, 2));
      Buffer should = started(stream, 2);
      should.resize(should.size() - (stream.bytes.size() - row.cut));
      assert_bytes(result(source_of(stream, access, chunk), place + kOriginal + stop), should);
      // Of the whole file.
      assert_bytes(result(source_of(stream, access, chunk), stop),
                   Bytes(stream.bytes).first(row.cut));
    }
  }
}
GST_END_TEST

GST_START_TEST(rewritten_index_matches_the_output) {
  const Stream stream = clip();
  const std::string place = "offset=" + std::to_string(position(stream, 5));
  for (const Access access : kAccesses) {
    const Buffer out = result(source_of(stream, access), place);
    assert_true_index(out, 3);
    const Buffer tail = started(stream, 5, {false, false, false});
    assert_bytes(Bytes(out).last(tail.size()), tail);
  }
  const std::string stop = " stop-offset=" + std::to_string(position(stream, 7));
  assert_true_index(result(source_of(stream, Access::Pull), place + stop), 2);
}
GST_END_TEST

GST_START_TEST(rewritten_head_has_the_same_size) {
  const Stream stream = clip();
  const std::string properties = "offset=" + std::to_string(position(stream, 3) + 7);
  const Buffer pulled = result(source_of(stream, Access::Pull), properties);
  for (const guint chunk : chunks()) {
    assert_bytes(result(source_of(stream, Access::Seekable, chunk), properties), pulled);
    assert_bytes(result(source_of(stream, Access::Forward, chunk), properties), pulled);
  }
}
GST_END_TEST

GST_START_TEST(stripped_index) {
  const Stream stream = clip();
  const std::string properties =
      "metadata-keyframes=strip offset=" + std::to_string(position(stream, 3));
  const Buffer out = result(source_of(stream, kAccesses[__i__]), properties);
  const std::string text(out.begin(), out.end());
  fail_unless(text.find("keyframes") == std::string::npos);
  fail_unless(text.find("duration") != std::string::npos);
  const Buffer should =
      joined({head(stream, 3, {false, false, true}), started(stream, 3, {false, false, false})});
  assert_bytes(Bytes(out).last(should.size()), should);
}
GST_END_TEST

// The size of upstream is not always known.
GST_START_TEST(size_unknown) {
  const Stream stream = clip();
  const Access access = __i__ == 0 ? Access::Seekable : Access::Forward;
  const Source source{.bytes = stream.bytes, .access = access, .size_known = false};
  const std::string properties = "offset=" + std::to_string(position(stream, 3)) + kOriginal;
  assert_bytes(result(source, properties), started(stream, 3));
}
GST_END_TEST

// Without video, any audio tag is a place to start.
GST_START_TEST(audio_only) {
  const auto media = [](Stream &stream) {
    stream.audio(0, aac_config());
    for (std::uint32_t time = 0; time < 2000; time += 20)
      stream.aac(time);
  };
  const auto every_tenth = [](const Stream &stream) {
    Entries entries;
    for (std::size_t tag = 2; tag < stream.tags.size(); tag += 10)
      entries.emplace_back(stream.tags[tag].begin, stream.tags[tag].timestamp / 1000.0);
    return entries;
  };
  const Stream stream = indexed(media, every_tenth, {}, false, true, false);
  const Buffer should = joined({file_header(true, false), stream.at(0), stream.at(1),
                                Bytes(stream.bytes).subspan(stream.tags[22].begin)});
  for (const Access access : kAccesses)
    assert_bytes(result({.bytes = stream.bytes, .access = access}, "start-time=390" + kOriginal),
                 should);
}
GST_END_TEST

// A held group of pictures leaves in its original buffers. It is not merged, however many buffers
// it has.
GST_START_TEST(kept_as_pushed) {
  constexpr guint kChunk = 1000;
  const Stream stream = clip(100);
  Seek seek(source_of(stream, Access::Forward, kChunk),
            "start-time=1599 snap=previous index=scan" + kOriginal);
  seek.run();
  const std::vector<Piece> pieces = seek.take_pieces();
  Buffer all;
  for (const Piece &piece : pieces) {
    fail_unless(piece.header || piece.bytes.size() <= kChunk);
    append(all, piece.bytes);
  }
  assert_bytes(all, started(stream, 3));
}
GST_END_TEST

// A stop time becomes a byte position as soon as the keyframes are known, even if that is late.
GST_START_TEST(stop_time) {
  const Access access = kAccesses[__i__ % 2];
  const char *const kIndexes[] = {"metadata", "scan", "auto"};
  const std::string index = kIndexes[__i__ / 2];
  const auto of = [](guint64 ms) { return static_cast<gint64>(ms * GST_MSECOND); };
  const struct {
    guint64 start;
    guint64 stop;
    std::size_t key;
    std::size_t end;
  } rows[] = {
      {800, 2000, 2, 5}, {900, 1999, 2, 5}, {0, 1200, 0, 3}, {0, 9000, 0, 8}, {2400, 9000, 6, 8}};
  const Pick none = [](const Stream &) { return Entries(); };
  for (const std::size_t scale : {1U, 300U}) {
    const Stream stream = clip(scale, index == "metadata" ? key_frames_of : none, false);
    for (const auto &row : rows) {
      for (const bool again : {false, true}) { // after a scan
        Seek seek(source_of(stream, access), "index=" + index + kOriginal, GST_STATE_READY);
        seek.block(0);
        seek.set_state(GST_STATE_PLAYING);
        seek.wait_until_blocked();
        if (again) {
          fail_unless(seek.seek_time(2800));
          seek.wait_until_blocked();
        }
        fail_unless(seek.send(gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                                                 GST_SEEK_TYPE_SET, of(row.start),
                                                 GST_SEEK_TYPE_SET, of(row.stop))));
        seek.release();
        seek.run();
        Buffer should = row.start == 0 ? stream.bytes : started(stream, row.key);
        if (row.end < 8)
          should.resize(should.size() - (stream.bytes.size() - position(stream, row.end)));
        assert_bytes(seek.take(), should);
      }
    }
  }
}
GST_END_TEST

// An upstream seek may still be in progress when all bytes have arrived. It must not block the
// return to the place.
GST_START_TEST(stop_time_in_slow_seeks) {
  const Stream stream = clip(1, [](const Stream &) { return Entries(); });
  Seek seek({.bytes = stream.bytes, .access = Access::Seekable, .seeks_slowly = true},
            "index=scan" + kOriginal);
  seek.run();
  for (const guint64 start : {0U, 800U}) {
    fail_unless(
        seek.send(gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                                     static_cast<gint64>(start * GST_MSECOND), GST_SEEK_TYPE_SET,
                                     static_cast<gint64>(2000 * GST_MSECOND))));
    seek.run();
    Buffer should = start == 0 ? stream.bytes : started(stream, 2);
    should.resize(should.size() - (stream.bytes.size() - position(stream, 5)));
    assert_bytes(seek.take(), should);
  }
}
GST_END_TEST

GST_START_TEST(stop_time_without_an_index) {
  Seek seek(source_of(file(), kAccesses[__i__]));
  seek.run();
  for (const int flags : {0, 1})
    fail_if(seek.send(gst_event_new_seek(1.0, GST_FORMAT_TIME, static_cast<GstSeekFlags>(flags),
                                         GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_SET, GST_SECOND)));
}
GST_END_TEST

static Suite *flvseek_places_suite() {
  Suite *suite = suite_create("flvseek_places");
  TCase *tcase = tcase_create("places");
  constexpr int kRowCount = std::size(kRows);
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, start_point, 0, kRowCount);
  tcase_add_loop_test(tcase, start_point_in_a_large_file, 0, kRowCount);
  tcase_add_loop_test(tcase, whole_file, 0, 3);
  tcase_add_loop_test(tcase, long_file_header, 0, 3);
  tcase_add_loop_test(tcase, reinsert, 0, 3);
  tcase_add_loop_test(tcase, stop_offset, 0, 3);
  tcase_add_test(tcase, rewritten_index_matches_the_output);
  tcase_add_test(tcase, rewritten_head_has_the_same_size);
  tcase_add_loop_test(tcase, stripped_index, 0, 3);
  tcase_add_loop_test(tcase, size_unknown, 0, 2);
  tcase_add_test(tcase, audio_only);
  tcase_add_test(tcase, kept_as_pushed);
  tcase_add_loop_test(tcase, stop_time, 0, 6);
  tcase_add_test(tcase, stop_time_in_slow_seeks);
  tcase_add_loop_test(tcase, stop_time_without_an_index, 0, 2);
  return suite;
}

GST_CHECK_MAIN(flvseek_places);
