// SPDX-License-Identifier: LGPL-2.1-or-later
#include "forward_search.h"

#include <algorithm>

namespace flv {

bool ForwardSearch::is_scanning() const {
  const auto place = search_.next_request();
  return place && scan_.next_request() && scan_.position() <= place->offset;
}

std::optional<ReadRequest> ForwardSearch::next_request() const {
  return is_scanning() ? scan_.next_request() : search_.next_request();
}

void ForwardSearch::supply(Bytes bytes) {
  if (is_scanning())
    pass(bytes);
  else
    search_.supply(bytes);
}

// An entry at a configuration refers to the keyframe after it.
void ForwardSearch::give_nothing() {
  const std::uint64_t entry = search_.next_request()->offset;
  const bool leads_on =
      std::ranges::binary_search(scan_.configurations(), entry, {}, &IndexScan::Stretch::position);
  const auto &places = scan_.index().positions;
  const auto place = std::lower_bound(places.begin(), places.end(), entry);
  const bool found =
      (scan_.video_seen() || !has_video_) && place != places.end() && (leads_on || *place == entry);
  search_.give_passed(found ? std::optional(*place) : std::nullopt);
}

void ForwardSearch::pass(Bytes bytes) {
  const std::uint64_t position = scan_.position();
  scan_.supply(bytes);
  const auto &known = scan_.configurations();
  if (known.empty() || known.back().position != position)
    return;
  const Bytes tag = bytes.first(known.back().size);
  passed_.push_back({position, {tag.begin(), tag.end()}});
  passed_bytes_ += tag.size();
  for (; passed_bytes_ > StreamHeader::kMaxConfigurations; passed_.pop_front()) {
    before_.note_tag(passed_.front().tag);
    passed_bytes_ -= passed_.front().tag.size();
  }
}

std::uint64_t ForwardSearch::keep_from() const {
  const auto place = search_.next_request();
  return place ? std::min(place->offset, scan_.keep_from()) : scan_.keep_from();
}

StreamHeader ForwardSearch::head() const {
  StreamHeader head = before_;
  for (const Passed &passed : passed_) {
    if (!search_.place() || passed.position < search_.place()->position)
      head.note_tag(passed.tag);
  }
  return head;
}

} // namespace flv
