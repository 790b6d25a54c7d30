// SPDX-License-Identifier: LGPL-2.1-or-later
// WebSocket frames after the handshake: RFC 6455, chapters 5 and 7.
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

// RFC 6455, 7.4.1, and the IANA registry.
enum class CloseCode : std::uint16_t {
  Normal = 1000,
  GoingAway = 1001,
  ProtocolError = 1002,
  PolicyViolation = 1008,
  TooBig = 1009,
  TryAgainLater = 1013,
};

// Bytes: the longest header of a server's frame, and the longest payload of a control frame.
inline constexpr std::size_t kMaxHeaderSize = 10;
inline constexpr std::size_t kMaxControlSize = 125;

// Appends the header of an unmasked message in one frame.
void append_header(std::vector<std::uint8_t> &out, Opcode opcode, std::uint64_t payload_size);
// Appends a control frame. Truncates `payload` to kMaxControlSize.
void append_control(std::vector<std::uint8_t> &out, Opcode opcode, Bytes payload);
void append_close(std::vector<std::uint8_t> &out, CloseCode code, std::string_view reason);

// Parses the frames of a client. Discards its messages and returns its control frames.
class Receiver {
public:
  // Bytes. A client has no reason to send long messages: a longer one is TooBig.
  static constexpr std::uint64_t kMaxMessageSize = 64 << 10;

  struct Control {
    Opcode opcode = Opcode::Ping;
    std::vector<std::uint8_t> payload;
  };

  // Appends the control frames that `bytes` completes. Malformed: the caller must close the
  // connection with error(), and later bytes are ignored. Ignores bytes after a close frame.
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
  std::size_t header_bytes_ = 0; // received so far
  Opcode opcode_ = Opcode::Continuation;
  bool final_ = false;
  std::array<std::uint8_t, 4> mask_{};
  std::uint64_t payload_left_ = 0; // bytes
  std::uint64_t unmasked_ = 0;     // bytes of the payload
  bool in_message_ = false;        // between the frames of a fragmented message
  std::uint64_t message_size_ = 0;
  std::vector<std::uint8_t> control_;
};

} // namespace fanout::websocket
