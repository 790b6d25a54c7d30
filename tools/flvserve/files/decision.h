// SPDX-License-Identifier: LGPL-2.1-or-later
// The status and the fields of a response, from a request and the facts of what it asks for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "httpserver/request.h"

namespace flvserve {

// What a URL names.
struct Representation {
  std::string_view type;     // content type
  std::uint64_t size = 0;    // bytes
  std::string etag;          // strong, with its quotes
  std::int64_t modified = 0; // s since 1970
  std::uint32_t max_age_s = 0;
};

struct Decision {
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> fields;
  // The bytes of the representation that are sent.
  std::uint64_t first = 0;
  std::uint64_t size = 0;
};

// RFC 9110, 13.2.2: the conditions come before the range. More than one range: the whole
// representation.
[[nodiscard]] Decision decide(const flvhttp::Request &request, const Representation &what);

// The value of Cache-Control.
[[nodiscard]] std::string cache_control(std::uint32_t max_age_s);

} // namespace flvserve
