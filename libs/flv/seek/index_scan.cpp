// SPDX-License-Identifier: LGPL-2.1-or-later
#include "index_scan.h"

#include <algorithm>

namespace flv {

namespace {

constexpr std::size_t kTagStart = 48;
// Small, because the bytes after the found tag are read again as tags.
constexpr std::size_t kSearchBlock = 1 << 10;

} // namespace

IndexScan::IndexScan(Splitter::Start start, std::uint64_t position, std::uint64_t file_size,
                     const StreamIds &ids)
    : position_(position), file_size_(file_size), last_tag_(position), ids_(ids) {
  if (start != Splitter::Start::Middle)
    return;
  Resynchronizing state;
  state.search.reset(start, position);
  state_ = std::move(state);
}

std::optional<ReadRequest> IndexScan::next_request() const {
  if (std::holds_alternative<Over>(state_))
    return std::nullopt;
  if (const auto *resync = std::get_if<Resynchronizing>(&state_))
    return ReadRequest{resync->search.position(), kSearchBlock, true};
  const auto *whole = std::get_if<WholeTag>(&state_);
  return ReadRequest{position_, whole ? std::max(whole->size, kTagStart) : kTagStart, true};
}

void IndexScan::supply(Bytes bytes) {
  if (auto *resync = std::get_if<Resynchronizing>(&state_))
    return resynchronize(*resync, bytes);
  TagHeader header;
  if (bytes.size() < kTagHeaderSize)
    return set_state(Over{position_, last_tag_});
  if (FileHeader file; read_file_header(bytes.data(), file).kind == Fault::Kind::None)
    return cross_splice(position_ + file.size + kPreviousTagSizeSize);
  if (read_tag_header(bytes.data(), kMaxDataSize, ids_, header).kind != Fault::Kind::None)
    return begin_search();
  const std::uint64_t end = position_ + header.tag_size();
  // The file is truncated inside the tag, or the size is damaged.
  if (file_size_ > 0 && end > file_size_)
    return begin_search();
  Bytes data = bytes.subspan(kTagHeaderSize);
  data = data.first(std::min<std::size_t>(data.size(), header.data_size));
  const bool configuration = classify(header.type, data).role == Role::DecoderConfig;
  if (configuration && data.size() < header.data_size && !std::holds_alternative<WholeTag>(state_))
    return set_state(WholeTag{header.tag_size() + kPreviousTagSizeSize});
  expect_tag();
  last_tag_ = position_;
  ++tags_;
  ids_.note(header);
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
  configurations_.push_back({position_, tag.size(), header.type});
}

void IndexScan::take_tag(const TagHeader &header, Bytes data) {
  const Role role = classify(header.type, data).role;
  if (!is_media(role))
    return;
  const bool is_video = header.type == TagType::Video;
  const auto kind = is_video ? Timeline::Kind::Video : Timeline::Kind::Audio;
  const std::int64_t since_first =
      timeline_.media(kind, header.timestamp).time - timeline_.first().value_or(0);
  const double time = static_cast<double>(std::max<std::int64_t>(since_first, 0)) / 1000;
  if (is_video) {
    if (role == Role::KeyFrame)
      add(video_, video_spacing_, position_, time);
    video_seen_ = true;
    audio_ = {};
    return;
  }
  audio_seen_ = true;
  if (!video_seen_)
    add(audio_, audio_spacing_, position_, time);
}

// The times of an index must not decrease: a lower time is replaced by the previous one.
void IndexScan::add(KeyframeIndex &index, double &spacing, std::uint64_t position, double time) {
  constexpr double kThinned = 1.0;
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

void IndexScan::expect_tag() {
  if (!std::holds_alternative<TagStart>(state_))
    set_state(TagStart{});
}

std::uint64_t IndexScan::position() const {
  if (const auto *over = std::get_if<Over>(&state_))
    return over->position;
  const auto *resync = std::get_if<Resynchronizing>(&state_);
  return resync ? resync->search.position() : position_;
}

std::uint64_t IndexScan::keep_from() const {
  if (const auto *over = std::get_if<Over>(&state_))
    return over->keep_from;
  const auto *resync = std::get_if<Resynchronizing>(&state_);
  return resync ? std::min(last_tag_, resync->search.keep_from()) : last_tag_;
}

void IndexScan::cross_splice(std::uint64_t position) {
  position_ = position;
  last_tag_ = position;
  timeline_.splice();
  ids_.clear();
  expect_tag();
}

// Starts inside the last tag: if its publisher was cut off there, the file header of another
// publisher may follow.
void IndexScan::begin_search() {
  const bool has_last = tags_ > 0 && last_tag_ < position_;
  search_from(has_last ? last_tag_ + kTagHeaderSize : position_, position_);
}

void IndexScan::search_from(std::uint64_t position, std::uint64_t damage) {
  Resynchronizing state;
  state.damage = damage;
  state.search.reset(Splitter::Start::Middle, position);
  state.search.set_stream_ids(ids_);
  set_state(std::move(state));
}

// Searches up to the next confirmed tag.
void IndexScan::resynchronize(Resynchronizing &state, Bytes bytes) {
  std::vector<Item> items;
  (void)state.search.feed(bytes, items); // cannot fail in the middle of a file
  const bool is_end = bytes.size() < kSearchBlock;
  if (is_end)
    (void)state.search.finish(items);
  for (const Item &item : items) {
    if (item.kind != Item::Kind::Tag && item.kind != Item::Kind::FileHeader)
      continue;
    return end_search(item, state.damage);
  }
  if (state.search.keep_from() > state.damage)
    last_tag_ = state.search.keep_from();
  if (is_end)
    set_state(Over{state.search.position(), std::min(last_tag_, state.search.keep_from())});
}

void IndexScan::end_search(const Item &found, std::uint64_t damage) {
  if (found.kind == Item::Kind::Tag) {
    // Bytes inside the last tag that look like a tag are its data.
    if (found.begin < damage)
      return search_from(damage, damage);
    position_ = found.begin;
    expect_tag();
  } else {
    if (found.begin + kPreviousTagSizeSize < damage) {
      remove(video_, last_tag_);
      remove(audio_, last_tag_);
    }
    cross_splice(found.end);
  }
  last_tag_ = position_;
}

// The tag at `position` is truncated.
void IndexScan::remove(KeyframeIndex &index, std::uint64_t position) {
  if (index.positions.empty() || index.positions.back() != position)
    return;
  index.positions.pop_back();
  index.times.pop_back();
}

} // namespace flv
