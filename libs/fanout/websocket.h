// SPDX-License-Identifier: LGPL-2.1-or-later
// WebSocket frames behind the handshake: RFC 6455, chapters 5 and 7.
#pragma once

#include <array>
#include <string_view>

#include "flv/format/bytes.h"

namespace fanout::websocket {

using flv::Bytes;

enum class Opcode : std::uint8_t {
  Continuation = 0,
  Text = 1,
  Binary = 2,
  Close = 8,
  Ping = 9,
  Pong = 10,
};

// RFC 6455, 7.4.1, and IANA's registry.
enum class CloseCode : std::uint16_t {
  Normal = 1000,
  GoingAway = 1001,
  ProtocolError = 1002,
  PolicyViolation = 1008,
  TooBig = 1009,
  TryAgainLater = 1013,
};

// Bytes: the longest header that a server writes, and the longest payload of a control frame.
inline constexpr std::size_t kMaxHeaderSize = 10;
inline constexpr std::size_t kMaxControlSize = 125;

// Appends the header of a whole, unmasked message.
void append_header(std::vector<std::uint8_t> &out, Opcode opcode, std::uint64_t payload_size);
// Appends a control frame. Of `payload`, what is too much is left out.
void append_control(std::vector<std::uint8_t> &out, Opcode opcode, Bytes payload);
void append_close(std::vector<std::uint8_t> &out, CloseCode code, std::string_view reason);

// Reads what a client sends. Its messages are passed over, however they are cut; what has to be
// answered is told.
class Receiver {
public:
  // Bytes: a client of a stream has nothing to say. A longer message is TooBig.
  static constexpr std::uint64_t kMaxMessageSize = 64 << 10;

  struct Control {
    Opcode opcode = Opcode::Ping;
    std::vector<std::uint8_t> payload;
  };

  // Appends the control frames that `bytes` completes. Malformed: the connection has to be closed,
  // and error() says with what; nothing more is taken. Behind a close frame, nothing is read.
  [[nodiscard]] flv::Status feed(Bytes bytes, std::vector<Control> &controls);
  [[nodiscard]] CloseCode error() const { return error_; }
  [[nodiscard]] bool is_closed() const { return state_ == State::Closed; }

private:
  enum class State : std::uint8_t { Header, Payload, Closed, Failed };

  static constexpr std::size_t kMaxClientHeader = 14;

  [[nodiscard]] std::size_t header_size() const;
  [[nodiscard]] bool take_header();
  void take_payload(Bytes payload);
  void end_frame(std::vector<Control> &controls);
  [[nodiscard]] bool fail(CloseCode code);

  State state_ = State::Header;
  CloseCode error_ = CloseCode::ProtocolError;
  std::array<std::uint8_t, kMaxClientHeader> header_{};
  std::size_t have_ = 0; // bytes of header_
  Opcode opcode_ = Opcode::Continuation;
  bool final_ = false;
  std::array<std::uint8_t, 4> mask_{};
  std::uint64_t left_ = 0; // bytes of the payload
  std::uint64_t taken_ = 0;
  bool in_message_ = false; // of several frames
  std::uint64_t message_size_ = 0;
  std::vector<std::uint8_t> control_;
};

} // namespace fanout::websocket
