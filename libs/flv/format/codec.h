// SPDX-License-Identifier: LGPL-2.1-or-later
// Classifies tags by the first bytes of their data. Specifications: Video File Format Specification
// 10.1, E.4.2 and E.4.3; Veovera's Enhanced RTMP v2 ("Enhanced Audio", "Enhanced Video").
#pragma once

#include <bitset>
#include <string_view>

#include "tag.h"

namespace flv {

// The number that represents a FourCC in Enhanced FLV. `text` must have four characters.
[[nodiscard]] constexpr std::uint32_t fourcc(std::string_view text) {
  std::uint32_t code = 0;
  for (const char c : text)
    code = code << 8 | static_cast<std::uint8_t>(c);
  return code;
}

enum class Role : std::uint8_t {
  Media,         // audio, or a video frame that depends on other frames
  KeyFrame,      // a video frame at which a decoder can start
  DecoderConfig, // needed before the first frame: a sequence header, HDR metadata, …
  EndOfSequence,
  Command, // a video info/command frame: a message to the player, without a picture
  Empty,   // an audio or video tag without data; some publishers send it while the camera is off
  Script,
};

enum class DecoderConfigKind : std::uint8_t {
  Sequence,     // sequence header, sequence start
  Metadata,     // Enhanced video metadata: colour information for HDR
  Multichannel, // Enhanced audio: the mapping of channels to speakers
};

struct TagInfo {
  Role role = Role::Media;
  // Valid if the role is DecoderConfig.
  DecoderConfigKind configuration = DecoderConfigKind::Sequence;
  bool enhanced = false;
  bool multitrack = false;
  // CodecID, SoundFormat, or the FourCC if enhanced. 0: each track of a multitrack tag has its own
  // codec, or the data ends before the codec.
  std::uint32_t codec = 0;
};

// A set of track ids. A tag that is not multitrack belongs to track 0.
using TrackSet = std::bitset<256>;

// `data` is the tag's data or its first bytes. Data that is too short for a decision is Media. Only
// a tag without data is Empty.
[[nodiscard]] TagInfo classify(TagType type, Bytes data);

// Whether a tag with this role has audio or video to play.
[[nodiscard]] constexpr bool is_media(Role role) {
  return role == Role::Media || role == Role::KeyFrame;
}

// The composition time of a video tag's data: presentation time minus timestamp, in ms. 0 if the
// data has none.
[[nodiscard]] std::int32_t composition_time(Bytes data);

// The tracks that the tag has data for. Reads all of a multitrack tag's `data`.
[[nodiscard]] TrackSet tracks_of(TagType type, Bytes data);

// Names of codecs, such as "H.264". The name of an unknown codec is its FourCC or its number.
[[nodiscard]] std::string video_codec_name(std::uint32_t codec);
[[nodiscard]] std::string audio_codec_name(std::uint32_t codec);

} // namespace flv
