// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the start in a file that is read from front to back, together with the configurations that
// come by on the way.
#pragma once

#include <deque>

#include "index_scan.h"
#include "keyframe_search.h"

namespace flv {

// Each tag is looked at by the scan first, which keeps the configurations, then by the search, if
// an entry points there.
class ForwardSearch {
public:
  // `index` outlives the search. What the scan passes belongs in front of the place; `before` is
  // what was in force where it begins.
  ForwardSearch(const KeyframeIndex &index, const StartRequest &request, bool has_video,
                std::uint64_t file_size, IndexScan scan, StreamHeader before,
                bool is_scanned = false, const StreamIds &ids = {})
      : has_video_(has_video), search_(index, request, has_video, file_size, is_scanned, ids),
        scan_(std::move(scan)), before_(std::move(before)) {
    before_.note_all(scan_.head());
  }

  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);
  // Whether the scan wants it, which can't go on without.
  [[nodiscard]] bool is_scanning() const;
  // Otherwise, that it is behind and can't be read any more: what the scan saw there counts.
  void give_nothing();
  // Nothing in front of this will be wanted, unless an entry proves wrong and the one before it
  // has to do.
  [[nodiscard]] std::uint64_t keep_from() const;

  [[nodiscard]] const StartSearch &search() const { return search_; }
  // Behind the end: the configurations in force at the place.
  [[nodiscard]] StreamHeader head() const;

private:
  struct Passed {
    std::uint64_t position = 0;
    std::vector<std::uint8_t> tag;
  };

  void pass(Bytes bytes);

  bool has_video_;
  StartSearch search_;
  IndexScan scan_;
  StreamHeader before_;
  std::deque<Passed> passed_; // configurations, for the place may turn out to be before some
  std::size_t passed_bytes_ = 0;
};

} // namespace flv
