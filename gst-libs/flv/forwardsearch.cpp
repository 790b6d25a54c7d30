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
    pass(bytes);
  else
    search_.give(bytes);
}

void ForwardSearch::pass(Bytes bytes) {
  const std::uint64_t position = scan_.position();
  scan_.give(bytes);
  const auto &known = scan_.configurations();
  if (known.empty() || known.back().position != position)
    return;
  const Bytes tag = bytes.first(known.back().size);
  passed_.push_back({position, {tag.begin(), tag.end()}});
  passed_bytes_ += tag.size();
  for (; passed_bytes_ > Head::kMaxConfigurations; passed_.pop_front()) {
    before_.note_tag(passed_.front().tag);
    passed_bytes_ -= passed_.front().tag.size();
  }
}

std::uint64_t ForwardSearch::keep_from() const {
  const auto place = search_.wanted();
  return place ? std::min(place->offset, scan_.keep_from()) : scan_.keep_from();
}

Head ForwardSearch::head() const {
  Head head = before_;
  for (const Passed &passed : passed_) {
    if (!search_.place() || passed.position < search_.place()->position)
      head.note_tag(passed.tag);
  }
  return head;
}

} // namespace flv
