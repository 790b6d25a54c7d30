// SPDX-License-Identifier: LGPL-2.1-or-later
// Discontinuous input: DISCONT, a new stream header in the caps, a stream that is joined in its
// middle.
#include "pacetest.h"

#include <algorithm>
#include <random>

#include "media.h"

using namespace flvtest;
using namespace pacetest;

namespace {

Stream publisher(std::uint32_t start, std::uint8_t variant = 0) {
  Stream stream;
  stream.header().metadata({{"width", {320.0 + variant}}}).configs(start, variant);
  append_media(stream, {.duration = 2000, .start = start, .gop = 10});
  return stream;
}

Bytes tag(const Stream &stream, std::size_t index) {
  const auto &place = stream.tags.at(index);
  return Bytes(stream.bytes).subspan(place.begin, place.end - place.begin);
}

void push_discont(Pace &pace, Bytes bytes) {
  GstBuffer *buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  pace.push_buffer(buffer);
}

bool is_tag_of(const Stream &stream, const Buffer &bytes) {
  for (std::size_t i = 0; i < stream.tags.size(); ++i) {
    if (std::ranges::equal(tag(stream, i), bytes))
      return true;
  }
  return false;
}

// After the file header, the output has only whole tags of the stream.
void assert_whole_tags(const Arrivals &arrivals, const Stream &stream) {
  for (std::size_t i = 1; i < arrivals.size(); ++i)
    fail_unless(is_tag_of(stream, arrivals[i].bytes), "buffer %zu is no tag of the stream", i);
}

GstEvent *caps_event(const std::vector<Bytes> &header) {
  GValue array = G_VALUE_INIT;
  gst_value_array_init(&array, 0);
  for (const Bytes part : header) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_BUFFER);
    g_value_take_boxed(&value, gst_buffer_new_memdup(part.data(), part.size()));
    gst_value_array_append_and_take_value(&array, &value);
  }
  GstCaps *caps = gst_caps_new_empty_simple("video/x-flv");
  gst_structure_take_value(gst_caps_get_structure(caps, 0), "streamheader", &array);
  GstEvent *event = gst_event_new_caps(caps);
  gst_caps_unref(caps);
  return event;
}

// The caps come before the segment.
void begin_with(Pace &pace, const std::vector<Bytes> &header) {
  const GstSegment segment = bytes_segment();
  pace.set_state(GST_STATE_PLAYING);
  pace.push_event(gst_event_new_stream_start("interrupted"));
  pace.push_event(caps_event(header));
  pace.push_event(gst_event_new_segment(&segment));
}

// A separate thread sends a live stream.
void wait_for_end(Pace &pace) {
  pace.end();
  pace.wait_for([&] { return pace.count_events(GST_EVENT_EOS) == 1; });
}

// File header, metadata and two configurations.
std::vector<Bytes> header_of(const Stream &stream) {
  std::vector<Bytes> header{Bytes(stream.bytes).first(13)};
  for (std::size_t i = 0; i < 3; ++i)
    header.push_back(tag(stream, i));
  return header;
}

std::size_t key_frame(const Stream &stream, std::size_t number) {
  for (std::size_t i = 0;; ++i) {
    const Bytes bytes = tag(stream, i);
    if (bytes[0] == 9 && (bytes[11] >> 4) == 1 && bytes[12] == 1 && number-- == 0)
      return i;
  }
}

} // namespace

// A valve that closes and opens at any position gives no tag with the bytes of two.
GST_START_TEST(parts_of_two_tags_are_not_joined) {
  const Stream stream = publisher(0);
  const Bytes bytes(stream.bytes);
  std::mt19937 random(7);
  for (int turn = 0; turn < 200; ++turn) {
    Pace pace("sync=false");
    const std::size_t first = 100 + random() % (bytes.size() - 200);
    const std::size_t second = first + random() % (bytes.size() - first);
    pace.push(bytes.first(first), 700);
    push_discont(pace, bytes.subspan(second));
    pace.end();
    pace.run();
    const Arrivals arrivals = pace.take();
    assert_whole_tags(arrivals, stream);
    // A tag that lacks only its PreviousTagSize gets it.
    const guint64 accounted = pace.stat("bytes-out") + pace.stat("bytes-skipped");
    fail_unless(accounted - pace.stat("bytes-in") <= flv::kPreviousTagSizeSize);
    fail_if(pace.problem().found);
  }
}
GST_END_TEST

GST_START_TEST(whole_tags_are_kept) {
  const Stream stream = publisher(0);
  Pace pace("sync=false");
  pace.push(Bytes(stream.bytes).first(13));
  for (std::size_t i = 0; i < stream.tags.size(); ++i)
    push_discont(pace, tag(stream, i));
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_bytes(bytes(arrivals), stream.bytes);
  fail_unless(arrivals.back().has(GST_BUFFER_FLAG_DISCONT));
  assert_equals_uint64(pace.stat("bytes-skipped"), 0);
}
GST_END_TEST

GST_START_TEST(output_is_marked) {
  const Stream stream = publisher(0);
  Pace pace("sync=false");
  pace.push(Bytes(stream.bytes).first(stream.tags[5].begin + 8));
  push_discont(pace, Bytes(stream.bytes).subspan(stream.tags[9].begin));
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_bytes(arrivals.at(6).bytes, tag(stream, 9));
  for (std::size_t i = 0; i < arrivals.size(); ++i)
    assert_equals_int(arrivals[i].has(GST_BUFFER_FLAG_DISCONT), i == 6);
  assert_equals_uint64(pace.stat("bytes-skipped"), 8);
}
GST_END_TEST

// Two sources and an input-selector: the configurations are in the caps, once.
GST_START_TEST(another_stream_header) {
  const Stream sources[] = {publisher(0, 1), publisher(90'000, 2)};
  Pace pace("sync=false retimestamp=none", GST_STATE_READY);
  begin_with(pace, header_of(sources[0]));
  pace.push(sources[0].bytes);
  pace.settle();
  (void)pace.take();
  for (int turn = 1; turn <= 20; ++turn) {
    const Stream &stream = sources[turn % 2];
    const std::size_t key = key_frame(stream, static_cast<std::size_t>(turn) % 4);
    pace.push_event(caps_event(header_of(stream)));
    push_discont(pace, Bytes(stream.bytes).subspan(stream.tags[key].begin));
    pace.settle();
    const Arrivals arrivals = pace.take();
    for (std::size_t i = 0; i < 3; ++i) {
      assert_bytes(arrivals.at(i).bytes, tag(stream, i));
      fail_unless(arrivals[i].has(GST_BUFFER_FLAG_HEADER));
    }
    assert_bytes(arrivals.at(3).bytes, tag(stream, key));
    const std::vector<Buffer> head = stream_header(pace);
    assert_bytes(head.at(2), tag(stream, 1));
    assert_bytes(head.at(3), tag(stream, 2));
  }
  pace.end();
  pace.run();
}
GST_END_TEST

// flvmux, or another flvpace, repeats the headers from its caps in the stream.
GST_START_TEST(known_stream_header) {
  const Stream stream = publisher(0);
  Pace pace("sync=false", GST_STATE_READY);
  begin_with(pace, header_of(stream));
  pace.push(Bytes(stream.bytes).first(stream.tags[9].begin + 20));
  pace.push_event(caps_event(header_of(stream)));
  pace.push(Bytes(stream.bytes).subspan(stream.tags[9].begin + 20));
  pace.end();
  pace.run();
  assert_bytes(bytes(pace.take()), stream.bytes);
}
GST_END_TEST

GST_START_TEST(joins_in_mid_stream) {
  const Stream stream = publisher(50'000);
  const std::size_t from = 12;
  for (const std::size_t chunk : {0U, 1U, 7U, 1000U}) {
    Pace pace("sync=false");
    gst_harness_set_live(pace.harness(), TRUE);
    pace.push(Bytes(stream.bytes).subspan(stream.tags[from - 1].begin + 5), chunk);
    wait_for_end(pace);
    const Arrivals arrivals = pace.take();
    assert_bytes(arrivals.at(0).bytes, file_header());
    assert_bytes(bytes(arrivals),
                 joined({file_header(), Bytes(stream.bytes).subspan(stream.tags[from].begin)}));
    assert_text(due_times(arrivals).substr(0, 4), "0 0 ");
  }
}
GST_END_TEST

// The generated header announces the kinds that are present.
GST_START_TEST(joins_one_kind) {
  Stream stream;
  for (std::uint32_t time = 0; time < 2000; time += 20)
    stream.aac(time, 100);
  Pace pace("sync=false");
  gst_harness_set_live(pace.harness(), TRUE);
  pace.push(stream.bytes);
  wait_for_end(pace);
  assert_bytes(bytes(pace.take()), joined({file_header(true, false), stream.bytes}));
}
GST_END_TEST

GST_START_TEST(joins_with_the_header_of_the_caps) {
  const Stream stream = publisher(0);
  const std::size_t key = key_frame(stream, 2);
  Pace pace("sync=false", GST_STATE_READY);
  begin_with(pace, header_of(stream));
  pace.push(Bytes(stream.bytes).subspan(stream.tags[key].begin));
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_bytes(bytes(arrivals), joined({Bytes(stream.bytes).first(stream.tags[3].begin),
                                        Bytes(stream.bytes).subspan(stream.tags[key].begin)}));
}
GST_END_TEST

GST_START_TEST(does_not_join_a_file) {
  const Stream stream = publisher(0);
  Pace pace("sync=false");
  pace.push(Bytes(stream.bytes).subspan(20));
  pace.end();
  pace.run();
  const Problem problem = pace.problem();
  fail_unless(problem.error && problem.domain == GST_STREAM_ERROR &&
              problem.code == GST_STREAM_ERROR_WRONG_TYPE);
  assert_equals_uint64(pace.count(), 0);
}
GST_END_TEST

GST_START_TEST(does_not_join_other_formats) {
  Pace pace("sync=false");
  gst_harness_set_live(pace.harness(), TRUE);
  const Buffer noise(100'000, 0xFF);
  for (int i = 0; i < 50; ++i)
    pace.push(noise);
  Problem problem;
  pace.wait_for([&] {
    problem = pace.problem();
    return problem.found;
  });
  // The source pad's task posts the error before it refuses a push.
  pace.wait_for([&] {
    pace.push(noise);
    return pace.flow() == GST_FLOW_ERROR;
  });
  pace.run();
  fail_unless(problem.error && problem.code == GST_STREAM_ERROR_WRONG_TYPE &&
                  problem.says("no whole tag in the first 4200000 bytes"),
              "%s", problem.text.c_str());
  assert_equals_int(pace.flow(), GST_FLOW_ERROR);
  assert_equals_uint64(pace.count(), 0);
}
GST_END_TEST

static Suite *flvpace_interrupted_suite() {
  Suite *suite = suite_create("flvpace_interrupted");
  TCase *tcase = tcase_create("interrupted");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, parts_of_two_tags_are_not_joined);
  tcase_add_test(tcase, whole_tags_are_kept);
  tcase_add_test(tcase, output_is_marked);
  tcase_add_test(tcase, another_stream_header);
  tcase_add_test(tcase, known_stream_header);
  tcase_add_test(tcase, joins_in_mid_stream);
  tcase_add_test(tcase, joins_one_kind);
  tcase_add_test(tcase, joins_with_the_header_of_the_caps);
  tcase_add_test(tcase, does_not_join_a_file);
  tcase_add_test(tcase, does_not_join_other_formats);
  return suite;
}

GST_CHECK_MAIN(flvpace_interrupted);
