// SPDX-License-Identifier: LGPL-2.1-or-later
// What a tag is, from its data's first bytes: Video File Format Specification 10.1, E.4.2 and
// E.4.3, and Veovera's Enhanced RTMP v2 ("Enhanced Audio", "Enhanced Video").
#pragma once

#include <bitset>
#include <string_view>

#include "tag.h"

namespace flv {

// A FourCC as the number that Enhanced FLV carries. `text` has four characters.
[[nodiscard]] constexpr std::uint32_t fourcc(std::string_view text) {
  std::uint32_t code = 0;
  for (const char c : text)
    code = code << 8 | static_cast<std::uint8_t>(c);
  return code;
}

enum class Role : std::uint8_t {
  Media,         // audio, or a video frame that needs others
  KeyFrame,      // a video frame that a decoder can start on
  DecoderConfig, // what a decoder needs before the first frame: a sequence header, HDR metadata, …
  EndOfSequence,
  Command, // a video info/command frame: a message to the player, no picture
  Empty,   // an audio or video tag without data: some publishers send it for a camera that is off
  Script,
};

enum class DecoderConfigKind : std::uint8_t {
  Sequence,     // sequence header, sequence start
  Metadata,     // Enhanced video metadata: colour information for HDR
  Multichannel, // Enhanced audio: how channels map to speakers
};

struct TagInfo {
  Role role = Role::Media;
  DecoderConfigKind configuration = DecoderConfigKind::Sequence; // if that is the role
  bool enhanced = false;
  bool multitrack = false;
  // CodecID, SoundFormat, or the FourCC if enhanced; 0 in a multitrack tag whose tracks have
  // codecs of their own, and where the data ends before it.
  std::uint32_t codec = 0;
};

// Track ids; a tag that is not multitrack is of track 0.
using TrackSet = std::bitset<256>;

// `data` is the tag's data, or at least its beginning. Data that ends too early to tell is Media;
// only a tag without data is Empty.
[[nodiscard]] TagInfo classify(TagType type, Bytes data);

// Whether a tag of that role is audio or video to be played.
[[nodiscard]] constexpr bool is_media(Role role) {
  return role == Role::Media || role == Role::KeyFrame;
}

// The composition time (ms) of a video tag's data: how much later than its timestamp a frame is
// shown. 0 where the data has none.
[[nodiscard]] std::int32_t composition_time(Bytes data);

// The tracks that a tag has something for. Looks through all of a multitrack tag's `data`.
[[nodiscard]] TrackSet tracks_of(TagType type, Bytes data);

// What codecs are called, such as "H.264"; the FourCC itself where no better name is known.
[[nodiscard]] std::string video_codec_name(std::uint32_t codec);
[[nodiscard]] std::string audio_codec_name(std::uint32_t codec);

} // namespace flv
