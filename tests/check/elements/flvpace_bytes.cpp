// SPDX-License-Identifier: LGPL-2.1-or-later
// The output has the same bytes as the input, one buffer a tag, for any chunking of the input.
#include "media.h"
#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// Every tag of `stream`, and the file header before them, is a separate buffer.
void assert_tags(const Arrivals &arrivals, const Stream &stream) {
  assert_equals_uint64(arrivals.size(), stream.tags.size() + 1);
  assert_bytes(arrivals[0].bytes, Bytes(stream.bytes).first(stream.tags[0].begin));
  for (std::size_t i = 0; i < stream.tags.size(); ++i)
    assert_bytes(arrivals[i + 1].bytes, stream.at(i));
}

// The stream passes unchanged, and no damage is counted.
void assert_passed(const Stream &stream) {
  Pace pace("sync=false");
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  assert_tags(pace.take(), stream);
  assert_equals_uint64(pace.stat("bytes-skipped"), 0);
  assert_equals_uint64(pace.stat("wrong-previous-sizes"), 0);
}

// There is no output for `data`, and the error contains `words`.
void assert_refused(Bytes data, const std::string &words) {
  Pace pace("sync=false");
  pace.push(data);
  pace.end();
  pace.settle();
  assert_problem(pace, true, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, words);
  assert_equals_uint64(pace.count(), 0);
  fail_if(pace.last_event(GST_EVENT_CAPS) != nullptr);
}

// Whether the data of `inner` is in the memory of `outer`.
bool shares_memory(GstBuffer *inner, GstBuffer *outer) {
  const gstflv::MappedBuffer part(inner), whole(outer);
  return part.bytes().data() >= whole.bytes().data() &&
         part.bytes().data() + part.bytes().size() <= whole.bytes().data() + whole.bytes().size();
}

} // namespace

GST_START_TEST(one_buffer_a_tag) {
  const Stream stream = file();
  assert_tags(passed(stream.bytes), stream);
}
GST_END_TEST

GST_START_TEST(header_is_first) {
  const Stream stream = file();
  const Arrivals arrivals = passed(stream.bytes);
  assert_equals_uint64(arrivals.at(0).bytes.size(), 13);
  assert_bytes(arrivals[0].bytes, file_header());
}
GST_END_TEST

GST_START_TEST(chunks_change_nothing) {
  const Stream stream = file({.duration = 2000, .start = 5000});
  const std::string whole = everything(passed(stream.bytes));
  for (const std::size_t chunk : {1UL, 7UL, 4096UL, 65536UL})
    assert_text(everything(passed(stream.bytes, "sync=false", chunk)), whole);
}
GST_END_TEST

GST_START_TEST(chunks_change_nothing_when_paced) {
  const Stream stream = file();
  const std::string whole = everything(passed(stream.bytes, "burst=200 mtu=64"));
  for (const std::size_t chunk : {1UL, 7UL, 500UL})
    assert_text(everything(passed(stream.bytes, "burst=200 mtu=64", chunk)), whole);
}
GST_END_TEST

GST_START_TEST(empty_buffers_are_ignored) {
  const Stream stream = file();
  Pace pace("sync=false");
  pace.push_buffer(gst_buffer_new());
  pace.push(Bytes(stream.bytes).first(500));
  pace.push_buffer(gst_buffer_new());
  pace.push(Bytes(stream.bytes).subspan(500));
  pace.end();
  pace.run();
  assert_tags(pace.take(), stream);
}
GST_END_TEST

GST_START_TEST(buffers_of_many_memories) {
  const Stream stream = file();
  GstBuffer *buffer = gst_buffer_new();
  constexpr std::size_t kPiece = 1000;
  for (std::size_t at = 0; at < stream.bytes.size(); at += kPiece) {
    const Bytes piece = Bytes(stream.bytes).subspan(at, std::min(kPiece, stream.bytes.size() - at));
    buffer = gst_buffer_append(buffer, gst_buffer_new_memdup(piece.data(), piece.size()));
  }
  fail_unless(gst_buffer_n_memory(buffer) > 1);
  Pace pace("sync=false");
  pace.push_buffer(buffer);
  pace.end();
  pace.run();
  assert_tags(pace.take(), stream);
}
GST_END_TEST

GST_START_TEST(tags_share_the_input) {
  const Stream stream = file();
  Pace pace("sync=false");
  const BufferPtr input(gst_buffer_new_memdup(stream.bytes.data(), stream.bytes.size()));
  pace.push_buffer(gst_buffer_ref(input.get()));
  pace.end();
  pace.run();
  for (const Arrival &arrival : pace.take())
    fail_unless(shares_memory(arrival.buffer.get(), input.get()));
}
GST_END_TEST

GST_START_TEST(tags_across_two_buffers) {
  // The chunk boundary is in tag 5: only tag 5 may be a copy.
  const Stream stream = file();
  const std::size_t cut = stream.tags[5].begin + 20;
  Pace pace("sync=false");
  const BufferPtr first(gst_buffer_new_memdup(stream.bytes.data(), cut));
  const BufferPtr second(
      gst_buffer_new_memdup(stream.bytes.data() + cut, stream.bytes.size() - cut));
  pace.push_buffer(gst_buffer_ref(first.get()));
  pace.push_buffer(gst_buffer_ref(second.get()));
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_tags(arrivals, stream);
  for (std::size_t i = 0; i < stream.tags.size(); ++i) {
    if (i != 5)
      fail_unless(shares_memory(arrivals[i + 1].buffer.get(), (i < 5 ? first : second).get()),
                  "tag %zu", i);
  }
}
GST_END_TEST

GST_START_TEST(any_codec) {
  Stream stream;
  stream.header();
  for (std::uint8_t id = 0; id < 16; ++id) {
    // Codec id 9 and frame types of 8 or more belong to Enhanced FLV.
    if (id != 9)
      stream.audio(id * 20U, joined({Buffer{static_cast<std::uint8_t>(id << 4)}, payload(30)}));
    stream.video(id * 20U, joined({Buffer{static_cast<std::uint8_t>(0x10 | id)}, payload(30)}));
  }
  assert_passed(stream);
}
GST_END_TEST

GST_START_TEST(enhanced_flv) {
  const Buffer frame = payload(60);
  const std::vector<Track> tracks{{0, "hvc1", payload(10)}, {1, "av01", payload(20, 2)}};
  Stream stream;
  stream.header()
      .video(0, ex_video(1, Packet::SequenceStart, "hvc1", payload(20)))
      .audio(0, ex_audio(Packet::SequenceStart, "Opus", payload(19)))
      .video(0, ex_video(1, Packet::Metadata, "hvc1", payload(40)))
      .audio(0, ex_audio(Packet::MultichannelConfig, "Opus", {}))
      .video(0, ex_video(1, Packet::CodedFrames, "hvc1", frame))
      .audio(10, ex_audio(Packet::CodedFrames, "Opus", frame))
      .video(40, with_modex(ex_video(2, Packet::CodedFramesX, "hvc1", frame), nanoseconds(999999)))
      .video(60, with_modex(ex_video(2, Packet::CodedFramesX, "hvc1", frame), payload(300), 9))
      .video(80, multitrack(1, Packet::CodedFrames, Multitrack::ManyTracks, tracks))
      .video(80, multitrack(1, Packet::CodedFrames, Multitrack::ManyTracksManyCodecs, tracks))
      .audio(90, multitrack(0, Packet::CodedFrames, Multitrack::OneTrack, {{3, "fLaC", frame}}))
      .video(100, ex_command(1))
      .video(120, ex_video(1, Packet::Mpeg2TsSequenceStart, "av01", frame))
      .video(140, ex_video(1, Packet::SequenceEnd, "hvc1", {}));
  assert_passed(stream);
}
GST_END_TEST

GST_START_TEST(unusual_tags) {
  Stream stream;
  stream.header()
      .tag(TagType::ScriptAmf3, 0, payload(10))
      .script(0, {}) // no data
      .key(0)
      .video(40, {})
      .aac(40)
      .audio(60, {})
      .raw(tag_header(0x20 | 9, 3, 80)) // encrypted
      .raw(Buffer{1, 2, 3, 0, 0, 0, 14})
      .raw(tag_header(0xC0 | 8, 3, 80)) // with the reserved bits set
      .raw(Buffer{1, 2, 3, 0, 0, 0, 14});
  Pace pace("sync=false");
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_equals_uint64(arrivals.size(), stream.tags.size() + 3);
  assert_bytes(bytes(arrivals), stream.bytes);
}
GST_END_TEST

GST_START_TEST(largest_tag) {
  Stream stream;
  stream.header(false, true).key(0, flv::kMaxDataSize - 5).inter(40);
  assert_passed(stream);
}
GST_END_TEST

GST_START_TEST(long_file_header) {
  Buffer header{'F', 'L', 'V', 1, 5, 0, 0, 0, 16, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0};
  Stream stream;
  stream.raw(header).metadata().configs().key(0).aac(0).inter(40);
  assert_passed(stream);
}
GST_END_TEST

GST_START_TEST(header_and_nothing_else) {
  const Arrivals arrivals = passed(file_header());
  assert_bytes(bytes(arrivals), file_header());
}
GST_END_TEST

// The last tag's PreviousTagSize may be missing or incomplete.
GST_START_TEST(last_size_is_missing) {
  const Stream stream = file();
  const auto left = static_cast<std::size_t>(__i__);
  const Bytes cut = Bytes(stream.bytes).first(stream.bytes.size() - 4 + left);
  Pace pace("sync=false");
  pace.push(cut);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_equals_uint64(arrivals.size(), stream.tags.size() + 1);
  assert_bytes(bytes(arrivals), cut);
  assert_equals_uint64(pace.stat("wrong-previous-sizes"), 1);
  assert_equals_uint64(pace.stat("bytes-skipped"), 0);
}
GST_END_TEST

GST_START_TEST(first_size_is_wrong) {
  const Stream stream = file();
  const Buffer wrong = overwritten(stream.bytes, 9, Buffer{0, 0, 0, 9});
  Pace pace("sync=false");
  pace.push(wrong);
  pace.end();
  pace.run();
  assert_bytes(bytes(pace.take()), wrong);
  assert_equals_uint64(pace.stat("wrong-previous-sizes"), 1);
}
GST_END_TEST

GST_START_TEST(not_flv) {
  assert_refused(payload(5000), "");
  assert_refused(Buffer{0x1A, 0x45, 0xDF, 0xA3, 1, 2, 3, 4}, "1a45df");
  assert_refused(Buffer{'F', 'L', 'V', 9, 5, 0, 0, 0, 9, 0, 0, 0, 0}, "9");
  assert_refused(Buffer{'F', 'L', 'V', 1, 5, 0, 0, 0, 8, 0, 0, 0, 0}, "8");
  assert_refused(Buffer{'F', 'L'}, "2");
  assert_refused(Bytes(file_header()).first(12), "12");
  assert_refused({}, "0");
}
GST_END_TEST

GST_START_TEST(other_formats_are_named) {
  const auto with = [](std::string_view start) {
    Buffer bytes(start.begin(), start.end());
    bytes.resize(2000, ' ');
    return bytes;
  };
  assert_refused(with(std::string_view("\0\0\0\x18"
                                       "ftypisom",
                                       12)),
                 "looks like MP4");
  assert_refused(with("\x1F\x8B\x08"), "looks like gzip");
  assert_refused(with("<!DOCTYPE html>"), "looks like HTML");
}
GST_END_TEST

GST_START_TEST(not_flv_is_a_flow_error) {
  Pace pace("sync=false");
  pace.push(payload(100));
  assert_equals_int(pace.flow(), GST_FLOW_ERROR);
  assert_problem(pace, true, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, "");
}
GST_END_TEST

GST_START_TEST(downstream_decides) {
  const Stream stream = file();
  for (const GstFlowReturn flow : {GST_FLOW_EOS, GST_FLOW_ERROR, GST_FLOW_NOT_LINKED}) {
    Pace pace("sync=false");
    pace.set_sink([flow](std::size_t index) { return index == 8 ? flow : GST_FLOW_OK; });
    pace.push(Bytes(stream.bytes).first(stream.tags[4].begin));
    assert_equals_int(pace.flow(), GST_FLOW_OK);
    pace.push(Bytes(stream.bytes).subspan(stream.tags[4].begin));
    assert_equals_int(pace.flow(), flow);
  }
}
GST_END_TEST

GST_START_TEST(starts_again_after_ready) {
  const Stream stream = file();
  Pace pace("sync=false");
  // The input stops within a tag.
  pace.push(Bytes(stream.bytes).first(stream.tags[8].begin + 15));
  pace.settle();
  (void)pace.take();
  pace.set_state(GST_STATE_READY);
  pace.set_state(GST_STATE_PLAYING);
  const GstSegment segment = bytes_segment();
  pace.push_event(gst_event_new_stream_start("again"));
  pace.push_event(gst_event_new_segment(&segment));
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  assert_tags(pace.take(), stream);
  assert_equals_uint64(pace.stat("video-tags"), 1 + 25);
}
GST_END_TEST

namespace {

struct Sample {
  const char *name;
  bool cut_off = false; // ends within a tag
};

constexpr Sample kSamples[] = {
    {"aac_only.flv"},
    {"aac_only_33s.flv"},
    {"avc_aac_obs.flv"},
    {"cuepoints.flv"},
    {"enhanced_av1_opus.flv"},
    {"enhanced_hevc_aac.flv"},
    {"extended_ts_wrong_flags.flv"},
    {"g711_alaw_only.flv"},
    {"h263_adpcm_backward_ts.flv"},
    {"h263_adpcm_slice.flv"},
    {"h264_aac_avatar.flv"},
    {"h264_aac_bbb.flv"},
    {"h264_aac_red5.flv"},
    {"h264_gstmux_index.flv"},
    {"h264_multinalu_tiny.flv"},
    {"h264_only_33s.flv"},
    {"h264_speex_many_configs.flv"},
    {"indexed_small.flv"},
    {"no_metadata.flv"},
    {"pcm16_only.flv"},
    {"screen_video.flv"},
    {"speex_screenshare.flv"},
    {"timewarp.flv"},
    {"vp6_alpha_xmp.flv"},
};

} // namespace

GST_START_TEST(samples) {
  const Sample &sample = kSamples[__i__];
  const auto input = media_file(sample.name);
  if (!input)
    return;
  for (const std::size_t chunk : {7UL, 65536UL, 0UL}) {
    Pace pace("sync=false retimestamp=none");
    pace.push(*input, chunk);
    pace.end();
    pace.run();
    const Buffer output = bytes(pace.take());
    const std::size_t skipped = pace.stat("bytes-skipped");
    if (sample.cut_off)
      assert_damage(pace, "");
    assert_equals_uint64(output.size() + skipped, input->size());
    fail_unless(sample.cut_off == (skipped > 0), "%zu bytes skipped", skipped);
    assert_bytes(output, Bytes(*input).first(output.size()));
  }
}
GST_END_TEST

GST_START_TEST(sample_that_is_not_flv) {
  if (const auto input = media_file("not_flv_webm.flv"))
    assert_refused(*input, "1a45df");
}
GST_END_TEST

static Suite *flvpace_bytes_suite() {
  Suite *suite = suite_create("flvpace_bytes");
  TCase *tcase = tcase_create("bytes");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, one_buffer_a_tag);
  tcase_add_test(tcase, header_is_first);
  tcase_add_test(tcase, chunks_change_nothing);
  tcase_add_test(tcase, chunks_change_nothing_when_paced);
  tcase_add_test(tcase, empty_buffers_are_ignored);
  tcase_add_test(tcase, buffers_of_many_memories);
  tcase_add_test(tcase, tags_share_the_input);
  tcase_add_test(tcase, tags_across_two_buffers);
  tcase_add_test(tcase, any_codec);
  tcase_add_test(tcase, enhanced_flv);
  tcase_add_test(tcase, unusual_tags);
  tcase_add_test(tcase, largest_tag);
  tcase_add_test(tcase, long_file_header);
  tcase_add_test(tcase, header_and_nothing_else);
  tcase_add_loop_test(tcase, last_size_is_missing, 0, 4);
  tcase_add_test(tcase, first_size_is_wrong);
  tcase_add_test(tcase, not_flv);
  tcase_add_test(tcase, other_formats_are_named);
  tcase_add_test(tcase, not_flv_is_a_flow_error);
  tcase_add_test(tcase, downstream_decides);
  tcase_add_test(tcase, starts_again_after_ready);
  tcase_add_loop_test(tcase, samples, 0,
                      pacetest::is_short() ? 4 : static_cast<int>(std::size(kSamples)));
  tcase_add_test(tcase, sample_that_is_not_flv);
  return suite;
}

GST_CHECK_MAIN(flvpace_bytes);
