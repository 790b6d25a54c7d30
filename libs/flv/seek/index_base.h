// SPDX-License-Identifier: LGPL-2.1-or-later
// Determines the time base of onMetaData's keyframe index.
#pragma once

#include "file_probe.h"

namespace flv {

// Some producers list tag timestamps. Others list the time since the file's first tag. If the
// timestamps of a file begin at an hour, the two differ by an hour. IndexBase compares an entry
// with the tag at its position. Configurations are ignored, because their timestamp is often 0.
class IndexBase {
public:
  // `index` and `facts` must outlive this object. `may_read`: entries after the probed bytes may be
  // read.
  IndexBase(const KeyframeIndex &index, const FileFacts &facts, bool may_read);

  // nullopt: the base is known.
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);

  // The time of the file's first tag in the index, in s: the timestamp of that tag, or 0.
  [[nodiscard]] double base() const { return base_; }

private:
  // The maximum number of entries that are read to find one with media.
  static constexpr std::size_t kMaxEntries = 8;

  void compare_beginning();
  void compare(std::size_t entry, std::uint32_t timestamp);
  void guess();

  const KeyframeIndex *index_;
  const FileFacts *facts_;
  std::size_t next_ = 0;
  bool over_ = false;
  double base_ = 0;
};

// Makes the times of the index count from `base` (s), the time of the file's first tag.
void rebase(KeyframeIndex &index, double base);

} // namespace flv
