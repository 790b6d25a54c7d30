// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes WebSocket frames of a client, and parses those of a server.
#pragma once

#include <optional>

#include "fanout/websocket.h"
#include "flvbuild.h"

namespace flvtest {

using fanout::websocket::Opcode;

inline constexpr std::uint8_t kFinalFrame = 0x80;
inline constexpr std::uint32_t kMask = 0x12345678;

// The fields of a frame header, valid or not.
struct FrameHeader {
  std::uint8_t first = 0; // final bit, reserved bits, opcode
  std::uint64_t size = 0;
  int size_bytes = 0; // 0, 2 or 8
  std::optional<std::uint32_t> mask = kMask;
};

inline Buffer frame_header(const FrameHeader &header) {
  Buffer out{header.first};
  flv::Writer writer(out);
  const std::uint32_t masked = header.mask ? 0x80 : 0;
  if (header.size_bytes == 0) {
    writer.u8(masked | static_cast<std::uint32_t>(header.size));
  } else if (header.size_bytes == 2) {
    writer.u8(masked | 126);
    writer.u16(static_cast<std::uint32_t>(header.size));
  } else {
    writer.u8(masked | 127);
    writer.u32(static_cast<std::uint32_t>(header.size >> 32));
    writer.u32(static_cast<std::uint32_t>(header.size));
  }
  if (header.mask)
    writer.u32(*header.mask);
  return out;
}

inline Buffer masked(Bytes payload, std::uint32_t mask) {
  Buffer out(payload.begin(), payload.end());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] ^= static_cast<std::uint8_t>(mask >> (24 - 8 * (i % 4)));
  return out;
}

// A masked frame.
inline Buffer client_frame(std::uint8_t first, Bytes payload, std::uint32_t mask = kMask) {
  const int size_bytes = payload.size() < 126 ? 0 : payload.size() <= 0xFFFF ? 2 : 8;
  return joined({frame_header({first, payload.size(), size_bytes, mask}), masked(payload, mask)});
}

inline Buffer client_frame(Opcode opcode, Bytes payload, std::uint32_t mask = kMask) {
  return client_frame(static_cast<std::uint8_t>(kFinalFrame | static_cast<std::uint8_t>(opcode)),
                      payload, mask);
}

struct Message {
  Opcode opcode = Opcode::Binary;
  Bytes payload;
};

// Removes an unmasked message in one frame from the start of `bytes`. nullopt: there is none.
inline std::optional<Message> take_message(Bytes &bytes) {
  flv::Reader reader(bytes);
  std::uint8_t first = 0;
  std::uint8_t second = 0;
  if (!reader.u8(first) || !reader.u8(second) || (first & 0xF0) != kFinalFrame)
    return std::nullopt;
  std::uint64_t size = second;
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  if (second == 126 ? !reader.u16(low) : second == 127 && (!reader.u32(high) || !reader.u32(low)))
    return std::nullopt;
  if (second > 125)
    size = std::uint64_t{high} << 32 | low;
  Message message{static_cast<Opcode>(first & 0x0F), {}};
  if (second > 127 || size > reader.left() || !reader.bytes(size, message.payload))
    return std::nullopt;
  bytes = bytes.subspan(reader.position());
  return message;
}

} // namespace flvtest
