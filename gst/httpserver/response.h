// SPDX-License-Identifier: LGPL-2.1-or-later
// The texts of HTTP responses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flvhttp {

// The CORS header fields of a response: scripts of `origin` may read it. Empty `origin`: no fields.
[[nodiscard]] std::vector<std::pair<const char *, std::string>>
origin_fields(const std::string &origin);
// The same fields as lines of a response head.
[[nodiscard]] std::string origin_lines(const std::string &origin);

// The head of a response to a client of a stream. `status` may have header fields after the status
// code, separated by CR LF.
[[nodiscard]] std::string response_head(std::string_view status, const std::string &origin);
struct Response;

constexpr unsigned kHeadTooLarge = 431; // libsoup does not know it
// The head of a site's response whose body has `size` bytes.
[[nodiscard]] std::string response_head(const Response &response, std::uint64_t size,
                                        const std::string &origin);
// The head of an error response whose text has `size` bytes. `lines`: further lines of the head.
[[nodiscard]] std::string refusal_head(unsigned status, std::size_t size, const std::string &lines);
// Whether a response with this status has a body, except to HEAD.
[[nodiscard]] bool has_body(unsigned status);
// 503: the client is to try again later.
[[nodiscard]] std::string unavailable_response(const std::string &origin);
// 406: a stream of this type can be read only from its start.
[[nodiscard]] std::string needs_start_response(const std::string &type, const std::string &origin);
// The text of the 406 response.
[[nodiscard]] std::string needs_start_text(const std::string &type);

} // namespace flvhttp
