// SPDX-License-Identifier: LGPL-2.1-or-later
// The last part of a stream, which all clients share.
#pragma once

#include <array>
#include <deque>
#include <optional>

#include "entry.h"

namespace fanout {

// Numbers entries from the start of the stream. trim() evicts the first entries.
class Backlog {
public:
  using Number = std::uint64_t;

  void append(Entry entry);
  // Evicts the entries before `number`.
  void trim(Number number);

  [[nodiscard]] Number begin() const { return begin_; }
  [[nodiscard]] Number end() const { return begin_ + entries_.size(); }
  [[nodiscard]] const Entry &at(Number number) const { return entries_[number - begin_].entry; }

  // ms: the highest time so far; 0 before the first entry.
  [[nodiscard]] std::int64_t newest_time() const { return newest_time_; }
  // ms from an entry to the newest time, and bytes from an entry to the end. For an evicted entry,
  // both are those of the first entry.
  [[nodiscard]] std::int64_t lag(Number number) const;
  [[nodiscard]] std::uint64_t bytes_from(Number number) const;

  // Keyframes: the last one, the first one at or after `number`, and the last one with a lag of at
  // least `ms` (the first one if there is none).
  [[nodiscard]] std::optional<Number> last_join() const;
  [[nodiscard]] std::optional<Number> join_from(Number number) const;
  [[nodiscard]] std::optional<Number> join_ahead(std::int64_t ms) const;

  // Whether the stream has had a start point, and the backlog has no keyframe.
  [[nodiscard]] bool lacks_key_frame() const { return newest_header_ && joins_.empty(); }
  // Start points for this case: the first configuration or recovery point at or after `number`, and
  // the first frame at or after `number`.
  [[nodiscard]] std::optional<Number> fallback_from(Number number) const;
  [[nodiscard]] std::optional<Number> frame_from(Number number) const;
  // The header of the last start point, evicted or not; nullptr before the first one.
  [[nodiscard]] const JoinHeaderPtr &newest_header() const { return newest_header_; }

  // The header for a client that joins at `number`. Requires a start point at or before `number`.
  [[nodiscard]] JoinHeaderPtr header_at(Number number) const;
  // Whether the kind has had a frame within kSilence.
  [[nodiscard]] bool is_present(Kind kind) const;
  // For a client that joins at `number` with a header that does not announce the kind: the first
  // appearance of the kind that it receives.
  [[nodiscard]] std::uint32_t next_appearance(Kind kind, Number number) const;

private:
  struct Presence {
    std::uint32_t appearance = 0; // of the kind's last frame
    Number begin = 0;             // the first frame of that appearance
    std::int64_t last = 0;        // ms: the newest time at the last frame
  };

  struct Placed {
    Entry entry;
    std::uint64_t offset = 0; // bytes of all entries before this one
  };

  void note_frame(Kind kind, std::uint32_t appearance, std::int64_t time);

  std::deque<Placed> entries_;
  std::deque<Number> joins_;     // keyframes
  std::deque<Number> fallbacks_; // other start points
  JoinHeaderPtr newest_header_;
  std::shared_ptr<const Extension> extension_; // the last one
  Number extension_at_ = 0;
  std::array<Presence, 3> kinds_{}; // by Kind
  Number begin_ = 0;
  std::uint64_t bytes_ = 0; // of all entries, evicted or not
  std::int64_t newest_time_ = 0;
};

} // namespace fanout
