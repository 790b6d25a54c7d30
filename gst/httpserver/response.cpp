// SPDX-License-Identifier: LGPL-2.1-or-later
#include "response.h"

namespace flvhttp {

std::vector<std::pair<const char *, std::string>> origin_fields(const std::string &origin) {
  if (origin.empty())
    return {};
  std::vector<std::pair<const char *, std::string>> fields{
      {"Access-Control-Allow-Origin", origin},
      {"Access-Control-Expose-Headers",
       "Content-Length, Content-Range, Content-Type, Date, Retry-After, Server"}};
  // Browsers refuse credentials with "*".
  if (origin != "*") {
    fields.emplace_back("Access-Control-Allow-Credentials", "true");
    fields.emplace_back("Vary", "Origin");
  }
  return fields;
}

std::string origin_lines(const std::string &origin) {
  std::string lines;
  for (const auto &[name, value] : origin_fields(origin))
    lines += std::string(name) + ": " + value + "\r\n";
  return lines;
}

std::string response_head(std::string_view status, const std::string &origin) {
  return "HTTP/1.1 " + std::string(status) +
         "\r\nCache-Control: no-cache, no-store\r\nX-Accel-Buffering: no\r\nConnection: close\r\n" +
         origin_lines(origin) + "\r\n";
}

std::string unavailable_response(const std::string &origin) {
  return response_head("503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0", origin);
}

std::string needs_start_response(const std::string &type, const std::string &origin) {
  const std::string text = needs_start_text(type);
  return response_head("406 Not Acceptable\r\nContent-Type: text/plain\r\nContent-Length: " +
                           std::to_string(text.size()),
                       origin) +
         text;
}

std::string needs_start_text(const std::string &type) {
  return "This stream (" + type +
         ") has begun, and its container can be read from the start only. Streams of these muxers "
         "can be joined at any time: flvmux streamable=true, matroskamux streamable=true, webmmux "
         "streamable=true, mpegtsmux, oggmux, multipartmux.\n";
}

} // namespace flvhttp
