// SPDX-License-Identifier: LGPL-2.1-or-later
// Characters and words of header fields. ASCII only, whatever the locale.
#pragma once

#include <string_view>

namespace http {

[[nodiscard]] constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);
// Without the spaces and tabs at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);
// Removes the part of `text` before the separator, and the separator. Returns this part, or all of
// `text` if there is no separator.
[[nodiscard]] std::string_view take_until(std::string_view &text, char separator);

} // namespace http
