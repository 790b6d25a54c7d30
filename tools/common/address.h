// SPDX-License-Identifier: LGPL-2.1-or-later
// Network addresses on the command line, and the addresses of a server that clients can open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tools {

struct Address {
  std::string host; // without brackets; empty: all addresses of this machine
  std::uint16_t port = 0;
};

enum class HostPart { Required, Optional };

// "HOST:PORT" or "[::1]:PORT". If the host is optional, also ":PORT" and "PORT".
[[nodiscard]] std::optional<Address> parse_address(const std::string &text, HostPart host);

// "127.0.0.1:5000", "[::1]:5000", "port 5000".
[[nodiscard]] std::string name_of(const Address &address);

// The host to bind to. If `address` has no host, this is the address for all interfaces.
[[nodiscard]] std::string bind_host(const Address &address);

// "127.0.0.1:5000". If the host is empty or the address for all interfaces, the list has the
// loopback address, and then each address of this machine that a client can connect to.
[[nodiscard]] std::vector<std::string> reachable(const Address &address);

} // namespace tools
