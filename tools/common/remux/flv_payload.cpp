// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv_payload.h"

#include <algorithm>
#include <array>
#include <utility>

#include "flv/format/codec.h"

namespace remux {

namespace {

using Kind = FlvPayload::Kind;

struct Code {
  std::uint32_t code;
  Codec codec;
};

constexpr std::array kEnhanced{
    Code{flv::fourcc("avc1"), Codec::H264}, Code{flv::fourcc("hvc1"), Codec::Hevc},
    Code{flv::fourcc("av01"), Codec::Av1},  Code{flv::fourcc("vp08"), Codec::Vp8},
    Code{flv::fourcc("vp09"), Codec::Vp9},  Code{flv::fourcc("mp4a"), Codec::Aac},
    Code{flv::fourcc(".mp3"), Codec::Mp3},  Code{flv::fourcc("Opus"), Codec::Opus},
    Code{flv::fourcc("fLaC"), Codec::Flac}, Code{flv::fourcc("ac-3"), Codec::Ac3},
    Code{flv::fourcc("ec-3"), Codec::Eac3},
};

// CodecID and SoundFormat. HEVC, AV1 and Opus are not in the specification, but in use.
constexpr std::array kVideoIds{Code{7, Codec::H264}, Code{12, Codec::Hevc}, Code{13, Codec::Av1}};
constexpr std::array kAudioIds{Code{2, Codec::Mp3}, Code{10, Codec::Aac}, Code{13, Codec::Opus},
                               Code{14, Codec::Mp3}};

template <std::size_t Size>
std::optional<Codec> find_codec(const std::array<Code, Size> &codes, std::uint32_t code) {
  const auto found = std::ranges::find(codes, code, &Code::code);
  return found != codes.end() ? std::optional(found->codec) : std::nullopt;
}

std::int64_t signed24(std::uint32_t value) {
  constexpr std::int64_t kSign = 0x800000;
  return (static_cast<std::int64_t>(value) ^ kSign) - kSign;
}

Kind kind_of(unsigned packet_type) {
  constexpr unsigned kCodedFrames = 1;
  return packet_type == 0 ? Kind::Config : packet_type == kCodedFrames ? Kind::Media : Kind::Other;
}

// Skips ModEx packets. Returns the packet type after them.
std::optional<unsigned> skip_mod_ex(flv::Reader &reader, unsigned type, FlvPayload &payload) {
  constexpr unsigned kModEx = 7;
  constexpr std::uint32_t kLongSize = 256;
  while (type == kModEx) {
    std::uint8_t byte = 0;
    if (!reader.u8(byte))
      return std::nullopt;
    std::uint32_t size = byte + 1U;
    if (size == kLongSize) {
      if (!reader.u16(size))
        return std::nullopt;
      ++size;
    }
    flv::Bytes data;
    if (!reader.bytes(size, data) || !reader.u8(byte))
      return std::nullopt;
    if (byte >> 4 == 0 && size >= 3)
      payload.offset = flv::load_u24(data.data());
    type = byte & 15U;
  }
  return type;
}

// After the first byte of an enhanced tag.
std::optional<FlvPayload> read_enhanced(flv::Reader reader, unsigned type, bool is_video,
                                        FlvPayload payload) {
  constexpr unsigned kCodedFramesX = 3;
  const auto packet_type = skip_mod_ex(reader, type, payload);
  std::uint32_t code = 0;
  if (!packet_type || *packet_type > kCodedFramesX || !reader.u32(code))
    return std::nullopt;
  payload.codec = find_codec(kEnhanced, code);
  payload.name = is_video ? flv::video_codec_name(code) : flv::audio_codec_name(code);
  payload.kind = is_video && *packet_type == kCodedFramesX ? Kind::Media : kind_of(*packet_type);
  const bool has_composition = is_video && *packet_type == 1 &&
                               (payload.codec == Codec::H264 || payload.codec == Codec::Hevc);
  std::uint32_t composition = 0;
  if (has_composition && !reader.u24(composition))
    return std::nullopt;
  payload.composition = signed24(composition);
  (void)reader.bytes(reader.left(), payload.data);
  return payload;
}

std::optional<FlvPayload> read_video(flv::Bytes data) {
  constexpr unsigned kCommand = 5;
  flv::Reader reader(data);
  std::uint8_t first = 0;
  if (!reader.u8(first))
    return std::nullopt;
  FlvPayload payload;
  const unsigned frame = first >> 4 & 7U;
  payload.key = frame == 1 || frame == 4;
  if (frame == kCommand)
    return std::nullopt;
  if ((first & 0x80) != 0)
    return read_enhanced(reader, first & 15U, true, std::move(payload));
  payload.codec = find_codec(kVideoIds, first & 15U);
  payload.name = flv::video_codec_name(first & 15U);
  payload.kind = Kind::Media;
  if (payload.codec) {
    std::uint8_t type = 0;
    std::uint32_t composition = 0;
    if (!reader.u8(type) || !reader.u24(composition))
      return std::nullopt;
    payload.kind = kind_of(type);
    payload.composition = signed24(composition);
  }
  (void)reader.bytes(reader.left(), payload.data);
  return payload;
}

std::optional<FlvPayload> read_audio(flv::Bytes data) {
  constexpr unsigned kEnhancedFormat = 9;
  flv::Reader reader(data);
  std::uint8_t first = 0;
  if (!reader.u8(first))
    return std::nullopt;
  FlvPayload payload;
  payload.key = true;
  const unsigned format = first >> 4;
  if (format == kEnhancedFormat)
    return read_enhanced(reader, first & 15U, false, std::move(payload));
  payload.codec = find_codec(kAudioIds, format);
  payload.name = flv::audio_codec_name(format);
  payload.kind = Kind::Media;
  if (payload.codec == Codec::Aac || payload.codec == Codec::Opus) {
    std::uint8_t type = 0;
    if (!reader.u8(type))
      return std::nullopt;
    payload.kind = kind_of(type);
  }
  (void)reader.bytes(reader.left(), payload.data);
  return payload;
}

} // namespace

std::optional<FlvPayload> read_payload(flv::TagType type, flv::Bytes data) {
  return type == flv::TagType::Video ? read_video(data) : read_audio(data);
}

} // namespace remux
