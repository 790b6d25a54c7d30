// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps of a keyframe index what is true.
#pragma once

#include "keyframe_search.h"

namespace flv {

// Of a stream that starts at the byte `position`, at `time` (s): that, and the entries of the
// file's index behind it, up to the offset `stop`; 0: all of them.
[[nodiscard]] KeyframeIndex index_of_part(const KeyframeIndex &whole, std::uint64_t position,
                                          double time, std::uint64_t stop);

// Reads the tag at each entry. Those that are no key frame are left out, and those that point at a
// configuration are moved to its key frame.
class IndexVerify {
public:
  // Of a longer index only so many entries stay, spread evenly.
  static constexpr std::size_t kMaxEntries = 8192;

  IndexVerify(KeyframeIndex index, bool has_video, std::uint64_t file_size,
              const StreamIds &ids = {});

  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);

  // Behind the end.
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
