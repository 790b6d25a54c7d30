// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "flv/stream/stream_ids.h"

namespace load {

// Parses the tags of a stream from its file header on, for any chunking. It reads little more than
// the tag headers, and stops at the first invalid one, because a stream for players must have no
// damage.
class TagScan {
public:
  void feed(flv::Bytes bytes);

  [[nodiscard]] std::uint32_t tags() const { return tags_; }
  [[nodiscard]] std::uint32_t errors() const { return errors_; }
  [[nodiscard]] bool key_frame() const { return key_frame_; }
  // Of the first audio or video tag that is not a configuration.
  [[nodiscard]] std::optional<std::uint32_t> first_timestamp() const { return first_timestamp_; }
  // ms: from the first timestamp to the last one of a complete tag. nullopt: no frame is complete.
  [[nodiscard]] std::optional<std::int64_t> duration() const { return duration_; }

  // Whether no tag is incomplete.
  [[nodiscard]] bool at_boundary() const;

private:
  enum class State : std::uint8_t { FileHeader, PreviousTagSize, TagHeader, Data, Lost };
  // The number of data bytes that classify() needs.
  static constexpr std::uint32_t kPeek = 8;

  void take();
  void take_tag_header();
  void take_data();
  void complete();
  void expect(State state, std::uint32_t size);
  void give_up();

  std::array<std::uint8_t, flv::kTagHeaderSize> held_{};
  State state_ = State::FileHeader;
  bool key_frame_ = false;
  std::uint32_t have_ = 0; // bytes of `want_` that are in `held_`
  std::uint32_t want_ = flv::kFileHeaderSize;
  std::uint32_t skip_ = 0; // bytes before the next needed byte
  std::uint32_t previous_ = 0;
  std::uint32_t tags_ = 0;
  std::uint32_t errors_ = 0;
  flv::TagHeader tag_;
  flv::StreamIds ids_;
  std::optional<std::uint32_t> first_timestamp_;
  std::optional<std::int64_t> duration_;
};

} // namespace load
