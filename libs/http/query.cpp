// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/query.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "http/text.h"

namespace http {

namespace {

constexpr std::size_t kEscape = 3; // characters

std::optional<unsigned> digit_of(char c) {
  if (is_digit(c))
    return static_cast<unsigned>(c - '0');
  const char letter = lower(c);
  if (letter >= 'a' && letter <= 'f')
    return static_cast<unsigned>(letter - 'a') + 10;
  return std::nullopt;
}

// The byte of an escape at the start of the text.
std::optional<char> escaped_byte(std::string_view text) {
  if (text.size() < kEscape || text.front() != '%')
    return std::nullopt;
  const auto high = digit_of(text[1]);
  const auto low = digit_of(text[2]);
  return high && low ? std::optional(static_cast<char>(*high * 16 + *low)) : std::nullopt;
}

} // namespace

std::string decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (const auto byte = escaped_byte(text)) {
      out += *byte;
      text.remove_prefix(kEscape);
      continue;
    }
    out += text.front() == '+' ? ' ' : text.front();
    text.remove_prefix(1);
  }
  return out;
}

Query::Query(std::string_view text) {
  while (!text.empty()) {
    std::string_view value = take_until(text, '&');
    if (value.empty())
      continue;
    const std::string_view name = take_until(value, '=');
    all_.emplace_back(decode(name), decode(value));
  }
}

const std::string *Query::find(std::string_view name) const {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [name](const auto &each) { return each.first == name; });
  return found == all_.end() ? nullptr : &found->second;
}

Number whole_number(const std::string *text) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (!text)
    return {};
  if (text->empty() || !std::all_of(text->begin(), text->end(), is_digit))
    return {Number::Status::Malformed, 0};
  std::uint64_t value = 0;
  for (const char c : *text) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMost - digit) / 10)
      return {Number::Status::TooLarge, 0};
    value = value * 10 + digit;
  }
  return {Number::Status::Ok, value};
}

Number milliseconds(const std::string *text) {
  constexpr std::size_t kPlaces = 3;
  if (!text)
    return {};
  std::string_view places = *text;
  std::string digits(take_until(places, '.'));
  const bool has_point = digits.size() < text->size();
  if ((digits.empty() && places.empty()) || (has_point && places.empty()) ||
      !std::all_of(places.begin(), places.end(), is_digit))
    return {Number::Status::Malformed, 0};
  digits.append(places.substr(0, kPlaces));
  digits.append(kPlaces - std::min(kPlaces, places.size()), '0');
  return whole_number(&digits);
}

} // namespace http
