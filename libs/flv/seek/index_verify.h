// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks a keyframe index against the tags of the file.
#pragma once

#include "keyframe_search.h"

namespace flv {

// The index of a stream that starts at byte `position`, at `time` (s). It lists the start point,
// and the entries of `whole` after it and before the offset `stop` (0: no limit).
[[nodiscard]] KeyframeIndex index_of_part(const KeyframeIndex &whole, std::uint64_t position,
                                          double time, std::uint64_t stop);

// Reads the tag at each entry. Removes entries that are not keyframes. Moves entries at a
// configuration to its keyframe.
class IndexVerify {
public:
  // A longer index is reduced to this many entries, evenly spread.
  static constexpr std::size_t kMaxEntries = 8192;

  IndexVerify(KeyframeIndex index, bool has_video, std::uint64_t file_size,
              const StreamIds &ids = {});

  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);

  // After the check.
  [[nodiscard]] KeyframeIndex take() { return std::move(checked_); }

private:
  void look_at_next();

  KeyframeIndex index_;
  bool has_video_;
  std::uint64_t file_size_;
  StreamIds ids_;
  std::size_t next_ = 0;
  std::optional<EntryCheck> check_;
  KeyframeIndex checked_;
};

} // namespace flv
