// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is the data of a client. Its last four bytes set the chunk sizes, and are a mask.
#include "fuzz.h"

#include "frames.h"

using namespace fanout::websocket;
using flv::Status;
using flvtest::Buffer;

namespace {

struct Received {
  Status status = Status::Ok;
  bool closed = false;
  CloseCode error{};
  std::vector<Receiver::Control> controls;
};

// Feeds chunks of up to `most` bytes.
Received receive(Bytes bytes, std::uint32_t cuts, std::size_t most) {
  Receiver receiver;
  Received received;
  while (!bytes.empty()) {
    cuts = cuts * 1664525U + 1013904223U;
    const std::size_t size = std::min<std::size_t>(1 + (cuts >> 8) % most, bytes.size());
    const Status status = receiver.feed(bytes.first(size), received.controls);
    REQUIRE(received.status == Status::Ok || status == received.status);
    received.status = status;
    bytes = bytes.subspan(size);
  }
  received.closed = receiver.is_closed();
  received.error = receiver.error();
  return received;
}

void check(const Received &received) {
  REQUIRE(received.status == Status::Ok || received.status == Status::Malformed);
  REQUIRE(received.status == Status::Ok || !received.closed);
  if (received.status == Status::Malformed)
    REQUIRE(received.error == CloseCode::ProtocolError || received.error == CloseCode::TooBig);
  for (std::size_t i = 0; i < received.controls.size(); ++i) {
    const Receiver::Control &control = received.controls[i];
    REQUIRE(control.opcode == Opcode::Close || control.opcode == Opcode::Ping ||
            control.opcode == Opcode::Pong);
    REQUIRE(control.payload.size() <= kMaxControlSize);
    const bool last = i + 1 == received.controls.size();
    REQUIRE((control.opcode == Opcode::Close) == (last && received.closed));
  }
}

bool same(const Receiver::Control &a, const Receiver::Control &b) {
  return a.opcode == b.opcode && a.payload == b.payload;
}

// A server's frame, changed to a client's frame.
Buffer as_client(Bytes frame, std::uint32_t mask) {
  const auto message = flvtest::take_message(frame);
  REQUIRE(message && frame.empty());
  return flvtest::client_frame(message->opcode, message->payload, mask);
}

// A written frame is equal when it is read.
void check_written(Bytes payload, std::uint32_t mask) {
  const Buffer kept(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                           payload.size(), kMaxControlSize)));
  Buffer ping;
  append_control(ping, Opcode::Ping, payload);
  Buffer binary;
  append_header(binary, Opcode::Binary, payload.size());
  REQUIRE(binary.size() <= kMaxHeaderSize);
  flvtest::append(binary, payload);
  Buffer close;
  append_close(close, CloseCode::PolicyViolation,
               {reinterpret_cast<const char *>(payload.data()), payload.size()});
  Buffer all;
  for (const Buffer &frame : {ping, binary, ping, close})
    flvtest::append(all, as_client(frame, mask));
  const Received received = receive(all, mask, 50);
  check(received);
  if (payload.size() > Receiver::kMaxMessageSize) {
    REQUIRE(received.status == Status::Malformed && received.error == CloseCode::TooBig);
    return;
  }
  REQUIRE(received.status == Status::Ok && received.closed && received.controls.size() == 3);
  REQUIRE(same(received.controls[0], {Opcode::Ping, kept}));
  REQUIRE(same(received.controls[1], {Opcode::Ping, kept}));
  const Buffer &reason = received.controls[2].payload;
  REQUIRE(reason.size() == 2 + std::min(payload.size(), kMaxControlSize - 2));
  REQUIRE(flv::load_u16(reason.data()) == static_cast<unsigned>(CloseCode::PolicyViolation));
  REQUIRE(std::equal(reason.begin() + 2, reason.end(), payload.begin()));
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  Bytes bytes(data, size);
  std::uint32_t number = 0;
  if (size >= 4) {
    number = flv::load_u32(bytes.last(4).data());
    bytes = bytes.first(size - 4);
  }
  const Received whole = receive(bytes, number, SIZE_MAX);
  check(whole);
  for (const std::size_t most : {1U, 20U}) {
    const Received pieces = receive(bytes, number, most);
    REQUIRE(pieces.status == whole.status && pieces.closed == whole.closed &&
            pieces.error == whole.error);
    REQUIRE(std::equal(pieces.controls.begin(), pieces.controls.end(), whole.controls.begin(),
                       whole.controls.end(), same));
  }
  check_written(bytes, number);
  return 0;
}
