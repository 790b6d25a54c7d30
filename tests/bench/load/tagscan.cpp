// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tagscan.h"

#include <algorithm>
#include <cstdint>

#include "flv/format/codec.h"

namespace load {

void TagScan::feed(flv::Bytes bytes) {
  while (!bytes.empty() && state_ != State::Lost) {
    if (skip_ > 0) {
      const std::size_t count = std::min<std::size_t>(skip_, bytes.size());
      skip_ -= static_cast<std::uint32_t>(count);
      bytes = bytes.subspan(count);
      continue;
    }
    const std::size_t count = std::min<std::size_t>(want_ - have_, bytes.size());
    std::copy_n(bytes.begin(), count, held_.begin() + have_);
    have_ += static_cast<std::uint32_t>(count);
    bytes = bytes.subspan(count);
    if (have_ == want_)
      take();
  }
}

bool TagScan::at_boundary() const {
  const bool first = state_ == State::FileHeader || state_ == State::TagHeader;
  return first && have_ == 0 && skip_ == 0;
}

void TagScan::take() {
  flv::FileHeader header;
  switch (state_) {
  case State::FileHeader:
    if (read_file_header(held_.data(), header).kind != flv::Fault::Kind::None)
      return give_up();
    skip_ = header.size - static_cast<std::uint32_t>(flv::kFileHeaderSize);
    return expect(State::PreviousTagSize, flv::kPreviousTagSizeSize);
  case State::PreviousTagSize:
    errors_ += flv::load_u32(held_.data()) == previous_ ? 0 : 1;
    complete();
    return expect(State::TagHeader, flv::kTagHeaderSize);
  case State::TagHeader:
    return take_tag_header();
  case State::Data:
    return take_data();
  case State::Lost:
    return;
  }
}

void TagScan::take_tag_header() {
  if (read_tag_header(held_.data(), flv::kMaxDataSize, ids_, tag_).kind != flv::Fault::Kind::None)
    return give_up();
  ids_.note(tag_);
  ++tags_;
  previous_ = tag_.tag_size();
  const bool curious = !tag_.is_script() && (!key_frame_ || !first_timestamp_);
  if (curious && tag_.data_size > 0)
    return expect(State::Data, std::min(kPeek, tag_.data_size));
  skip_ = tag_.data_size;
  expect(State::PreviousTagSize, flv::kPreviousTagSizeSize);
}

void TagScan::take_data() {
  const flv::Role role = classify(tag_.type, flv::Bytes(held_).first(want_)).role;
  if (role == flv::Role::KeyFrame)
    key_frame_ = true;
  if (!first_timestamp_ && (role == flv::Role::KeyFrame || role == flv::Role::Media))
    first_timestamp_ = tag_.timestamp;
  skip_ = tag_.data_size - want_;
  expect(State::PreviousTagSize, flv::kPreviousTagSizeSize);
}

void TagScan::complete() {
  if (!first_timestamp_ || tag_.is_script())
    return;
  // Timestamps may wrap.
  const std::int64_t time = static_cast<std::int32_t>(tag_.timestamp - *first_timestamp_);
  duration_ = std::max(duration_.value_or(time), time);
}

void TagScan::expect(State state, std::uint32_t size) {
  state_ = state;
  have_ = 0;
  want_ = size;
}

void TagScan::give_up() {
  ++errors_;
  state_ = State::Lost;
}

} // namespace load
