// SPDX-License-Identifier: LGPL-2.1-or-later
#include "framing.h"

#include <algorithm>
#include <cstdint>

namespace load {

namespace {

enum Opcode : std::uint8_t { kContinuation = 0, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kControl = 0x08; // a bit in the opcode
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;

std::size_t header_size(std::uint8_t second) {
  const std::uint8_t length = second & 0x7F;
  return length == kLength64 ? 10 : length == kLength16 ? 4 : 2;
}

int digit_of(std::uint8_t byte) {
  if (byte >= '0' && byte <= '9')
    return byte - '0';
  const int lower = byte | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

Piece malformed() {
  return {.kind = Piece::Kind::Malformed};
}

// Removes up to `left` bytes from `input`, and reduces `left`.
flv::Bytes take(flv::Bytes &input, std::uint64_t &left) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, input.size()));
  const flv::Bytes bytes = input.first(count);
  input = input.subspan(count);
  left -= count;
  return bytes;
}

} // namespace

Piece FrameReader::next(flv::Bytes &input) {
  for (;;) {
    Piece piece;
    if (state_ != State::Header && left_ > 0 && input.empty())
      return piece;
    switch (state_) {
    case State::Header:
      if (!read_header(input))
        return piece;
      piece = begin_frame();
      break;
    case State::Data:
      return take_data(input);
    case State::Control:
      piece = take_control(input);
      break;
    }
    if (piece.kind != Piece::Kind::NeedMore)
      return piece;
  }
}

bool FrameReader::read_header(flv::Bytes &input) {
  while (have_ < 2 || have_ < header_size(header_[1])) {
    if (input.empty())
      return false;
    header_[have_++] = input[0];
    input = input.subspan(1);
  }
  return true;
}

Piece FrameReader::begin_frame() {
  have_ = 0;
  const auto opcode = static_cast<std::uint8_t>(header_[0] & 0x0F);
  const bool final = (header_[0] & kFinal) != 0;
  left_ = header_[1] & 0x7F;
  if (left_ == kLength16)
    left_ = std::uint64_t{header_[2]} << 8 | header_[3];
  else if (left_ == kLength64)
    left_ = std::uint64_t{flv::load_u32(&header_[2])} << 32 | flv::load_u32(&header_[6]);
  if ((header_[0] & kReserved) != 0 || (header_[1] & kMasked) != 0)
    return malformed();
  if ((opcode & kControl) != 0) {
    const bool known = opcode == kClose || opcode == kPing || opcode == kPong;
    if (!known || !final || left_ >= kLength16)
      return malformed();
    control_.clear();
    state_ = State::Control;
    return {};
  }
  if (opcode != kBinary && opcode != kContinuation)
    return malformed();
  begins_message_ = opcode == kBinary;
  state_ = State::Data;
  return {};
}

Piece FrameReader::take_data(flv::Bytes &input) {
  const Piece piece{
      .kind = Piece::Kind::Stream, .bytes = take(input, left_), .begins_message = begins_message_};
  begins_message_ = false;
  if (left_ == 0)
    state_ = State::Header;
  return piece;
}

Piece FrameReader::take_control(flv::Bytes &input) {
  for (const std::uint8_t byte : take(input, left_))
    control_ += static_cast<char>(byte);
  if (left_ > 0)
    return {};
  state_ = State::Header;
  switch (header_[0] & 0x0F) {
  case kPing:
    return {.kind = Piece::Kind::Ping,
            .bytes = {reinterpret_cast<const std::uint8_t *>(control_.data()), control_.size()}};
  case kClose:
    return {.kind = Piece::Kind::End};
  default:
    return {};
  }
}

Piece ChunkReader::next(flv::Bytes &input) {
  while (!input.empty() && state_ != State::Ended) {
    if (state_ == State::Data) {
      const Piece piece{.kind = Piece::Kind::Stream, .bytes = take(input, left_)};
      if (left_ == 0)
        state_ = State::DataEnd;
      return piece;
    }
    const std::uint8_t byte = input[0];
    input = input.subspan(1);
    if (!take_size_line(byte))
      return malformed();
  }
  return {.kind = state_ == State::Ended ? Piece::Kind::End : Piece::Kind::NeedMore};
}

bool ChunkReader::take_size_line(std::uint8_t byte) {
  constexpr std::uint8_t kMostDigits = 15;
  const int digit = digit_of(byte);
  if (state_ == State::DataEnd) { // CR LF
    if (byte == '\n')
      state_ = State::Size;
    return byte == '\n' || byte == '\r';
  }
  if (state_ == State::Size && digit >= 0) {
    left_ = left_ << 4 | static_cast<unsigned>(digit);
    return ++digits_ <= kMostDigits;
  }
  if (digits_ == 0)
    return false;
  state_ = State::Extension;
  if (byte == '\n') {
    digits_ = 0;
    state_ = left_ > 0 ? State::Data : State::Ended;
  }
  return true;
}

std::string pong(flv::Bytes payload) {
  std::string frame;
  frame += static_cast<char>(kFinal | kPong);
  frame += static_cast<char>(kMasked | static_cast<std::uint8_t>(payload.size()));
  frame.append(4, '\0');
  frame.append(reinterpret_cast<const char *>(payload.data()), payload.size());
  return frame;
}

} // namespace load
