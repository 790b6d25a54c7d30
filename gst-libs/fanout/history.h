// SPDX-License-Identifier: LGPL-2.1-or-later
// The last stretch of a stream, which all its viewers share.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "flv/bytes.h"

namespace fanout {

using flv::Bytes;

// What a viewer needs in front of the place at which it joins. The same pointer is the same bytes.
struct Head {
  std::vector<std::uint8_t> opening; // container header, and metadata
  // FLV: whole tags, whose timestamp is the viewer's own.
  std::vector<std::vector<std::uint8_t>> configurations;

  bool operator==(const Head &) const = default;
};
using HeadPtr = std::shared_ptr<const Head>;

// A piece that is sent as a whole or not at all: a tag of FLV, a buffer of all else.
struct Entry {
  std::shared_ptr<const void> owner; // of the bytes
  Bytes bytes;
  std::int64_t time = 0;  // ms of media, which never goes back by more than interleaving does
  bool is_tag = false;    // begins with an FLV tag header
  bool is_media = true;   // of no use to those who join behind its time
  HeadPtr head;           // of a place at which one can join: a key frame
  std::int64_t ahead = 0; // ms that it is decoded before it is shown
};

// Entries by number, counted from the stream's first. Only the last ones are there.
class History {
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

private:
  struct Placed {
    Entry entry;
    std::uint64_t offset = 0; // bytes of all entries in front
  };

  std::deque<Placed> entries_;
  std::deque<Number> joins_;
  Number begin_ = 0;
  std::uint64_t bytes_ = 0; // of all entries there ever were
  std::int64_t newest_time_ = 0;
};

} // namespace fanout
