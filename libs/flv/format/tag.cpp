// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tag.h"

#include <cctype>
#include <cstdio>

namespace flv {

namespace {

constexpr std::uint8_t kAudioFlag = 0x04;
constexpr std::uint8_t kVideoFlag = 0x01;
constexpr std::uint8_t kTypeMask = 0x1F;
constexpr std::uint8_t kFilterMask = 0x20;

std::string format(const char *pattern, std::uint32_t value) {
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), pattern, value);
  return text.data();
}

std::string quoted(std::uint32_t signature) {
  std::string text = "'";
  for (const int shift : {16, 8, 0}) {
    const auto byte = static_cast<unsigned char>(signature >> shift);
    text += std::isprint(byte) ? static_cast<char>(byte) : '.';
  }
  return text + "'";
}

} // namespace

std::string describe(const Fault &fault) {
  switch (fault.kind) {
  case Fault::Kind::None:
    return "no fault";
  case Fault::Kind::Signature:
    return "it starts with " + quoted(fault.value) + format(" (0x%06x), not 'FLV'", fault.value);
  case Fault::Kind::Version:
    return format("FLV version %u is unknown", fault.value);
  case Fault::Kind::HeaderLength:
    return format("a file header of %u bytes is impossible", fault.value);
  case Fault::Kind::TagType:
    return format("tag type 0x%02x is not 8, 9, 15 or 18", fault.value);
  case Fault::Kind::StreamId:
    return format("stream id %u is not that of the first tags", fault.value);
  case Fault::Kind::DataSize:
    return format("data size %u is over the limit", fault.value);
  case Fault::Kind::Truncated:
    return format("the stream ended after %u bytes of it", fault.value);
  case Fault::Kind::CutShort:
    return format("the tag ends after %u bytes, where another FLV file begins", fault.value);
  }
  return {};
}

Fault read_file_header(const std::uint8_t *data, FileHeader &header) {
  if (data[0] != 'F' || data[1] != 'L' || data[2] != 'V')
    return {Fault::Kind::Signature, load_u24(data)};
  // Only version 1 is specified. Decoders accept up to 4.
  if (data[3] < 1 || data[3] > 4)
    return {Fault::Kind::Version, data[3]};
  const std::uint32_t size = load_u32(data + 5);
  if (size < kFileHeaderSize || size > kMaxFileHeaderSize)
    return {Fault::Kind::HeaderLength, size};
  header = {.version = data[3],
            .has_audio = (data[4] & kAudioFlag) != 0,
            .has_video = (data[4] & kVideoFlag) != 0,
            .size = size};
  return {};
}

Fault read_tag_header(const std::uint8_t *data, std::uint32_t max_data_size, TagHeader &header) {
  const auto type = static_cast<TagType>(data[0] & kTypeMask);
  switch (type) {
  case TagType::Audio:
  case TagType::Video:
  case TagType::ScriptAmf3:
  case TagType::Script:
    break;
  default:
    return {Fault::Kind::TagType, data[0]};
  }
  const std::uint32_t data_size = load_u24(data + 1);
  if (data_size > max_data_size)
    return {Fault::Kind::DataSize, data_size};
  header = {.type = type,
            .filtered = (data[0] & kFilterMask) != 0,
            .data_size = data_size,
            .timestamp = load_u24(data + 4) | std::uint32_t{data[7]} << 24,
            .stream_id = load_u24(data + 8)};
  return {};
}

std::array<std::uint8_t, kFileHeaderSize + kPreviousTagSizeSize>
write_file_header(const FileHeader &header) {
  std::array<std::uint8_t, kFileHeaderSize + kPreviousTagSizeSize> out{'F', 'L', 'V'};
  out[3] = header.version;
  out[4] = static_cast<std::uint8_t>((header.has_audio ? kAudioFlag : 0) |
                                     (header.has_video ? kVideoFlag : 0));
  store_u32(&out[5], kFileHeaderSize);
  return out;
}

std::array<std::uint8_t, kTagHeaderSize> write_tag_header(const TagHeader &header) {
  std::array<std::uint8_t, kTagHeaderSize> out{};
  out[0] = static_cast<std::uint8_t>(static_cast<std::uint8_t>(header.type) |
                                     (header.filtered ? kFilterMask : 0));
  store_u24(&out[1], header.data_size);
  store_timestamp(out.data(), header.timestamp);
  store_u24(&out[8], header.stream_id);
  return out;
}

void store_timestamp(std::uint8_t *tag, std::uint32_t timestamp) {
  store_u24(tag + 4, timestamp & 0xFFFFFF);
  tag[7] = static_cast<std::uint8_t>(timestamp >> 24);
}

void append_tag(std::vector<std::uint8_t> &out, TagType type, std::uint32_t timestamp, Bytes data,
                std::uint32_t stream_id) {
  const TagHeader header{.type = type,
                         .data_size = static_cast<std::uint32_t>(data.size()),
                         .timestamp = timestamp,
                         .stream_id = stream_id};
  Writer writer(out);
  writer.bytes(write_tag_header(header));
  writer.bytes(data);
  writer.u32(header.tag_size());
}

} // namespace flv
