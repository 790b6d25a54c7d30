// SPDX-License-Identifier: LGPL-2.1-or-later
// The containers that a source can send, and their recognition by the first bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "flv/format/bytes.h"

namespace failover {

using flv::Bytes;

enum class Container : std::uint8_t { Flv, MpegTs, Matroska };

[[nodiscard]] const char *name_of(Container container);

// A set of containers.
class ContainerSet {
public:
  static constexpr ContainerSet all() { return ContainerSet(7); }
  constexpr ContainerSet() = default;
  explicit constexpr ContainerSet(std::uint8_t bits) : bits_(bits) {}
  static constexpr ContainerSet only(Container container) {
    return ContainerSet(static_cast<std::uint8_t>(1U << static_cast<unsigned>(container)));
  }

  constexpr void insert(Container container) {
    bits_ = static_cast<std::uint8_t>(bits_ | only(container).bits_);
  }
  [[nodiscard]] constexpr bool contains(Container container) const {
    return (bits_ & only(container).bits_) != 0;
  }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(const ContainerSet &, const ContainerSet &) = default;

private:
  std::uint8_t bits_ = 0;
};

// The names of the set's containers: "FLV or MPEG-TS".
[[nodiscard]] std::string names_of(ContainerSet set);

// The container that the start of a stream shows.
struct Detection {
  enum class Kind : std::uint8_t { NeedMore, Known, Unknown };
  Kind kind = Kind::NeedMore;
  Container container = Container::Flv; // Known
  std::string other;                    // Unknown: the format, such as "HTML"; can be empty
};

// More bytes than this always give a decision.
inline constexpr std::size_t kDetectionBytes = 1024;

// `start`: the bytes of the stream so far. A transport stream may start inside a packet.
[[nodiscard]] Detection detect(Bytes start);

// MPEG-TS: the position of the first packet in `bytes`. nullopt: there is none.
[[nodiscard]] std::optional<std::size_t> find_packet(Bytes bytes, std::size_t packets);

} // namespace failover
