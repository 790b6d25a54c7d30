// SPDX-License-Identifier: LGPL-2.1-or-later
// The last stretch of a stream, which all its viewers share.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "flv/format/bytes.h"

namespace fanout {

using flv::Bytes;

// What an FLV tag carries. None: script data, or another container.
enum class Kind : std::uint8_t { None, Audio, Video };

// ms of media: a kind without a frame for longer, while the other goes on, is absent.
inline constexpr std::int64_t kSilence = 2000;

// What a viewer needs in front of the place at which it joins. The same pointer is the same bytes.
struct JoinHeader {
  std::vector<std::uint8_t> opening; // container header, and metadata
  // FLV: whole tags, whose timestamp is the viewer's own.
  std::vector<std::vector<std::uint8_t>> configurations;
  bool has_audio = false; // FLV: as the opening says
  bool has_video = false;
  // FLV with audio and video: the head that announces only one of them.
  std::shared_ptr<const JoinHeader> audio_alone = nullptr;
  std::shared_ptr<const JoinHeader> video_alone = nullptr;

  // The last two follow from the rest.
  bool operator==(const JoinHeader &other) const {
    return opening == other.opening && configurations == other.configurations;
  }
};
using JoinHeaderPtr = std::shared_ptr<const JoinHeader>;

// A kind appears behind a place at which one can join: the head for that place that announces it.
struct Extension {
  JoinHeaderPtr base; // of the place
  JoinHeaderPtr full;
};

// Why a viewer can start at a place. All but the first serve only where no key frame is left.
enum class StartPoint : std::uint8_t {
  KeyFrame,      // or what stands by itself otherwise: audio alone, a buffer of a container
  DecoderConfig, // the first frame behind a configuration
  RecoveryPoint, // a frame with a recovery point SEI message: intra refresh begins there
  Frame,         // any frame
};

// Of a kind of FLV tag, as of a place at which one can join. Its last frame may be left out of the
// history.
struct KindState {
  std::uint32_t appearance = 0; // how often it has appeared
  std::int64_t last = 0;        // ms: when its last frame was
};

// A piece that is sent as a whole or not at all: a tag of FLV, a buffer of all else.
struct Entry {
  std::shared_ptr<const void> owner; // of the bytes
  Bytes bytes;
  std::int64_t time = 0;  // ms of media, which never goes back by more than interleaving does
  bool is_tag = false;    // begins with an FLV tag header
  bool is_media = true;   // of no use to those who join behind its time
  JoinHeaderPtr head;     // of a place at which one can join
  std::int64_t ahead = 0; // ms that it is decoded before it is shown
  StartPoint start = StartPoint::KeyFrame; // if it has a head
  Kind kind = Kind::None;
  // How often its kind has appeared by then: for the first time, or again after it was absent.
  std::uint32_t appearance = 0;
  bool is_repeat = false; // only for viewers that were not told of its kind
  std::shared_ptr<const Extension> extension = nullptr; // of a frame whose kind appears
  std::array<KindState, 3> kinds{};                     // by Kind: those that the head announces
};

// Entries by number, counted from the stream's first. Only the last ones are there.
class Backlog {
public:
  using Number = std::uint64_t;

  void append(Entry entry);
  // Forgets those in front of `number`.
  void trim(Number number);

  [[nodiscard]] Number begin() const { return begin_; }
  [[nodiscard]] Number end() const { return begin_ + entries_.size(); }
  [[nodiscard]] const Entry &at(Number number) const { return entries_[number - begin_].entry; }

  // ms: the highest time so far; 0 before there was one.
  [[nodiscard]] std::int64_t newest_time() const { return newest_time_; }
  // By how much an entry is behind the newest: ms, and the bytes of it and those behind it. One
  // that is forgotten is as far behind as the first that is not.
  [[nodiscard]] std::int64_t lag(Number number) const;
  [[nodiscard]] std::uint64_t bytes_from(Number number) const;

  // Where one can join: the last place, the first at or behind `number`, the last that leaves `ms`
  // of media behind it or else the first of all.
  [[nodiscard]] std::optional<Number> last_join() const;
  [[nodiscard]] std::optional<Number> join_from(Number number) const;
  [[nodiscard]] std::optional<Number> join_ahead(std::int64_t ms) const;

  // Whether there were places to start at, and no key frame is left.
  [[nodiscard]] bool lacks_key_frame() const { return newest_head_ && joins_.empty(); }
  // Where one can start then: the first configuration or recovery point at or behind `number`, the
  // first frame.
  [[nodiscard]] std::optional<Number> fallback_from(Number number) const;
  [[nodiscard]] std::optional<Number> frame_from(Number number) const;
  // Of the last place to start at, forgotten or not; nullptr before there was one.
  [[nodiscard]] const JoinHeaderPtr &newest_head() const { return newest_head_; }

  // The head for a viewer that joins at `number`. That entry has a head, or an earlier one has.
  [[nodiscard]] JoinHeaderPtr head_at(Number number) const;
  // Whether there were frames of it within kSilence.
  [[nodiscard]] bool is_present(Kind kind) const;
  // The appearance whose frames a viewer is to get that joins at `number` and is not told of the
  // kind.
  [[nodiscard]] std::uint32_t next_appearance(Kind kind, Number number) const;

private:
  struct Presence {
    std::uint32_t appearance = 0; // of its last frame
    Number begin = 0;             // the first frame of that appearance
    std::int64_t last = 0;        // the newest time at its last frame
  };

  struct Placed {
    Entry entry;
    std::uint64_t offset = 0; // bytes of all entries in front
  };

  void note_frame(Kind kind, std::uint32_t appearance, std::int64_t time);

  std::deque<Placed> entries_;
  std::deque<Number> joins_;
  std::deque<Number> fallbacks_;
  JoinHeaderPtr newest_head_;
  std::shared_ptr<const Extension> extension_; // the last one
  Number extension_at_ = 0;
  std::array<Presence, 3> kinds_{}; // by Kind
  Number begin_ = 0;
  std::uint64_t bytes_ = 0; // of all entries there ever were
  std::int64_t newest_time_ = 0;
};

} // namespace fanout
