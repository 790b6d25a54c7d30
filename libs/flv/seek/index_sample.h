// SPDX-License-Identifier: LGPL-2.1-or-later
// Decides whether players can use the keyframe index of a file, from a sample of its entries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keyframe_search.h"
#include "known_file.h"

namespace flv {

// Stricter than a search for one start, because a player uses each entry unchecked. The first entry
// can be a configuration whose keyframe is far after it, and the last entry can be an end of
// sequence, as flvmeta and yamdi list them.
class IndexSample {
public:
  // The maximum number of entries that are read.
  static constexpr std::size_t kMaxEntries = 32;

  // `file` must outlive this object. Its index of onMetaData is usable, and has its time base.
  explicit IndexSample(const KnownFile &file);

  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);
  // next_request() and all later requests, unless an entry is wrong or is a configuration.
  [[nodiscard]] std::vector<ReadRequest> requests() const;

  // After the reads: the reason why the index cannot be used; empty: it can be used.
  [[nodiscard]] const std::string &fault() const { return fault_; }
  // Without a fault: the index may list only a part of the file's keyframes.
  [[nodiscard]] bool may_be_partial() const;
  // Whether the last entry is not a start point.
  [[nodiscard]] bool is_last_an_end() const { return is_last_an_end_; }

private:
  [[nodiscard]] const KeyframeIndex &index() const { return file_->listed().index; }
  [[nodiscard]] std::string entry_fault(std::size_t entry, const std::optional<SeekPoint> &place);
  void check_next();

  const KnownFile *file_;
  std::vector<std::size_t> entries_; // ascending; the last one is the last of the index
  std::size_t next_ = 0;
  std::optional<EntryCheck> check_;
  std::string fault_;
  bool is_last_an_end_ = false;
};

} // namespace flv
