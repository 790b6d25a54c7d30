// SPDX-License-Identifier: LGPL-2.1-or-later
// Big-endian reads with bounds checks, and big-endian writes. FLV and AMF0 are big-endian.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace flv {

using Bytes = std::span<const std::uint8_t>;

// The result of a parser.
enum class Status {
  Ok,
  NeedMore,  // valid so far, but incomplete
  Malformed, // invalid, whatever bytes follow
};

constexpr std::uint32_t load_u16(const std::uint8_t *p) {
  return std::uint32_t{p[0]} << 8 | p[1];
}

constexpr std::uint32_t load_u24(const std::uint8_t *p) {
  return std::uint32_t{p[0]} << 16 | std::uint32_t{p[1]} << 8 | p[2];
}

constexpr std::uint32_t load_u32(const std::uint8_t *p) {
  return std::uint32_t{p[0]} << 24 | load_u24(p + 1);
}

constexpr void store_u24(std::uint8_t *p, std::uint32_t value) {
  p[0] = static_cast<std::uint8_t>(value >> 16);
  p[1] = static_cast<std::uint8_t>(value >> 8);
  p[2] = static_cast<std::uint8_t>(value);
}

constexpr void store_u32(std::uint8_t *p, std::uint32_t value) {
  p[0] = static_cast<std::uint8_t>(value >> 24);
  store_u24(p + 1, value);
}

// A position in a span. A read that fails does not move the position.
class Reader {
public:
  explicit Reader(Bytes data) : data_(data) {}

  [[nodiscard]] std::size_t left() const { return data_.size() - position_; }
  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] bool at_end() const { return left() == 0; }

  [[nodiscard]] bool skip(std::size_t count) {
    if (count > left())
      return false;
    position_ += count;
    return true;
  }

  [[nodiscard]] bool bytes(std::size_t count, Bytes &value) {
    if (count > left())
      return false;
    value = data_.subspan(position_, count);
    position_ += count;
    return true;
  }

  [[nodiscard]] bool u8(std::uint8_t &value) {
    Bytes raw;
    if (!bytes(1, raw))
      return false;
    value = raw[0];
    return true;
  }

  [[nodiscard]] bool u16(std::uint32_t &value) {
    Bytes raw;
    if (!bytes(2, raw))
      return false;
    value = load_u16(raw.data());
    return true;
  }

  [[nodiscard]] bool u24(std::uint32_t &value) {
    Bytes raw;
    if (!bytes(3, raw))
      return false;
    value = load_u24(raw.data());
    return true;
  }

  [[nodiscard]] bool u32(std::uint32_t &value) {
    Bytes raw;
    if (!bytes(4, raw))
      return false;
    value = load_u32(raw.data());
    return true;
  }

  [[nodiscard]] bool f64(double &value) {
    Bytes raw;
    if (!bytes(8, raw))
      return false;
    value =
        std::bit_cast<double>(std::uint64_t{load_u32(raw.data())} << 32 | load_u32(raw.data() + 4));
    return true;
  }

private:
  Bytes data_;
  std::size_t position_ = 0;
};

// Appends to a vector that the caller owns.
class Writer {
public:
  explicit Writer(std::vector<std::uint8_t> &out) : out_(out) {}

  void u8(std::uint32_t value) { out_.push_back(static_cast<std::uint8_t>(value)); }

  void u16(std::uint32_t value) {
    u8(value >> 8);
    u8(value);
  }

  void u24(std::uint32_t value) {
    u8(value >> 16);
    u16(value);
  }

  void u32(std::uint32_t value) {
    u16(value >> 16);
    u16(value);
  }

  void f64(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    u32(static_cast<std::uint32_t>(bits >> 32));
    u32(static_cast<std::uint32_t>(bits));
  }

  // Not inline: if g++ 14 knows the size, it falsely reports a write past the end.
  void bytes(Bytes value);

  void text(std::string_view value) {
    bytes({reinterpret_cast<const std::uint8_t *>(value.data()), value.size()});
  }

private:
  std::vector<std::uint8_t> &out_;
};

} // namespace flv
