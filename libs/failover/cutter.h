// SPDX-License-Identifier: LGPL-2.1-or-later
// Cuts a byte stream into pieces that can be sent or left out as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "flv/format/bytes.h"

namespace failover {

using flv::Bytes;
using Buffer = std::vector<std::uint8_t>;

// Whole tags, packets or elements.
struct Piece {
  Buffer bytes;
  std::optional<std::int64_t> time = std::nullopt; // ms of media
  // A decoder that has read Cutter::header() can start with this piece.
  bool is_start = false;
  // A decoder cannot decode the piece without the pieces before it.
  bool is_dependent = false;
};

class Cutter {
public:
  Cutter() = default;
  virtual ~Cutter() = default;
  Cutter(const Cutter &) = delete;
  Cutter &operator=(const Cutter &) = delete;

  // The stream continues with `chunk`. The caller calls next() until it returns nullopt.
  virtual void begin(Bytes chunk) = 0;
  [[nodiscard]] virtual std::optional<Piece> next() = 0;
  // The bytes are not of this container.
  [[nodiscard]] virtual bool is_malformed() const = 0;
  // What a decoder needs before the last piece if that piece is a start.
  [[nodiscard]] virtual Buffer header() const = 0;
};

} // namespace failover
