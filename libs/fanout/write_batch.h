// SPDX-License-Identifier: LGPL-2.1-or-later
// The buffers of one vectored write.
#pragma once

#include <array>
#include <span>

#include <sys/uio.h>

#include "flv/format/tag.h"

namespace fanout {

using flv::Bytes;

// Refers to bytes of the backlog, of a cursor and of itself. It is valid until one of them changes.
class WriteBatch {
public:
  static constexpr std::size_t kMaxTags = 256;

  void clear();
  void add(Bytes bytes);
  // Adds an FLV tag, with `timestamp` in place of its own.
  void add_tag(Bytes tag, std::uint32_t timestamp);
  // Removes the first `count` bytes.
  void skip(std::size_t count);

  [[nodiscard]] std::span<iovec> parts() { return {parts_.data() + first_, count_ - first_}; }
  [[nodiscard]] std::size_t size() const { return size_; }

private:
  // A tag takes two parts. The bytes before the tags take one.
  std::array<iovec, 2 * kMaxTags + 1> parts_{};
  std::array<std::array<std::uint8_t, flv::kTagHeaderSize>, kMaxTags> headers_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t tags_ = 0;
  std::size_t size_ = 0;
};

} // namespace fanout
