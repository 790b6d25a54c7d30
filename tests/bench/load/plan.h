// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace load {

enum class Transport : std::uint8_t { Tcp, Http, WebSocket };

// The clients' parameters.
struct Plan {
  std::string host;
  std::string port;
  // At least one. A client takes the next one after that of the previous client.
  std::vector<std::string> paths = {"/"};
  Transport transport = Transport::Http;
  std::size_t clients = 1;
  std::size_t stalled = 0; // the stalled ones among them
  double ramp_ms = 0;      // the connects are spread over this time
  double settle_ms = 1000; // from the last connect to the measured time
  double seconds = 10;     // the measured time
};

// Reads the paths from a file, one per line. false: it cannot be read, or a line is not a path.
[[nodiscard]] bool read_paths(const char *name, std::vector<std::string> &paths);

// Reads the command line. If it returns a value, that is the exit status, and all messages are
// printed.
[[nodiscard]] std::optional<int> parse(int argc, char **argv, Plan &plan);

} // namespace load
