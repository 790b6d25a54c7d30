// SPDX-License-Identifier: LGPL-2.1-or-later
// AV1 Bitstream & Decoding Process Specification, 5.3 and 5.5; AV1 in ISOBMFF, 2.3.
#include "av1.h"

#include "bits.h"

namespace remux {

namespace {

struct Fields {
  std::uint32_t profile = 0;
  std::uint32_t level = 0;
  std::uint32_t tier = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  // As in the configuration record.
  std::uint32_t high_bit_depth = 0;
  std::uint32_t twelve_bit = 0;
  std::uint32_t monochrome = 0;
  std::uint32_t subsampling_x = 1;
  std::uint32_t subsampling_y = 1;
  std::uint32_t sample_position = 0;
};

void read_operating_points(Bits &bits, Fields &fields) {
  bool has_model = false;
  int delay_bits = 0;
  if (bits.read(1) != 0) { // timing information
    bits.skip(64);
    if (bits.read(1) != 0)
      bits.ue();
    has_model = bits.read(1) != 0;
    if (has_model) {
      delay_bits = static_cast<int>(bits.read(5)) + 1;
      bits.skip(32 + 5 + 5);
    }
  }
  const bool has_display_delay = bits.read(1) != 0;
  const std::uint32_t count = bits.read(5) + 1;
  constexpr std::uint32_t kHighestWithoutTier = 7;
  for (std::uint32_t i = 0; i < count; ++i) {
    bits.skip(12);
    const std::uint32_t level = bits.read(5);
    const std::uint32_t tier = level > kHighestWithoutTier ? bits.read(1) : 0;
    if (i == 0) {
      fields.level = level;
      fields.tier = tier;
    }
    if (has_model && bits.read(1) != 0)
      bits.skip(2 * delay_bits + 1);
    if (has_display_delay && bits.read(1) != 0)
      bits.skip(4);
  }
}

void skip_tools(Bits &bits) {
  bits.skip(4);
  const bool has_order_hint = bits.read(1) != 0;
  if (has_order_hint)
    bits.skip(2);
  const bool chooses_screen_tools = bits.read(1) != 0;
  const bool has_screen_tools = chooses_screen_tools || bits.read(1) != 0;
  if (has_screen_tools && bits.read(1) == 0)
    bits.skip(1);
  if (has_order_hint)
    bits.skip(3);
}

void read_colour(Bits &bits, Fields &fields) {
  constexpr std::uint32_t kRgb = 1 << 16 | 13 << 8; // BT.709, sRGB, identity
  fields.high_bit_depth = bits.read(1);
  if (fields.profile == 2 && fields.high_bit_depth != 0)
    fields.twelve_bit = bits.read(1);
  if (fields.profile != 1)
    fields.monochrome = bits.read(1);
  const std::uint32_t description = bits.read(1) != 0 ? bits.read(24) : 0;
  if (fields.monochrome != 0)
    return;
  if (description == kRgb) {
    fields.subsampling_x = 0;
    fields.subsampling_y = 0;
    return;
  }
  bits.skip(1);
  if (fields.profile == 1) {
    fields.subsampling_x = 0;
    fields.subsampling_y = 0;
  } else if (fields.profile == 2) {
    fields.subsampling_x = fields.twelve_bit != 0 ? bits.read(1) : 1;
    fields.subsampling_y = fields.twelve_bit != 0 && fields.subsampling_x != 0 ? bits.read(1) : 0;
  }
  if (fields.subsampling_x != 0 && fields.subsampling_y != 0)
    fields.sample_position = bits.read(2);
}

std::optional<Fields> read_sequence_header(flv::Bytes content) {
  Fields fields;
  Bits bits(content);
  fields.profile = bits.read(3);
  bits.skip(1);
  const bool is_reduced = bits.read(1) != 0;
  if (is_reduced)
    fields.level = bits.read(5);
  else
    read_operating_points(bits, fields);
  const auto width_bits = static_cast<int>(bits.read(4)) + 1;
  const auto height_bits = static_cast<int>(bits.read(4)) + 1;
  fields.width = bits.read(width_bits) + 1;
  fields.height = bits.read(height_bits) + 1;
  if (!is_reduced && bits.read(1) != 0)
    bits.skip(7);
  bits.skip(3);
  if (!is_reduced)
    skip_tools(bits);
  bits.skip(3);
  read_colour(bits, fields);
  return bits.is_at_end() ? std::nullopt : std::optional(fields);
}

// The record, with the OBU, which is written with its size.
std::vector<std::uint8_t> record_of(const Fields &fields, flv::Bytes content) {
  constexpr std::uint8_t kSequenceHeader = 0x0A; // with a size field
  std::vector<std::uint8_t> out;
  flv::Writer put(out);
  put.u8(0x81);
  put.u8(fields.profile << 5 | fields.level);
  put.u8(fields.tier << 7 | fields.high_bit_depth << 6 | fields.twelve_bit << 5 |
         fields.monochrome << 4 | fields.subsampling_x << 3 | fields.subsampling_y << 2 |
         fields.sample_position);
  put.u8(0);
  put.u8(kSequenceHeader);
  std::size_t size = content.size();
  for (; size >= 0x80; size >>= 7)
    put.u8(static_cast<std::uint32_t>(size & 0x7F) | 0x80);
  put.u8(static_cast<std::uint32_t>(size));
  put.bytes(content);
  return out;
}

// leb128.
std::optional<std::size_t> read_size(flv::Reader &reader) {
  std::size_t size = 0;
  for (int i = 0; i < 5; ++i) {
    std::uint8_t byte = 0;
    if (!reader.u8(byte))
      return std::nullopt;
    size |= static_cast<std::size_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0)
      return size;
  }
  return std::nullopt;
}

} // namespace

bool is_av1_config(flv::Bytes config) {
  constexpr std::size_t kFixed = 4;
  return config.size() >= kFixed && config[0] == 0x81;
}

std::optional<Av1Sequence> read_av1(flv::Bytes unit) {
  constexpr unsigned kSequenceHeader = 1;
  flv::Reader reader(unit);
  std::uint8_t header = 0;
  while (reader.u8(header)) {
    if ((header & 4) != 0 && !reader.skip(1))
      return std::nullopt;
    const auto size = (header & 2) != 0 ? read_size(reader) : reader.left();
    flv::Bytes content;
    if (!size || !reader.bytes(*size, content))
      return std::nullopt;
    if ((header >> 3 & 15) != kSequenceHeader)
      continue;
    const auto fields = read_sequence_header(content);
    if (!fields)
      return std::nullopt;
    return Av1Sequence{fields->width, fields->height, record_of(*fields, content)};
  }
  return std::nullopt;
}

} // namespace remux
