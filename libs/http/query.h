// SPDX-License-Identifier: LGPL-2.1-or-later
// The query of a URL, and the numbers in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

// Replaces "+" by a space, and "%41" by the byte. An invalid escape stays as it is.
[[nodiscard]] std::string decode(std::string_view text);

// "name=value&name=value", decoded. A parameter without "=" has an empty value.
class Query {
public:
  // `text`: without the question mark.
  explicit Query(std::string_view text);

  // The first value of the parameter. nullptr: there is no such parameter.
  [[nodiscard]] const std::string *find(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>> &all() const { return all_; }

private:
  std::vector<std::pair<std::string, std::string>> all_;
};

struct Number {
  enum class Status : std::uint8_t { Missing, Ok, Malformed, TooLarge };

  Status status = Status::Missing;
  std::uint64_t value = 0; // valid with Ok

  bool operator==(const Number &) const = default;
};

// Decimal digits only. `text`: nullptr: Missing.
[[nodiscard]] Number whole_number(const std::string *text);
// Seconds with up to any number of decimal places, such as "12.5" or ".5". The value is in ms;
// further places are cut off.
[[nodiscard]] Number milliseconds(const std::string *text);

} // namespace http
