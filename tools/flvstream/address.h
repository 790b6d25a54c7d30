// SPDX-License-Identifier: LGPL-2.1-or-later
// Network addresses on the command line, and the addresses that clients of a server can open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flvstream {

struct Address {
  std::string host; // without brackets; empty: all addresses of this machine
  std::uint16_t port = 0;
};

enum class HostPart { Required, Optional };

// "HOST:PORT", "[::1]:PORT"; where the host is optional ":PORT" and "PORT", too.
[[nodiscard]] std::optional<Address> parse_address(const std::string &text, HostPart host);

// "127.0.0.1:5000", "[::1]:5000", "port 5000".
[[nodiscard]] std::string name_of(const Address &address);

// The host to bind to: the address that stands for all of them where none is named.
[[nodiscard]] std::string bind_host(const Address &address);

// "127.0.0.1:5000", with each address of this machine that a client can connect to. Where none is
// named the loopback address comes first.
[[nodiscard]] std::vector<std::string> reachable(const Address &address);

} // namespace flvstream
