// SPDX-License-Identifier: LGPL-2.1-or-later
#include "url_path.h"

#include <algorithm>

#include <glib.h>

namespace flvhttp {

namespace {

constexpr std::size_t kEscape = 3; // characters

// The byte that the escape at `at` encodes; nullopt: the escape is invalid.
std::optional<unsigned char> escaped_byte(std::string_view path, std::size_t at) {
  if (path.size() - at < kEscape || !g_ascii_isxdigit(path[at + 1]) ||
      !g_ascii_isxdigit(path[at + 2]))
    return std::nullopt;
  const int byte = g_ascii_xdigit_value(path[at + 1]) << 4 | g_ascii_xdigit_value(path[at + 2]);
  if (byte == 0)
    return std::nullopt;
  return static_cast<unsigned char>(byte);
}

// RFC 3986, 3.3: the characters that a segment may have unescaped.
bool is_segment_character(unsigned char byte) {
  constexpr std::string_view kOthers = "-._~!$&'()*+,;=:@";
  return g_ascii_isalnum(static_cast<char>(byte)) ||
         kOthers.find(static_cast<char>(byte)) != std::string_view::npos;
}

void append_escape(std::string &out, unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  out += '%';
  out += kDigits[byte >> 4];
  out += kDigits[byte & 0x0F];
}

// RFC 3986, 5.2.4.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = path.find('/', 1);
    const std::string_view segment = path.substr(0, end);
    const bool last = end == std::string_view::npos;
    path = last ? std::string_view() : path.substr(end);
    const bool parent = segment == "/..";
    if (parent)
      out.erase(std::min(out.rfind('/'), out.size()));
    if (!parent && segment != "/.")
      out += segment;
    else if (last)
      out += '/';
  }
  return out;
}

} // namespace

std::optional<std::string> normalized_path(std::string_view path) {
  std::string out;
  for (std::size_t at = 0; at < path.size(); at++) {
    auto byte = static_cast<unsigned char>(path[at]);
    bool literal = byte == '/';
    if (byte == '%') {
      const auto escaped = escaped_byte(path, at);
      if (!escaped)
        return std::nullopt;
      byte = *escaped;
      at += kEscape - 1;
    }
    literal |= is_segment_character(byte);
    if (literal)
      out += static_cast<char>(byte);
    else
      append_escape(out, byte);
  }
  return without_dot_segments(out);
}

std::string path_fault(std::string_view path) {
  if (!path.starts_with('/'))
    return "does not begin with a slash";
  if (const std::size_t at = path.find_first_of("?#"); at != std::string_view::npos)
    return "has a \"" + std::string(1, path[at]) + "\" at character " + std::to_string(at + 1) +
           ", which ends a path: write " + (path[at] == '?' ? "%3F" : "%23");
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    if (!escaped_byte(path, at))
      return "has no valid escape at character " + std::to_string(at + 1) + ": \"" +
             std::string(path.substr(at, kEscape)) + "\" (a percent sign is written %25)";
  }
  return "";
}

} // namespace flvhttp
