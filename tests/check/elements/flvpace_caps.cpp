// SPDX-License-Identifier: LGPL-2.1-or-later
// The streamheader in the caps: its contents, when it is complete, when it changes. The start of
// the stream is held for it.
#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// The streamheader has the file header and these tags of `stream`.
void assert_header(const Pace &pace, const Stream &stream,
                   std::initializer_list<std::size_t> tags) {
  const std::vector<Buffer> parts = stream_header(pace);
  assert_equals_uint64(parts.size(), tags.size() + 1);
  assert_bytes(parts[0], Bytes(stream.bytes).first(stream.tags[0].begin));
  std::size_t part = 1;
  for (const std::size_t tag : tags)
    assert_bytes(parts[part++], stream.at(tag));
}

void feed(Pace &pace, const Stream &stream) {
  pace.push(stream.bytes);
  pace.end();
  pace.run();
}

Buffer metadata_with(double width) {
  return on_metadata({{"width", {width}}});
}

Buffer cue_point() {
  return script("onCuePoint", {{flv::amf0::Object{{{"name", {std::string("here")}}}}}});
}

} // namespace

GST_START_TEST(streamheader) {
  const Stream stream = file();
  Pace pace("sync=false");
  feed(pace, stream);
  assert_header(pace, stream, {0, 1, 2});
  assert_equals_uint64(pace.count_events(GST_EVENT_CAPS), 1);
}
GST_END_TEST

GST_START_TEST(caps_are_flv_caps) {
  Pace pace("sync=false", GST_STATE_READY);
  pace.set_state(GST_STATE_PLAYING);
  const GstSegment segment = bytes_segment();
  // The caps of upstream have no streamheader.
  const CapsPtr plain(gst_caps_new_empty_simple("video/x-flv"));
  pace.push_event(gst_event_new_stream_start("with caps"));
  pace.push_event(gst_event_new_caps(plain.get()));
  pace.push_event(gst_event_new_segment(&segment));
  feed(pace, file());
  assert_equals_uint64(pace.count_events(GST_EVENT_CAPS), 1);
  const EventPtr event = pace.last_event(GST_EVENT_CAPS);
  GstCaps *caps = nullptr;
  gst_event_parse_caps(event.get(), &caps);
  fail_unless(gst_caps_is_fixed(caps));
  const CapsPtr possible(gst_pad_peer_query_caps(pace.downstream(), nullptr));
  fail_unless(gst_caps_can_intersect(caps, possible.get()));
  assert_equals_uint64(gst_caps_get_size(possible.get()), 1);
  fail_unless(gst_structure_has_name(gst_caps_get_structure(possible.get(), 0), "video/x-flv"));
}
GST_END_TEST

// The configuration of one kind comes after the first frames of the other kind.
GST_START_TEST(streamheader_is_complete_at_the_start) {
  Stream stream;
  stream.header().metadata().video(0, avc_config()).key(0).inter(40).inter(80);
  stream.audio(80, aac_config()).aac(80).inter(120);
  Pace pace;
  feed(pace, stream);
  assert_header(pace, stream, {0, 1, 5});
  assert_equals_uint64(pace.count_events(GST_EVENT_CAPS), 1);
  // The order of the tags is unchanged.
  const Arrivals arrivals = pace.take();
  assert_bytes(bytes(arrivals), stream.bytes);
  assert_text(arrival_times(arrivals), "0 0 0 0 40 80 80 80 120");
}
GST_END_TEST

GST_START_TEST(start_waits_for_both_kinds) {
  Stream stream;
  stream.header().metadata().configs().key(0).inter(40);
  Pace pace("sync=false");
  pace.push(stream.bytes);
  pace.settle();
  assert_equals_uint64(pace.count(), 0);
  assert_equals_uint64(pace.count_events(GST_EVENT_CAPS), 0);
  stream.aac(0);
  pace.push(stream.at(5));
  pace.settle();
  assert_bytes(bytes(pace.take()), stream.bytes);
}
GST_END_TEST

GST_START_TEST(start_waits_half_a_second) {
  Stream stream;
  stream.header().video(0, avc_config()).key(7000).inter(7200).inter(7400).inter(7600);
  Pace pace("sync=false");
  pace.push(Bytes(stream.bytes).first(stream.tags[4].begin));
  pace.settle();
  assert_equals_uint64(pace.count(), 0);
  pace.push(stream.at(4));
  pace.settle();
  assert_bytes(bytes(pace.take()), stream.bytes);
}
GST_END_TEST

GST_START_TEST(start_waits_a_mebibyte) {
  Stream stream;
  stream.header().key(0, 300000).inter(10, 300000).inter(20, 300000).inter(30, 300000);
  Pace pace("sync=false");
  pace.push(Bytes(stream.bytes).first(stream.tags[3].begin));
  pace.settle();
  assert_equals_uint64(pace.count(), 0);
  pace.push(stream.at(3));
  pace.settle();
  assert_bytes(bytes(pace.take()), stream.bytes);
}
GST_END_TEST

GST_START_TEST(start_waits_for_no_other_kind) {
  Stream video, audio;
  video.header(false, true).video(0, avc_config()).key(0);
  audio.header(true, false).audio(0, aac_config()).aac(0);
  for (const Stream *stream : {&video, &audio}) {
    Pace pace("sync=false");
    pace.push(stream->bytes);
    pace.settle();
    assert_bytes(bytes(pace.take()), stream->bytes);
    assert_header(pace, *stream, {0});
  }
}
GST_END_TEST

GST_START_TEST(eos_ends_the_wait_for_kinds) {
  Stream stream;
  stream.header().metadata().video(0, avc_config()).key(0).inter(40);
  Pace pace;
  feed(pace, stream);
  assert_bytes(bytes(pace.take()), stream.bytes);
  assert_header(pace, stream, {0, 1});
  assert_text(pace.order(), "caps segment B eos");
}
GST_END_TEST

GST_START_TEST(header_that_announces_nothing) {
  Stream stream;
  stream.header(false, false).metadata().configs().key(0).aac(0).inter(40);
  Pace pace;
  feed(pace, stream);
  assert_bytes(bytes(pace.take()), stream.bytes);
  assert_header(pace, stream, {0, 1, 2});
  assert_equals_uint64(pace.count_events(GST_EVENT_CAPS), 1);
}
GST_END_TEST

GST_START_TEST(repeated_configuration) {
  Stream stream = file({.duration = 400});
  const std::size_t count = stream.tags.size();
  stream.script(400, stream.at(0).subspan(11, stream.at(0).size() - 15));
  stream.configs(400).key(400).aac(400).configs(440).inter(440);
  Pace pace("sync=false");
  feed(pace, stream);
  assert_equals_uint64(pace.count_events(GST_EVENT_CAPS), 1);
  assert_header(pace, stream, {0, 1, 2});
  const Arrivals arrivals = pace.take();
  for (const std::size_t tag : {count, count + 1, count + 2, count + 5, count + 6})
    fail_unless(arrivals[tag + 1].has(GST_BUFFER_FLAG_HEADER), "tag %zu", tag);
  assert_bytes(bytes(arrivals), stream.bytes);
}
GST_END_TEST

GST_START_TEST(changed_configuration) {
  Stream stream;
  stream.header().metadata().configs().key(0).aac(0).inter(40);
  stream.video(80, avc_config(1)).key(80).aac(80).audio(103, aac_config(8)).aac(103);
  Pace pace("sync=false");
  feed(pace, stream);
  const Arrivals arrivals = pace.take();
  // The new caps come right after the tag that changes them.
  assert_text(caps_before(arrivals), "1 1 1 1 1 1 1 1 2 2 2 3");
  assert_text(flags(arrivals), "HD HD HD HD - D D HD - D HD D");
  assert_header(pace, stream, {0, 6, 9});
  assert_bytes(bytes(arrivals), stream.bytes);
}
GST_END_TEST

GST_START_TEST(changed_metadata) {
  Stream stream;
  stream.header(false, true).script(0, metadata_with(320)).video(0, avc_config()).key(0);
  stream.script(40, cue_point()).inter(40).script(80, metadata_with(640)).inter(80);
  Pace pace("sync=false");
  feed(pace, stream);
  const Arrivals arrivals = pace.take();
  assert_text(caps_before(arrivals), "1 1 1 1 1 1 1 2");
  assert_text(flags(arrivals), "HD HD HD - D D HD D");
  assert_header(pace, stream, {5, 1});
}
GST_END_TEST

// The caps change at once, while a tag that is due later is still pending.
GST_START_TEST(changed_configuration_is_paced) {
  Stream stream;
  stream.header(false, true).video(0, avc_config()).key(0).inter(100);
  stream.video(200, avc_config(1)).key(200);
  Pace pace;
  pace.push(stream.bytes);
  pace.end();
  pace.run_until(150);
  assert_equals_uint64(pace.count_events(GST_EVENT_CAPS), 1);
  assert_header(pace, stream, {0});
  pace.run();
  assert_equals_uint64(pace.count_events(GST_EVENT_CAPS), 2);
  assert_header(pace, stream, {3});
}
GST_END_TEST

GST_START_TEST(every_enhanced_track) {
  const auto start = [](std::uint8_t id, std::uint32_t seed) {
    return multitrack(1, Packet::SequenceStart, Multitrack::OneTrack,
                      {{id, "hvc1", payload(20, seed)}});
  };
  Stream stream;
  stream.header()
      .video(0, ex_video(1, Packet::SequenceStart, "hvc1", payload(20)))
      .video(0, start(1, 2))
      .video(0, ex_video(1, Packet::Metadata, "hvc1", payload(20, 3)))
      .audio(0, ex_audio(Packet::SequenceStart, "Opus", payload(19)))
      .audio(0, ex_audio(Packet::MultichannelConfig, "Opus", payload(3)))
      .video(0, ex_video(1, Packet::CodedFramesX, "hvc1", payload(50)))
      .audio(0, ex_audio(Packet::CodedFrames, "Opus", payload(50)))
      .video(40, start(1, 4))
      .video(40, ex_video(2, Packet::CodedFramesX, "hvc1", payload(50)));
  Pace pace("sync=false");
  feed(pace, stream);
  assert_equals_uint64(pace.count_events(GST_EVENT_CAPS), 2);
  assert_header(pace, stream, {0, 2, 3, 4, 7}); // in order of arrival
}
GST_END_TEST

GST_START_TEST(streamheader_equals_the_sent_headers) {
  Stream stream;
  stream.header().metadata().configs(5000).key(5000).aac(5000);
  Pace pace("sync=false retimestamp=zero");
  feed(pace, stream);
  const Arrivals arrivals = pace.take();
  const std::vector<Buffer> parts = stream_header(pace);
  assert_equals_uint64(parts.size(), 4);
  for (std::size_t i = 0; i < parts.size(); ++i)
    assert_bytes(parts[i], arrivals[i].bytes);
}
GST_END_TEST

GST_START_TEST(streamheader_survives_a_flush) {
  const Stream stream = file();
  Pace pace("sync=false");
  pace.push(stream.bytes);
  pace.settle();
  pace.flush();
  (void)pace.take();
  Stream rest;
  rest.key(5000).aac(5000).inter(5040);
  feed(pace, rest);
  assert_bytes(bytes(pace.take()), rest.bytes);
  assert_header(pace, stream, {0, 1, 2});
}
GST_END_TEST

GST_START_TEST(streamheader_of_another_file) {
  const Stream first = file();
  Stream second;
  second.header(true, false).audio(0, aac_config(8)).aac(0).aac(23);
  Pace pace("sync=false");
  feed(pace, first);
  (void)pace.take();
  pace.set_state(GST_STATE_READY);
  pace.set_state(GST_STATE_PLAYING);
  const GstSegment segment = bytes_segment();
  pace.push_event(gst_event_new_stream_start("another"));
  pace.push_event(gst_event_new_segment(&segment));
  feed(pace, second);
  assert_header(pace, second, {0});
  // It is also irrelevant that the first file has video.
  assert_text(flags(pace.take()), "HD H - -");
}
GST_END_TEST

static Suite *flvpace_caps_suite() {
  Suite *suite = suite_create("flvpace_caps");
  TCase *tcase = tcase_create("caps");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, streamheader);
  tcase_add_test(tcase, caps_are_flv_caps);
  tcase_add_test(tcase, streamheader_is_complete_at_the_start);
  tcase_add_test(tcase, start_waits_for_both_kinds);
  tcase_add_test(tcase, start_waits_half_a_second);
  tcase_add_test(tcase, start_waits_a_mebibyte);
  tcase_add_test(tcase, start_waits_for_no_other_kind);
  tcase_add_test(tcase, eos_ends_the_wait_for_kinds);
  tcase_add_test(tcase, header_that_announces_nothing);
  tcase_add_test(tcase, repeated_configuration);
  tcase_add_test(tcase, changed_configuration);
  tcase_add_test(tcase, changed_metadata);
  tcase_add_test(tcase, changed_configuration_is_paced);
  tcase_add_test(tcase, every_enhanced_track);
  tcase_add_test(tcase, streamheader_equals_the_sent_headers);
  tcase_add_test(tcase, streamheader_survives_a_flush);
  tcase_add_test(tcase, streamheader_of_another_file);
  return suite;
}

GST_CHECK_MAIN(flvpace_caps);
