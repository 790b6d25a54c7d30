// SPDX-License-Identifier: LGPL-2.1-or-later
// Element headers of EBML: RFC 8794. Ids of Matroska: RFC 9559.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "flv/format/bytes.h"

namespace failover::ebml {

enum Id : std::uint32_t {
  kEbml = 0x1A45DFA3,
  kDocType = 0x4282,
  kSegment = 0x18538067,
  kInfo = 0x1549A966,
  kTimestampScale = 0x2AD7B1,
  kTracks = 0x1654AE6B,
  kTrackEntry = 0xAE,
  kTrackNumber = 0xD7,
  kTrackType = 0x83,
  kTags = 0x1254C367,
  kCluster = 0x1F43B675,
  kTimestamp = 0xE7,
  kSimpleBlock = 0xA3,
  kBlockGroup = 0xA0,
  kBlock = 0xA1,
  kReferenceBlock = 0xFB,
  kSeekHead = 0x114D9B74,
  kCues = 0x1C53BB6B,
  kChapters = 0x1043A770,
  kAttachments = 0x1941A469,
  kPosition = 0xA7,
  kPrevSize = 0xAB,
  kVoid = 0xEC,
  kCrc = 0xBF,
};

struct Number {
  std::uint64_t value = 0;
  std::size_t size = 0;    // bytes of the number
  bool is_unknown = false; // all value bits are set: an unknown size
};

// Reads a number of variable length. nullopt: `bytes` is too short, or begins with a zero byte.
[[nodiscard]] inline std::optional<Number> read_number(flv::Bytes bytes) {
  if (bytes.empty() || bytes[0] == 0)
    return std::nullopt;
  const auto size = static_cast<std::size_t>(std::countl_zero(bytes[0])) + 1;
  if (bytes.size() < size)
    return std::nullopt;
  Number number{.value = bytes[0] & (0xFFU >> size), .size = size, .is_unknown = false};
  for (std::size_t i = 1; i < size; i++)
    number.value = number.value << 8 | bytes[i];
  number.is_unknown = number.value == (std::uint64_t{1} << 7 * size) - 1;
  return number;
}

struct Element {
  std::uint32_t id = 0;
  std::uint64_t size = 0; // of the content
  std::size_t id_size = 0;
  std::size_t header_size = 0; // of the id and the size field
  bool is_unknown = false;     // the size
};

// nullopt: `bytes` is too short, or does not begin with an element.
[[nodiscard]] inline std::optional<Element> read_element(flv::Bytes bytes) {
  constexpr std::size_t kMaxIdSize = 4;
  const auto id = read_number(bytes);
  if (!id || id->size > kMaxIdSize)
    return std::nullopt;
  const auto size = read_number(bytes.subspan(id->size));
  if (!size)
    return std::nullopt;
  Element element{.id = 0,
                  .size = size->value,
                  .id_size = id->size,
                  .header_size = id->size + size->size,
                  .is_unknown = size->is_unknown};
  for (std::size_t i = 0; i < id->size; i++)
    element.id = element.id << 8 | bytes[i];
  return element;
}

[[nodiscard]] inline std::uint64_t read_unsigned(flv::Bytes content) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : content.first(content.size() < 8 ? content.size() : 8))
    value = value << 8 | byte;
  return value;
}

// Calls `function` with each child of a content and the child's content, until the content ends or
// is damaged.
template <typename Function> void for_each_child(flv::Bytes content, Function function) {
  while (const auto child = read_element(content)) {
    const flv::Bytes rest = content.subspan(child->header_size);
    if (child->is_unknown || child->size > rest.size())
      return;
    const auto size = static_cast<std::size_t>(child->size);
    function(child->id, rest.first(size));
    content = rest.subspan(size);
  }
}

} // namespace failover::ebml
