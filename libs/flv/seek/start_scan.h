// SPDX-License-Identifier: LGPL-2.1-or-later
// Scans the tag headers of a file as far as a start needs them.
#pragma once

#include <deque>
#include <utility>

#include "index_scan.h"
#include "start_settings.h"

namespace flv {

// If the file cannot be read again, or only at a high cost, the scan ends before the end of the
// file.
class StartScan {
public:
  // By the position of a keyframe: the configurations in force there.
  using Heads = std::deque<std::pair<std::uint64_t, StreamHeader>>;

  // `scan` is at the first tag of the file. `has_video`: only video keyframes are start points.
  StartScan(IndexScan scan, Access access, const StartSettings &settings, bool has_video)
      : scan_(std::move(scan)), access_(access), request_(settings.request),
        stop_time_(settings.stop_time), has_video_(has_video) {}

  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);
  // Bytes before this are not needed again.
  [[nodiscard]] std::uint64_t keep_from() const;

  // After the scan.
  [[nodiscard]] IndexScan take_scan() { return std::move(scan_); }
  // Access::Forward: of the last two keyframes. One of them may be the place, and bytes that have
  // passed cannot be read again.
  [[nodiscard]] Heads take_heads() { return std::move(heads_); }

private:
  void keep_head();
  [[nodiscard]] bool is_enough() const;
  [[nodiscard]] bool is_backward() const;

  IndexScan scan_;
  Access access_;
  std::optional<StartRequest> request_;
  std::optional<std::uint64_t> stop_time_;
  bool has_video_;
  Heads heads_;
};

} // namespace flv
