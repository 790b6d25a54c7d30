// SPDX-License-Identifier: LGPL-2.1-or-later
#include "index_verify.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace flv {

KeyframeIndex index_of_part(const KeyframeIndex &whole, std::uint64_t position, double time,
                            std::uint64_t stop) {
  KeyframeIndex index;
  const auto begin = std::upper_bound(whole.positions.begin(), whole.positions.end(), position);
  const auto end =
      stop > 0 ? std::lower_bound(begin, whole.positions.end(), stop) : whole.positions.end();
  const auto first = begin - whole.positions.begin();
  const auto last = end - whole.positions.begin();
  index.positions.push_back(position);
  index.positions.insert(index.positions.end(), begin, end);
  // If an entry points to the start point, the start point gets the time of that entry.
  const bool known = first > 0 && whole.positions[static_cast<std::size_t>(first) - 1] == position;
  index.times.push_back(known ? whole.times[static_cast<std::size_t>(first) - 1] : time);
  std::copy(whole.times.begin() + first, whole.times.begin() + last,
            std::back_inserter(index.times));
  // The listed times can differ from those of the tags.
  if (index.times.size() > 1)
    index.times[0] = std::min(index.times[0], index.times[1]);
  return index;
}

IndexVerify::IndexVerify(KeyframeIndex index, bool has_video, std::uint64_t file_size,
                         const StreamIds &ids)
    : index_(std::move(index)), has_video_(has_video), file_size_(file_size), ids_(ids),
      groups_(std::min(index_.positions.size(), kMaxEntries)) {
  enter_group(0);
}

std::optional<ReadRequest> IndexVerify::next_request() const {
  return check_ ? check_->next_request() : std::nullopt;
}

std::vector<ReadRequest> IndexVerify::requests() const {
  std::vector<ReadRequest> requests;
  for (std::size_t group = group_; group < groups_; ++group)
    requests.push_back(EntryCheck::first_request(index_.positions[begin_of(group)]));
  return requests;
}

void IndexVerify::supply(Bytes bytes) {
  check_->supply(bytes);
  if (check_->next_request())
    return;
  const auto place = check_->place();
  if (place && (checked_.positions.empty() || place->position > checked_.positions.back())) {
    checked_.positions.push_back(place->position);
    checked_.times.push_back(index_.times[entry_]);
  }
  const std::size_t begin = begin_of(group_);
  const std::size_t end = std::min(begin_of(group_ + 1), begin + kMaxTried);
  if (place || entry_ + 1 == end)
    return enter_group(group_ + 1);
  check(entry_ + 1);
}

std::size_t IndexVerify::begin_of(std::size_t group) const {
  return group * index_.positions.size() / groups_;
}

void IndexVerify::enter_group(std::size_t group) {
  check_.reset();
  group_ = group;
  if (group_ < groups_)
    check(begin_of(group_));
}

void IndexVerify::check(std::size_t entry) {
  entry_ = entry;
  check_.emplace(index_.positions[entry_], has_video_, file_size_, ids_);
}

} // namespace flv
