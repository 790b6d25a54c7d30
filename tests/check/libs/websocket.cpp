// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fanout/websocket.h"

#include "checkrun.h"
#include "frames.h"

using namespace fanout::websocket;
using flv::Status;
using flvtest::Buffer;
using flvtest::client_frame;
using flvtest::frame_header;
using flvtest::joined;
using flvtest::payload;

namespace {

// --- Written frames ---

const struct {
  std::uint64_t size;
  Buffer header; // after the first byte
} kSizes[] = {
    {0, {0}},
    {1, {1}},
    {125, {125}},
    {126, {126, 0, 126}},
    {127, {126, 0, 127}},
    {65535, {126, 0xFF, 0xFF}},
    {65536, {127, 0, 0, 0, 0, 0, 1, 0, 0}},
    {0xFFFFFFFF, {127, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}},
    {0x0123456789ABCDEF, {127, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF}},
};

START_TEST(test_headers) {
  const auto &row = ROW(kSizes);
  Buffer out{7};
  append_header(out, Opcode::Binary, row.size);
  ck_assert(out == joined({Buffer{7, 0x82}, row.header}));
  ck_assert_uint_le(out.size() - 1, kMaxHeaderSize);
}
END_TEST

START_TEST(test_opcodes) {
  for (const Opcode opcode : {Opcode::Text, Opcode::Binary, Opcode::Ping, Opcode::Pong}) {
    Buffer out;
    append_header(out, opcode, 0);
    ck_assert(out == (Buffer{static_cast<std::uint8_t>(0x80 | static_cast<int>(opcode)), 0}));
  }
}
END_TEST

const std::size_t kControls[] = {0, 1, 124, 125, 126, 300};

START_TEST(test_control) {
  const Buffer data = payload(ROW(kControls));
  const Bytes kept = Bytes(data).first(std::min<std::size_t>(data.size(), 125));
  Buffer out;
  append_control(out, Opcode::Pong, data);
  ck_assert(out == joined({Buffer{0x8A, static_cast<std::uint8_t>(kept.size())}, kept}));
}
END_TEST

START_TEST(test_close) {
  Buffer out;
  append_close(out, CloseCode::TryAgainLater, "later");
  ck_assert(out == (Buffer{0x88, 7, 0x03, 0xF5, 'l', 'a', 't', 'e', 'r'}));
  out.clear();
  append_close(out, CloseCode::Normal, "");
  ck_assert(out == (Buffer{0x88, 2, 0x03, 0xE8}));
  out.clear();
  append_close(out, CloseCode::GoingAway, std::string(200, 'x'));
  ck_assert_uint_eq(out.size(), 2 + kMaxControlSize);
  ck_assert_uint_eq(out[1], kMaxControlSize);
}
END_TEST

// --- Received frames ---

struct Received {
  Status status = Status::Ok;
  bool closed = false;
  CloseCode error{};
  std::vector<Receiver::Control> controls;
};

Received receive(Bytes bytes, std::size_t chunk = SIZE_MAX) {
  Receiver receiver;
  Received received;
  while (!bytes.empty()) {
    const Bytes part = bytes.first(std::min(chunk, bytes.size()));
    bytes = bytes.subspan(part.size());
    const Status status = receiver.feed(part, received.controls);
    // A malformed stream stays malformed.
    ck_assert(received.status == Status::Ok || status == received.status);
    received.status = status;
  }
  received.closed = receiver.is_closed();
  received.error = receiver.error();
  return received;
}

bool same(const Received &a, const Received &b) {
  return a.status == b.status && a.closed == b.closed && a.error == b.error &&
         std::equal(a.controls.begin(), a.controls.end(), b.controls.begin(), b.controls.end(),
                    [](const auto &x, const auto &y) {
                      return x.opcode == y.opcode && x.payload == y.payload;
                    });
}

// Checks that the result does not depend on the chunks.
Received receive_every_way(Bytes bytes) {
  const Received whole = receive(bytes);
  for (const std::size_t chunk : {1U, 2U, 3U, 7U, 126U, 4096U})
    ck_assert(same(receive(bytes, chunk), whole));
  return whole;
}

void check_controls(const Received &received, const std::vector<Receiver::Control> &expected) {
  ck_assert_uint_eq(received.controls.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ck_assert_enum_eq(received.controls[i].opcode, expected[i].opcode);
    ck_assert(received.controls[i].payload == expected[i].payload);
  }
}

constexpr auto kBinary = static_cast<std::uint8_t>(Opcode::Binary);
constexpr auto kText = static_cast<std::uint8_t>(Opcode::Text);
constexpr auto kContinuation = static_cast<std::uint8_t>(Opcode::Continuation);
constexpr auto kFinal = flvtest::kFinalFrame;

// Parses the frame after a message of any size.
const std::size_t kMessages[] = {0, 1, 2, 125, 126, 127, 65535, 65536};

START_TEST(test_messages) {
  const Buffer ping = payload(9);
  for (const Opcode opcode : {Opcode::Text, Opcode::Binary}) {
    const Received received = receive_every_way(
        joined({client_frame(opcode, payload(ROW(kMessages))), client_frame(Opcode::Ping, ping)}));
    ck_assert_enum_eq(received.status, Status::Ok);
    check_controls(received, {{Opcode::Ping, ping}});
  }
}
END_TEST

// A size may use more bytes than it needs.
START_TEST(test_long_sizes) {
  for (const int size_bytes : {2, 8}) {
    const Received received = receive_every_way(joined(
        {frame_header({0x82, 3, size_bytes}), Buffer{1, 2, 3},
         frame_header({0x89, 2, size_bytes, 0}), Buffer{4, 5}, client_frame(Opcode::Pong, {})}));
    ck_assert_enum_eq(received.status, Status::Ok);
    check_controls(received, {{Opcode::Ping, {4, 5}}, {Opcode::Pong, {}}});
  }
}
END_TEST

const std::uint32_t kMasks[] = {0, 1, 0xFF000000, 0xFFFFFFFF, 0xA1B2C3D4};

START_TEST(test_masks) {
  std::vector<Receiver::Control> expected;
  Buffer bytes;
  for (const std::size_t size : {0U, 1U, 2U, 3U, 4U, 5U, 8U, 124U, 125U}) {
    for (const Opcode opcode : {Opcode::Ping, Opcode::Pong}) {
      expected.push_back({opcode, payload(size)});
      flvtest::append(bytes, client_frame(opcode, payload(size), ROW(kMasks)));
    }
  }
  const Received received = receive_every_way(bytes);
  ck_assert_enum_eq(received.status, Status::Ok);
  check_controls(received, expected);
}
END_TEST

// Control frames may come between the frames of a message.
START_TEST(test_fragments) {
  const Buffer bytes =
      joined({client_frame(kText, payload(200)), client_frame(Opcode::Ping, {}),
              client_frame(kContinuation, {}), client_frame(Opcode::Pong, {}),
              client_frame(kContinuation | kFinal, payload(3)), client_frame(kBinary, {}),
              client_frame(kContinuation | kFinal, {}), client_frame(Opcode::Ping, payload(1))});
  const Received received = receive_every_way(bytes);
  ck_assert_enum_eq(received.status, Status::Ok);
  check_controls(received, {{Opcode::Ping, {}}, {Opcode::Pong, {}}, {Opcode::Ping, payload(1)}});
}
END_TEST

Buffer close_payload(unsigned code, std::size_t reason = 0) {
  return joined({Buffer{static_cast<std::uint8_t>(code >> 8), static_cast<std::uint8_t>(code)},
                 payload(reason)});
}

// Ignores bytes after a close frame.
START_TEST(test_closed) {
  for (const Buffer &data : {Buffer(), close_payload(1000), close_payload(1003),
                             close_payload(1014, 123), close_payload(3000), close_payload(4999)}) {
    const Buffer bytes = joined({client_frame(Opcode::Ping, {}), client_frame(Opcode::Close, data),
                                 client_frame(Opcode::Ping, {}), Buffer(20, 0xFF)});
    const Received received = receive_every_way(bytes);
    ck_assert_enum_eq(received.status, Status::Ok);
    ck_assert(received.closed);
    check_controls(received, {{Opcode::Ping, {}}, {Opcode::Close, data}});
  }
  ck_assert(!receive(client_frame(Opcode::Ping, {})).closed);
  const Buffer close = client_frame(Opcode::Close, close_payload(1000));
  ck_assert(!receive(Bytes(close).first(close.size() - 1)).closed);
}
END_TEST

START_TEST(test_wrong_close) {
  for (const Buffer &data :
       {Buffer{3}, close_payload(0), close_payload(999), close_payload(1004), close_payload(1005),
        close_payload(1006, 5), close_payload(1015), close_payload(2999), close_payload(5000)}) {
    const Received received = receive_every_way(client_frame(Opcode::Close, data));
    ck_assert_enum_eq(received.status, Status::Malformed);
    ck_assert_enum_eq(received.error, CloseCode::ProtocolError);
    check_controls(received, {});
  }
}
END_TEST

// Invalid frames: the header, and the bytes before it.
const struct {
  const char *name;
  CloseCode code;
  flvtest::FrameHeader header;
  Buffer before;
} kWrong[] = {
    {"not masked", CloseCode::ProtocolError, {0x82, 5, 0, {}}, {}},
    {"a control frame that is not masked", CloseCode::ProtocolError, {0x89, 0, 0, {}}, {}},
    {"reserved bit 1", CloseCode::ProtocolError, {0xC2, 5}, {}},
    {"reserved bit 2", CloseCode::ProtocolError, {0xA2, 5}, {}},
    {"reserved bit 3", CloseCode::ProtocolError, {0x92, 5}, {}},
    {"opcode 3", CloseCode::ProtocolError, {0x83, 0}, {}},
    {"opcode 7", CloseCode::ProtocolError, {0x87, 0}, {}},
    {"opcode 11", CloseCode::ProtocolError, {0x8B, 0}, {}},
    {"opcode 15", CloseCode::ProtocolError, {0x8F, 0}, {}},
    {"a ping of 126 bytes", CloseCode::ProtocolError, {0x89, 126, 2}, {}},
    {"a close of 65 536 bytes", CloseCode::ProtocolError, {0x88, 65536, 8}, {}},
    {"a ping in two frames", CloseCode::ProtocolError, {0x09, 3}, {}},
    {"a close in two frames", CloseCode::ProtocolError, {0x08, 2}, {}},
    {"a continuation without a message", CloseCode::ProtocolError, {0x80, 0}, {}},
    {"a continuation of a complete message",
     CloseCode::ProtocolError,
     {0x00, 0},
     client_frame(Opcode::Text, payload(3))},
    {"a message within a message",
     CloseCode::ProtocolError,
     {0x81, 3},
     client_frame(kBinary, payload(3))},
    {"65 537 bytes", CloseCode::TooBig, {0x82, 65537, 8}, {}},
    {"2^64 - 1 bytes", CloseCode::TooBig, {0x82, UINT64_MAX, 8}, {}},
    {"65 537 bytes in two frames",
     CloseCode::TooBig,
     {0x80, 2, 0},
     client_frame(kBinary, payload(65535))},
    {"a message size that overflows 64 bits",
     CloseCode::TooBig,
     {0x80, UINT64_MAX - 1, 8},
     client_frame(kBinary, payload(10))},
};

START_TEST(test_wrong) {
  const auto &row = ROW(kWrong);
  const Buffer ping = client_frame(Opcode::Ping, payload(4));
  const Received received =
      receive_every_way(joined({ping, row.before, frame_header(row.header), ping, ping}));
  ck_assert_msg(received.status == Status::Malformed, "%s", row.name);
  ck_assert_msg(received.error == row.code, "%s: %d", row.name, static_cast<int>(received.error));
  ck_assert(!received.closed);
  // The valid frames before it are returned.
  check_controls(received, {{Opcode::Ping, payload(4)}});
}
END_TEST

// The limit applies to each message, not to each frame.
START_TEST(test_largest) {
  const Buffer half = payload(Receiver::kMaxMessageSize / 2);
  Buffer bytes;
  for (int i = 0; i < 3; ++i)
    flvtest::append(bytes, joined({client_frame(kBinary, half), client_frame(Opcode::Ping, {}),
                                   client_frame(kContinuation | kFinal, half)}));
  const Received received = receive_every_way(bytes);
  ck_assert_enum_eq(received.status, Status::Ok);
  ck_assert_uint_eq(received.controls.size(), 3);
}
END_TEST

START_TEST(test_no_bytes) {
  Receiver receiver;
  std::vector<Receiver::Control> controls;
  ck_assert_enum_eq(receiver.feed({}, controls), Status::Ok);
  ck_assert_enum_eq(receiver.feed(client_frame(Opcode::Close, {}), controls), Status::Ok);
  ck_assert_enum_eq(receiver.feed({}, controls), Status::Ok);
  ck_assert_uint_eq(controls.size(), 1);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("websocket", {{test_headers, std::size(kSizes)},
                                    {test_opcodes},
                                    {test_control, std::size(kControls)},
                                    {test_close},
                                    {test_messages, std::size(kMessages)},
                                    {test_long_sizes},
                                    {test_masks, std::size(kMasks)},
                                    {test_fragments},
                                    {test_closed},
                                    {test_wrong_close},
                                    {test_wrong, std::size(kWrong)},
                                    {test_largest},
                                    {test_no_bytes}});
}
