// SPDX-License-Identifier: LGPL-2.1-or-later
// The data of a client that the statistics and the signals report, and a client that has just
// connected.
#pragma once

#include <memory>
#include <string>

#include "fanout/client_cursor.h"
#include "request_log.h"
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
  Changed,  // a file was changed while it was sent
};

[[nodiscard]] const char *name_of(Reason reason);

// The data of a client that is known when it connects.
struct Visitor {
  std::string address;
  std::string agent;
  fanout::Framing framing = fanout::Framing::Plain;
  bool secure = false;
  LogEntryPtr log; // nullptr: the request is not logged
};

// A client that the writer thread has not taken yet.
struct Arrival {
  Visitor visitor;
  std::unique_ptr<Transport> transport;
};

struct ClientStats {
  guint64 id = 0;
  Visitor visitor;
  gint64 since = 0;    // µs since 1970
  double duration = 0; // s
  guint64 bytes = 0;
  guint64 skips = 0;
  std::optional<fanout::StartPoint> start; // nullopt: the client has not started
  fanout::Lag lag;
};

} // namespace flvhttp
