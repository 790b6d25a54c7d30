// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the bits of video headers. After the end, reads zeros.
#pragma once

#include <cstdint>

#include "flv/format/bytes.h"

namespace remux {

class Bits {
public:
  // H.264 and HEVC put an emulation prevention byte after two zeros.
  enum class Prevention { None, Skipped };

  explicit Bits(flv::Bytes data, Prevention prevention = Prevention::None)
      : data_(data), prevention_(prevention) {}

  std::uint32_t read(int count) {
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i)
      value = value << 1 | bit();
    return value;
  }
  void skip(int count) {
    for (int i = 0; i < count; ++i)
      (void)bit();
  }
  // Exp-Golomb codes. The unsigned one is AV1's uvlc, too.
  std::uint32_t ue() {
    int zeros = 0;
    while (zeros < 32 && !is_at_end() && bit() == 0)
      ++zeros;
    return zeros >= 32 ? 0 : (std::uint32_t{1} << zeros) - 1 + read(zeros);
  }
  std::int32_t se() {
    const std::uint32_t code = ue();
    const auto half = static_cast<std::int32_t>(code / 2);
    return code % 2 == 1 ? half + 1 : -half;
  }
  [[nodiscard]] bool is_at_end() const { return byte_ >= data_.size(); }

private:
  std::uint32_t bit() {
    if (prevention_ == Prevention::Skipped && bit_ == 0 && byte_ >= 2 && byte_ < data_.size() &&
        data_[byte_] == 3 && data_[byte_ - 1] == 0 && data_[byte_ - 2] == 0)
      ++byte_;
    if (is_at_end())
      return 0;
    const std::uint32_t value = data_[byte_] >> (7 - bit_) & 1U;
    if (++bit_ == 8) {
      bit_ = 0;
      ++byte_;
    }
    return value;
  }

  flv::Bytes data_;
  Prevention prevention_;
  std::size_t byte_ = 0;
  int bit_ = 0;
};

} // namespace remux
