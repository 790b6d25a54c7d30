// SPDX-License-Identifier: LGPL-2.1-or-later
// Dates in header fields: RFC 9110, 5.6.7.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace http {

// `seconds` since 1970, from year 1 to year 9999; other times become the nearest of these.
// "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string format_date(std::int64_t seconds);

// Reads this format and the two obsolete ones, "Sunday, 06-Nov-94 08:49:37 GMT" and
// "Sun Nov  6 08:49:37 1994". The name of the weekday is not compared with the date. nullopt: not a
// date. `now`, in seconds since 1970: a year of two digits that is more than 50 years later means
// the century before.
[[nodiscard]] std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now);
// With the current time.
[[nodiscard]] std::optional<std::int64_t> parse_date(std::string_view text);

} // namespace http
