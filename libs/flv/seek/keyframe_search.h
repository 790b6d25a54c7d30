// SPDX-License-Identifier: LGPL-2.1-or-later
// Where to start: a byte offset or a time, held against a keyframe index, whose entries are
// believed only once the tags at their places have been read.
#pragma once

#include <optional>
#include <string>

#include "flv/format/codec.h"
#include "flv/format/metadata.h"
#include "flv/stream/stream_ids.h"
#include "read_request.h"

namespace flv {

enum class Snap : std::uint8_t {
  Next,     // the first key frame at or after what is asked for
  Previous, // the last one at or before it
  Exact,    // only that itself
  Nearest,
};

struct StartRequest {
  enum class Measure : std::uint8_t { Offset, Time };
  Measure measure = Measure::Offset;
  std::uint64_t value = 0; // bytes from the start of the file, or ms from its first tag
  Snap snap = Snap::Next;
};

// A tag that a decoder can start on.
struct SeekPoint {
  std::uint64_t position = 0;
  std::uint32_t timestamp = 0; // ms, as in the tag

  friend bool operator==(const SeekPoint &, const SeekPoint &) = default;
};

// Why there is no place, with the index's entries around what was asked for.
struct StartFault {
  enum class Kind : std::uint8_t {
    None,
    PastTheLast,
    BeforeTheFirst,
    NotAKeyFrame, // and only that would do
    Behind,       // it was there, and can't be read any more
    Mismatch,     // no entry that was looked at is a key frame: the index is of another file
  };
  Kind kind = Kind::None;
  StartRequest request;
  std::optional<std::uint64_t> before; // in the request's measure
  std::optional<std::uint64_t> after;
  std::uint64_t entries = 0;  // Mismatch: how many were looked at
  std::uint64_t position = 0; // Mismatch: of the first of them; Behind: the key frame's
};

// One line for people, with the numbers.
[[nodiscard]] std::string describe(const StartFault &fault);

// Where the first entry is whose time is not before this one (ms). 0: there is none.
[[nodiscard]] std::uint64_t offset_of(std::uint64_t time, const KeyframeIndex &index);

// Looks at the tag where an index entry points.
class EntryCheck {
public:
  // `has_video`: only video key frames will do; without, any audio tag will do as well. `file_size`
  // in bytes, 0 where it is unknown.
  EntryCheck(std::uint64_t position, bool has_video, std::uint64_t file_size,
             const StreamIds &ids = {})
      : has_video_(has_video), file_size_(file_size), ids_(ids), position_(position) {}

  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);

  // Behind the end: the place, if there is one. Where a configuration stands, it is the key frame
  // after that.
  [[nodiscard]] std::optional<SeekPoint> place() const { return place_; }

private:
  // Between a configuration and its key frame there are a few other configurations and some audio.
  static constexpr unsigned kMaxSteps = 64;

  bool has_video_;
  std::uint64_t file_size_;
  StreamIds ids_;
  std::uint64_t position_;
  unsigned steps_ = 0;
  bool over_ = false;
  std::optional<SeekPoint> place_;
};

// Goes through the entries in the order in which the request wants them.
class StartSearch {
public:
  // `index` outlives the search, and holds what KeyframeIndex says. `is_scanned`: there is no
  // configuration among its entries.
  StartSearch(const KeyframeIndex &index, const StartRequest &request, bool has_video,
              std::uint64_t file_size, bool is_scanned = false, const StreamIds &ids = {});

  // Whether no entry would do, whatever stands at their places.
  [[nodiscard]] bool is_hopeless() const { return would_do_ == 0; }
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);
  // Instead, where a file is read forward only: the entry is behind, and the key frame that it
  // means stood at `key_frame`; nothing: it means none.
  void give_passed(std::optional<std::uint64_t> key_frame);

  // Once it wants nothing more, it has either a place or a fault.
  [[nodiscard]] std::optional<SeekPoint> place() const { return place_; }
  [[nodiscard]] const StartFault &fault() const { return fault_; }
  // The entries that turned out to be no key frame on the way.
  [[nodiscard]] const std::vector<std::uint64_t> &rejected() const { return rejected_; }

private:
  // How many entries are tried: of those that would do, for flvmux lists hundreds of audio tags for
  // a key frame; and of others, to tell a request that can't be met from the index of another file.
  static constexpr std::size_t kMaxTried = 8192;
  static constexpr std::size_t kMaxOthers = 32;

  [[nodiscard]] std::uint64_t value_of(std::size_t entry) const;
  [[nodiscard]] bool fits(const SeekPoint &place, std::size_t entry) const;
  void choose();
  void look_at(std::size_t entry);
  void take(std::optional<SeekPoint> found, bool has_passed);
  void look_at_next();
  void give_up_unseen();
  void blame_the_request();
  void give_up(std::optional<SeekPoint> other);

  const KeyframeIndex &index_;
  StartRequest request_;
  bool has_video_;
  std::uint64_t file_size_;
  bool is_scanned_;
  StreamIds ids_;
  std::vector<std::size_t> order_; // entries to look at: those that would do, then others
  std::size_t would_do_ = 0;       // how many of them are of the first kind
  std::size_t next_ = 0;
  std::size_t entry_ = 0;
  std::optional<EntryCheck> check_;
  std::optional<SeekPoint> place_;
  StartFault fault_;
  std::vector<std::uint64_t> rejected_;
};

} // namespace flv
