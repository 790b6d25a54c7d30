// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nal.h"

#include <algorithm>
#include <initializer_list>

namespace remux {

namespace {

constexpr std::uint8_t kAvcIdr = 5;
constexpr std::uint8_t kAvcDelimiter = 9;
constexpr std::uint8_t kAvcSps = 7;
constexpr std::uint8_t kAvcPps = 8;
constexpr std::uint8_t kHevcVps = 32;
constexpr std::uint8_t kHevcPps = 34;
constexpr std::uint8_t kHevcDelimiter = 35;

std::optional<NalConfig> parse_avc(flv::Bytes bytes) {
  NalConfig config;
  flv::Reader reader(bytes);
  std::uint8_t length_size = 0;
  if (!reader.skip(4) || !reader.u8(length_size))
    return std::nullopt;
  config.length_size = std::size_t{1} + (length_size & 3);
  for (const int mask : {0x1F, 0xFF}) { // sequence, then picture parameter sets
    std::uint8_t count = 0;
    if (!reader.u8(count))
      return std::nullopt;
    for (int i = 0; i < (count & mask); ++i) {
      std::uint32_t size = 0;
      flv::Bytes unit;
      if (!reader.u16(size) || !reader.bytes(size, unit))
        return std::nullopt;
      config.parameter_sets.push_back(unit);
    }
  }
  return config;
}

std::optional<NalConfig> parse_hevc(flv::Bytes bytes) {
  constexpr std::size_t kFixed = 21;
  NalConfig config;
  flv::Reader reader(bytes);
  std::uint8_t length_size = 0;
  std::uint8_t arrays = 0;
  if (!reader.skip(kFixed) || !reader.u8(length_size) || !reader.u8(arrays))
    return std::nullopt;
  config.length_size = std::size_t{1} + (length_size & 3);
  for (int array = 0; array < arrays; ++array) {
    std::uint8_t type = 0;
    std::uint32_t count = 0;
    if (!reader.u8(type) || !reader.u16(count))
      return std::nullopt;
    for (std::uint32_t i = 0; i < count; ++i) {
      std::uint32_t size = 0;
      flv::Bytes unit;
      if (!reader.u16(size) || !reader.bytes(size, unit))
        return std::nullopt;
      config.parameter_sets.push_back(unit);
    }
  }
  return config;
}

std::uint8_t type_of(Codec codec, flv::Bytes unit) {
  if (unit.empty())
    return 0;
  return codec == Codec::H264 ? unit[0] & 0x1F : unit[0] >> 1 & 0x3F;
}

bool is_parameter_set(Codec codec, std::uint8_t type) {
  return codec == Codec::H264 ? type == kAvcSps || type == kAvcPps
                              : type >= kHevcVps && type <= kHevcPps;
}

bool is_delimiter(Codec codec, std::uint8_t type) {
  return type == (codec == Codec::H264 ? kAvcDelimiter : kHevcDelimiter);
}

// Calls `visit` for each unit of an access unit with length prefixes.
template <typename Visit>
void for_each_unit(flv::Bytes data, std::size_t length_size, Visit visit) {
  flv::Reader reader(data);
  while (reader.left() > length_size) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < length_size; ++i) {
      std::uint8_t byte = 0;
      (void)reader.u8(byte);
      size = size << 8 | byte;
    }
    flv::Bytes unit;
    if (!reader.bytes(size, unit))
      return;
    if (!unit.empty())
      visit(unit);
  }
}

void append_unit(flv::Bytes unit, std::vector<std::uint8_t> &out) {
  out.insert(out.end(), {0, 0, 0, 1});
  out.insert(out.end(), unit.begin(), unit.end());
}

} // namespace

std::optional<NalConfig> parse_config(Codec codec, flv::Bytes config) {
  if (codec == Codec::H264)
    return parse_avc(config);
  return codec == Codec::Hevc ? parse_hevc(config) : std::nullopt;
}

std::vector<std::uint8_t> prefixed_parameter_sets(Codec codec, flv::Bytes bytes) {
  std::vector<std::uint8_t> out;
  const auto config = parse_config(codec, bytes);
  if (!config)
    return out;
  for (const flv::Bytes unit : config->parameter_sets) {
    for (std::size_t i = config->length_size; i > 0; --i)
      out.push_back(static_cast<std::uint8_t>(unit.size() >> (8 * (i - 1))));
    out.insert(out.end(), unit.begin(), unit.end());
  }
  return out;
}

void append_byte_stream(const Track &track, const NalConfig &config, flv::Bytes unit, bool key,
                        std::vector<std::uint8_t> &out) {
  const Codec codec = track.codec;
  bool has_sets = false;
  for_each_unit(unit, config.length_size, [&](flv::Bytes each) {
    has_sets |= is_parameter_set(codec, type_of(codec, each));
    key |= codec == Codec::H264 && type_of(codec, each) == kAvcIdr;
  });
  if (codec == Codec::H264)
    append_unit(std::initializer_list<std::uint8_t>{kAvcDelimiter, 0xF0}, out);
  else
    append_unit(std::initializer_list<std::uint8_t>{kHevcDelimiter << 1, 1, 0x50}, out);
  if (key && !has_sets) {
    for (const flv::Bytes set : config.parameter_sets)
      append_unit(set, out);
  }
  for_each_unit(unit, config.length_size, [&](flv::Bytes each) {
    if (!is_delimiter(codec, type_of(codec, each)))
      append_unit(each, out);
  });
}

} // namespace remux
