// SPDX-License-Identifier: LGPL-2.1-or-later
// Publisher streams: cut off within a tag and followed by another publisher's stream, with stream
// ids from RTMP, with tags without data.
#include "pacetest.h"

#include <algorithm>

#include "media.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// A publisher of `clip`, cut off `there` bytes after the start of tag number `index`.
Buffer cut_publisher(const Stream &stream, std::size_t index, std::size_t there) {
  const Bytes bytes(stream.bytes);
  const Bytes cut = bytes.first(stream.tags.at(index).begin + there);
  return {cut.begin(), cut.end()};
}

// A publisher with a different picture size and different timestamps.
Stream next_publisher() {
  Stream stream;
  stream.header().metadata({{"width", {1280.0}}}).configs(0, 7);
  append_media(stream, {.duration = 1000});
  return stream;
}

Bytes behind_header(const Stream &stream) {
  return Bytes(stream.bytes).subspan(13);
}

struct Passed {
  Arrivals arrivals;
  guint64 skipped = 0;
  guint64 nonzero_stream_ids = 0;
  std::vector<Buffer> head;
  std::vector<std::string> warnings;
};

Passed pass(Bytes data, const std::string &properties, std::size_t chunk) {
  Pace pace("sync=false " + properties);
  pace.push(data, chunk);
  pace.end();
  pace.run();
  Passed passed{pace.take(),
                pace.stat("bytes-skipped"),
                pace.stat("nonzero-stream-ids"),
                stream_header(pace),
                {}};
  for (Problem problem = pace.problem(); problem.found; problem = pace.problem()) {
    fail_if(problem.error, "%s", problem.text.c_str());
    passed.warnings.push_back(problem.text);
  }
  return passed;
}

constexpr std::size_t kChunks[] = {0, 1, 7, 1000};

} // namespace

// A keyframe of 100 kB is cut off, and the whole stream of the next publisher fits into its missing
// bytes. If it does not fit, only the PreviousTagSize shows the cut.
GST_START_TEST(cut_inside_a_tag) {
  const std::size_t missing = __i__ == 0 ? 100'000 : 3000;
  Stream first = file({.duration = 400});
  first.key(400, 50'000 + missing).inter(440);
  const std::size_t cut = first.tags.size() - 2;
  const Stream second = next_publisher();
  fail_unless(second.bytes.size() > 3000 && second.bytes.size() < 100'000);
  const std::size_t there = 50'000;
  const Buffer data = joined({cut_publisher(first, cut, there), second.bytes});
  const Buffer expected =
      joined({Bytes(first.bytes).first(first.tags[cut].begin), behind_header(second)});
  for (const std::size_t chunk : {std::size_t{0}, std::size_t{997}}) {
    const Passed passed = pass(data, "retimestamp=none", chunk);
    assert_bytes(bytes(passed.arrivals), expected);
    assert_equals_uint64(passed.skipped, there);
    fail_unless(passed.warnings.size() == 1, "%zu warnings", passed.warnings.size());
    const std::string &text = passed.warnings[0];
    fail_unless(text.find(std::to_string(first.tags[cut].begin)) != std::string::npos, "%s",
                text.c_str());
    fail_unless(text.find("after 50000 bytes") != std::string::npos, "%s", text.c_str());
    // A new client gets the metadata and configurations of the second publisher.
    assert_bytes(passed.head.at(1), second.at(0));
    assert_bytes(passed.head.at(2), second.at(1));
    assert_bytes(passed.head.at(3), second.at(2));
  }
}
GST_END_TEST

// Cut off after each of its first and last bytes, the PreviousTagSize included: whole tags are
// sent, and no tag of the first publisher has a byte of the next one.
GST_START_TEST(cut_anywhere) {
  const Stream first = file({.duration = 200});
  const std::size_t cut = 6;
  const Stream second = next_publisher();
  const std::size_t size = first.at(cut).size();
  // Every byte near the ends of the tag. With few repetitions, only the bytes at its end.
  const std::size_t step = pacetest::is_short() ? 7 : 1;
  for (std::size_t there = 0; there <= size;
       there += there > size - 10 ? 1 : std::min(there < 40 ? step : 29 * step, size - 9 - there)) {
    const Buffer data = joined({cut_publisher(first, cut, there), second.bytes});
    const bool whole = there >= size - 4;
    const Buffer expected = joined(
        {Bytes(first.bytes).first(first.tags[whole ? cut + 1 : cut].begin), behind_header(second)});
    for (const std::size_t chunk : kChunks) {
      const Passed passed = pass(data, "retimestamp=none", chunk);
      const std::string difference = pacetest::difference(bytes(passed.arrivals), expected);
      fail_unless(difference.empty(), "cut after %zu of %zu bytes, chunks of %zu: %s", there, size,
                  chunk, difference.c_str());
      assert_equals_uint64(passed.skipped, whole ? 0 : there);
      assert_equals_uint64(passed.warnings.size(), whole || there == 0 ? 0 : 1);
    }
  }
}
GST_END_TEST

// Three publishers within the first publisher's keyframe.
GST_START_TEST(repeated_cuts) {
  Stream first = file({.duration = 200});
  const std::size_t cut = first.tags.size();
  first.key(400, 30'000);
  const Stream next = next_publisher();
  const Buffer data = joined({cut_publisher(first, cut, 5000), cut_publisher(next, 5, 30),
                              cut_publisher(next, 3, 40), next.bytes});
  const Passed passed = pass(data, "retimestamp=none", 0);
  const Bytes bytes_of_next = behind_header(next);
  const Buffer expected = joined({Bytes(first.bytes).first(first.tags[cut].begin),
                                  bytes_of_next.first(next.tags[5].begin - 13),
                                  bytes_of_next.first(next.tags[3].begin - 13), bytes_of_next});
  assert_bytes(bytes(passed.arrivals), expected);
  assert_equals_uint64(passed.warnings.size(), 3);
  assert_equals_uint64(passed.skipped, 5000 + 30 + 40);
}
GST_END_TEST

// The number of detected cuts does not depend on the chunking of the input.
GST_START_TEST(many_cuts) {
  const Stream next = next_publisher();
  const Buffer cut = cut_publisher(next, 5, 30);
  const Bytes whole_tags = behind_header(next).first(next.tags[5].begin - 13);
  Buffer data;
  Buffer expected = file_header();
  for (int i = 0; i < 60; ++i) {
    append(data, cut);
    append(expected, whole_tags);
  }
  append(data, next.bytes);
  append(expected, behind_header(next));
  for (const std::size_t chunk : kChunks) {
    const Passed passed = pass(data, "retimestamp=none", chunk);
    assert_bytes(bytes(passed.arrivals), expected);
    assert_equals_uint64(passed.warnings.size(), 60);
    assert_equals_uint64(passed.skipped, 60 * 30);
  }
}
GST_END_TEST

// The tag before a file header gets its PreviousTagSize, even if the cut is detected only at EOS.
// The last tag is unchanged.
GST_START_TEST(missing_size_after_a_cut) {
  Stream first = file({.duration = 200});
  const std::size_t cut = first.tags.size();
  first.key(400, 100'000);
  const Stream next = next_publisher();
  const Bytes short_next = Bytes(next.bytes).first(next.bytes.size() - 4);
  const Passed passed = pass(joined({cut_publisher(first, cut, 5000), short_next, short_next}),
                             "retimestamp=none", 0);
  const Bytes tags = behind_header(next);
  assert_bytes(bytes(passed.arrivals), joined({Bytes(first.bytes).first(first.tags[cut].begin),
                                               tags, tags.first(tags.size() - 4)}));
}
GST_END_TEST

GST_START_TEST(timestamps_are_continuous_after_the_cut) {
  Stream first = file({.duration = 200, .audio = false});
  first.key(200, 30'000);
  const Buffer data =
      joined({cut_publisher(first, first.tags.size() - 1, 5000), next_publisher().bytes});
  const Arrivals arrivals = pass(data, "", 0).arrivals;
  assert_text(timestamps(arrivals).substr(0, 42), "h 0 0 0 40 80 120 160 0 160 160 200 200 22");
}
GST_END_TEST

GST_START_TEST(cut_tag_as_an_error) {
  Stream first = file({.duration = 200});
  first.key(400, 30'000);
  Pace pace("sync=false on-corrupt=fail");
  pace.push(joined({cut_publisher(first, first.tags.size() - 1, 5000), next_publisher().bytes}));
  pace.end();
  pace.run();
  assert_problem(pace, true, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, "after 5000 bytes");
  assert_bytes(bytes(pace.take()), Bytes(first.bytes).first(first.tags.back().begin));
}
GST_END_TEST

// The same for short tags, each of which is cut off by a file header.
GST_START_TEST(many_file_headers) {
  Buffer data = file_header();
  for (std::size_t i = 0; i < 40'000; ++i)
    append(data, joined({tag_header(9, 13), file_header()}));
  for (const std::size_t chunk : {std::size_t{0}, std::size_t{65536}})
    (void)pass(joined({data, file().bytes}), "", chunk);
}
GST_END_TEST

// For nested file headers, the time is proportional to the number of bytes. Quadratic time would be
// hours.
GST_START_TEST(nested_file_headers) {
  constexpr std::size_t kCount = 100'000;
  Buffer data = file_header();
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto left = static_cast<std::uint32_t>((kCount - i) * 24);
    append(data, joined({tag_header(9, left), file_header()}));
  }
  for (const std::size_t chunk : {std::size_t{0}, std::size_t{65536}})
    (void)pass(joined({data, payload(100)}), "", chunk);
}
GST_END_TEST

GST_START_TEST(stream_ids_are_passed_on) {
  Stream stream = file({.duration = 400});
  for (const std::uint32_t id : {1U, 0x010000U}) {
    for (const bool in_script : {true, false}) {
      Buffer data = stream.bytes;
      guint64 tags = 0;
      for (const Stream::Tag &tag : stream.tags) {
        if (tag.type == TagType::Script && !in_script)
          continue;
        flv::store_u24(&data[tag.begin + 8], id);
        ++tags;
      }
      const Passed passed = pass(data, "", 100);
      assert_bytes(bytes(passed.arrivals), data);
      assert_equals_uint64(passed.nonzero_stream_ids, tags);
      assert_equals_uint64(passed.skipped, 0);
      assert_equals_uint64(passed.warnings.size(), 1);
      fail_unless(passed.warnings[0].find("stream id " + std::to_string(id)) != std::string::npos,
                  "%s", passed.warnings[0].c_str());
    }
  }
}
GST_END_TEST

// Stream ids of any value; also if a server inserts its own configurations, with id 0, at the
// start.
GST_START_TEST(other_stream_ids) {
  const Stream stream = file({.duration = 400});
  for (const std::uint32_t id : {1000U, 1U}) {
    Buffer data = stream.bytes;
    for (std::size_t i = id == 1 ? 3 : 0; i < stream.tags.size(); ++i)
      flv::store_u24(&data[stream.tags[i].begin + 8], id);
    const Passed passed = pass(data, "", 100);
    assert_bytes(bytes(passed.arrivals), data);
    assert_equals_uint64(passed.skipped, 0);
  }
}
GST_END_TEST

// In a stream with stream id 1, damage is detected and skipped as in any other stream.
GST_START_TEST(damage_among_stream_ids) {
  Stream stream = file({.duration = 400});
  for (const Stream::Tag &tag : stream.tags)
    flv::store_u24(&stream.bytes[tag.begin + 8], 1);
  const std::size_t at = stream.tags[8].begin;
  const Buffer data =
      inserted(stream.bytes, at, joined({Buffer(30, 0x55), tag_header(9, 20, 0, 2)}));
  const Passed passed = pass(data, "", 0);
  assert_bytes(bytes(passed.arrivals), stream.bytes);
  assert_equals_uint64(passed.skipped, 41);
  assert_equals_uint64(passed.warnings.size(), 2);
}
GST_END_TEST

// An empty tag does not announce video, whatever the header flags or the tag say: clients start at
// audio tags, as in a stream without video. This holds at any position, and also for empty audio
// tags.
GST_START_TEST(empty_tags_announce_no_kind) {
  for (const std::size_t place : {0U, 1U, 5U}) {
    Stream stream;
    stream.header(true, true).metadata().audio(0, aac_config());
    for (std::size_t i = 0; i < 30; ++i) {
      if (i == place)
        stream.video(static_cast<std::uint32_t>(i * 23), {});
      stream.aac(static_cast<std::uint32_t>(i * 23));
    }
    const Passed passed = pass(stream.bytes, "", 0);
    assert_bytes(bytes(passed.arrivals), stream.bytes);
    std::size_t starts = 0;
    for (const Arrival &arrival : passed.arrivals)
      starts += !arrival.has(GST_BUFFER_FLAG_DELTA_UNIT);
    // The configuration may count, too; the empty tag and the metadata do not.
    fail_unless(starts == 30 || starts == 31, "%zu places to start", starts);
  }
}
GST_END_TEST

// The timestamp of an empty tag is ignored, too.
GST_START_TEST(empty_tags_have_no_time) {
  Stream stream;
  stream.header().configs(3'600'000).video(0, {}).key(3'600'000).video(0, {}).aac(3'600'000);
  stream.inter(3'600'040).audio(0, {}).inter(3'600'080);
  Pace pace;
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_bytes(bytes(arrivals), stream.bytes);
  assert_text(due_times(arrivals), "0 0 0 0 0 0 0 40 40 80");
  assert_equals_uint64(pace.stat("discontinuities"), 0);
}
GST_END_TEST

// If a file lacks its last PreviousTagSize before the next file, it is added, so that the output is
// valid FLV.
GST_START_TEST(missing_size_between_files) {
  const Stream stream = file({.duration = 200});
  for (std::size_t left = 0; left < 4; ++left) {
    const Bytes cut = Bytes(stream.bytes).first(stream.bytes.size() - 4 + left);
    const Passed passed = pass(joined({cut, stream.bytes}), "retimestamp=none", 0);
    assert_bytes(bytes(passed.arrivals), joined({stream.bytes, behind_header(stream)}));
  }
}
GST_END_TEST

// AV1 and Opus with their unofficial codec ids: the configurations are in the caps.
GST_START_TEST(unpublished_codec_ids) {
  Stream stream;
  stream.header().metadata().video(0, Buffer{0x1D, 0, 0, 0, 0, 0x81, 8});
  stream.audio(0, Buffer{0xDF, 0, 'O', 'p', 'u', 's'});
  for (std::uint32_t i = 0; i < 5; ++i) {
    const auto first = static_cast<std::uint8_t>(i == 0 ? 0x1D : 0x2D);
    stream.video(i * 40, joined({Buffer{first, 1, 0, 0, 0}, payload(30)}));
    stream.audio(i * 40, joined({Buffer{0xDF, 1}, payload(30)}));
  }
  const Passed passed = pass(stream.bytes, "", 0);
  assert_bytes(bytes(passed.arrivals), stream.bytes);
  fail_unless(passed.head.size() == 4, "%zu parts", passed.head.size());
  assert_bytes(passed.head[2], stream.at(1));
  assert_bytes(passed.head[3], stream.at(2));
}
GST_END_TEST

GST_START_TEST(reported_files) {
  const struct {
    const char *file;
    std::size_t warnings;
  } reports[] = {{"reports/audio-gap.flv", 0},    {"reports/slides.flv", 0},
                 {"reports/radio-rebase.flv", 0}, {"reports/neg-start.flv", 0},
                 {"reports/rec1h.flv", 0},        {"reports/meta-novalue.flv", 0},
                 {"reports/av1-id13.flv", 0},     {"reports/audio-emptyvideo.flv", 0},
                 {"reports/streamid1.flv", 1}};
  for (const auto &report : reports) {
    const auto data = media_file(report.file);
    if (!data)
      continue;
    const Passed passed = pass(*data, "", 0);
    const std::string difference = pacetest::difference(bytes(passed.arrivals), *data);
    fail_unless(difference.empty(), "%s: %s", report.file, difference.c_str());
    fail_unless(passed.warnings.size() == report.warnings, "%s: %zu warnings", report.file,
                passed.warnings.size());
  }
}
GST_END_TEST

static Suite *flvpace_publishers_suite() {
  Suite *suite = suite_create("flvpace publishers");
  TCase *tcase = tcase_create("publishers");
  suite_add_tcase(suite, tcase);
  tcase_set_timeout(tcase, 60);
  tcase_add_loop_test(tcase, cut_inside_a_tag, 0, 2);
  tcase_add_test(tcase, cut_anywhere);
  tcase_add_test(tcase, repeated_cuts);
  tcase_add_test(tcase, many_cuts);
  tcase_add_test(tcase, missing_size_after_a_cut);
  tcase_add_test(tcase, timestamps_are_continuous_after_the_cut);
  tcase_add_test(tcase, cut_tag_as_an_error);
  tcase_add_test(tcase, many_file_headers);
  tcase_add_test(tcase, nested_file_headers);
  tcase_add_test(tcase, stream_ids_are_passed_on);
  tcase_add_test(tcase, other_stream_ids);
  tcase_add_test(tcase, damage_among_stream_ids);
  tcase_add_test(tcase, empty_tags_announce_no_kind);
  tcase_add_test(tcase, empty_tags_have_no_time);
  tcase_add_test(tcase, missing_size_between_files);
  tcase_add_test(tcase, unpublished_codec_ids);
  tcase_add_test(tcase, reported_files);
  return suite;
}

GST_CHECK_MAIN(flvpace_publishers);
