// SPDX-License-Identifier: LGPL-2.1-or-later
#include "indexcheck.h"

#include <utility>

namespace flv {

namespace {

KeyframeIndex thinned(KeyframeIndex index, std::size_t count) {
  const std::size_t size = index.positions.size();
  if (size <= count)
    return index;
  for (std::size_t i = 0; i < count; ++i) {
    index.positions[i] = index.positions[i * size / count];
    index.times[i] = index.times[i * size / count];
  }
  index.positions.resize(count);
  index.times.resize(count);
  return index;
}

} // namespace

IndexCheck::IndexCheck(KeyframeIndex index, bool has_video, std::uint64_t file_size)
    : index_(thinned(std::move(index), kMaxEntries)), has_video_(has_video), file_size_(file_size) {
  look_at_next();
}

std::optional<Wanted> IndexCheck::wanted() const {
  return check_ ? check_->wanted() : std::nullopt;
}

void IndexCheck::give(Bytes bytes) {
  check_->give(bytes);
  if (check_->wanted())
    return;
  const auto place = check_->place();
  if (place && (checked_.positions.empty() || place->position > checked_.positions.back())) {
    checked_.positions.push_back(place->position);
    checked_.times.push_back(index_.times[next_ - 1]);
  }
  look_at_next();
}

void IndexCheck::look_at_next() {
  check_.reset();
  if (next_ < index_.positions.size())
    check_.emplace(index_.positions[next_++], has_video_, file_size_);
}

} // namespace flv
