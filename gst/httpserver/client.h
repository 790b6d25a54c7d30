// SPDX-License-Identifier: LGPL-2.1-or-later
// Somebody who is served: a connection, a way through the history, and what is told of them.
#pragma once

#include <limits>
#include <string>

#include "fanout/client_cursor.h"
#include "fanout/websocket.h"
#include "poller.h"
#include "transport.h"

namespace flvhttp {

// Why a client is no longer there.
enum class Reason : std::uint8_t {
  Closed,   // it went away
  Broken,   // it cannot be served
  Slow,     // it took nothing for too long
  Ended,    // the stream is over, and it has all of it
  Drained,  // the stream is over, and it did not take the rest in time
  Waited,   // there was no stream to be had
  Protocol, // it broke the rules
  Removed,  // by the application
  Stopped,  // the element stops
};

[[nodiscard]] const char *name_of(Reason reason);

// What is known of it when it comes.
struct Visitor {
  std::string address;
  std::string agent;
  fanout::Framing framing = fanout::Framing::Plain;
  bool secure = false;
};

struct Client {
  enum class State : std::uint8_t {
    Waiting, // for the stream to show itself
    Served,
    Leaving, // once it has what was said to it
  };

  Client(Visitor who, std::unique_ptr<Transport> connection)
      : visitor(std::move(who)), transport(std::move(connection)) {}

  guint64 id = 0;
  Visitor visitor;
  std::unique_ptr<Transport> transport;
  std::optional<fanout::ClientCursor> cursor; // from its arrival on
  class Broadcast *broadcast = nullptr;
  fanout::websocket::Receiver receiver;
  State state = State::Waiting;
  Reason reason = Reason::Closed; // for leaving
  gint64 since = 0;               // µs since 1970
  Clock::time_point arrival;
  Clock::time_point progress;    // the last time that it took something, or had nothing to take
  Clock::time_point last_sent;   // the last time that it took something
  Clock::time_point next_look;   // when it is looked after how much it took
  Clock::time_point half_closed; // since when it says nothing more, if it does not
  std::int64_t taken = std::numeric_limits<std::int64_t>::min(); // bytes, at the last look
  bool arrived_after_eos = false;                                // it came when the stream was over
  bool lacks_start = false; // it came when the stream had begun, and cannot be read then
  bool blocked = false;
  bool says_no_more = false; // it has closed its side
  bool in_turn = false;      // it was listed for the turn to come
  bool readable = false;
  bool writable = false;
  bool broken = false;
  bool gone = false;
  std::size_t heard = 0; // bytes that it had no business to send; of a WebSocket, of late
};

[[nodiscard]] inline bool is_websocket(const Client &client) {
  return client.visitor.framing == fanout::Framing::WebSocket;
}

} // namespace flvhttp
