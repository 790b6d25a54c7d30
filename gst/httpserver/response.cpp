// SPDX-License-Identifier: LGPL-2.1-or-later
#include "response.h"

#include <algorithm>
#include <ctime>

#include <libsoup/soup.h>

#include "config.h"
#include "http/date.h"
#include "site.h"

namespace flvhttp {

std::vector<std::pair<const char *, std::string>> origin_fields(const std::string &origin) {
  if (origin.empty())
    return {};
  std::vector<std::pair<const char *, std::string>> fields{
      {"Access-Control-Allow-Origin", origin},
      {"Access-Control-Expose-Headers",
       "Accept-Ranges, Content-Length, Content-Range, Content-Type, Date, ETag, Last-Modified, "
       "Retry-After, Server"}};
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

bool has_body(unsigned status) {
  return status >= 200 && status != SOUP_STATUS_NO_CONTENT && status != SOUP_STATUS_NOT_MODIFIED;
}

namespace {

// The first lines of a head whose body has `size` bytes.
std::string first_lines(unsigned status, std::uint64_t size) {
  const char *phrase =
      status == kHeadTooLarge ? "Request Header Fields Too Large" : soup_status_get_phrase(status);
  std::string lines =
      "HTTP/1.1 " + std::to_string(status) + " " + phrase +
      "\r\nServer: " PACKAGE "/" VERSION "\r\nDate: " + http::format_date(std::time(nullptr)) +
      "\r\nConnection: close\r\n";
  if (has_body(status))
    lines += "Content-Length: " + std::to_string(size) + "\r\n";
  return lines;
}

} // namespace

// A field with a line break would end the head early.
std::string response_head(const Response &response, std::uint64_t size, const std::string &origin) {
  const auto is_valid = [](const std::string &text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
  };
  std::string head = first_lines(response.status, size) + origin_lines(origin);
  for (const auto &[name, value] : response.fields) {
    if (is_valid(name) && is_valid(value))
      head.append(name).append(": ").append(value).append("\r\n");
  }
  return head + "\r\n";
}

std::string refusal_head(unsigned status, std::size_t size, const std::string &lines) {
  return first_lines(status, size) + lines +
         (size > 0 ? "Content-Type: text/plain; charset=utf-8\r\n\r\n" : "\r\n");
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
