// SPDX-License-Identifier: LGPL-2.1-or-later
#include "index_base.h"

#include <algorithm>
#include <cmath>

namespace flv {

namespace {

constexpr std::size_t kTagStart = 48;

} // namespace

IndexBase::IndexBase(const KeyframeIndex &index, const FileFacts &facts, bool may_read)
    : index_(&index), facts_(&facts) {
  over_ = facts_->first_timestamp().value_or(0) == 0;
  if (!over_)
    compare_beginning();
  if (!over_ && !may_read)
    guess();
}

std::optional<ReadRequest> IndexBase::next_request() const {
  if (over_)
    return std::nullopt;
  return ReadRequest{index_->positions[next_], kTagStart};
}

void IndexBase::supply(Bytes bytes) {
  TagHeader header;
  if (bytes.size() >= kTagHeaderSize &&
      read_tag_header(bytes.data(), kMaxDataSize, facts_->stream_ids, header).kind ==
          Fault::Kind::None) {
    Bytes data = bytes.subspan(kTagHeaderSize);
    data = data.first(std::min<std::size_t>(data.size(), header.data_size));
    if (is_media(classify(header.type, data).role))
      return compare(next_, header.timestamp);
  }
  if (++next_ == std::min(index_->positions.size(), kMaxEntries))
    guess();
}

void IndexBase::compare_beginning() {
  for (std::size_t entry = 0; entry < index_->positions.size(); ++entry) {
    const std::uint64_t position = index_->positions[entry];
    if (position >= facts_->end)
      return;
    const auto tag = std::ranges::lower_bound(facts_->tags, position, {}, &SeenTag::position);
    if (tag != facts_->tags.end() && tag->position == position && tag->is_media)
      return compare(entry, tag->timestamp);
  }
}

// Producers round times, and can list presentation times. The nearer of the two bases counts.
void IndexBase::compare(std::size_t entry, std::uint32_t timestamp) {
  const std::uint32_t first = *facts_->first_timestamp();
  const double listed = index_->times[entry] * 1000;
  const auto since_first = static_cast<double>(static_cast<std::int32_t>(timestamp - first));
  const bool lists_timestamps = std::abs(listed - timestamp) < std::abs(listed - since_first);
  base_ = lists_timestamps ? (timestamp - since_first) / 1000 : 0;
  over_ = true;
}

// The first entry is usually the first keyframe, shortly after the first tag.
void IndexBase::guess() {
  const double first = *facts_->first_timestamp() / 1000.0;
  const double listed = index_->times.front();
  base_ = std::abs(listed - first) < listed ? first : 0;
  over_ = true;
}

void rebase(KeyframeIndex &index, double base) {
  if (base == 0)
    return;
  for (double &time : index.times)
    time = std::max(0.0, std::round((time - base) * 1e6) / 1e6);
}

} // namespace flv
