// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/request_head.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "http/query.h"
#include "http/text.h"

namespace http {

namespace {

using Fault = std::optional<HeadFault>;

constexpr unsigned kExpectationFailed = 417;
constexpr unsigned kNotImplemented = 501;
constexpr unsigned kWrongVersion = 505;

bool is_letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7F';
}

bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

// RFC 9110, 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_letter(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
  });
}

// The characters of RFC 3986, 3.2.2 and 3.2.3. The value may be empty.
bool is_host(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_letter(c) || is_one_of(c, "-._~!$&'()*+,;=:[]%");
  });
}

bool is_version(std::string_view text) {
  constexpr std::string_view kName = "HTTP/";
  return text.size() == kName.size() + 3 && text.starts_with(kName) && is_digit(text[5]) &&
         text[6] == '.' && is_digit(text[7]);
}

// Removes the first line of `text`, and returns it without the line end.
std::string_view take_line(std::string_view &text) {
  std::string_view line = take_until(text, '\n');
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  return line;
}

// The elements of a list that are not empty (RFC 9110, 5.6.1).
std::vector<std::string_view> elements(std::string_view list) {
  std::vector<std::string_view> all;
  while (!list.empty()) {
    const std::string_view each = trimmed(take_until(list, ','));
    if (!each.empty())
      all.push_back(each);
  }
  return all;
}

Fault bad(std::string text) {
  return HeadFault{400, std::move(text)};
}

Fault line_fault(std::string_view text) {
  const auto line = parse_request_line(text);
  if (!line)
    return bad("The request line is not a method, a target and a version with one space between "
               "them.");
  if (!is_token(line->method))
    return bad("The method has a character that is not allowed.");
  if (!is_version(line->protocol))
    return bad("The request line does not end with a version such as HTTP/1.1.");
  if (!line->protocol.starts_with("HTTP/1."))
    return HeadFault{kWrongVersion, "The version is " + std::string(line->protocol) +
                                        ", and the server knows HTTP/1.0 and HTTP/1.1."};
  return std::nullopt;
}

// The fields on which the server's reading of the request depends.
struct Fields {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::string_view host;    // the last one, as for `length`
  std::string_view length;  // Content-Length
  std::string encodings;    // all values of Transfer-Encoding
  std::string expectations; // all values of Expect
  bool is_encoded = false;

  void note(std::string_view name, std::string_view value) {
    if (equals_ignoring_case(name, "host")) {
      hosts++;
      host = value;
    } else if (equals_ignoring_case(name, "content-length")) {
      lengths++;
      length = value;
    } else if (equals_ignoring_case(name, "transfer-encoding")) {
      encodings.append(",").append(value);
      is_encoded = true;
    } else if (equals_ignoring_case(name, "expect")) {
      expectations.append(",").append(value);
    }
  }
};

// A folded line (RFC 9112, 5.2) begins with a space, too.
Fault field_fault(std::string_view line, std::size_t number, Fields &fields) {
  const std::string where = "Header line " + std::to_string(number);
  if (is_one_of(line.front(), " \t"))
    return bad(where + " begins with a space or a tab.");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos)
    return bad(where + " has no colon.");
  const std::string_view name = line.substr(0, colon);
  if (name.empty())
    return bad(where + " has no name before the colon.");
  if (is_one_of(name.back(), " \t"))
    return bad(where + " has a space before the colon.");
  if (!is_token(name))
    return bad(where + " has a name with a character that is not allowed.");
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (value.find_first_of(std::string_view("\r\0", 2)) != std::string_view::npos)
    return bad(where + " has a value with a carriage return or a NUL.");
  fields.note(name, value);
  return std::nullopt;
}

Fault host_fault(const Fields &fields, bool is_required) {
  if (fields.hosts > 1)
    return bad("There are " + std::to_string(fields.hosts) + " Host fields.");
  if (fields.hosts == 0 && is_required)
    return bad("There is no Host field.");
  if (!is_host(fields.host))
    return bad("The value of Host is not a host and a port.");
  return std::nullopt;
}

Fault length_fault(const Fields &fields) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (fields.lengths == 0)
    return std::nullopt;
  if (fields.lengths > 1)
    return bad("There are " + std::to_string(fields.lengths) + " Content-Length fields.");
  const std::string text(fields.length);
  const Number number = whole_number(&text);
  if (number.status == Number::Status::Malformed)
    return bad("The value of Content-Length is not a number.");
  if (number.status == Number::Status::TooLarge || number.value > kMost)
    return bad("The value of Content-Length is too large.");
  return std::nullopt;
}

// RFC 9112, 6.1 and 6.3.
Fault encoding_fault(const Fields &fields, bool is_allowed) {
  if (!fields.is_encoded)
    return std::nullopt;
  if (fields.lengths > 0)
    return bad("There are both Transfer-Encoding and Content-Length.");
  if (!is_allowed)
    return bad("A request in HTTP/1.0 cannot have Transfer-Encoding.");
  const auto encodings = elements(fields.encodings);
  if (encodings.empty() || !equals_ignoring_case(encodings.back(), "chunked"))
    return bad("The last transfer encoding is not chunked.");
  if (encodings.size() > 1)
    return HeadFault{kNotImplemented, "The server knows no transfer encoding except chunked."};
  return std::nullopt;
}

// RFC 9110, 10.1.1.
Fault expectation_fault(const Fields &fields) {
  for (const std::string_view each : elements(fields.expectations)) {
    if (!equals_ignoring_case(each, "100-continue"))
      return HeadFault{kExpectationFailed, "The value of Expect is not 100-continue."};
  }
  return std::nullopt;
}

} // namespace

std::string_view first_line(std::string_view head) {
  return take_line(head);
}

std::optional<RequestLine> parse_request_line(std::string_view line) {
  if (std::any_of(line.begin(), line.end(), is_control) ||
      std::count(line.begin(), line.end(), ' ') != 2)
    return std::nullopt;
  RequestLine words;
  words.method = take_until(line, ' ');
  words.target = take_until(line, ' ');
  words.protocol = line;
  if (words.method.empty() || words.target.empty() || words.protocol.empty())
    return std::nullopt;
  return words;
}

std::optional<HeadFault> head_fault(std::string_view head) {
  const std::string_view line = take_line(head);
  if (auto fault = line_fault(line))
    return fault;
  Fields fields;
  std::size_t number = 0;
  while (!head.empty()) {
    const std::string_view each = take_line(head);
    if (each.empty())
      break;
    if (auto fault = field_fault(each, ++number, fields))
      return fault;
  }
  const bool is_old = line.ends_with("HTTP/1.0");
  if (auto fault = host_fault(fields, !is_old))
    return fault;
  if (auto fault = length_fault(fields))
    return fault;
  if (auto fault = encoding_fault(fields, !is_old))
    return fault;
  return expectation_fault(fields);
}

} // namespace http
