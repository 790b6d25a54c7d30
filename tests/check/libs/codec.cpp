// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/format/codec.h"

#include "checkrun.h"
#include "flvbuild.h"
#include "media.h"
#include "split.h"

using namespace flv;
using flvtest::Buffer;
using flvtest::Multitrack;
using flvtest::Packet;

namespace {

constexpr auto kAudio = TagType::Audio;
constexpr auto kVideo = TagType::Video;
constexpr auto kSequence = DecoderConfigKind::Sequence;

const Buffer kBody = flvtest::payload(20);
const std::vector<flvtest::Track> kTracks = {
    {1, "hvc1", kBody}, {4, "av01", kBody}, {255, "vp09", {}}};

const flvtest::Track kLikeTracks{1, "hvc1", {0, 0, 0, 2, 0, 0, 0}};

Buffer ex_video(unsigned frame_type, Packet packet) {
  return flvtest::ex_video(frame_type, packet, "hvc1", kBody);
}

Buffer ex_audio(Packet packet) {
  return flvtest::ex_audio(packet, "Opus", kBody);
}

Buffer video_tracks(unsigned frame_type, Packet packet, Multitrack kind) {
  return flvtest::multitrack(frame_type, packet, kind, kTracks);
}

Buffer audio_tracks(Packet packet, Multitrack kind) {
  return flvtest::multitrack(0, packet, kind, {{2, "mp4a", kBody}, {3, "Opus", kBody}});
}

const struct {
  const char *what;
  TagType type;
  Buffer data;
  Role role;
  std::uint32_t codec = 0;
} kClassic[] = {
    {"AVC sequence header", kVideo, flvtest::avc_config(), Role::DecoderConfig, 7},
    {"AVC sequence header, inter", kVideo, {0x27, 0, 0, 0, 0}, Role::DecoderConfig, 7},
    {"AVC key frame", kVideo, flvtest::avc_frame(true, 9), Role::KeyFrame, 7},
    {"AVC inter frame", kVideo, flvtest::avc_frame(false, 9), Role::Media, 7},
    {"AVC disposable frame", kVideo, {0x37, 1, 0, 0, 0, 1}, Role::Media, 7},
    {"AVC generated key frame", kVideo, {0x47, 1, 0, 0, 0, 1}, Role::KeyFrame, 7},
    {"AVC end of sequence", kVideo, flvtest::avc_end(), Role::EndOfSequence, 7},
    {"AVC unknown packet", kVideo, {0x17, 3, 0, 0, 0}, Role::Media, 7},
    {"AVC command frame", kVideo, {0x57, 0}, Role::Command, 7},
    {"AVC cut off", kVideo, {0x17}, Role::Media, 7},
    {"HEVC sequence header", kVideo, {0x1C, 0, 0, 0, 0}, Role::DecoderConfig, 12},
    {"HEVC key frame", kVideo, {0x1C, 1, 0, 0, 0, 1}, Role::KeyFrame, 12},
    {"HEVC end of sequence", kVideo, {0x1C, 2, 0, 0, 0}, Role::EndOfSequence, 12},
    {"AV1 sequence header", kVideo, {0x1D, 0, 0, 0, 0}, Role::DecoderConfig, 13},
    {"AV1 key frame", kVideo, {0x1D, 1, 0, 0, 0, 1}, Role::KeyFrame, 13},
    {"AV1 inter frame", kVideo, {0x2D, 1, 0, 0, 0, 1}, Role::Media, 13},
    {"AV1 end of sequence", kVideo, {0x1D, 2, 0, 0, 0}, Role::EndOfSequence, 13},
    {"AV1 cut off", kVideo, {0x1D}, Role::Media, 13},
    {"H.263 key frame", kVideo, flvtest::h263_frame(true, 9), Role::KeyFrame, 2},
    {"H.263 key frame that is a byte", kVideo, {0x12}, Role::KeyFrame, 2},
    {"H.263 inter frame", kVideo, flvtest::h263_frame(false, 9), Role::Media, 2},
    {"H.263 whose second byte is 0", kVideo, {0x22, 0}, Role::Media, 2},
    {"VP6 key frame", kVideo, {0x14, 0, 1}, Role::KeyFrame, 4},
    {"VP6 alpha inter frame", kVideo, {0x25, 0, 1}, Role::Media, 5},
    {"Screen video key frame", kVideo, {0x13, 0}, Role::KeyFrame, 3},
    {"Screen video 2 command", kVideo, {0x56, 1}, Role::Command, 6},
    {"frame type 0", kVideo, {0x02, 1}, Role::Media, 2},
    {"no video data", kVideo, {}, Role::Empty, 0},
    {"AAC sequence header", kAudio, flvtest::aac_config(), Role::DecoderConfig, 10},
    {"AAC frame", kAudio, flvtest::aac_frame(9), Role::Media, 10},
    {"AAC cut off", kAudio, {0xAF}, Role::Media, 10},
    {"Opus sequence header", kAudio, {0xDF, 0, 'O', 'p'}, Role::DecoderConfig, 13},
    {"Opus frame", kAudio, {0xDF, 1, 9}, Role::Media, 13},
    {"Opus cut off", kAudio, {0xDF}, Role::Media, 13},
    {"MP3", kAudio, flvtest::mp3_frame(9), Role::Media, 2},
    {"Speex whose second byte is 0", kAudio, {0xB2, 0}, Role::Media, 11},
    {"PCM", kAudio, {0x06, 0, 0}, Role::Media, 0},
    {"no audio data", kAudio, {}, Role::Empty, 0},
    {"script", TagType::Script, flvtest::on_metadata({}), Role::Script},
    {"AMF3 script", TagType::ScriptAmf3, {0, 2}, Role::Script},
    {"script that looks like video", TagType::Script, flvtest::avc_config(), Role::Script},
    {"no script data", TagType::Script, {}, Role::Script},
};

START_TEST(test_classic) {
  const auto &row = ROW(kClassic);
  const TagInfo info = classify(row.type, row.data);
  ck_assert_msg(info.role == row.role, "%s", row.what);
  ck_assert_uint_eq(info.codec, row.codec);
  ck_assert(!info.enhanced && !info.multitrack);
  ck_assert(tracks_of(row.type, row.data) == TrackSet(1));
}
END_TEST

struct Enhanced {
  const char *what;
  TagType type;
  Buffer data;
  Role role;
  DecoderConfigKind configuration = kSequence;
  const char *codec = "hvc1";
  TrackSet tracks = TrackSet(1);
};

template <typename... Id> TrackSet ids(Id... id) {
  TrackSet set;
  (set.set(static_cast<std::size_t>(id)), ...);
  return set;
}

const Enhanced kEnhanced[] = {
    {"sequence start", kVideo, ex_video(1, Packet::SequenceStart), Role::DecoderConfig},
    {"sequence start, inter", kVideo, ex_video(2, Packet::SequenceStart), Role::DecoderConfig},
    {"key frame", kVideo, ex_video(1, Packet::CodedFrames), Role::KeyFrame},
    {"key frame X", kVideo, ex_video(1, Packet::CodedFramesX), Role::KeyFrame},
    {"generated key frame", kVideo, ex_video(4, Packet::CodedFramesX), Role::KeyFrame},
    {"inter frame", kVideo, ex_video(2, Packet::CodedFrames), Role::Media},
    {"inter frame X", kVideo, ex_video(2, Packet::CodedFramesX), Role::Media},
    {"sequence end", kVideo, ex_video(1, Packet::SequenceEnd), Role::EndOfSequence},
    {"metadata", kVideo, ex_video(1, Packet::Metadata), Role::DecoderConfig,
     DecoderConfigKind::Metadata},
    {"metadata of frame type 5", kVideo, ex_video(5, Packet::Metadata), Role::DecoderConfig,
     DecoderConfigKind::Metadata},
    {"MPEG-2 TS sequence start", kVideo, ex_video(1, Packet::Mpeg2TsSequenceStart),
     Role::DecoderConfig},
    {"command", kVideo, flvtest::ex_command(1), Role::Command, kSequence, ""},
    {"command and more", kVideo, {0xD0, 1, 2, 3, 4, 5}, Role::Command, kSequence, ""},
    {"command, multitrack", kVideo, {0xD6, 1}, Role::Command, kSequence, ""},
    {"unknown video packet", kVideo, ex_video(1, Packet{8}), Role::Media},
    {"audio sequence start", kAudio, ex_audio(Packet::SequenceStart), Role::DecoderConfig,
     kSequence, "Opus"},
    {"audio frames", kAudio, ex_audio(Packet::CodedFrames), Role::Media, kSequence, "Opus"},
    {"audio sequence end", kAudio, ex_audio(Packet::SequenceEnd), Role::EndOfSequence, kSequence,
     "Opus"},
    {"multichannel", kAudio, ex_audio(Packet::MultichannelConfig), Role::DecoderConfig,
     DecoderConfigKind::Multichannel, "Opus"},
    {"unknown audio packet", kAudio, ex_audio(Packet{6}), Role::Media, kSequence, "Opus"},

    {"one track", kVideo, video_tracks(1, Packet::SequenceStart, Multitrack::OneTrack),
     Role::DecoderConfig, kSequence, "hvc1", ids(1)},
    {"one track whose data look like more", kVideo,
     flvtest::multitrack(1, Packet::CodedFrames, Multitrack::OneTrack, {kLikeTracks}),
     Role::KeyFrame, kSequence, "hvc1", ids(1)},
    {"many tracks", kVideo, video_tracks(1, Packet::CodedFrames, Multitrack::ManyTracks),
     Role::KeyFrame, kSequence, "hvc1", ids(1, 4, 255)},
    {"many tracks, inter", kVideo, video_tracks(2, Packet::CodedFrames, Multitrack::ManyTracks),
     Role::Media, kSequence, "hvc1", ids(1, 4, 255)},
    {"many codecs", kVideo,
     video_tracks(1, Packet::SequenceStart, Multitrack::ManyTracksManyCodecs), Role::DecoderConfig,
     kSequence, "", ids(1, 4, 255)},
    {"metadata of many tracks", kVideo, video_tracks(1, Packet::Metadata, Multitrack::ManyTracks),
     Role::DecoderConfig, DecoderConfigKind::Metadata, "hvc1", ids(1, 4, 255)},
    {"end of one track", kVideo, video_tracks(1, Packet::SequenceEnd, Multitrack::OneTrack),
     Role::EndOfSequence, kSequence, "hvc1", ids(1)},
    {"one audio track", kAudio, audio_tracks(Packet::CodedFrames, Multitrack::OneTrack),
     Role::Media, kSequence, "mp4a", ids(2)},
    {"many audio tracks", kAudio, audio_tracks(Packet::SequenceStart, Multitrack::ManyTracks),
     Role::DecoderConfig, kSequence, "mp4a", ids(2, 3)},
    {"audio tracks of an unknown packet", kAudio,
     audio_tracks(Packet::Mpeg2TsSequenceStart, Multitrack::ManyTracks), Role::Media, kSequence,
     "mp4a", ids(2, 3)},
    {"many audio codecs", kAudio,
     audio_tracks(Packet::MultichannelConfig, Multitrack::ManyTracksManyCodecs),
     Role::DecoderConfig, DecoderConfigKind::Multichannel, "", ids(2, 3)},
};

void check_enhanced(const Enhanced &row, Bytes data) {
  const TagInfo info = classify(row.type, data);
  ck_assert_msg(info.role == row.role, "%s", row.what);
  ck_assert(info.enhanced);
  ck_assert_int_eq(info.multitrack, row.tracks != TrackSet(1));
  ck_assert_uint_eq(info.codec, fourcc(row.codec));
  if (row.role == Role::DecoderConfig)
    ck_assert_enum_eq(info.configuration, row.configuration);
  ck_assert_msg(tracks_of(row.type, data) == row.tracks, "%s", row.what);
}

START_TEST(test_enhanced) {
  const auto &row = ROW(kEnhanced);
  check_enhanced(row, row.data);
}
END_TEST

// Modifiers before a packet do not change its classification.
START_TEST(test_modex) {
  const auto &row = ROW(kEnhanced);
  for (const std::size_t size : {1U, 3U, 255U, 256U, 257U, 300U, 65536U}) {
    const Buffer one = flvtest::with_modex(row.data, flvtest::payload(size), 1);
    check_enhanced(row, one);
    const Buffer two = flvtest::with_modex(one, flvtest::nanoseconds(999'999));
    check_enhanced(row, two);
  }
}
END_TEST

// A truncated packet is never classified as another type, and track ids come only from bytes that
// are present.
START_TEST(test_enhanced_truncated) {
  const auto &row = ROW(kEnhanced);
  for (const Buffer &data : {row.data, flvtest::with_modex(row.data, flvtest::payload(300))}) {
    const TrackSet all = tracks_of(row.type, data);
    std::size_t known = data.size();
    for (std::size_t size = data.size(); size-- > 0;) {
      const Bytes part = Bytes(data).first(size);
      const TagInfo info = classify(row.type, part);
      ck_assert(info.role == row.role || info.role == (size == 0 ? Role::Empty : Role::Media));
      if (info.role == row.role)
        known = size;
      else
        ck_assert_uint_eq(info.codec, 0);
      const TrackSet tracks = tracks_of(row.type, part);
      ck_assert((tracks & ~all).none() || tracks == TrackSet(1));
    }
    // Header, FourCC and one byte of tracks are enough for the classification.
    ck_assert_uint_le(known, 7 + data.size() - row.data.size());
  }
}
END_TEST

// 65 536 consecutive modifiers, and one with a wrong size.
START_TEST(test_hostile_modex) {
  Buffer data{0x97};
  for (int i = 0; i < 65536; ++i)
    flvtest::append(data, Buffer{0, 0xEE, 0x07});
  ck_assert_enum_eq(classify(kVideo, data).role, Role::Media);
  ck_assert(tracks_of(kVideo, data) == TrackSet(1));
  data.back() = 0x01;
  flvtest::append_fourcc(data, "av01");
  ck_assert_enum_eq(classify(kVideo, data).role, Role::KeyFrame);
  for (const Buffer &lie : {Buffer{0x97, 0xFF, 0xFF, 0xFF, 1, 1}, Buffer{0x97, 0xFE, 1, 1}}) {
    ck_assert_enum_eq(classify(kVideo, lie).role, Role::Media);
    ck_assert_uint_eq(classify(kVideo, lie).codec, 0);
  }
}
END_TEST

START_TEST(test_hostile_tracks) {
  // The second track's size exceeds the rest of the data: the track counts, the data after it does
  // not.
  Buffer data = video_tracks(1, Packet::CodedFrames, Multitrack::ManyTracks);
  store_u24(&data[7 + 3 + kBody.size() + 1], 0xFFFFFF);
  const TrackSet tracks = tracks_of(kVideo, data);
  ck_assert(tracks.count() == 2 && tracks[1] && tracks[4]);
  // Tracks without data, all with the same id, up to the end of a large tag.
  Buffer many{0x96, 0x11, 'a', 'v', '0', '1'};
  many.resize(1 << 22);
  ck_assert(tracks_of(kVideo, many) == TrackSet(1));
}
END_TEST

const struct {
  const char *what;
  Buffer data;
  std::int32_t time;
} kTimes[] = {
    {"AVC", {0x27, 1, 0, 0, 80}, 80},
    {"AVC, negative", {0x27, 1, 0xFF, 0xFF, 0xFE}, -2},
    {"the least", {0x27, 1, 0x80, 0, 0}, -0x800000},
    {"HEVC", {0x1C, 1, 0, 1, 0}, 256},
    {"AV1 as id 13", {0x1D, 1, 0, 0, 7}, 7},
    {"a sequence header", {0x17, 0, 0, 0, 80}, 0},
    {"H.263", {0x22, 1, 0, 0, 80}, 0},
    {"cut off", {0x27, 1, 0, 0}, 0},
    {"nothing", {}, 0},
    {"coded frames", flvtest::ex_video(2, Packet::CodedFrames, "hvc1", Buffer{0, 0, 9, 1}), 9},
    {"after a modifier",
     flvtest::with_modex(flvtest::ex_video(2, Packet::CodedFrames, "avc1", Buffer{0, 0, 9, 1}),
                         flvtest::nanoseconds(5)),
     9},
    {"coded frames X", flvtest::ex_video(2, Packet::CodedFramesX, "hvc1", Buffer{0, 0, 9, 1}), 0},
    {"AV1", flvtest::ex_video(2, Packet::CodedFrames, "av01", Buffer{0, 0, 9, 1}), 0},
    {"a command", flvtest::ex_command(1), 0},
};

START_TEST(test_composition_time) {
  const auto &row = ROW(kTimes);
  ck_assert_msg(composition_time(row.data) == row.time, "%s", row.what);
}
END_TEST

const struct {
  const char *file;
  unsigned keys;
  unsigned configurations;
  unsigned ends;
  std::uint32_t video;
  std::uint32_t audio;
} kMediaRoles[] = {
    {"h264_aac_bbb.flv", 4, 2, 1, 7, 10},
    {"h264_aac_avatar.flv", 7, 2, 1, 7, 10},
    {"h264_only_33s.flv", 18, 1, 1, 7, 0},
    {"h264_speex_many_configs.flv", 48, 62, 0, 7, 11},
    {"indexed_small.flv", 10, 0, 0, 2, 0},
    {"vp6_alpha_xmp.flv", 45, 0, 0, 5, 0},
    {"screen_video.flv", 1, 0, 0, 3, 0},
    {"g711_alaw_only.flv", 0, 0, 0, 0, 7},
    {"enhanced_hevc_aac.flv", 1, 3, 0, fourcc("hvc1"), 10},
    {"enhanced_av1_opus.flv", 1, 5, 0, fourcc("av01"), fourcc("Opus")},
};

START_TEST(test_media_roles) {
  const auto &row = ROW(kMediaRoles);
  const auto bytes = flvtest::media_file(row.file);
  if (!bytes)
    return;
  unsigned roles[7] = {};
  for (const Item &tag : flvtest::split(*bytes).tags()) {
    const TagInfo info = classify(
        tag.tag.type, flvtest::bytes_of(tag, *bytes).subspan(kTagHeaderSize, tag.tag.data_size));
    ++roles[static_cast<std::size_t>(info.role)];
    if (!tag.tag.is_script())
      ck_assert_uint_eq(info.codec, tag.tag.type == kVideo ? row.video : row.audio);
  }
  ck_assert_uint_eq(roles[static_cast<std::size_t>(Role::KeyFrame)], row.keys);
  ck_assert_uint_eq(roles[static_cast<std::size_t>(Role::DecoderConfig)], row.configurations);
  ck_assert_uint_eq(roles[static_cast<std::size_t>(Role::EndOfSequence)], row.ends);
}
END_TEST

const struct {
  std::uint32_t codec;
  const char *video;
  const char *audio;
} kNames[] = {
    {2, "Sorenson H.263", "MP3"},
    {7, "H.264", "G.711 A-law"},
    {10, "codec 10", "AAC"},
    {12, "H.265", "codec 12"},
    {13, "AV1", "Opus"},
    {fourcc("av01"), "AV1", "av01"},
    {fourcc("fLaC"), "fLaC", "FLAC"},
    {fourcc("new!"), "new!", "new!"},
    {0x61620063, "codec 1633812579", "codec 1633812579"},
};

START_TEST(test_names) {
  const auto &row = ROW(kNames);
  ck_assert(video_codec_name(row.codec) == row.video);
  ck_assert(audio_codec_name(row.codec) == row.audio);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("codec", {{test_classic, std::size(kClassic)},
                                {test_enhanced, std::size(kEnhanced)},
                                {test_modex, std::size(kEnhanced)},
                                {test_enhanced_truncated, std::size(kEnhanced)},
                                {test_hostile_modex},
                                {test_hostile_tracks},
                                {test_composition_time, std::size(kTimes)},
                                {test_media_roles, std::size(kMediaRoles)},
                                {test_names, std::size(kNames)}});
}
