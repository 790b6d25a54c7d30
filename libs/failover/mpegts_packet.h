// SPDX-License-Identifier: LGPL-2.1-or-later
// The header of a transport stream packet: ISO/IEC 13818-1, 2.4.3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "flv/format/bytes.h"

namespace failover {

inline constexpr std::size_t kPacketSize = 188;
inline constexpr std::uint8_t kSyncByte = 0x47;

// A view of one packet of kPacketSize bytes.
class Packet {
public:
  explicit Packet(flv::Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] unsigned pid() const { return (bytes_[1] & 0x1FU) << 8 | bytes_[2]; }
  // A PES packet or a section starts in the payload.
  [[nodiscard]] bool starts_unit() const { return (bytes_[1] & 0x40) != 0; }
  [[nodiscard]] bool is_random_access() const {
    return adaptation_size() > 0 && (bytes_[5] & 0x40) != 0;
  }
  [[nodiscard]] bool has_payload() const { return (bytes_[3] & 0x10) != 0; }
  [[nodiscard]] flv::Bytes payload() const {
    if (!has_payload())
      return {};
    const std::size_t begin = 4 + (has_adaptation() ? 1 + adaptation_size() : 0);
    return begin < kPacketSize ? bytes_.subspan(begin) : flv::Bytes();
  }
  // The program clock reference, in units of 1/90000 s: 33 bits.
  [[nodiscard]] std::optional<std::uint64_t> clock() const {
    constexpr std::size_t kClockSize = 7; // bytes of the flags and the reference
    if (adaptation_size() < kClockSize || (bytes_[5] & 0x10) == 0)
      return std::nullopt;
    return static_cast<std::uint64_t>(flv::load_u32(&bytes_[6])) << 1 | bytes_[10] >> 7;
  }

private:
  [[nodiscard]] bool has_adaptation() const { return (bytes_[3] & 0x20) != 0; }
  [[nodiscard]] std::size_t adaptation_size() const { return has_adaptation() ? bytes_[4] : 0; }

  flv::Bytes bytes_;
};

} // namespace failover
