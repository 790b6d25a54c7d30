// SPDX-License-Identifier: LGPL-2.1-or-later
// The Range field of a request: RFC 9110, 14.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace http {

struct Range {
  enum class Kind : std::uint8_t {
    None,          // no field
    Whole,         // the field is ignored: malformed, not in bytes, or several ranges
    Part,          // one range
    Unsatisfiable, // 416: no byte is in the range
  };

  Kind kind = Kind::None;
  std::uint64_t first = 0; // valid with Part, as is `last`
  std::uint64_t last = 0;  // below the size

  [[nodiscard]] std::uint64_t size() const { return last - first + 1; }
  bool operator==(const Range &) const = default;
};

// `text`: the value of the field; empty: no field. `size`: of the representation.
[[nodiscard]] Range parse_range(std::string_view text, std::uint64_t size);

// The value of Content-Range for a part, and for 416.
[[nodiscard]] std::string content_range(const Range &part, std::uint64_t size);
[[nodiscard]] std::string unsatisfied_content_range(std::uint64_t size);

} // namespace http
