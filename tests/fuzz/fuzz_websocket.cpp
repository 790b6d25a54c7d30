// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is the data of a client. Its last four bytes set the chunk sizes, and are a mask.
#include "fuzz.h"

#include "frames.h"

using namespace fanout::websocket;
using flv::Status;
using flvtest::Buffer;

namespace {

struct Heard {
  Status status = Status::Ok;
  bool closed = false;
  CloseCode error{};
  std::vector<Receiver::Control> controls;
};

// Feeds chunks of up to `most` bytes.
Heard hear(Bytes bytes, std::uint32_t cuts, std::size_t most) {
  Receiver receiver;
  Heard heard;
  while (!bytes.empty()) {
    cuts = cuts * 1664525U + 1013904223U;
    const std::size_t size = std::min<std::size_t>(1 + (cuts >> 8) % most, bytes.size());
    const Status status = receiver.feed(bytes.first(size), heard.controls);
    REQUIRE(heard.status == Status::Ok || status == heard.status);
    heard.status = status;
    bytes = bytes.subspan(size);
  }
  heard.closed = receiver.is_closed();
  heard.error = receiver.error();
  return heard;
}

void check(const Heard &heard) {
  REQUIRE(heard.status == Status::Ok || heard.status == Status::Malformed);
  REQUIRE(heard.status == Status::Ok || !heard.closed);
  if (heard.status == Status::Malformed)
    REQUIRE(heard.error == CloseCode::ProtocolError || heard.error == CloseCode::TooBig);
  for (std::size_t i = 0; i < heard.controls.size(); ++i) {
    const Receiver::Control &control = heard.controls[i];
    REQUIRE(control.opcode == Opcode::Close || control.opcode == Opcode::Ping ||
            control.opcode == Opcode::Pong);
    REQUIRE(control.payload.size() <= kMaxControlSize);
    const bool last = i + 1 == heard.controls.size();
    REQUIRE((control.opcode == Opcode::Close) == (last && heard.closed));
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
  const Heard heard = hear(all, mask, 50);
  check(heard);
  if (payload.size() > Receiver::kMaxMessageSize) {
    REQUIRE(heard.status == Status::Malformed && heard.error == CloseCode::TooBig);
    return;
  }
  REQUIRE(heard.status == Status::Ok && heard.closed && heard.controls.size() == 3);
  REQUIRE(same(heard.controls[0], {Opcode::Ping, kept}));
  REQUIRE(same(heard.controls[1], {Opcode::Ping, kept}));
  const Buffer &reason = heard.controls[2].payload;
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
  const Heard whole = hear(bytes, number, SIZE_MAX);
  check(whole);
  for (const std::size_t most : {1U, 20U}) {
    const Heard pieces = hear(bytes, number, most);
    REQUIRE(pieces.status == whole.status && pieces.closed == whole.closed &&
            pieces.error == whole.error);
    REQUIRE(std::equal(pieces.controls.begin(), pieces.controls.end(), whole.controls.begin(),
                       whole.controls.end(), same));
  }
  check_written(bytes, number);
  return 0;
}
