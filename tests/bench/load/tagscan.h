// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "flv/stream/stream_ids.h"

namespace load {

// Follows the tags of a stream from its file header on, whatever the cutting. It looks at little
// more than their headers, and gives up at the first that is none: who reads a stream for players
// can trust it or has found a fault.
class TagScan {
public:
  void feed(flv::Bytes bytes);

  [[nodiscard]] std::uint32_t tags() const { return tags_; }
  [[nodiscard]] std::uint32_t errors() const { return errors_; }
  [[nodiscard]] bool key_frame() const { return key_frame_; }
  // Of the first audio or video tag that is no configuration.
  [[nodiscard]] std::optional<std::uint32_t> first_timestamp() const { return first_timestamp_; }

  // No tag has begun that is not here whole.
  [[nodiscard]] bool at_boundary() const;

private:
  enum class State : std::uint8_t { FileHeader, PreviousTagSize, TagHeader, Data, Lost };
  // What classify wants to see of a tag's data.
  static constexpr std::uint32_t kPeek = 8;

  void take();
  void take_tag_header();
  void take_data();
  void expect(State state, std::uint32_t size);
  void give_up();

  std::array<std::uint8_t, flv::kTagHeaderSize> held_{};
  State state_ = State::FileHeader;
  bool key_frame_ = false;
  std::uint32_t have_ = 0; // of `want_`, in `held_`
  std::uint32_t want_ = flv::kFileHeaderSize;
  std::uint32_t skip_ = 0; // bytes before the next that matters
  std::uint32_t previous_ = 0;
  std::uint32_t tags_ = 0;
  std::uint32_t errors_ = 0;
  flv::TagHeader tag_;
  flv::StreamIds ids_;
  std::optional<std::uint32_t> first_timestamp_;
};

} // namespace load
