// SPDX-License-Identifier: LGPL-2.1-or-later
// A client: its connection, its cursor, and its data for the statistics.
#pragma once

#include <limits>
#include <string>

#include "fanout/client_cursor.h"
#include "fanout/websocket.h"
#include "poller.h"
#include "transport.h"

namespace flvhttp {

// Why a client was removed.
enum class Reason : std::uint8_t {
  Closed,   // the client closed the connection or vanished
  Broken,   // the system could not serve the client
  Slow,     // the client acknowledged nothing during the client timeout
  Ended,    // the stream ended, and the client has all of it
  Drained,  // the stream ended, and the drain timeout expired
  Waited,   // the stream did not begin in time, had ended, or could not be joined
  Protocol, // the client violated the protocol, or sent too much data
  Removed,  // the application removed the client
  Stopped,  // the element stopped
};

[[nodiscard]] const char *name_of(Reason reason);

// The data of a client that is known when it connects.
struct Visitor {
  std::string address;
  std::string agent;
  fanout::Framing framing = fanout::Framing::Plain;
  bool secure = false;
};

struct Client {
  enum class State : std::uint8_t {
    Waiting, // has no response yet
    Served,
    Leaving, // gets the queued bytes, and is then removed
  };

  Client(Visitor who, std::unique_ptr<Transport> connection)
      : visitor(std::move(who)), transport(std::move(connection)) {}

  guint64 id = 0;
  Visitor visitor;
  std::unique_ptr<Transport> transport;
  std::optional<fanout::ClientCursor> cursor; // set when the writer thread takes the client
  class Broadcast *broadcast = nullptr;
  fanout::websocket::Receiver receiver;
  State state = State::Waiting;
  Reason reason = Reason::Closed; // valid in Leaving and with `gone`
  gint64 since = 0;               // µs since 1970
  Clock::time_point arrival;
  // The last time that the client acknowledged data, or had acknowledged all data. In Leaving: the
  // last time that the socket accepted data.
  Clock::time_point progress;
  Clock::time_point last_sent;   // the last time that data was written or acknowledged
  Clock::time_point next_look;   // the next time that note_taken() checks the client
  Clock::time_point half_closed; // valid with says_no_more: when the client closed its side
  // Bytes that the client had acknowledged at the last check.
  std::int64_t taken = std::numeric_limits<std::int64_t>::min();
  bool arrived_after_eos = false; // connected after the end of the stream
  // The client connected when the stream had begun, and the stream can be read only from its start.
  bool lacks_start = false;
  bool blocked = false;
  bool says_no_more = false; // the client has closed its side of the connection
  bool in_turn = false;      // is in the list for the next turn
  bool readable = false;
  bool writable = false;
  bool broken = false;
  bool gone = false;
  // Bytes received after the request. For a WebSocket, each check subtracts kForgiven.
  std::size_t heard = 0;
};

[[nodiscard]] inline bool is_websocket(const Client &client) {
  return client.visitor.framing == fanout::Framing::WebSocket;
}

} // namespace flvhttp
