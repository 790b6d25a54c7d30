// SPDX-License-Identifier: LGPL-2.1-or-later
// Damaged input: the skipped bytes, the counters, and the warnings.
#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// No byte of it can start a tag or a file header.
Buffer garbage(std::size_t size) {
  return Buffer(size, 0x55);
}

// A file, and the start of its tag number `index`: in bytes, and as the number in a message.
struct Place {
  Stream stream;
  std::size_t begin;
  std::string position;

  explicit Place(std::size_t index = 8)
      : stream(file()), begin(stream.tags.at(index).begin), position(std::to_string(begin)) {}
};

void feed(Pace &pace, Bytes data, std::size_t chunk = 0) {
  pace.push(data, chunk);
  pace.end();
  pace.run();
}

} // namespace

GST_START_TEST(garbage_is_skipped) {
  const Place place;
  Pace pace("sync=false");
  feed(pace, inserted(place.stream.bytes, place.begin, garbage(100)));
  assert_bytes(bytes(pace.take()), place.stream.bytes);
  assert_damage(pace, "0x55");
  assert_equals_uint64(pace.stat("bytes-skipped"), 100);
  assert_equals_uint64(pace.stat("wrong-previous-sizes"), 0);
}
GST_END_TEST

GST_START_TEST(warning_names_the_position) {
  const Place place;
  Pace pace("sync=false");
  feed(pace, inserted(place.stream.bytes, place.begin, garbage(100)));
  assert_damage(pace, place.position);
}
GST_END_TEST

// The position counts from the start of the file, also after a seek of upstream.
GST_START_TEST(position_after_a_seek) {
  Pace pace("sync=false");
  pace.push(file().bytes);
  pace.settle();
  const GstSegment segment = bytes_segment(70000);
  pace.flush_start();
  pace.flush_stop(&segment);
  Stream rest;
  rest.key(5000).raw(garbage(30)).aac(5000);
  feed(pace, rest.bytes);
  assert_damage(pace, std::to_string(70000 + rest.tags[0].end));
}
GST_END_TEST

GST_START_TEST(one_warning_per_damage) {
  const Place first(8), second(20);
  const Buffer once = inserted(first.stream.bytes, second.begin, garbage(30));
  Pace pace("sync=false");
  feed(pace, inserted(once, first.begin, garbage(3000)), 50);
  assert_bytes(bytes(pace.take()), first.stream.bytes);
  assert_damage(pace, first.position);
  assert_damage(pace, std::to_string(second.begin + 3000));
  fail_if(pace.problem().found);
  assert_equals_uint64(pace.stat("bytes-skipped"), 3030);
}
GST_END_TEST

GST_START_TEST(warning_at_the_begin_of_the_damage) {
  const Place place;
  Pace pace("sync=false");
  const Buffer data = inserted(place.stream.bytes, place.begin, garbage(100));
  pace.push(Bytes(data).first(place.begin + 20));
  pace.settle();
  assert_damage(pace, place.position);
  // All tags before the damage are sent.
  assert_equals_uint64(pace.count(), 9);
}
GST_END_TEST

GST_START_TEST(garbage_after_the_file_header) {
  const Place place(0);
  Pace pace("sync=false");
  feed(pace, inserted(place.stream.bytes, place.begin, garbage(40)));
  assert_bytes(bytes(pace.take()), place.stream.bytes);
  assert_damage(pace, "13");
  assert_equals_uint64(pace.stat("bytes-skipped"), 40);
}
GST_END_TEST

GST_START_TEST(garbage_to_the_end) {
  const Stream stream = file();
  Pace pace("sync=false");
  feed(pace, joined({stream.bytes, garbage(5000)}));
  assert_bytes(bytes(pace.take()), stream.bytes);
  assert_damage(pace, std::to_string(stream.bytes.size()));
  assert_equals_uint64(pace.stat("bytes-skipped"), 5000);
  assert_equals_uint64(pace.count_events(GST_EVENT_EOS), 1);
}
GST_END_TEST

// A stream that ends without an error has sent at least one tag.
GST_START_TEST(no_tag_at_all) {
  for (const Buffer &rest : {garbage(5000), Buffer(300), tag_header(9, 500), Buffer{9}}) {
    Pace pace("sync=false");
    feed(pace, joined({file_header(), rest}));
    assert_damage(pace, "");
    assert_problem(pace, true, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
                   "no whole tag in the " + std::to_string(rest.size()) + " bytes");
    assert_equals_uint64(pace.count(), 0);
  }
}
GST_END_TEST

GST_START_TEST(bytes_missing_in_a_tag) {
  // The tag includes the start of the next tag, and the rest of the next tag is skipped.
  const Place place;
  const Stream &stream = place.stream;
  Pace pace("sync=false");
  feed(pace, erased(stream.bytes, place.begin + 30, 10));
  const Buffer output = bytes(pace.take());
  assert_bytes(Bytes(output).first(place.begin), Bytes(stream.bytes).first(place.begin));
  const Bytes tail = Bytes(stream.bytes).subspan(stream.tags[10].begin);
  assert_bytes(Bytes(output).last(tail.size()), tail);
  assert_damage(pace, "");
  assert_equals_uint64(pace.stat("bytes-in"), stream.bytes.size() - 10);
  assert_equals_uint64(pace.stat("bytes-out"), output.size());
  assert_equals_uint64(pace.stat("bytes-skipped"), stream.bytes.size() - 10 - output.size());
}
GST_END_TEST

namespace {

struct BadHeader {
  Buffer tag;
  const char *number; // the position in the warning
};

Buffer bad_tag(std::uint8_t type, std::uint32_t stream_id) {
  return joined({tag_header(type, 20, 100, stream_id), payload(20), Buffer{0, 0, 0, 31}});
}

} // namespace

GST_START_TEST(impossible_headers) {
  const BadHeader kinds[] = {
      {bad_tag(7, 0), "0x07"},  {bad_tag(10, 0), "0x0a"}, {bad_tag(0, 0), "0x00"},
      {bad_tag(31, 0), "0x1f"}, {bad_tag(9, 1), "1"},     {bad_tag(8, 0x112233), "1122867"},
  };
  const Place place;
  for (const BadHeader &bad : kinds) {
    Pace pace("sync=false");
    feed(pace, inserted(place.stream.bytes, place.begin, bad.tag));
    assert_bytes(bytes(pace.take()), place.stream.bytes);
    assert_damage(pace, bad.number);
    assert_equals_uint64(pace.stat("bytes-skipped"), bad.tag.size());
  }
}
GST_END_TEST

GST_START_TEST(size_past_the_limit) {
  Stream stream;
  stream.header(false, true).key(0, 995).inter(40, 995).inter(80, 996).inter(120, 500);
  Pace pace("sync=false max-tag-size=1000");
  feed(pace, stream.bytes);
  // The payload starts with 5 bytes of codec header: the third tag is one byte too large.
  assert_text(timestamps(pace.take()), "h 0 40 120");
  assert_damage(pace, "1001");
  assert_equals_uint64(pace.stat("bytes-skipped"), stream.at(2).size());
}
GST_END_TEST

// A header in the garbage that declares 16 MB must not stall the stream.
GST_START_TEST(false_tag_in_garbage) {
  const Place place;
  const Buffer trap =
      joined({garbage(20), tag_header(9, flv::kMaxDataSize, 0), garbage(20), tag_header(8, 60, 0)});
  Pace pace("sync=false");
  const Buffer data = inserted(place.stream.bytes, place.begin, trap);
  // The resync needs plausible tags, and not the end of the stream.
  pace.push(data);
  pace.settle();
  assert_bytes(bytes(pace.take()), place.stream.bytes);
  assert_damage(pace, "0x55");
  assert_equals_uint64(pace.stat("bytes-skipped"), trap.size());
}
GST_END_TEST

GST_START_TEST(wrong_previous_tag_sizes_are_not_damage) {
  const Stream stream = file();
  for (const std::uint32_t size : {0U, 11U, 0xFFFFFFFFU}) {
    const Buffer data = with_previous_sizes(stream, size);
    Pace pace("sync=false on-corrupt=fail");
    feed(pace, data, 100);
    const Arrivals arrivals = pace.take();
    assert_bytes(bytes(arrivals), data);
    for (const Arrival &arrival : arrivals)
      fail_if(arrival.has(GST_BUFFER_FLAG_DISCONT) && !arrival.first);
    assert_equals_uint64(pace.stat("wrong-previous-sizes"), stream.tags.size());
    assert_equals_uint64(pace.stat("bytes-skipped"), 0);
  }
}
GST_END_TEST

GST_START_TEST(discont_after_damage) {
  Stream stream;
  stream.header(false, true).key(0).inter(40).raw(garbage(50)).inter(80).inter(120);
  Pace pace("sync=false");
  feed(pace, stream.bytes);
  assert_text(flags(pace.take()), "HD - D DX D");
  assert_damage(pace, "0x55");
}
GST_END_TEST

GST_START_TEST(damage_keeps_due_times) {
  const Place place;
  const Arrivals clean = passed(place.stream.bytes, "");
  Pace pace;
  feed(pace, inserted(place.stream.bytes, place.begin, garbage(200)));
  const Arrivals damaged = pace.take();
  assert_text(due_times(damaged), due_times(clean));
  assert_text(arrival_times(damaged), arrival_times(clean));
  assert_damage(pace, "0x55");
}
GST_END_TEST

GST_START_TEST(fail_on_damage) {
  const Place place;
  Pace pace("sync=false on-corrupt=fail");
  const Buffer data = inserted(place.stream.bytes, place.begin, garbage(100));
  pace.push(data);
  assert_equals_int(pace.flow(), GST_FLOW_ERROR);
  assert_problem(pace, true, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, "0x55");
  // All bytes before the damage, and none after it.
  assert_bytes(bytes(pace.take()), Bytes(data).first(place.begin));
  pace.push(place.stream.bytes);
  assert_equals_int(pace.flow(), GST_FLOW_ERROR);
  assert_equals_uint64(pace.count(), 0);
}
GST_END_TEST

GST_START_TEST(fail_names_the_position) {
  const Place place;
  Pace pace("sync=false on-corrupt=fail");
  pace.push(inserted(place.stream.bytes, place.begin, garbage(100)));
  pace.settle();
  assert_problem(pace, true, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, place.position);
}
GST_END_TEST

// The last tag is cut off: in its header, after its header, before its last byte.
GST_START_TEST(incomplete_last_tag) {
  const Stream stream = file();
  const std::size_t whole = stream.tags.back().begin;
  const std::size_t size = stream.tags.back().end - whole;
  const std::size_t cuts[] = {1, 10, 11, 12, size - 5};
  const std::size_t left = cuts[__i__];
  Pace pace("sync=false");
  feed(pace, Bytes(stream.bytes).first(whole + left));
  assert_bytes(bytes(pace.take()), Bytes(stream.bytes).first(whole));
  assert_damage(pace, std::to_string(left));
  assert_equals_uint64(pace.stat("bytes-skipped"), left);
  assert_equals_uint64(pace.count_events(GST_EVENT_EOS), 1);
}
GST_END_TEST

namespace {

struct Outcome {
  std::string arrivals;
  std::string problems;
  guint64 skipped = 0;
};

Outcome outcome(Bytes data, std::size_t chunk) {
  Pace pace("sync=false retimestamp=none");
  feed(pace, data, chunk);
  Outcome outcome{everything(pace.take()), {}, pace.stat("bytes-skipped")};
  for (Problem problem = pace.problem(); problem.found; problem = pace.problem())
    outcome.problems += problem.text + "\n";
  fail_unless(pace.stat("bytes-in") == data.size() &&
                  pace.stat("bytes-out") + outcome.skipped == data.size(),
              "%" G_GUINT64_FORMAT " of %zu bytes skipped, %" G_GUINT64_FORMAT " sent",
              outcome.skipped, data.size(), pace.stat("bytes-out"));
  return outcome;
}

// Replaces, removes and inserts some bytes of a file. The changes depend only on `seed`.
Buffer mutated(std::uint32_t seed) {
  Buffer data = file({.duration = 3000}).bytes;
  const Buffer noise = payload(64, seed);
  for (std::size_t i = 0; i + 3 < noise.size(); i += 4) {
    // After the file header and the first tags.
    const std::size_t at = 200 + (noise[i] * 256U + noise[i + 1]) % (data.size() - 300);
    switch (noise[i + 2] % 3) {
    case 0:
      data = overwritten(data, at, Bytes(noise).subspan(i, 4));
      break;
    case 1:
      data = erased(data, at, noise[i + 3] % 60U);
      break;
    default:
      data = inserted(data, at, Bytes(noise).first(noise[i + 3] % 60U));
    }
  }
  return data;
}

} // namespace

// For any damage and chunking, every byte is either sent or counted as skipped.
GST_START_TEST(mutations) {
  const Buffer data = mutated(static_cast<std::uint32_t>(__i__));
  const Outcome whole = outcome(data, 0);
  for (const std::size_t chunk : {1UL, 7UL, 4096UL}) {
    const Outcome cut = outcome(data, chunk);
    assert_text(cut.arrivals, whole.arrivals);
    assert_text(cut.problems, whole.problems);
    assert_equals_uint64(cut.skipped, whole.skipped);
  }
}
GST_END_TEST

static Suite *flvpace_damage_suite() {
  Suite *suite = suite_create("flvpace_damage");
  TCase *tcase = tcase_create("damage");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, garbage_is_skipped);
  tcase_add_test(tcase, warning_names_the_position);
  tcase_add_test(tcase, position_after_a_seek);
  tcase_add_test(tcase, one_warning_per_damage);
  tcase_add_test(tcase, warning_at_the_begin_of_the_damage);
  tcase_add_test(tcase, garbage_after_the_file_header);
  tcase_add_test(tcase, garbage_to_the_end);
  tcase_add_test(tcase, no_tag_at_all);
  tcase_add_test(tcase, bytes_missing_in_a_tag);
  tcase_add_test(tcase, impossible_headers);
  tcase_add_test(tcase, size_past_the_limit);
  tcase_add_test(tcase, false_tag_in_garbage);
  tcase_add_test(tcase, wrong_previous_tag_sizes_are_not_damage);
  tcase_add_test(tcase, discont_after_damage);
  tcase_add_test(tcase, damage_keeps_due_times);
  tcase_add_test(tcase, fail_on_damage);
  tcase_add_test(tcase, fail_names_the_position);
  tcase_add_loop_test(tcase, incomplete_last_tag, 0, 5);
  tcase_add_loop_test(tcase, mutations, 0, pacetest::is_short() ? 5 : 20);
  return suite;
}

GST_CHECK_MAIN(flvpace_damage);
