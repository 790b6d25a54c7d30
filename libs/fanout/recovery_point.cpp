// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recovery_point.h"

#include <algorithm>

#include "flv/format/codec.h"

namespace fanout {

using flv::Bytes;

namespace {

enum class Codec : std::uint8_t { None, Avc, Hevc };

struct Layout {
  Codec codec = Codec::None;
  std::uint8_t packet = 0;
  std::size_t header = 0; // bytes before the configuration or the NAL units
};

// Packet types of the classic layout and of Enhanced FLV.
constexpr std::uint8_t kSequence = 0;
constexpr std::uint8_t kFrames = 1;
constexpr std::uint8_t kFramesX = 3;

Layout layout_of(Bytes data) {
  constexpr std::uint8_t kEnhanced = 0x80;
  constexpr std::size_t kHeader =
      5; // classic: codec, packet type, time; enhanced: packet type, FourCC
  constexpr std::size_t kTime = 3;
  if (data.size() < kHeader)
    return {};
  if ((data[0] & kEnhanced) != 0) {
    const std::uint32_t code = flv::load_u32(&data[1]);
    const auto packet = static_cast<std::uint8_t>(data[0] & 0x0F);
    const std::size_t time = packet == kFrames ? kTime : 0;
    if (code == flv::fourcc("avc1"))
      return {Codec::Avc, packet, kHeader + time};
    if (code == flv::fourcc("hvc1"))
      return {Codec::Hevc, packet, kHeader + time};
    return {};
  }
  constexpr int kAvc = 7;
  constexpr int kHevc = 12;
  const int codec = data[0] & 0x0F;
  if (codec == kAvc || codec == kHevc)
    return {codec == kAvc ? Codec::Avc : Codec::Hevc, data[1], kHeader};
  return {};
}

// The payload of a NAL unit without its emulation prevention bytes.
class Payload {
public:
  explicit Payload(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] bool at_end() const { return at_ >= bytes_.size(); }
  std::uint8_t next() {
    constexpr std::uint8_t kEmulationPrevention = 3;
    if (zeros_ >= 2 && !at_end() && bytes_[at_] == kEmulationPrevention) {
      at_++;
      zeros_ = 0;
    }
    if (at_end())
      return 0;
    const std::uint8_t byte = bytes_[at_++];
    zeros_ = byte == 0 ? zeros_ + 1 : 0;
    return byte;
  }
  // A payload type or size of an SEI message: bytes of 0xFF, and a last byte.
  std::size_t number() {
    constexpr std::uint8_t kMore = 0xFF;
    std::size_t sum = 0;
    std::uint8_t byte = kMore;
    while (byte == kMore && !at_end()) {
      byte = next();
      sum += byte;
    }
    return sum;
  }

private:
  Bytes bytes_;
  std::size_t at_ = 0;
  int zeros_ = 0;
};

bool is_recovery_point(Bytes messages) {
  constexpr std::size_t kRecoveryPoint = 6;
  constexpr std::size_t kTrailing = 2; // bytes: a message is longer
  constexpr std::size_t kMost = 4096;  // bytes that are read
  Payload payload(messages.first(std::min(messages.size(), kMost)));
  for (std::size_t taken = 0; !payload.at_end() && messages.size() > kTrailing && taken < kMost;) {
    const std::size_t type = payload.number();
    const std::size_t size = payload.number();
    if (type == kRecoveryPoint && size > 0)
      return true;
    for (std::size_t i = 0; i < size && !payload.at_end(); i++)
      payload.next();
    taken += size + 2;
  }
  return false;
}

} // namespace

std::size_t nal_length_size(Bytes configuration) {
  const Layout layout = layout_of(configuration);
  if (layout.codec == Codec::None || layout.packet != kSequence)
    return 0;
  // ISO/IEC 14496-15, 5.3.3.1.2 and 8.3.3.1.2.
  const std::size_t at = layout.header + (layout.codec == Codec::Avc ? 4 : 21);
  return at < configuration.size() ? (configuration[at] & 3U) + 1U : 0;
}

bool has_recovery_point(Bytes frame, std::size_t length_size) {
  constexpr int kMost = 16; // NAL units
  const Layout layout = layout_of(frame);
  const bool has_frames = layout.packet == kFrames || layout.packet == kFramesX;
  if (layout.codec == Codec::None || !has_frames || length_size == 0)
    return false;
  Bytes left = frame.subspan(std::min(layout.header, frame.size()));
  for (int i = 0; i < kMost && left.size() > length_size; i++) {
    std::size_t size = 0;
    for (const std::uint8_t byte : left.first(length_size))
      size = size << 8 | byte;
    left = left.subspan(length_size);
    const Bytes unit = left.first(std::min(size, left.size()));
    left = left.subspan(unit.size());
    const bool avc = layout.codec == Codec::Avc;
    const std::size_t header = avc ? 1 : 2;
    if (unit.size() <= header)
      continue;
    constexpr int kAvcSei = 6;
    constexpr int kAvcLastSlice = 5;
    constexpr int kHevcSei = 39;
    constexpr int kHevcLastSlice = 31;
    const int type = avc ? unit[0] & 0x1F : (unit[0] >> 1) & 0x3F;
    if (type == (avc ? kAvcSei : kHevcSei) && is_recovery_point(unit.subspan(header)))
      return true;
    const bool is_slice = avc ? type >= 1 && type <= kAvcLastSlice : type <= kHevcLastSlice;
    if (is_slice)
      return false;
  }
  return false;
}

} // namespace fanout
