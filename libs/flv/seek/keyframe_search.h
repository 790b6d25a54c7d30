// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the start point for a byte offset or a time. The keyframe index gives candidates. A
// candidate counts only after the tag at its position was read.
#pragma once

#include <optional>
#include <string>

#include "flv/format/codec.h"
#include "flv/format/metadata.h"
#include "flv/stream/stream_ids.h"
#include "read_request.h"

namespace flv {

enum class Snap : std::uint8_t {
  Next,     // the first keyframe at or after the requested value
  Previous, // the last keyframe at or before it
  Exact,    // only a keyframe at the value itself
  Nearest,
};

struct StartRequest {
  enum class Measure : std::uint8_t { Offset, Time };
  Measure measure = Measure::Offset;
  std::uint64_t value = 0; // bytes from the start of the file, or ms from its first tag
  Snap snap = Snap::Next;
};

// A tag at which a decoder can start.
struct SeekPoint {
  std::uint64_t position = 0;
  std::uint32_t timestamp = 0; // ms, as in the tag

  friend bool operator==(const SeekPoint &, const SeekPoint &) = default;
};

// The reason why there is no start point, and the index entries around the requested value.
struct StartFault {
  enum class Kind : std::uint8_t {
    None,
    PastTheLast,
    BeforeTheFirst,
    NotAKeyFrame, // only with Snap::Exact
    Passed,       // the keyframe has passed and cannot be read again
    Mismatch,     // no entry that was read is a keyframe: the index belongs to another file
  };
  Kind kind = Kind::None;
  StartRequest request;
  std::optional<std::uint64_t> before; // in the request's measure
  std::optional<std::uint64_t> after;
  std::uint64_t entries = 0;  // Mismatch: the number of entries that were read
  std::uint64_t position = 0; // Mismatch: of the first of these entries; Passed: of the keyframe
};

// One line for an error message, with the numbers.
[[nodiscard]] std::string describe(const StartFault &fault);

// The position of the first entry with a time of at least `time` (ms); 0: there is no such entry.
[[nodiscard]] std::uint64_t offset_of(std::uint64_t time, const KeyframeIndex &index);

// Checks the tag at the position of an index entry.
class EntryCheck {
public:
  // `has_video`: only video keyframes are start points; otherwise, audio tags are too. `file_size`
  // is in bytes; 0: unknown.
  EntryCheck(std::uint64_t position, bool has_video, std::uint64_t file_size,
             const StreamIds &ids = {})
      : has_video_(has_video), file_size_(file_size), ids_(ids), position_(position) {}

  // The first request of a check.
  [[nodiscard]] static ReadRequest first_request(std::uint64_t position);
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);

  // After the check: the start point, or nullopt. For a configuration, it is the keyframe after it.
  [[nodiscard]] std::optional<SeekPoint> place() const { return place_; }

private:
  // The maximum number of tags from a configuration to its keyframe. These are a few other
  // configurations and some audio.
  static constexpr unsigned kMaxSteps = 64;

  bool has_video_;
  std::uint64_t file_size_;
  StreamIds ids_;
  std::uint64_t position_;
  unsigned steps_ = 0;
  bool over_ = false;
  std::optional<SeekPoint> place_;
};

// Checks the entries in the order that the request prefers.
class StartSearch {
public:
  // `index` must outlive the search and be valid, as described at KeyframeIndex. `is_scanned`: none
  // of its entries is a configuration.
  StartSearch(const KeyframeIndex &index, const StartRequest &request, bool has_video,
              std::uint64_t file_size, bool is_scanned = false, const StreamIds &ids = {});

  // Whether no entry can meet the request, whatever the tags at their positions are.
  [[nodiscard]] bool is_hopeless() const { return would_do_ == 0; }
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);
  // Replaces supply() if the file is read in order and the bytes of the entry have passed.
  // `key_frame` is the position of the keyframe for the entry; nullopt: it has none.
  void give_passed(std::optional<std::uint64_t> key_frame);

  // If there is no next request, either a place or a fault is set.
  [[nodiscard]] std::optional<SeekPoint> place() const { return place_; }
  [[nodiscard]] const StartFault &fault() const { return fault_; }
  // The positions of the entries that turned out not to be keyframes.
  [[nodiscard]] const std::vector<std::uint64_t> &rejected() const { return rejected_; }

private:
  // The maximum number of entries that are tried. kMaxTried: entries that can meet the request;
  // flvmux lists hundreds of audio tags per keyframe. kMaxOthers: entries that show whether the
  // request cannot be met or the index belongs to another file.
  static constexpr std::size_t kMaxTried = 8192;
  static constexpr std::size_t kMaxOthers = 32;

  [[nodiscard]] std::uint64_t value_of(std::size_t entry) const;
  [[nodiscard]] bool fits(const SeekPoint &place, std::size_t entry) const;
  void choose();
  void take(std::optional<SeekPoint> found, bool has_passed);
  void look_at_next();
  void give_up_unseen();
  void blame_the_request();
  void give_up(std::optional<SeekPoint> other);

  const KeyframeIndex *index_;
  StartRequest request_;
  bool has_video_;
  std::uint64_t file_size_;
  bool is_scanned_;
  StreamIds ids_;
  std::vector<std::size_t> order_; // entries to check: those that can meet the request, then others
  std::size_t would_do_ = 0;       // the number of entries that can meet the request
  std::size_t next_ = 0;
  std::size_t entry_ = 0;
  std::optional<EntryCheck> check_;
  std::optional<SeekPoint> place_;
  StartFault fault_;
  std::vector<std::uint64_t> rejected_;
};

} // namespace flv
