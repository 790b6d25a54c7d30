// SPDX-License-Identifier: LGPL-2.1-or-later
// Buffer flags, and tags that are split by the mtu.
#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

void assert_flags(const Stream &stream, const std::string &expected) {
  assert_text(flags(passed(stream.bytes)), expected);
}

// The flags of these tags, after a file header and before a keyframe that starts the stream.
std::string flags_of_video(const Buffer &data) {
  Stream stream;
  stream.header(false, true).key(0).video(40, data);
  const std::string all = flags(passed(stream.bytes));
  return all.substr(all.rfind(' ') + 1);
}

Stream audio_only(bool header_says_video) {
  Stream stream;
  stream.header(true, header_says_video).metadata().audio(0, aac_config());
  for (std::uint32_t time = 0; time < 800; time += 200)
    stream.aac(time);
  return stream;
}

} // namespace

GST_START_TEST(keyframes_are_not_delta_units) {
  Stream stream;
  stream.header().metadata().configs().key(0).aac(0).inter(40).aac(23).key(80).aac(46);
  assert_flags(stream, "HD HD HD HD - D D D - D");
}
GST_END_TEST

GST_START_TEST(audio_without_video_is_not_a_delta_unit) {
  assert_flags(audio_only(false), "HD HD H - - - -");
}
GST_END_TEST

GST_START_TEST(video_is_known_from_the_tags) {
  // The header announces video, but there is none.
  assert_flags(audio_only(true), "HD HD H - - - -");
  // The header does not announce video, but there is some.
  Stream wrong;
  wrong.header(true, false).configs().key(0).aac(0).inter(40).aac(23).key(80);
  assert_flags(wrong, "HD HD HD - D D D -");
  Stream video;
  video.header(true, false).metadata().key(0).inter(40).inter(80).key(700);
  assert_flags(video, "HD HD - D D -");
}
GST_END_TEST

GST_START_TEST(video_that_begins_later) {
  Stream stream = audio_only(true);
  stream.key(800).aac(800).inter(840).aac(823);
  assert_flags(stream, "HD HD H - - - - - D D D");
}
GST_END_TEST

GST_START_TEST(kinds_of_video_tags) {
  const Buffer body = payload(30);
  assert_text(flags_of_video(h263_frame(true, 30)), "-");
  assert_text(flags_of_video(h263_frame(false, 30)), "D");
  assert_text(flags_of_video(joined({Buffer{0x32}, body})), "D"); // disposable
  assert_text(flags_of_video(avc_config()), "HD");
  assert_text(flags_of_video(avc_end()), "D");
  assert_text(flags_of_video(Buffer{0x57, 0}), "D"); // a command
  assert_text(flags_of_video({}), "D");
  assert_text(flags_of_video(joined({Buffer{0x1C, 1, 0, 0, 0}, body})), "-"); // HEVC, unofficial
  assert_text(flags_of_video(joined({Buffer{0x1C, 0, 0, 0, 0}, body})), "HD");
}
GST_END_TEST

GST_START_TEST(kinds_of_enhanced_video_tags) {
  const Buffer body = payload(30);
  const std::vector<Track> tracks{{0, "hvc1", payload(10)}, {1, "hvc1", payload(20, 2)}};
  const auto many = Multitrack::ManyTracks;
  assert_text(flags_of_video(ex_video(1, Packet::SequenceStart, "av01", body)), "HD");
  assert_text(flags_of_video(ex_video(1, Packet::Mpeg2TsSequenceStart, "av01", body)), "HD");
  assert_text(flags_of_video(ex_video(1, Packet::CodedFrames, "hvc1", body)), "-");
  assert_text(flags_of_video(ex_video(1, Packet::CodedFramesX, "vp09", body)), "-");
  assert_text(flags_of_video(ex_video(2, Packet::CodedFrames, "hvc1", body)), "D");
  assert_text(flags_of_video(ex_video(1, Packet::SequenceEnd, "hvc1", {})), "D");
  assert_text(flags_of_video(ex_video(1, Packet::Metadata, "hvc1", body)), "HD");
  assert_text(flags_of_video(ex_command(0)), "D");
  const Buffer key = ex_video(1, Packet::CodedFramesX, "hvc1", body);
  assert_text(flags_of_video(with_modex(key, nanoseconds(5))), "-");
  assert_text(flags_of_video(with_modex(with_modex(key, payload(256), 3), nanoseconds(5))), "-");
  assert_text(flags_of_video(multitrack(1, Packet::CodedFrames, many, tracks)), "-");
  assert_text(flags_of_video(multitrack(2, Packet::CodedFrames, many, tracks)), "D");
  assert_text(flags_of_video(multitrack(1, Packet::SequenceStart, many, tracks)), "HD");
}
GST_END_TEST

GST_START_TEST(kinds_of_audio_tags) {
  Stream stream;
  stream.header(true, false)
      .audio(0, ex_audio(Packet::SequenceStart, "fLaC", payload(9)))
      .audio(0, ex_audio(Packet::MultichannelConfig, "fLaC", payload(9)))
      .audio(0, ex_audio(Packet::CodedFrames, "fLaC", payload(9)))
      .audio(20, ex_audio(Packet::SequenceEnd, "fLaC", {}))
      .audio(20, mp3_frame(9))
      .audio(40, aac_config())
      .script(40, on_metadata({}))
      .script(40, script("onTextData", {}));
  assert_flags(stream, "HD H H - - - H HD D");
}
GST_END_TEST

GST_START_TEST(discont_after_a_flush) {
  Pace pace("sync=false");
  pace.push(file().bytes);
  pace.settle();
  (void)pace.take();
  pace.flush();
  Stream rest;
  rest.configs(5000).key(5000).aac(5000).inter(5040);
  pace.push(rest.bytes);
  pace.end();
  pace.run();
  assert_text(flags(pace.take()), "HDX HD - D D");
}
GST_END_TEST

GST_START_TEST(no_other_discont) {
  Stream stream = file();
  stream.header().key(90000).aac(90000).inter(500000);
  for (const Arrival &arrival : passed(stream.bytes))
    fail_if(arrival.has(GST_BUFFER_FLAG_DISCONT) && !arrival.first);
}
GST_END_TEST

GST_START_TEST(mtu_splits_tags) {
  Stream stream;
  stream.header(false, true).video(0, avc_config()).key(0, 400).inter(40, 100);
  const Arrivals arrivals = passed(stream.bytes, "mtu=150");
  assert_text(sizes(arrivals), "13 41 150 150 120 120");
  assert_text(flags(arrivals), "HD HD - D D D");
  assert_text(due_times(arrivals), "0 0 0 0 0 40");
  assert_text(arrival_times(arrivals), "0 0 0 0 0 40");
  assert_bytes(bytes(arrivals), stream.bytes);
}
GST_END_TEST

GST_START_TEST(mtu_bounds) {
  Stream stream;
  stream.header(false, true).key(0, 80).inter(40, 180);
  // Tags of 100 and 200 bytes.
  assert_text(sizes(passed(stream.bytes, "sync=false mtu=0")), "13 100 200");
  assert_text(sizes(passed(stream.bytes, "sync=false mtu=200")), "13 100 200");
  assert_text(sizes(passed(stream.bytes, "sync=false mtu=199")), "13 100 199 1");
  assert_text(sizes(passed(stream.bytes, "sync=false mtu=100")), "13 100 100 100");
  const Arrivals single = passed(stream.bytes, "sync=false mtu=1");
  assert_equals_uint64(single.size(), stream.bytes.size());
  assert_bytes(bytes(single), stream.bytes);
}
GST_END_TEST

// The number of parts exceeds the number of buffers that can share a memory.
GST_START_TEST(mtu_of_one_byte) {
  Stream stream;
  stream.header(false, true).key(0, 70000).inter(40);
  const Arrivals arrivals = passed(stream.bytes, "sync=false mtu=1");
  assert_equals_uint64(arrivals.size(), stream.bytes.size());
  assert_bytes(bytes(arrivals), stream.bytes);
}
GST_END_TEST

GST_START_TEST(mtu_splits_headers) {
  Stream stream;
  stream.header(false, true).video(0, avc_config()).key(0, 80);
  Pace pace("sync=false mtu=20");
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_text(sizes(arrivals), "13 20 20 1 20 20 20 20 20");
  assert_text(flags(arrivals), "HD HD HD HD - D D D D");
  // For new clients, sinks skip the buffers that are in the caps. So both must be equal.
  const std::vector<Buffer> parts = stream_header(pace);
  assert_equals_uint64(parts.size(), 4);
  for (std::size_t i = 0; i < parts.size(); ++i)
    assert_bytes(parts[i], arrivals[i].bytes);
}
GST_END_TEST

GST_START_TEST(mtu_without_video) {
  Stream stream;
  stream.header(true, false).aac(0, 33).aac(23, 33);
  assert_text(flags(passed(stream.bytes, "sync=false mtu=20")), "HD - D D - D D");
}
GST_END_TEST

GST_START_TEST(mtu_and_discont) {
  Stream stream;
  stream.header(false, true).key(0, 80).raw(payload(50)).key(40, 80);
  Pace pace("sync=false mtu=40");
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  assert_text(flags(pace.take()), "HD - D D X D D");
  assert_damage(pace, "");
}
GST_END_TEST

GST_START_TEST(mtu_shares_memory) {
  const Stream stream = file();
  const BufferPtr input(gst_buffer_new_memdup(stream.bytes.data(), stream.bytes.size()));
  Pace pace("sync=false mtu=30");
  pace.push_buffer(gst_buffer_ref(input.get()));
  pace.end();
  pace.run();
  const gstflv::MappedBuffer whole(input.get());
  std::size_t at = 0;
  for (const Arrival &arrival : pace.take()) {
    const gstflv::MappedBuffer part(arrival.buffer.get());
    fail_unless(part.bytes().data() == whole.bytes().data() + at);
    at += part.bytes().size();
  }
}
GST_END_TEST

static Suite *flvpace_flags_suite() {
  Suite *suite = suite_create("flvpace_flags");
  TCase *tcase = tcase_create("flags");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, keyframes_are_not_delta_units);
  tcase_add_test(tcase, audio_without_video_is_not_a_delta_unit);
  tcase_add_test(tcase, video_is_known_from_the_tags);
  tcase_add_test(tcase, video_that_begins_later);
  tcase_add_test(tcase, kinds_of_video_tags);
  tcase_add_test(tcase, kinds_of_enhanced_video_tags);
  tcase_add_test(tcase, kinds_of_audio_tags);
  tcase_add_test(tcase, discont_after_a_flush);
  tcase_add_test(tcase, no_other_discont);
  tcase_add_test(tcase, mtu_splits_tags);
  tcase_add_test(tcase, mtu_bounds);
  tcase_add_test(tcase, mtu_of_one_byte);
  tcase_add_test(tcase, mtu_splits_headers);
  tcase_add_test(tcase, mtu_without_video);
  tcase_add_test(tcase, mtu_and_discont);
  tcase_add_test(tcase, mtu_shares_memory);
  return suite;
}

GST_CHECK_MAIN(flvpace_flags);
