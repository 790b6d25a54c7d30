// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the start point in a file that is read in order, and the decoder configurations before it.
#pragma once

#include <deque>

#include "index_scan.h"
#include "keyframe_search.h"

namespace flv {

// The scan reads each tag first and keeps the configurations. The search then reads the tag if an
// entry of the index points to it.
class ForwardSearch {
public:
  // `index` must outlive the search. The scan collects the configurations before the place.
  // `before` has those in force where the scan begins.
  ForwardSearch(const KeyframeIndex &index, const StartRequest &request, bool has_video,
                std::uint64_t file_size, IndexScan scan, StreamHeader before,
                bool is_scanned = false, const StreamIds &ids = {})
      : has_video_(has_video), search_(index, request, has_video, file_size, is_scanned, ids),
        scan_(std::move(scan)), before_(std::move(before)) {
    before_.note_all(scan_.head());
  }

  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);
  // Whether the request is from the scan, which cannot continue without its bytes.
  [[nodiscard]] bool is_scanning() const;
  // For a request of the search: its bytes have passed and cannot be read again. The search uses
  // what the scan found there.
  void give_nothing();
  // Bytes before this are not needed, unless an entry is wrong and the entry before it must be
  // used.
  [[nodiscard]] std::uint64_t keep_from() const;

  [[nodiscard]] const StartSearch &search() const { return search_; }
  // After the search: the configurations in force at the place.
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
  std::deque<Passed> passed_; // configurations; the place can be before some of them
  std::size_t passed_bytes_ = 0;
};

} // namespace flv
