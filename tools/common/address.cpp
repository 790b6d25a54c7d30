// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

#include <algorithm>
#include <array>
#include <memory>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "values.h"

namespace tools {

namespace {

constexpr const char *kAllIpv4 = "0.0.0.0";
constexpr const char *kAllIpv6 = "::";
constexpr const char *kLoopback = "127.0.0.1";

struct FreeAddresses {
  void operator()(ifaddrs *list) const { freeifaddrs(list); }
};

std::string bracketed(const std::string &host) {
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

// The text of an IPv4 address, or of an IPv6 address that is not link-local; empty for other
// addresses.
std::string text_of(const sockaddr *address) {
  if (!address)
    return {};
  socklen_t size = 0;
  if (address->sa_family == AF_INET) {
    size = sizeof(sockaddr_in);
  } else if (address->sa_family == AF_INET6) {
    const auto *ipv6 = reinterpret_cast<const sockaddr_in6 *>(address);
    if (IN6_IS_ADDR_LINKLOCAL(&ipv6->sin6_addr))
      return {};
    size = sizeof(sockaddr_in6);
  } else {
    return {};
  }
  std::array<char, NI_MAXHOST> text{};
  const bool known =
      getnameinfo(address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0;
  return known ? text.data() : "";
}

bool has_ipv6() {
  const int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return false;
  sockaddr_in6 all{};
  all.sin6_family = AF_INET6;
  all.sin6_addr = in6addr_any;
  const bool bound = bind(descriptor, reinterpret_cast<const sockaddr *>(&all), sizeof all) == 0;
  close(descriptor);
  return bound;
}

// The addresses of the machine's interfaces, without loopback.
std::vector<std::string> interface_hosts(bool with_ipv6) {
  ifaddrs *list = nullptr;
  if (getifaddrs(&list) != 0)
    return {};
  const std::unique_ptr<ifaddrs, FreeAddresses> owned(list);
  std::vector<std::string> hosts;
  for (const ifaddrs *one = list; one; one = one->ifa_next) {
    if ((one->ifa_flags & IFF_UP) == 0 || (one->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    const std::string host = text_of(one->ifa_addr);
    const bool is_ipv6 = host.find(':') != std::string::npos;
    if (!host.empty() && (with_ipv6 || !is_ipv6) &&
        std::find(hosts.begin(), hosts.end(), host) == hosts.end())
      hosts.push_back(host);
  }
  return hosts;
}

} // namespace

std::optional<Address> parse_address(const std::string &text, HostPart part) {
  const std::size_t colon = text.rfind(':');
  const bool has_host = colon != std::string::npos && colon > 0;
  if (!has_host && part == HostPart::Required)
    return std::nullopt;
  std::string host = has_host ? text.substr(0, colon) : "";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find_first_of(":[]") != std::string::npos)
    return std::nullopt;
  const auto port =
      parse_number(colon == std::string::npos ? text : text.substr(colon + 1), G_MAXUINT16);
  if (!port || *port == 0)
    return std::nullopt;
  return Address{host, static_cast<std::uint16_t>(*port)};
}

std::string name_of(const Address &address) {
  const std::string port = std::to_string(address.port);
  return address.host.empty() ? "port " + port : bracketed(address.host) + ':' + port;
}

std::string bind_host(const Address &address) {
  if (!address.host.empty())
    return address.host;
  return has_ipv6() ? kAllIpv6 : kAllIpv4;
}

std::vector<std::string> reachable(const Address &address) {
  const std::string host = bind_host(address);
  if (host != kAllIpv4 && host != kAllIpv6)
    return {name_of(address)};
  std::vector<std::string> places = {name_of({kLoopback, address.port})};
  for (const std::string &one : interface_hosts(host == kAllIpv6))
    places.push_back(name_of({one, address.port}));
  return places;
}

} // namespace tools
