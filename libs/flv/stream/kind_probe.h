// SPDX-License-Identifier: LGPL-2.1-or-later
// The kinds of a stream: audio, video, or both.
#pragma once

#include <algorithm>
#include <cstddef>

#include "flv/format/tag.h"

namespace flv {

class KindSet {
public:
  // Returns whether the kind is new. `kind` is Audio or Video.
  bool insert(TagType kind) {
    const std::uint8_t before = bits_;
    bits_ = static_cast<std::uint8_t>(bits_ | bit_of(kind));
    return bits_ != before;
  }
  [[nodiscard]] bool contains(TagType kind) const { return (bits_ & bit_of(kind)) != 0; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }

private:
  static constexpr std::uint8_t bit_of(TagType kind) { return kind == TagType::Video ? 2 : 1; }

  std::uint8_t bits_ = 0;
};

// Decides how much of a stream's start is held until the kinds of the stream are known. The file
// header announces the kinds, and can be wrong. So the start is held until each announced kind has
// media, or until a limit is reached.
class KindProbe {
public:
  struct Limits {
    std::int64_t span = 0; // ms of media
    std::size_t size = 0;  // in the unit of has_reached()
  };
  // What ends the hold if the file header announces no kind.
  enum class Unannounced {
    Both,  // media of both kinds, or a limit
    Limit, // a limit
  };

  // Media of `kind` is held. `span`: ms from the first held media to the latest.
  void note_media(TagType kind, std::int64_t span) {
    seen_.insert(kind);
    span_ = std::max(span_, span);
  }
  // The held media is dropped. Its kinds stay known.
  void drop_media() { span_ = 0; }

  [[nodiscard]] const KindSet &seen() const { return seen_; }
  // `size`: of all that is held.
  [[nodiscard]] bool has_reached(const Limits &limits, std::size_t size) const {
    return size >= limits.size || span_ >= limits.span;
  }
  [[nodiscard]] bool knows_kinds(const FileHeader &announced, Unannounced rule) const {
    const bool has_audio = seen_.contains(TagType::Audio);
    const bool has_video = seen_.contains(TagType::Video);
    if (!announced.has_audio && !announced.has_video)
      return rule == Unannounced::Both && has_audio && has_video;
    return (has_audio || !announced.has_audio) && (has_video || !announced.has_video);
  }

private:
  KindSet seen_;
  std::int64_t span_ = 0;
};

} // namespace flv
