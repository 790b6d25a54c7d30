// SPDX-License-Identifier: LGPL-2.1-or-later
#include "names.h"

#include <array>
#include <cinttypes>
#include <cstdio>

#include "base/gst_ptr.h"

namespace flvstream {

namespace {

// Existing escapes stay.
std::string escaped_path(const std::string &path) {
  const gstflv::StringPtr escaped(g_uri_escape_string(path.c_str(), "/%?#!$&'()*+,;=:@", FALSE));
  return escaped.get();
}

} // namespace

std::string input_name(const Options &options) {
  return options.input == kStandard ? "standard input" : options.input;
}

std::string output_name(const Options &options) {
  switch (options.destination) {
  case Destination::Output:
    return is_standard_output(options) ? "standard output" : options.output;
  case Destination::HttpServer:
    if (!options.address.host.empty())
      return "http://" + name_of(options.address) + escaped_path(options.path);
    break;
  case Destination::Udp:
  case Destination::Tcp:
  case Destination::TcpServer:
    break;
  }
  return name_of(options.address);
}

std::vector<std::string> client_urls(const Options &options) {
  const bool is_http = options.destination == Destination::HttpServer;
  std::vector<std::string> urls = reachable(options.address);
  const std::string path = is_http ? escaped_path(options.path) : "";
  for (std::string &url : urls) {
    url.insert(0, is_http ? "http://" : "tcp://");
    url += path;
  }
  return urls;
}

std::string page_path(const std::string &stream_path) {
  return stream_path.empty() || stream_path == "/" ? "/play/" : "/";
}

std::vector<std::string> page_urls(const Options &options) {
  if (options.destination != Destination::HttpServer)
    return {};
  std::vector<std::string> urls = reachable(options.address);
  for (std::string &url : urls)
    url = "http://" + url + page_path(options.path);
  return urls;
}

std::string time_name(std::uint64_t ms) {
  constexpr std::uint64_t kSecond = 1000;
  constexpr std::uint64_t kMinute = 60 * kSecond;
  constexpr std::uint64_t kHour = 60 * kMinute;
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, ms / kHour,
                ms % kHour / kMinute, ms % kMinute / kSecond);
  std::string name = text.data();
  if (ms % kSecond == 0)
    return name;
  std::snprintf(text.data(), text.size(), ".%03" PRIu64, ms % kSecond);
  return name + text.data();
}

} // namespace flvstream
