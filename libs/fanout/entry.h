// SPDX-License-Identifier: LGPL-2.1-or-later
// The unit of the backlog: one FLV tag, or one buffer of another container.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "flv/format/bytes.h"

namespace fanout {

using flv::Bytes;

// The kind of an FLV tag. None: script data, or another container.
enum class Kind : std::uint8_t { None, Audio, Video };

// ms of media time. A kind without a frame for longer than this is absent, if the other kind has
// frames.
inline constexpr std::int64_t kSilence = 2000;

// What a client receives before its first entry. Consecutive equal headers share one object.
struct JoinHeader {
  std::vector<std::uint8_t> container_header; // of FLV: the file header and onMetaData
  // FLV: whole tags. The cursor writes the client's timestamp into them.
  std::vector<std::vector<std::uint8_t>> decoder_configs;
  bool has_audio = false; // FLV: the flags of the file header
  bool has_video = false;
  // FLV with audio and video: the headers that announce only one of them.
  std::shared_ptr<const JoinHeader> audio_alone = nullptr;
  std::shared_ptr<const JoinHeader> video_alone = nullptr;

  // The other members follow from these two.
  bool operator==(const JoinHeader &other) const {
    return container_header == other.container_header && decoder_configs == other.decoder_configs;
  }
};
using JoinHeaderPtr = std::shared_ptr<const JoinHeader>;

// For a kind that appears after a start point: that start point's header with this kind added.
struct Extension {
  JoinHeaderPtr base; // the header of the start point
  JoinHeaderPtr full;
};

// What lets a client start at an entry. A backlog with a keyframe uses keyframes only.
enum class StartPoint : std::uint8_t {
  KeyFrame, // a keyframe, audio of a stream without video, or a start point of another container
  DecoderConfig, // the first frame after a decoder configuration
  RecoveryPoint, // a frame with a recovery point SEI message
  Frame,         // any frame
};

enum class Purpose : std::uint8_t {
  Media,
  Setup,         // script data or a decoder configuration
  RepeatedSetup, // the same, only for clients whose header does not announce the kind
};

// The presence of a kind at a start point. The kind's last frame need not be in the backlog.
struct KindState {
  std::uint32_t appearance = 0; // as in Entry
  std::int64_t last = 0;        // ms: the time of the kind's last frame
};

// A client receives an entry as a whole or not at all.
struct Entry {
  std::shared_ptr<const void> owner; // of the bytes
  Bytes bytes;
  std::int64_t time = 0; // ms of media time; may decrease by the interleaving of audio and video
  bool is_tag = false;   // starts with an FLV tag header
  Purpose purpose = Purpose::Media;
  JoinHeaderPtr join_header;               // set if a client can start here
  std::int64_t composition_time = 0;       // ms from decoding to presentation
  StartPoint start = StartPoint::KeyFrame; // valid with a join header
  Kind kind = Kind::None;
  // How many times the kind has appeared: at its first frame, and after each absence.
  std::uint32_t appearance = 0;
  std::shared_ptr<const Extension> extension = nullptr; // set if the kind appears here
  std::array<KindState, 3> kinds{};                     // by Kind; valid with a join header

  [[nodiscard]] bool is_media() const { return purpose == Purpose::Media; }
  [[nodiscard]] bool is_repeat() const { return purpose == Purpose::RepeatedSetup; }
};

} // namespace fanout
