// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/range.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "http/text.h"

namespace http {

namespace {

constexpr Range kIgnored{Range::Kind::Whole, 0, 0};
constexpr Range kUnsatisfiable{Range::Kind::Unsatisfiable, 0, 0};

// Numbers that are too large become the largest number. nullopt: not only digits.
std::optional<std::uint64_t> number_of(std::string_view text) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit))
    return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    number = number > (kMost - digit) / 10 ? kMost : number * 10 + digit;
  }
  return number;
}

// Empty elements of a list are ignored (RFC 9110, 5.6.1). nullopt: no element, or several.
std::optional<std::string_view> only_element(std::string_view list) {
  std::optional<std::string_view> only;
  while (!list.empty()) {
    const std::string_view element = trimmed(take_until(list, ','));
    if (element.empty())
      continue;
    if (only)
      return std::nullopt;
    only = element;
  }
  return only;
}

// "-500": the last 500 bytes. A part of an empty representation cannot be described.
Range suffix(std::string_view text, std::uint64_t size) {
  const auto length = number_of(text);
  if (!length || (*length > 0 && size == 0))
    return kIgnored;
  if (*length == 0)
    return kUnsatisfiable;
  return {Range::Kind::Part, size - std::min(*length, size), size - 1};
}

} // namespace

Range parse_range(std::string_view text, std::uint64_t size) {
  if (trimmed(text).empty())
    return {};
  const std::string_view unit = trimmed(take_until(text, '='));
  const auto element = only_element(text);
  if (!equals_ignoring_case(unit, "bytes") || !element)
    return kIgnored;
  std::string_view end = *element;
  const std::string_view begin = take_until(end, '-');
  if (begin.size() == element->size())
    return kIgnored; // no hyphen
  if (begin.empty())
    return suffix(end, size);
  const auto first = number_of(begin);
  const auto last = end.empty() ? std::numeric_limits<std::uint64_t>::max() : number_of(end);
  if (!first || !last || *first > *last)
    return kIgnored;
  if (*first >= size)
    return kUnsatisfiable;
  return {Range::Kind::Part, *first, std::min(*last, size - 1)};
}

std::string content_range(const Range &part, std::uint64_t size) {
  return "bytes " + std::to_string(part.first) + "-" + std::to_string(part.last) + "/" +
         std::to_string(size);
}

std::string unsatisfied_content_range(std::uint64_t size) {
  return "bytes */" + std::to_string(size);
}

} // namespace http
