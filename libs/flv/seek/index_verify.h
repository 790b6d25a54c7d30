// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks a keyframe index against the tags of the file.
#pragma once

#include "keyframe_search.h"

namespace flv {

// The index of a stream that starts at byte `position`, at `time` (s). It lists the start point,
// and the entries of `whole` after it and before the offset `stop` (0: no limit).
[[nodiscard]] KeyframeIndex index_of_part(const KeyframeIndex &whole, std::uint64_t position,
                                          double time, std::uint64_t stop);

// Reads the tags at the entries. Removes entries that are not keyframes. Moves entries at a
// configuration to its keyframe.
//
// A long index is divided into groups, and keeps one keyframe of each, because each entry costs a
// read. In an index of keyframes, that is the first entry of each group.
class IndexVerify {
public:
  // The maximum number of entries that are kept, evenly spread.
  static constexpr std::size_t kMaxEntries = 64;
  // The maximum number of entries that are read to find a keyframe of a group. flvmux lists
  // hundreds of audio tags per keyframe.
  static constexpr std::size_t kMaxTried = 64;

  IndexVerify(KeyframeIndex index, bool has_video, std::uint64_t file_size,
              const StreamIds &ids = {});

  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);
  // The first request for each group that is left.
  [[nodiscard]] std::vector<ReadRequest> requests() const;

  // After the check.
  [[nodiscard]] KeyframeIndex take() { return std::move(checked_); }

private:
  [[nodiscard]] std::size_t begin_of(std::size_t group) const;
  void enter_group(std::size_t group);
  void check(std::size_t entry);

  KeyframeIndex index_;
  bool has_video_;
  std::uint64_t file_size_;
  StreamIds ids_;
  std::size_t groups_;
  std::size_t group_ = 0;
  std::size_t entry_ = 0;
  std::optional<EntryCheck> check_;
  KeyframeIndex checked_;
};

} // namespace flv
