// SPDX-License-Identifier: LGPL-2.1-or-later
#include "index_sample.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace flv {

namespace {

// If more of the file is before the first entry or after the last one, the index may list only a
// part of the keyframes: this many of its longest distances between two entries, and some bytes for
// an index with few entries.
constexpr std::uint64_t kMaxGaps = 4;
constexpr std::uint64_t kMaxUnlisted = 1 << 20;

} // namespace

IndexSample::IndexSample(const KnownFile &file) : file_(&file) {
  const std::size_t count = index().positions.size();
  const std::size_t samples = std::min(count, kMaxEntries);
  for (std::size_t i = 0; i + 1 < samples; ++i)
    entries_.push_back(i * (count - 1) / (samples - 1));
  entries_.push_back(count - 1);
  check_next();
}

bool IndexSample::may_be_partial() const {
  const auto &positions = index().positions;
  std::uint64_t gap = 0;
  for (std::size_t i = 1; i < positions.size(); ++i)
    gap = std::max(gap, positions[i] - positions[i - 1]);
  const std::uint64_t most = kMaxGaps * gap + kMaxUnlisted;
  const std::uint64_t first = file_->facts().first_tag();
  return (positions.front() > first && positions.front() - first > most) ||
         file_->size() - positions.back() > most;
}

std::optional<ReadRequest> IndexSample::next_request() const {
  return check_ ? check_->next_request() : std::nullopt;
}

std::vector<ReadRequest> IndexSample::requests() const {
  std::vector<ReadRequest> requests;
  if (!check_)
    return requests;
  for (std::size_t i = next_ - 1; i < entries_.size(); ++i)
    requests.push_back(EntryCheck::first_request(index().positions[entries_[i]]));
  return requests;
}

void IndexSample::supply(Bytes bytes) {
  check_->supply(bytes);
  if (check_->next_request())
    return;
  fault_ = entry_fault(entries_[next_ - 1], check_->place());
  check_next();
}

std::string IndexSample::entry_fault(std::size_t entry, const std::optional<SeekPoint> &place) {
  const std::string text = "entry " + std::to_string(entry) + " of the keyframe index, byte " +
                           std::to_string(index().positions[entry]);
  if (!place) {
    const bool is_only = index().positions.size() == 1;
    is_last_an_end_ = !is_only && entry + 1 == index().positions.size();
    const bool may_be = !is_only && (entry == 0 || is_last_an_end_);
    return may_be ? std::string() : text + ", is not a key frame";
  }
  const std::uint64_t listed = file_->time_in_index(index().positions[entry]);
  const std::int64_t in_tag = file_->time_in_tag(place->timestamp, listed);
  if (std::abs(in_tag - static_cast<std::int64_t>(listed)) <= KnownFile::kWrongTime)
    return {};
  return text + ", has the time " + std::to_string(listed) + " ms, and the tag there has " +
         std::to_string(in_tag) + " ms";
}

void IndexSample::check_next() {
  check_.reset();
  if (fault_.empty() && next_ < entries_.size())
    check_.emplace(index().positions[entries_[next_++]], file_->has_video(), file_->size(),
                   file_->facts().stream_ids);
}

} // namespace flv
