// SPDX-License-Identifier: LGPL-2.1-or-later
#include "values.h"

#include <cmath>

#include <glib.h>

namespace tools {

namespace {

constexpr double kSixty = 60;
constexpr double kMillisecond = 1000; // ms per second
constexpr double kLongest = 4e9;      // seconds
constexpr double kLargest = 0x1p62;   // bytes

// The number before `unit`.
std::optional<double> decimal_before(const std::string &text, const std::string &unit) {
  if (!text.ends_with(unit))
    return std::nullopt;
  return parse_decimal(text.substr(0, text.size() - unit.size()));
}

std::optional<std::uint64_t> to_ms(std::optional<double> seconds) {
  if (!seconds || *seconds > kLongest)
    return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(*seconds * kMillisecond));
}

// "500ms", "2s".
std::optional<std::uint64_t> parse_with_unit(const std::string &text) {
  if (const auto ms = decimal_before(text, "ms"))
    return to_ms(*ms / kMillisecond);
  return to_ms(decimal_before(text, "s"));
}

// "1:30", "1:02:03.5".
std::optional<double> parse_clock(const std::string &text) {
  double seconds = 0;
  std::size_t begin = 0;
  for (int part = 0; part < 3; ++part) {
    const std::size_t colon = text.find(':', begin);
    const bool last = colon == std::string::npos;
    const auto number = parse_decimal(text.substr(begin, last ? colon : colon - begin));
    if (!number || (part > 0 && *number >= kSixty) || (!last && *number != std::floor(*number)))
      return std::nullopt;
    seconds = seconds * kSixty + *number;
    if (last)
      return seconds;
    begin = colon + 1;
  }
  return std::nullopt;
}

} // namespace

std::optional<std::uint64_t> parse_number(const std::string &text, std::uint64_t maximum) {
  guint64 number = 0;
  if (!g_ascii_string_to_unsigned(text.c_str(), 10, 0, maximum, &number, nullptr))
    return std::nullopt;
  return number;
}

// g_ascii_strtod() accepts more forms, such as exponents and "inf".
std::optional<double> parse_decimal(const std::string &text) {
  if (text.empty() || !g_ascii_isdigit(text.front()) ||
      text.find_first_not_of("0123456789.") != std::string::npos)
    return std::nullopt;
  char *end = nullptr;
  const double number = g_ascii_strtod(text.c_str(), &end);
  return *end == '\0' ? std::optional(number) : std::nullopt;
}

std::optional<std::uint64_t> parse_span(const std::string &text) {
  const auto ms = parse_number(text, static_cast<std::uint64_t>(kLongest * kMillisecond));
  return ms ? ms : parse_with_unit(text);
}

std::optional<std::uint64_t> parse_time(const std::string &text) {
  const auto ms = parse_with_unit(text);
  return ms ? ms : to_ms(parse_clock(text));
}

std::optional<std::uint64_t> parse_size(const std::string &text) {
  if (const auto bytes = parse_number(text, G_MAXINT64))
    return bytes;
  double unit = 1;
  for (const char *name : {"k", "m", "g", "t"}) {
    constexpr double kStep = 1024;
    unit *= kStep;
    if (text.empty() || g_ascii_tolower(text.back()) != *name)
      continue;
    const auto number = parse_decimal(text.substr(0, text.size() - 1));
    if (!number || *number * unit > kLargest)
      return std::nullopt;
    return static_cast<std::uint64_t>(*number * unit);
  }
  return std::nullopt;
}

} // namespace tools
