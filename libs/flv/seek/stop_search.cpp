// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stop_search.h"

namespace flv {

std::optional<ReadRequest> StopSearch::next_request() const {
  return scan_.position() < stop_ && scan_.tags() < kMaxTags ? scan_.next_request() : std::nullopt;
}

std::optional<std::uint64_t> StopSearch::end() const {
  if (!scan_.next_request() && file_size_ > 0)
    return file_size_;
  return scan_.position() >= stop_ ? std::optional(scan_.position()) : std::nullopt;
}

} // namespace flv
