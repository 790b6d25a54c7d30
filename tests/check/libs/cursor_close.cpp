// SPDX-License-Identifier: LGPL-2.1-or-later
// Bytes that are queued during a write, and clients that are closed.
#include "cursor_stream.h"

namespace {

// Queued bytes go between messages, or between tags.
START_TEST(test_queued_during_a_partial_write) {
  const Backlog backlog = backlog_of();
  const Buffer start = joined({Bytes(kHeader->container_header), config(0)});
  const Buffer tags = tags_of({{9, 0}, {10, 0}, {11, 0}, {12, 40}});
  Buffer pong;
  websocket::append_control(pong, websocket::Opcode::Pong, flvtest::payload(5));
  const Buffer messages = joined({framed(start), framed(tags)});
  for (std::size_t at = 0; at <= messages.size(); ++at) {
    TestClient socket(Framing::WebSocket, backlog);
    ck_assert_uint_eq(socket.write(backlog, {}, at), at);
    socket.cursor.queue_bytes(pong);
    ck_assert_uint_eq(socket.cursor.queued_size() >= pong.size(), true);
    socket.write_all(backlog, {}, 50);
    // If nothing is written yet, the queued bytes follow the join header.
    ck_assert(socket.out ==
              (at == 0 ? joined({framed(start), pong, framed(tags)}) : joined({messages, pong})));
    ck_assert(socket.cursor.is_flushed() && socket.cursor.queued_size() == 0);
  }
  const Buffer plain_stream = joined({start, tags});
  for (std::size_t at = 0; at <= plain_stream.size(); ++at) {
    TestClient plain(Framing::Plain, backlog);
    plain.write(backlog, {}, at);
    plain.cursor.queue_bytes(Buffer{'!'});
    plain.write_all(backlog, {}, 50);
    // They follow the partly written tag.
    std::size_t offset = start.size();
    for (const Number number : {9U, 10U, 11U, 12U}) {
      if (at > offset)
        offset += backlog.at(number).bytes.size();
    }
    ck_assert(plain.out == flvtest::inserted(plain_stream, offset, Buffer{'!'}));
  }
}
END_TEST

// A client that is closed receives the rest of a partial write, its queued bytes, and nothing else.
START_TEST(test_close) {
  const Backlog backlog = backlog_of();
  const Buffer start = joined({Bytes(kHeader->container_header), config(0)});
  const Buffer tags = tags_of({{9, 0}, {10, 0}, {11, 0}, {12, 40}});
  Buffer close;
  websocket::append_close(close, websocket::CloseCode::Normal, "bye");
  const Buffer messages = joined({framed(start), framed(tags)});
  for (std::size_t at = 0; at <= messages.size(); ++at) {
    for (const std::size_t max_size : {kAll, std::size_t{3}}) {
      TestClient socket(Framing::WebSocket, backlog);
      socket.write(backlog, {}, at);
      socket.cursor.queue_bytes(close);
      ck_assert(!socket.cursor.is_flushed());
      socket.close(backlog, max_size);
      ck_assert(socket.cursor.is_flushed());
      ck_assert(socket.out ==
                (at == 0 ? joined({framed(start), close}) : joined({messages, close})));
    }
  }
  const Buffer plain_stream = joined({start, tags});
  for (std::size_t at = 0; at <= plain_stream.size(); ++at) {
    TestClient plain(Framing::Plain, backlog);
    plain.write(backlog, {}, at);
    plain.close(backlog, 2);
    std::size_t end = start.size();
    for (const Number number : {9U, 10U, 11U, 12U}) {
      if (at > end)
        end += backlog.at(number).bytes.size();
    }
    ck_assert(plain.out == Buffer(plain_stream.begin(),
                                  plain_stream.begin() + static_cast<std::ptrdiff_t>(end)));
    ck_assert(plain.cursor.is_flushed());
  }
}
END_TEST

START_TEST(test_close_before_it_joins) {
  const Backlog backlog;
  TestClient client(Framing::Plain, backlog);
  ck_assert(client.cursor.is_flushed() && client.cursor.has_all(backlog));
  ck_assert_uint_eq(client.write_close(backlog), 0);
  client.cursor.queue_bytes(Buffer{1, 2, 3});
  ck_assert(!client.cursor.is_flushed() && !client.cursor.has_all(backlog));
  ck_assert_uint_eq(client.cursor.queued_size(), 3);
  ck_assert_uint_eq(client.write_close(backlog, 2), 2);
  ck_assert(!client.cursor.is_flushed());
  client.close(backlog);
  ck_assert(client.out == (Buffer{1, 2, 3}));
  ck_assert(client.cursor.is_flushed() && !client.cursor.has_joined());
}
END_TEST

} // namespace

int main() {
  return flvtest::run(
      "cursor_close",
      {{test_queued_during_a_partial_write}, {test_close}, {test_close_before_it_joins}});
}
