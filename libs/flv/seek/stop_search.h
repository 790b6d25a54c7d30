// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the tag before which a stream stops.
#pragma once

#include "index_scan.h"

namespace flv {

class StopSearch {
public:
  // `from`: the position of a tag before the offset `stop`. `file_size` is in bytes; 0: unknown.
  StopSearch(std::uint64_t from, std::uint64_t stop, std::uint64_t file_size, const StreamIds &ids)
      : scan_(Splitter::Start::File, from, file_size, ids), stop_(stop), file_size_(file_size) {}

  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes) { scan_.supply(bytes); }

  // After the search: the position of the first tag at or after the stop, or the end of the file;
  // nullopt: neither was found.
  [[nodiscard]] std::optional<std::uint64_t> end() const;

private:
  // The maximum number of tags that are read.
  static constexpr std::uint64_t kMaxTags = 20'000;

  IndexScan scan_;
  std::uint64_t stop_;
  std::uint64_t file_size_;
};

} // namespace flv
