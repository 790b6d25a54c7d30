// SPDX-License-Identifier: LGPL-2.1-or-later
// Sequence parameter sets: H.264, 7.3.2.1.1 and E.1.1; HEVC, 7.3.2.2.
#include <algorithm>
#include <array>

#include "bits.h"
#include "nal.h"

namespace remux {

namespace {

void skip_scaling_list(Bits &bits, int size) {
  std::int32_t last = 8;
  std::int32_t next = 8;
  for (int i = 0; i < size; ++i) {
    if (next != 0)
      next = (last + bits.se() + 256) % 256;
    last = next == 0 ? last : next;
  }
}

// Returns chroma_format_idc.
std::uint32_t read_chroma(Bits &bits) {
  const std::uint32_t chroma = bits.ue();
  if (chroma == 3)
    bits.skip(1);
  bits.ue();
  bits.ue();
  bits.skip(1);
  if (bits.read(1) == 0)
    return chroma;
  for (int i = 0; i < (chroma == 3 ? 12 : 8); ++i) {
    if (bits.read(1) != 0)
      skip_scaling_list(bits, i < 6 ? 16 : 64);
  }
  return chroma;
}

// Subtracts the cropping window, whose units depend on the chroma format.
void crop(Bits &bits, std::uint32_t chroma, std::uint32_t frame_height_factor, SequenceInfo &info) {
  const std::uint32_t unit_x = chroma == 1 || chroma == 2 ? 2 : 1;
  const std::uint32_t unit_y = (chroma == 1 ? 2 : 1) * frame_height_factor;
  const std::uint32_t left = bits.ue();
  const std::uint32_t right = bits.ue();
  const std::uint32_t top = bits.ue();
  const std::uint32_t bottom = bits.ue();
  info.width -= std::min(info.width, (left + right) * unit_x);
  info.height -= std::min(info.height, (top + bottom) * unit_y);
}

void skip_hrd(Bits &bits) {
  const std::uint32_t count = bits.ue() + 1;
  bits.skip(8);
  for (std::uint32_t i = 0; i < count && i < 32; ++i) {
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  bits.skip(20);
}

// max_num_reorder_frames in the VUI (H.264, E.1.1).
std::optional<std::size_t> reorder_in_vui(Bits &bits) {
  constexpr std::uint32_t kExtendedSar = 255;
  if (bits.read(1) != 0 && bits.read(8) == kExtendedSar)
    bits.skip(32);
  if (bits.read(1) != 0) // overscan
    bits.skip(1);
  if (bits.read(1) != 0) { // video signal
    bits.skip(4);
    if (bits.read(1) != 0)
      bits.skip(24);
  }
  if (bits.read(1) != 0) { // chroma location
    bits.ue();
    bits.ue();
  }
  if (bits.read(1) != 0) // timing
    bits.skip(65);
  const bool nal_hrd = bits.read(1) != 0;
  if (nal_hrd)
    skip_hrd(bits);
  const bool vcl_hrd = bits.read(1) != 0;
  if (vcl_hrd)
    skip_hrd(bits);
  if (nal_hrd || vcl_hrd)
    bits.skip(1);
  bits.skip(1);
  if (bits.read(1) == 0)
    return std::nullopt;
  bits.skip(1);
  for (int i = 0; i < 4; ++i)
    bits.ue();
  const std::uint32_t depth = bits.ue();
  return bits.is_at_end() ? std::nullopt : std::optional<std::size_t>(depth);
}

SequenceInfo read_avc(flv::Bytes sps) {
  constexpr std::uint32_t kBaseline = 66;
  SequenceInfo info;
  Bits bits(sps, Bits::Prevention::Skipped);
  bits.skip(8);
  const std::uint32_t profile = bits.read(8);
  bits.skip(16);
  bits.ue();
  constexpr std::array<std::uint32_t, 13> kHigh = {100, 110, 122, 244, 44,  83, 86,
                                                   118, 128, 138, 139, 134, 135};
  const bool is_high = std::ranges::find(kHigh, profile) != kHigh.end();
  const std::uint32_t chroma = is_high ? read_chroma(bits) : 1;
  bits.ue();
  const std::uint32_t order = bits.ue();
  if (order == 0) {
    bits.ue();
  } else if (order == 1) {
    bits.skip(1);
    bits.se();
    bits.se();
    const std::uint32_t cycle = bits.ue();
    for (std::uint32_t i = 0; i < cycle && i < 256; ++i)
      bits.se();
  }
  const bool has_references = bits.ue() != 0;
  bits.skip(1);
  constexpr std::uint32_t kMacroblock = 16;
  info.width = (bits.ue() + 1) * kMacroblock;
  const std::uint32_t rows = bits.ue() + 1;
  const std::uint32_t factor = bits.read(1) != 0 ? 1 : 2; // frames, or fields
  info.height = rows * kMacroblock * factor;
  if (factor == 2)
    bits.skip(1);
  bits.skip(1);
  if (bits.read(1) != 0)
    crop(bits, chroma, factor, info);
  // Decoding order is presentation order.
  if (profile == kBaseline || order == 2 || !has_references)
    info.reorder = 0;
  else if (bits.read(1) != 0)
    info.reorder = reorder_in_vui(bits);
  return info;
}

// HEVC, 7.3.2.2. The reorder depth is sps_max_num_reorder_pics of the highest sub-layer.
SequenceInfo read_hevc(flv::Bytes sps) {
  SequenceInfo info;
  Bits bits(sps, Bits::Prevention::Skipped);
  bits.skip(16 + 4);
  const auto layers = static_cast<int>(bits.read(3));
  bits.skip(1 + 88 + 8);
  std::uint32_t present = 0;
  for (int i = 0; i < layers; ++i)
    present = present << 2 | bits.read(2);
  if (layers > 0)
    bits.skip(2 * (8 - layers));
  for (int i = layers - 1; i >= 0; --i) {
    const std::uint32_t flags = present >> (2 * i) & 3U;
    bits.skip((flags & 2) != 0 ? 88 : 0);
    bits.skip((flags & 1) != 0 ? 8 : 0);
  }
  bits.ue();
  const std::uint32_t chroma = bits.ue();
  if (chroma == 3)
    bits.skip(1);
  info.width = bits.ue();
  info.height = bits.ue();
  if (bits.read(1) != 0)
    crop(bits, chroma, 1, info);
  bits.ue();
  bits.ue();
  bits.ue();
  const int count = bits.read(1) != 0 ? layers + 1 : 1;
  std::uint32_t depth = 0;
  for (int i = 0; i < count; ++i) {
    bits.ue();
    depth = bits.ue();
    bits.ue();
  }
  if (!bits.is_at_end())
    info.reorder = depth;
  return info;
}

} // namespace

std::optional<SequenceInfo> read_sequence(Codec codec, flv::Bytes bytes) {
  constexpr std::uint8_t kAvcSps = 7;
  constexpr std::uint8_t kHevcSps = 33;
  constexpr std::size_t kMostReorder = 16;
  const auto config = parse_config(codec, bytes);
  if (!config)
    return std::nullopt;
  for (const flv::Bytes unit : config->parameter_sets) {
    if (unit.empty())
      continue;
    const bool is_avc = codec == Codec::H264;
    if (is_avc ? (unit[0] & 0x1F) != kAvcSps : (unit[0] >> 1 & 0x3F) != kHevcSps)
      continue;
    SequenceInfo info = is_avc ? read_avc(unit) : read_hevc(unit);
    if (info.reorder && *info.reorder > kMostReorder)
      info.reorder.reset();
    return info;
  }
  return std::nullopt;
}

} // namespace remux
