// SPDX-License-Identifier: LGPL-2.1-or-later
#include "splice_search.h"

#include <algorithm>
#include <cstring>

#include "stream_ids.h"

namespace flv {

namespace {

// Each byte pays for its own search, and for some in which a tag is searched that holds others.
constexpr std::uint64_t kSearchesPerByte = 8;

constexpr std::size_t kWholeFileHeader = kFileHeaderSize + kPreviousTagSizeSize;

// A file header as everybody writes it, PreviousTagSize0 included, the flags aside.
constexpr std::uint8_t kPattern[kWholeFileHeader] = {'F', 'L', 'V', 1, 0, 0, 0, 0, 9};
constexpr std::size_t kFlags = 4;
constexpr std::uint8_t kReservedFlags = 0xFA;
// Less of it than this proves nothing.
constexpr std::size_t kLeast = 5;

// Whether a tag follows: its header is possible, and where its end is known, its size is behind it.
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

void SpliceSearch::add_received(std::uint64_t bytes) {
  budget_ += kSearchesPerByte * bytes;
}

std::optional<std::size_t> SpliceSearch::find(Bytes tag, std::uint32_t max_data_size) {
  if (tag.size() > budget_)
    return std::nullopt;
  budget_ -= tag.size();
  // The tag itself begins with the first byte.
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
