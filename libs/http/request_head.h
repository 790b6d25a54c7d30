// SPDX-License-Identifier: LGPL-2.1-or-later
// The head of a request: RFC 9112, 3, 5 and 6, and RFC 9110, 10.1.1.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace http {

struct RequestLine {
  std::string_view method;
  std::string_view target;
  std::string_view protocol; // "HTTP/1.1"
};

// The first line of a head, without the line end. A head without a line end is one line.
[[nodiscard]] std::string_view first_line(std::string_view head);

// nullopt: the line is not three words with one space between them, or has a control character.
[[nodiscard]] std::optional<RequestLine> parse_request_line(std::string_view line);

struct HeadFault {
  unsigned status = 400; // of the response
  std::string text;      // a sentence for the client
};

// The first reason to refuse the request. nullopt: there is none. `head` begins with the request
// line. The bytes after the empty line are ignored. Lines may end with LF alone.
[[nodiscard]] std::optional<HeadFault> head_fault(std::string_view head);

} // namespace http
