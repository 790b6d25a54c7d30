// SPDX-License-Identifier: LGPL-2.1-or-later
// Conditional GET and HEAD requests: RFC 9110, 13.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace http {

// What the server knows of the representation.
struct Validators {
  std::string etag;                     // with its quotes; empty: none
  std::optional<std::int64_t> modified; // seconds since 1970
};

// The values of the request's fields. nullptr: the request has no such field.
struct Conditions {
  const std::string *if_match = nullptr;
  const std::string *if_none_match = nullptr;
  const std::string *if_modified_since = nullptr;
  const std::string *if_unmodified_since = nullptr;
  const std::string *if_range = nullptr;
};

enum class Outcome : std::uint8_t {
  Full,               // the request is performed
  NotModified,        // 304
  PreconditionFailed, // 412
};

// Fields that are not valid are ignored, except for If-Match, which then never matches.
[[nodiscard]] Outcome evaluate(const Conditions &conditions, const Validators &validators);
// Whether the Range field counts. false: If-Range names another version, so the whole is sent.
[[nodiscard]] bool allows_range(const Conditions &conditions, const Validators &validators);

} // namespace http
