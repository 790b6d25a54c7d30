// SPDX-License-Identifier: LGPL-2.1-or-later
#include "splice_search.h"

#include <algorithm>
#include <cstring>

#include "stream_ids.h"

namespace flv {

namespace {

// Each received byte may be searched this many times. More than one search is needed if a tag
// contains other tags.
constexpr std::uint64_t kSearchesPerByte = 8;

constexpr std::size_t kWholeFileHeader = kFileHeaderSize + kPreviousTagSizeSize;

// The file header that all known producers write, with PreviousTagSize0. The flags can differ.
constexpr std::uint8_t kPattern[kWholeFileHeader] = {'F', 'L', 'V', 1, 0, 0, 0, 0, 9};
constexpr std::size_t kFlags = 4;
constexpr std::uint8_t kReservedFlags = 0xFA;
// Bytes. A shorter match proves nothing.
constexpr std::size_t kLeast = 5;

// Whether a tag follows: its header is possible, and its PreviousTagSize is correct if `behind` has
// it.
bool tag_follows(Bytes behind, std::uint32_t max_data_size) {
  if (behind.size() < kTagHeaderSize)
    return true;
  TagHeader tag;
  if (read_tag_header(behind.data(), max_data_size, tag).kind != Fault::Kind::None ||
      !StreamIds::is_likely(tag.stream_id))
    return false;
  if (behind.size() < tag.tag_size() + kPreviousTagSizeSize)
    return true;
  return load_u32(&behind[tag.tag_size()]) == tag.tag_size();
}

bool is_file_header(Bytes bytes, std::uint32_t max_data_size) {
  const std::size_t count = std::min(bytes.size(), kWholeFileHeader);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t byte = i == kFlags ? bytes[i] & kReservedFlags : bytes[i];
    if (byte != kPattern[i])
      return false;
  }
  return tag_follows(bytes.subspan(count), max_data_size);
}

} // namespace

void SpliceSearch::note_read(std::uint64_t position) {
  if (position <= read_)
    return;
  budget_ += kSearchesPerByte * (position - read_);
  read_ = position;
}

std::optional<std::size_t> SpliceSearch::find(Bytes tag, std::uint32_t max_data_size) {
  if (tag.size() > budget_)
    return std::nullopt;
  budget_ -= tag.size();
  // The first byte is the start of the tag itself.
  for (std::size_t at = 1; at + kLeast <= tag.size(); ++at) {
    const void *found = std::memchr(&tag[at], kPattern[0], tag.size() - kLeast + 1 - at);
    if (!found)
      break;
    at = static_cast<std::size_t>(static_cast<const std::uint8_t *>(found) - tag.data());
    if (is_file_header(tag.subspan(at), max_data_size))
      return at;
  }
  return std::nullopt;
}

} // namespace flv
