// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds out from where the times of onMetaData's keyframe index count.
#pragma once

#include "file_probe.h"

namespace flv {

// Some producers list the tags' timestamps, others the time since the file's first tag. In a file
// whose timestamps begin at an hour these differ by an hour. Compares an entry with the tag at its
// position. Configurations don't count: their timestamp is often 0.
class IndexBase {
public:
  // `index` and `facts` outlive it. `may_read`: entries behind the opening may be read.
  IndexBase(const KeyframeIndex &index, const FileFacts &facts, bool may_read);

  // Nothing: the base is known.
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);

  // The time (s) that the index gives the file's first tag: that tag's timestamp, or 0.
  [[nodiscard]] double base() const { return base_; }

private:
  // Entries that are read until one is media.
  static constexpr std::size_t kMaxEntries = 8;

  void look_at_opening();
  void compare(std::size_t entry, std::uint32_t timestamp);
  void guess();

  const KeyframeIndex &index_;
  const FileFacts &facts_;
  std::size_t next_ = 0;
  bool over_ = false;
  double base_ = 0;
};

// The index with times that count from the file's first tag.
void rebase(KeyframeIndex &index, double base);

} // namespace flv
