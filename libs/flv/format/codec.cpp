// SPDX-License-Identifier: LGPL-2.1-or-later
#include "codec.h"

#include <cctype>

namespace flv {

namespace {

enum FrameType : std::uint8_t { kKeyFrame = 1, kGeneratedKeyFrame = 4, kCommandFrame = 5 };

// Ids from 12 on are not in a specification. Chinese CDNs, SRS and ZLMediaKit write them.
enum CodecId : std::uint8_t { kAvc = 7, kHevc = 12, kAv1 = 13 };

// 13 is not in a specification either.
enum SoundFormat : std::uint8_t { kEnhancedAudio = 9, kAac = 10, kOpus = 13 };

// A packet type that audio and video share has the same number in both.
enum PacketType : std::uint8_t {
  kSequenceStart = 0,
  kCodedFrames = 1,
  kSequenceEnd = 2,
  kCodedFramesX = 3,
  kVideoMetadata = 4,
  kMultichannelConfig = 4,
  kMpeg2TsSequenceStart = 5,
  kAudioMultitrack = 5,
  kVideoMultitrack = 6,
  kModEx = 7,
};

enum MultitrackType : std::uint8_t { kOneTrack = 0, kManyTracks = 1, kManyTracksManyCodecs = 2 };

// The second byte of tags of AAC, Opus, AVC, HEVC and AV1.
enum LegacyPacket : std::uint8_t { kLegacySequenceHeader = 0, kLegacyFrame = 1, kLegacyEnd = 2 };

bool is_key(std::uint8_t frame_type) {
  return frame_type == kKeyFrame || frame_type == kGeneratedKeyFrame;
}

// A ModEx packet has modifiers before its packet type.
bool skip_modex(Reader &reader, std::uint8_t &packet_type) {
  while (packet_type == kModEx) {
    std::uint8_t short_size = 0;
    if (!reader.u8(short_size))
      return false;
    std::size_t size = std::size_t{short_size} + 1;
    if (size == 256) {
      std::uint32_t long_size = 0;
      if (!reader.u16(long_size))
        return false;
      size = std::size_t{long_size} + 1;
    }
    std::uint8_t types = 0;
    if (!reader.skip(size) || !reader.u8(types))
      return false;
    packet_type = types & 0x0F;
  }
  return true;
}

// The start of an enhanced tag, up to the track ids of a multitrack tag.
struct EnhancedStart {
  std::uint8_t frame_type = 0; // video only
  std::uint8_t packet_type = 0;
  bool command = false;
  bool multitrack = false;
  std::uint8_t multitrack_type = 0;
  std::uint32_t codec = 0;
};

bool read_enhanced(Reader &reader, TagType type, EnhancedStart &start) {
  const bool video = type == TagType::Video;
  std::uint8_t first = 0;
  if (!reader.u8(first))
    return false;
  start.frame_type = video ? (first >> 4) & 0x07 : 0;
  start.packet_type = first & 0x0F;
  if (!skip_modex(reader, start.packet_type))
    return false;
  if (video && start.frame_type == kCommandFrame && start.packet_type != kVideoMetadata) {
    start.command = true;
    return true;
  }
  if (start.packet_type == (video ? kVideoMultitrack : kAudioMultitrack)) {
    std::uint8_t types = 0;
    if (!reader.u8(types))
      return false;
    start.multitrack = true;
    start.multitrack_type = types >> 4;
    start.packet_type = types & 0x0F;
    if (start.multitrack_type == kManyTracksManyCodecs)
      return true;
  }
  return reader.u32(start.codec);
}

TagInfo classify_enhanced(TagType type, Bytes data) {
  const bool video = type == TagType::Video;
  TagInfo info{.enhanced = true};
  Reader reader(data);
  EnhancedStart start;
  if (!read_enhanced(reader, type, start))
    return info;
  info.multitrack = start.multitrack;
  info.codec = start.codec;
  if (start.command) {
    info.role = Role::Command;
    return info;
  }
  switch (start.packet_type) {
  case kSequenceStart:
    info.role = Role::DecoderConfig;
    break;
  case kSequenceEnd:
    info.role = Role::EndOfSequence;
    break;
  case kVideoMetadata: // also kMultichannelConfig
    info.role = Role::DecoderConfig;
    info.configuration = video ? DecoderConfigKind::Metadata : DecoderConfigKind::Multichannel;
    break;
  case kMpeg2TsSequenceStart:
    if (video)
      info.role = Role::DecoderConfig;
    break;
  case kCodedFrames:
  case kCodedFramesX:
    if (video && is_key(start.frame_type))
      info.role = Role::KeyFrame;
    break;
  default:
    break;
  }
  return info;
}

// Legacy codecs that have a packet type in the second byte.
bool has_packet_type(std::uint32_t codec) {
  return codec == kAvc || codec == kHevc || codec == kAv1;
}

TagInfo classify_video(Bytes data) {
  const std::uint8_t frame_type = data[0] >> 4;
  TagInfo info{.codec = static_cast<std::uint32_t>(data[0] & 0x0F)};
  if (frame_type == kCommandFrame) {
    info.role = Role::Command;
    return info;
  }
  if (has_packet_type(info.codec)) {
    if (data.size() < 2)
      return info;
    if (data[1] == kLegacySequenceHeader)
      info.role = Role::DecoderConfig;
    else if (data[1] == kLegacyEnd)
      info.role = Role::EndOfSequence;
    else if (data[1] == kLegacyFrame && is_key(frame_type))
      info.role = Role::KeyFrame;
  } else if (is_key(frame_type)) {
    info.role = Role::KeyFrame;
  }
  return info;
}

TagInfo classify_audio(Bytes data) {
  TagInfo info{.codec = static_cast<std::uint32_t>(data[0] >> 4)};
  if ((info.codec == kAac || info.codec == kOpus) && data.size() >= 2 &&
      data[1] == kLegacySequenceHeader)
    info.role = Role::DecoderConfig;
  return info;
}

bool is_enhanced(TagType type, std::uint8_t first) {
  return type == TagType::Video ? (first & 0x80) != 0 : first >> 4 == kEnhancedAudio;
}

} // namespace

TagInfo classify(TagType type, Bytes data) {
  if (type != TagType::Audio && type != TagType::Video)
    return {.role = Role::Script};
  if (data.empty())
    return {.role = Role::Empty};
  if (is_enhanced(type, data[0]))
    return classify_enhanced(type, data);
  return type == TagType::Video ? classify_video(data) : classify_audio(data);
}

std::int32_t composition_time(Bytes data) {
  if (data.empty())
    return 0;
  Reader reader(data);
  if (is_enhanced(TagType::Video, data[0])) {
    EnhancedStart start;
    const bool has_time = read_enhanced(reader, TagType::Video, start) && !start.command &&
                          !start.multitrack && start.packet_type == kCodedFrames &&
                          (start.codec == fourcc("avc1") || start.codec == fourcc("hvc1") ||
                           start.codec == fourcc("vvc1"));
    if (!has_time)
      return 0;
  } else {
    std::uint8_t packet_type = 0;
    if (!has_packet_type(data[0] & 0x0F) || !reader.skip(1) || !reader.u8(packet_type) ||
        packet_type != kLegacyFrame)
      return 0;
  }
  std::uint32_t time = 0;
  if (!reader.u24(time))
    return 0;
  constexpr std::uint32_t kSign = 0x800000;
  return static_cast<std::int32_t>(time ^ kSign) - static_cast<std::int32_t>(kSign);
}

TrackSet tracks_of(TagType type, Bytes data) {
  TrackSet tracks;
  Reader reader(data);
  EnhancedStart start;
  const bool multitrack = (type == TagType::Audio || type == TagType::Video) && !data.empty() &&
                          is_enhanced(type, data[0]) && read_enhanced(reader, type, start) &&
                          start.multitrack;
  if (!multitrack) {
    tracks.set(0);
    return tracks;
  }
  for (;;) {
    std::uint8_t id = 0;
    if (start.multitrack_type == kManyTracksManyCodecs && !reader.skip(4))
      return tracks;
    if (!reader.u8(id))
      return tracks;
    tracks.set(id);
    std::uint32_t size = 0;
    if (start.multitrack_type == kOneTrack || !reader.u24(size) || !reader.skip(size))
      return tracks;
  }
}

namespace {

std::string fourcc_name(std::uint32_t codec) {
  std::string text;
  for (const int shift : {24, 16, 8, 0}) {
    const auto byte = static_cast<unsigned char>(codec >> shift);
    if (!std::isprint(byte))
      return "codec " + std::to_string(codec);
    text += static_cast<char>(byte);
  }
  return text;
}

struct Name {
  std::uint32_t codec;
  const char *name;
};

template <std::size_t N> std::string look_up(const Name (&names)[N], std::uint32_t codec) {
  for (const Name &entry : names) {
    if (entry.codec == codec)
      return entry.name;
  }
  return fourcc_name(codec);
}

} // namespace

std::string video_codec_name(std::uint32_t codec) {
  static constexpr Name kNames[] = {
      {2, "Sorenson H.263"},
      {3, "Screen video"},
      {4, "On2 VP6"},
      {5, "On2 VP6 with alpha"},
      {6, "Screen video 2"},
      {kAvc, "H.264"},
      {kHevc, "H.265"},
      {kAv1, "AV1"},
      {fourcc("avc1"), "H.264"},
      {fourcc("hvc1"), "H.265"},
      {fourcc("vvc1"), "H.266"},
      {fourcc("vp08"), "VP8"},
      {fourcc("vp09"), "VP9"},
      {fourcc("av01"), "AV1"},
  };
  return look_up(kNames, codec);
}

std::string audio_codec_name(std::uint32_t codec) {
  static constexpr Name kNames[] = {
      {0, "PCM"},
      {1, "ADPCM"},
      {2, "MP3"},
      {3, "PCM"},
      {4, "Nellymoser"},
      {5, "Nellymoser"},
      {6, "Nellymoser"},
      {7, "G.711 A-law"},
      {8, "G.711 mu-law"},
      {kAac, "AAC"},
      {11, "Speex"},
      {kOpus, "Opus"},
      {14, "MP3"},
      {fourcc("ac-3"), "AC-3"},
      {fourcc("ec-3"), "E-AC-3"},
      {fourcc("Opus"), "Opus"},
      {fourcc(".mp3"), "MP3"},
      {fourcc("fLaC"), "FLAC"},
      {fourcc("mp4a"), "AAC"},
  };
  return look_up(kNames, codec);
}

} // namespace flv
