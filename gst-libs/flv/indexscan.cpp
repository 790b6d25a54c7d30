// SPDX-License-Identifier: LGPL-2.1-or-later
#include "indexscan.h"

#include <algorithm>

namespace flv {

namespace {

constexpr std::size_t kTagStart = 48;
// Small, for behind it the same bytes are looked at again as tags.
constexpr std::size_t kSearchBlock = 1 << 10;

} // namespace

IndexScan::IndexScan(Splitter::Start start, std::uint64_t position, std::uint64_t file_size)
    : position_(position), file_size_(file_size), last_tag_(position) {
  if (start == Splitter::Start::Middle)
    search_.emplace().reset(start, position);
}

std::optional<Wanted> IndexScan::wanted() const {
  if (over_)
    return std::nullopt;
  if (search_)
    return Wanted{search_->position(), kSearchBlock, true};
  return Wanted{position_, std::max(whole_tag_, kTagStart), true};
}

void IndexScan::give(Bytes bytes) {
  if (search_)
    return resynchronize(bytes);
  TagHeader header;
  if (bytes.size() < kTagHeaderSize) {
    over_ = true;
    return;
  }
  if (read_tag_header(bytes.data(), kMaxDataSize, header).kind != Fault::Kind::None) {
    search_.emplace().reset(Splitter::Start::Middle, position_);
    return;
  }
  const std::uint64_t end = position_ + header.tag_size();
  if (file_size_ > 0 && end > file_size_) {
    over_ = true;
    return;
  }
  Bytes data = bytes.subspan(kTagHeaderSize);
  data = data.first(std::min<std::size_t>(data.size(), header.data_size));
  const bool configuration = classify(header.type, data).role == Role::Configuration;
  if (configuration && data.size() < header.data_size && whole_tag_ == 0) {
    whole_tag_ = header.tag_size() + kPreviousTagSizeSize;
    return;
  }
  whole_tag_ = 0;
  last_tag_ = position_;
  ++tags_;
  if (!configuration)
    take_tag(header, data);
  else if (data.size() == header.data_size)
    take_configuration(header, bytes);
  position_ = end + kPreviousTagSizeSize;
}

void IndexScan::take_configuration(const TagHeader &header, Bytes tag) {
  tag = tag.first(std::min(tag.size(), header.tag_size() + kPreviousTagSizeSize));
  head_.note(header, classify(header.type, tag.subspan(kTagHeaderSize, header.data_size)), tag);
  if (configurations_.size() == kMaxConfigurations)
    configurations_.erase(configurations_.begin());
  configurations_.push_back({position_, tag.size()});
}

void IndexScan::take_tag(const TagHeader &header, Bytes data) {
  switch (classify(header.type, data).role) {
  case Role::KeyFrame:
    add(video_, video_spacing_, position_, header.timestamp);
    [[fallthrough]];
  case Role::Media:
    break;
  case Role::Configuration:
  case Role::EndOfSequence:
  case Role::Command:
  case Role::Empty:
  case Role::Script:
    return;
  }
  if (header.type == TagType::Video) {
    video_seen_ = true;
    audio_ = {};
    return;
  }
  audio_seen_ = true;
  if (!video_seen_)
    add(audio_, audio_spacing_, position_, header.timestamp);
}

// Times that step back would be no index: they stay where they were.
void IndexScan::add(KeyframeIndex &index, double &spacing, std::uint64_t position,
                    std::uint32_t timestamp) {
  constexpr double kThinned = 1.0;
  double time = timestamp / 1000.0;
  if (!index.times.empty()) {
    time = std::max(time, index.times.back());
    if (time - index.times.back() < spacing)
      return;
  }
  index.positions.push_back(position);
  index.times.push_back(time);
  if (index.positions.size() < kMaxEntries || spacing > 0)
    return;
  spacing = kThinned;
  std::size_t kept = 1;
  for (std::size_t i = 1; i < index.positions.size(); ++i) {
    if (index.times[i] - index.times[kept - 1] < spacing)
      continue;
    index.positions[kept] = index.positions[i];
    index.times[kept++] = index.times[i];
  }
  index.positions.resize(kept);
  index.times.resize(kept);
}

std::uint64_t IndexScan::keep_from() const {
  return search_ ? std::min(last_tag_, search_->keep_from()) : last_tag_;
}

// Up to the next tag that holds together.
void IndexScan::resynchronize(Bytes bytes) {
  std::vector<Item> items;
  (void)search_->feed(bytes, items); // in the middle of a file it cannot fail
  over_ = bytes.size() < kSearchBlock;
  if (over_)
    (void)search_->finish(items);
  for (const Item &item : items) {
    if (item.kind != Item::Kind::Tag && item.kind != Item::Kind::FileHeader)
      continue;
    position_ = item.kind == Item::Kind::Tag ? item.begin : item.end;
    last_tag_ = position_;
    over_ = false;
    search_.reset();
    return;
  }
  last_tag_ = search_->keep_from();
}

} // namespace flv
