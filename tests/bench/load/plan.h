// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace load {

enum class Transport : std::uint8_t { Tcp, Http, WebSocket };

// The clients' parameters.
struct Plan {
  std::string host;
  std::string port;
  std::string path = "/";
  Transport transport = Transport::Http;
  std::size_t clients = 1;
  std::size_t stalled = 0; // the stalled ones among them
  double ramp_ms = 0;      // the connects are spread over this time
  double settle_ms = 1000; // from the last connect to the measured time
  double seconds = 10;     // the measured time
};

// Reads the command line. If it returns a value, that is the exit status, and all messages are
// printed.
[[nodiscard]] std::optional<int> parse(int argc, char **argv, Plan &plan);

} // namespace load
