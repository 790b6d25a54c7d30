// SPDX-License-Identifier: LGPL-2.1-or-later
#include "forwardsearch.h"

#include <algorithm>

namespace flv {

bool ForwardSearch::scan_is_behind() const {
  const auto place = search_.wanted();
  return place && scan_.wanted() && scan_.position() <= place->offset;
}

std::optional<Wanted> ForwardSearch::wanted() const {
  return scan_is_behind() ? scan_.wanted() : search_.wanted();
}

void ForwardSearch::give(Bytes bytes) {
  if (scan_is_behind())
    scan_.give(bytes);
  else
    search_.give(bytes);
}

std::uint64_t ForwardSearch::keep_from() const {
  const auto place = search_.wanted();
  return place ? std::min(place->offset, scan_.position()) : scan_.last_tag();
}

Head ForwardSearch::head() const {
  Head head = before_;
  head.note_all(scan_.head());
  return head;
}

} // namespace flv
