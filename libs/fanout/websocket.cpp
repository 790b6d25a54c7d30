// SPDX-License-Identifier: LGPL-2.1-or-later
#include "websocket.h"

#include <algorithm>
#include <iterator>

namespace fanout::websocket {

namespace {

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kSize16 = 126;
constexpr std::uint8_t kSize64 = 127;

bool is_control(Opcode opcode) {
  return opcode >= Opcode::Close;
}

// A close frame is empty, or has a code that may be sent (RFC 6455, 7.4) and a reason.
bool is_valid_close(Bytes payload) {
  if (payload.size() < 2)
    return payload.empty();
  const std::uint32_t code = flv::load_u16(payload.data());
  constexpr std::uint32_t kNeverSent[] = {1004, 1005, 1006};
  const bool defined = code >= 1000 && code <= 1014 && std::ranges::count(kNeverSent, code) == 0;
  return defined || (code >= 3000 && code <= 4999);
}

} // namespace

void append_header(std::vector<std::uint8_t> &out, Opcode opcode, std::uint64_t payload_size) {
  flv::Writer writer(out);
  writer.u8(static_cast<std::uint32_t>(kFinal | static_cast<std::uint8_t>(opcode)));
  if (payload_size < kSize16) {
    writer.u8(static_cast<std::uint32_t>(payload_size));
  } else if (payload_size <= 0xFFFF) {
    writer.u8(kSize16);
    writer.u16(static_cast<std::uint32_t>(payload_size));
  } else {
    writer.u8(kSize64);
    writer.u32(static_cast<std::uint32_t>(payload_size >> 32));
    writer.u32(static_cast<std::uint32_t>(payload_size));
  }
}

void append_control(std::vector<std::uint8_t> &out, Opcode opcode, Bytes payload) {
  payload = payload.first(std::min(payload.size(), kMaxControlSize));
  append_header(out, opcode, payload.size());
  std::copy(payload.begin(), payload.end(), std::back_inserter(out));
}

void append_close(std::vector<std::uint8_t> &out, CloseCode code, std::string_view reason) {
  std::vector<std::uint8_t> payload;
  flv::Writer writer(payload);
  writer.u16(static_cast<std::uint32_t>(code));
  writer.text(reason);
  append_control(out, Opcode::Close, payload);
}

bool Receiver::fail(CloseCode code) {
  error_ = code;
  state_ = State::Failed;
  return false;
}

// Bytes of the current header, as far as its first two bytes are known.
std::size_t Receiver::header_size() const {
  if (header_bytes_ < 2)
    return 2;
  const int size = header_[1] & 0x7F;
  const std::size_t mask = (header_[1] & kMasked) != 0 ? 4 : 0;
  return 2 + mask + (size == kSize16 ? 2 : size == kSize64 ? 8 : 0);
}

bool Receiver::take_header() {
  const std::uint8_t first = header_[0];
  opcode_ = static_cast<Opcode>(first & 0x0F);
  final_ = (first & kFinal) != 0;
  const bool known = opcode_ <= Opcode::Binary || is_control(opcode_);
  if ((first & kReserved) != 0 || !known || opcode_ > Opcode::Pong || (header_[1] & kMasked) == 0)
    return fail(CloseCode::ProtocolError);
  payload_left_ = header_[1] & 0x7F;
  std::size_t at = 2;
  if (payload_left_ == kSize16) {
    payload_left_ = flv::load_u16(&header_[2]);
    at += 2;
  } else if (payload_left_ == kSize64) {
    payload_left_ = std::uint64_t{flv::load_u32(&header_[2])} << 32 | flv::load_u32(&header_[6]);
    at += 8;
  }
  std::copy_n(header_.begin() + static_cast<std::ptrdiff_t>(at), mask_.size(), mask_.begin());
  unmasked_ = 0;
  header_bytes_ = 0;
  state_ = State::Payload;
  if (is_control(opcode_))
    return (final_ && payload_left_ <= kMaxControlSize) || fail(CloseCode::ProtocolError);
  if ((opcode_ == Opcode::Continuation) != in_message_)
    return fail(CloseCode::ProtocolError);
  message_size_ = in_message_ ? message_size_ : 0;
  if (payload_left_ > kMaxMessageSize || message_size_ + payload_left_ > kMaxMessageSize)
    return fail(CloseCode::TooBig);
  message_size_ += payload_left_;
  in_message_ = !final_;
  return true;
}

void Receiver::take_payload(Bytes payload) {
  if (is_control(opcode_)) {
    for (const std::uint8_t byte : payload)
      control_.push_back(byte ^ mask_[unmasked_++ % mask_.size()]);
  }
  payload_left_ -= payload.size();
}

void Receiver::end_frame(std::vector<Control> &controls) {
  const bool close = opcode_ == Opcode::Close;
  state_ = close ? State::Closed : State::Header;
  if (close && !is_valid_close(control_))
    (void)fail(CloseCode::ProtocolError);
  else if (is_control(opcode_))
    controls.push_back({opcode_, std::move(control_)});
  control_.clear();
}

flv::Status Receiver::feed(Bytes bytes, std::vector<Control> &controls) {
  while (state_ != State::Failed && state_ != State::Closed && !bytes.empty()) {
    if (state_ == State::Header) {
      header_[header_bytes_++] = bytes.front();
      bytes = bytes.subspan(1);
      if (header_bytes_ < header_size())
        continue;
      if (take_header() && payload_left_ == 0)
        end_frame(controls);
      continue;
    }
    const Bytes part = bytes.first(std::min<std::uint64_t>(payload_left_, bytes.size()));
    take_payload(part);
    bytes = bytes.subspan(part.size());
    if (payload_left_ == 0)
      end_frame(controls);
  }
  return state_ == State::Failed ? flv::Status::Malformed : flv::Status::Ok;
}

} // namespace fanout::websocket
