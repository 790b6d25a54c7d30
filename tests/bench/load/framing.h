// SPDX-License-Identifier: LGPL-2.1-or-later
// The framing of the stream: chunks (RFC 9112, 7.1) or WebSocket frames (RFC 6455, 5.2).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "flv/format/bytes.h"

namespace load {

// The next part of a connection's data.
struct Piece {
  enum class Kind : std::uint8_t { NeedMore, Stream, Ping, End, Malformed };
  Kind kind = Kind::NeedMore;
  flv::Bytes bytes{};          // stream data in the input, or the payload of a ping
  bool begins_message = false; // for stream data
};

// Frames from a server: unmasked, binary.
class FrameReader {
public:
  // Removes the returned piece from `input`.
  [[nodiscard]] Piece next(flv::Bytes &input);

private:
  enum class State : std::uint8_t { Header, Data, Control };
  static constexpr std::size_t kLongestHeader = 10; // without a mask

  [[nodiscard]] bool read_header(flv::Bytes &input);
  [[nodiscard]] Piece begin_frame();
  [[nodiscard]] Piece take_data(flv::Bytes &input);
  [[nodiscard]] Piece take_control(flv::Bytes &input);

  std::array<std::uint8_t, kLongestHeader> header_{};
  State state_ = State::Header;
  std::uint8_t have_ = 0;
  bool begins_message_ = false;
  std::uint64_t left_ = 0; // bytes of the frame
  std::string control_;
};

class ChunkReader {
public:
  [[nodiscard]] Piece next(flv::Bytes &input);

private:
  enum class State : std::uint8_t { Size, Extension, Data, DataEnd, Ended };

  [[nodiscard]] bool take_size_line(std::uint8_t byte);

  State state_ = State::Size;
  std::uint8_t digits_ = 0;
  std::uint64_t left_ = 0;
};

// A frame to the server, which must be masked. The mask is zero, so that the payload is unchanged.
[[nodiscard]] std::string pong(flv::Bytes payload);

} // namespace load
