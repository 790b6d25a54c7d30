// SPDX-License-Identifier: LGPL-2.1-or-later
// The tracks of a stream, and which codecs a container carries. Values without GStreamer's types.
#pragma once

#include <cstdint>
#include <vector>

#include "flv/format/bytes.h"
#include "remux.h"

namespace remux {

enum class Codec {
  H264,
  Hevc,
  Av1,
  Vp8,
  Vp9,
  Aac,
  Mp3,
  Mp2,
  Opus,
  Vorbis,
  Flac,
  Ac3,
  Eac3,
};

struct Track {
  Codec codec = Codec::H264;
  // AVCDecoderConfigurationRecord, HEVCDecoderConfigurationRecord, AV1CodecConfigurationRecord,
  // VPCodecConfigurationRecord (VP8 and VP9), AudioSpecificConfig, the identification header of
  // Opus, the three headers of Vorbis in Xiph lacing, fLaC and STREAMINFO. Empty for other codecs.
  std::vector<std::uint8_t> config;
  std::uint32_t width = 0;        // pixels
  std::uint32_t height = 0;       // pixels
  std::uint32_t aspect_width = 1; // of a pixel
  std::uint32_t aspect_height = 1;
  std::int64_t frame_duration = 0; // ns of a picture; 0: unknown
  std::uint32_t rate = 0;          // samples per second
  std::uint32_t channels = 0;

  friend bool operator==(const Track &, const Track &) = default;
};

// One access unit: H.264 and HEVC with length prefixes, AAC without ADTS. Times in ns.
struct Sample {
  std::size_t track = 0;
  flv::Bytes data;
  std::int64_t pts = 0;
  std::int64_t dts = 0;
  bool key = false; // decoding can start here; true for audio
};

[[nodiscard]] bool is_video(Codec codec);
[[nodiscard]] const char *name_of(Codec codec);
[[nodiscard]] bool carries(Format format, Codec codec);
// FLV, MP3 and Ogg have one track of each kind; players of FLV take no more.
[[nodiscard]] bool has_one_track_per_kind(Format format);

// The nearest ms.
[[nodiscard]] std::int64_t to_ms(std::int64_t ns);

} // namespace remux
