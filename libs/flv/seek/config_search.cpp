// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config_search.h"

#include <algorithm>
#include <utility>

#include "flv/stream/splitter.h"

namespace flv {

namespace {

// All bytes within kSearchedBefore before the start point are read, then some bytes around
// keyframes. Each keyframe costs one read, which takes longest if the file is not in the page
// cache.
constexpr std::uint64_t kKeyframeBefore = 1024;
constexpr std::uint64_t kKeyframeAfter = 512;
constexpr std::size_t kMaxKeyFrames = 128;

ReadRequest request_for(const ConfigurationSearch::Stretch &stretch) {
  return {stretch.begin, static_cast<std::size_t>(stretch.end - stretch.begin)};
}

bool is_configuration(Bytes tag, std::uint32_t size) {
  const auto type = static_cast<TagType>(tag[0] & 0x1F);
  return (type == TagType::Video || type == TagType::Audio) &&
         size <= tag.size() - kTagHeaderSize &&
         classify(type, tag.subspan(kTagHeaderSize, size)).role == Role::DecoderConfig;
}

// Whether bytes of the stretch could be a whole configuration tag. Much faster than the splitter's
// search for a tag, and false for most stretches. Compilers vectorize the inner loop, which finds
// the types of audio and video with a size that is not too large; few blocks have one.
bool may_have_configuration(Bytes bytes) {
  constexpr std::size_t kBlock = 64;
  static_assert(static_cast<int>(TagType::Audio) == 8 && static_cast<int>(TagType::Video) == 9);
  const auto largest = static_cast<std::uint8_t>(std::min<std::size_t>(bytes.size() >> 16, 0xFF));
  const auto any = [bytes, largest](std::size_t begin) {
    const std::uint8_t *block = &bytes[begin];
    std::uint8_t found = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      const std::uint8_t is_type = (block[i] & 0x1E) == 8 ? 0xFF : 0;
      const std::uint8_t fits = block[i + 1] <= largest ? 0xFF : 0;
      found |= is_type & fits;
    }
    return found != 0;
  };
  for (std::size_t begin = 0; begin + kTagHeaderSize < bytes.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, bytes.size() - kTagHeaderSize);
    if (end == begin + kBlock && !any(begin))
      continue;
    for (std::size_t i = begin; i < end; ++i) {
      if (is_configuration(bytes.subspan(i), load_u24(&bytes[i + 1])))
        return true;
    }
  }
  return false;
}

} // namespace

std::vector<ConfigurationSearch::Stretch>
likely_stretches(const std::vector<std::uint64_t> &key_frames, std::uint64_t begin,
                 std::uint64_t place) {
  std::vector<ConfigurationSearch::Stretch> stretches;
  if (place <= begin)
    return stretches;
  std::uint64_t limit = place - std::min(kSearchedBefore, place - begin);
  stretches.push_back({limit, place});
  auto entry = std::lower_bound(key_frames.begin(), key_frames.end(), limit);
  while (entry != key_frames.begin() && limit > begin && stretches.size() <= kMaxKeyFrames) {
    const std::uint64_t position = *--entry;
    if (position <= begin)
      break;
    const std::uint64_t from = std::max(begin, position - std::min(kKeyframeBefore, position));
    const std::uint64_t to = std::min(limit, position + kKeyframeAfter);
    if (from >= to)
      continue;
    stretches.push_back({from, to});
    limit = from;
  }
  return stretches;
}

ConfigurationSearch::ConfigurationSearch(StreamHeader beginning, std::vector<Stretch> stretches)
    : beginning_(std::move(beginning)), stretches_(std::move(stretches)) {}

std::optional<ReadRequest> ConfigurationSearch::next_request() const {
  if (next_ == stretches_.size())
    return std::nullopt;
  return request_for(stretches_[next_]);
}

std::vector<ReadRequest> ConfigurationSearch::requests() const {
  std::vector<ReadRequest> requests;
  for (std::size_t i = next_; i < stretches_.size(); ++i)
    requests.push_back(request_for(stretches_[i]));
  return requests;
}

void ConfigurationSearch::supply(Bytes bytes) {
  const std::uint64_t begin = stretches_[next_++].begin;
  if (!may_have_configuration(bytes)) {
    found_.emplace_back();
    return;
  }
  Splitter splitter;
  splitter.reset(Splitter::Start::Middle, begin);
  std::vector<Item> items;
  (void)splitter.feed(bytes, items); // neither call fails in the middle of a file
  (void)splitter.finish(items);
  std::vector<Found> found;
  for (const Item &item : items) {
    if (item.kind != Item::Kind::Tag)
      continue;
    const Bytes tag = bytes.subspan(static_cast<std::size_t>(item.begin - begin),
                                    static_cast<std::size_t>(item.end - item.begin));
    const TagInfo info = classify(item.tag.type, tag.subspan(kTagHeaderSize, item.tag.data_size));
    if (info.role != Role::DecoderConfig)
      continue;
    found.push_back({item.tag, {tag.begin(), tag.end()}});
    nearest_.note(item.tag, info, tag);
  }
  found_.push_back(std::move(found));
  if (nearest_.has_configurations() && nearest_.covers(beginning_))
    next_ = stretches_.size();
}

StreamHeader ConfigurationSearch::take() {
  StreamHeader head = std::move(beginning_);
  for (auto stretch = found_.rbegin(); stretch != found_.rend(); ++stretch) {
    for (const Found &tag : *stretch) {
      const Bytes bytes(tag.bytes);
      head.note(tag.header,
                classify(tag.header.type, bytes.subspan(kTagHeaderSize, tag.header.data_size)),
                bytes);
    }
  }
  return head;
}

} // namespace flv
