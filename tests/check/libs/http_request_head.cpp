// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string>

#include "checkrun.h"
#include "http/request_head.h"

using namespace http;

namespace {

// --- The request line ---

const struct {
  const char *line;
  const char *words; // nullptr: invalid
} kLines[] = {
    {"GET / HTTP/1.1", "GET|/|HTTP/1.1"},
    {"x y z", "x|y|z"},
    {"GET /\xC3\xA4 HTTP/1.1", "GET|/\xC3\xA4|HTTP/1.1"},
    {"GET / HTTP/1.1 ", nullptr},
    {" GET / HTTP/1.1", nullptr},
    {"GET  / HTTP/1.1", nullptr},
    {"GET /  HTTP/1.1", nullptr},
    {"GET\t/ HTTP/1.1", nullptr},
    {"GET /a\tb HTTP/1.1", nullptr},
    {"GET /a\rb HTTP/1.1", nullptr},
    {"GET /a\x01 HTTP/1.1", nullptr},
    {"GET /a b HTTP/1.1", nullptr},
    {"GET /", nullptr},
    {"GET", nullptr},
    {"", nullptr},
    {"  ", nullptr},
};

START_TEST(test_request_line) {
  const auto &row = ROW(kLines);
  const auto line = parse_request_line(row.line);
  ck_assert_int_eq(line.has_value(), row.words != nullptr);
  if (!line)
    return;
  const std::string words = std::string(line->method) + '|' + std::string(line->target) + '|' +
                            std::string(line->protocol);
  ck_assert_str_eq(words.c_str(), row.words);
}
END_TEST

START_TEST(test_first_line) {
  ck_assert(first_line("a b\r\nc") == "a b");
  ck_assert(first_line("a b\nc") == "a b");
  ck_assert(first_line("a\rb\r\n") == "a\rb");
  ck_assert(first_line("a b") == "a b");
  ck_assert(first_line("").empty());
}
END_TEST

// --- The head ---

constexpr const char *kNotThree =
    "400 The request line is not a method, a target and a version with one space between them.";
constexpr const char *kNoVersion =
    "400 The request line does not end with a version such as HTTP/1.1.";
const std::string kGet = "GET / HTTP/1.1\r\n";
const std::string kHost = kGet + "Host: a\r\n";

const struct {
  std::string head; // without the empty line
  const char *fault;
} kHeads[] = {
    {kHost, ""},
    {"GET / HTTP/1.1\nHost: a\n", ""},
    {"GET / HTTP/1.0\r\n", ""},
    {"GET / HTTP/1.9\r\nHost: a\r\n", ""},
    {"M-SEARCH * HTTP/1.1\r\nHost:\r\n", ""},
    {"GET http://a/b HTTP/1.1\r\nHost: a\r\n", ""},
    {kGet + "HOST:[::1]:8080 \t\r\n", ""},
    {kHost + "X:\r\nX-Y_z!: a:b\x01\xFF\r\nX: b\r\n", ""},
    {kHost + "Content-Length: 0\r\n", ""},
    {kHost + "Content-Length: 9223372036854775807\r\n", ""},
    {kHost + "Transfer-Encoding: Chunked\r\n", ""},
    {kHost + "Transfer-Encoding: , chunked,\r\n", ""},
    {kHost + "Expect: 100-Continue\r\n", ""},
    // The request line
    {"GET  / HTTP/1.1\r\nHost: a\r\n", kNotThree},
    {"GET\t/\tHTTP/1.1\r\nHost: a\r\n", kNotThree},
    {"GET /a b HTTP/1.1\r\nHost: a\r\n", kNotThree},
    {"GET /\r\n", kNotThree},
    {"G(T / HTTP/1.1\r\nHost: a\r\n", "400 The method has a character that is not allowed."},
    {"GET / HTTP/1.10\r\nHost: a\r\n", kNoVersion},
    {"GET / HTTP/1\r\nHost: a\r\n", kNoVersion},
    {"GET / http/1.1\r\nHost: a\r\n", kNoVersion},
    {"PRI * HTTP/2.0\r\n",
     "505 The version is HTTP/2.0, and the server knows HTTP/1.0 and HTTP/1.1."},
    {"GET / HTTP/0.9\r\n",
     "505 The version is HTTP/0.9, and the server knows HTTP/1.0 and HTTP/1.1."},
    // Lines of fields
    {kHost + "no colon\r\n", "400 Header line 2 has no colon."},
    {kHost + "X: a\r\n: b\r\n", "400 Header line 3 has no name before the colon."},
    {kHost + "X : a\r\n", "400 Header line 2 has a space before the colon."},
    {kHost + "X\t: a\r\n", "400 Header line 2 has a space before the colon."},
    {kHost + "X: a\r\n b\r\n", "400 Header line 3 begins with a space or a tab."},
    {kGet + "\tHost: a\r\n", "400 Header line 1 begins with a space or a tab."},
    {kHost + " \r\n", "400 Header line 2 begins with a space or a tab."},
    {kHost + "X\x01: a\r\n", "400 Header line 2 has a name with a character that is not allowed."},
    {kHost + "X\xC3\xA4: a\r\n",
     "400 Header line 2 has a name with a character that is not allowed."},
    {kHost + "X Y: a\r\n", "400 Header line 2 has a name with a character that is not allowed."},
    {kHost + "X: a\rY: b\r\n", "400 Header line 2 has a value with a carriage return or a NUL."},
    {kHost + "X: a" + std::string(1, '\0') + "\r\n",
     "400 Header line 2 has a value with a carriage return or a NUL."},
    // Host
    {kGet, "400 There is no Host field."},
    {kHost + "host: a\r\n", "400 There are 2 Host fields."},
    {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n", "400 There are 2 Host fields."},
    {kGet + "Host: a b\r\n", "400 The value of Host is not a host and a port."},
    {kGet + "Host: a/b\r\n", "400 The value of Host is not a host and a port."},
    {kGet + "Host: a@b\r\n", "400 The value of Host is not a host and a port."},
    // The end of the request
    {kHost + "Content-Length: 1\r\ncontent-length: 1\r\n",
     "400 There are 2 Content-Length fields."},
    {kHost + "Content-Length: 1, 1\r\n", "400 The value of Content-Length is not a number."},
    {kHost + "Content-Length: -1\r\n", "400 The value of Content-Length is not a number."},
    {kHost + "Content-Length: +1\r\n", "400 The value of Content-Length is not a number."},
    {kHost + "Content-Length:\r\n", "400 The value of Content-Length is not a number."},
    {kHost + "Content-Length: 9223372036854775808\r\n",
     "400 The value of Content-Length is too large."},
    {kHost + "Content-Length: 99999999999999999999\r\n",
     "400 The value of Content-Length is too large."},
    {kHost + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
     "400 There are both Transfer-Encoding and Content-Length."},
    {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",
     "400 A request in HTTP/1.0 cannot have Transfer-Encoding."},
    {kHost + "Transfer-Encoding: gzip\r\n", "400 The last transfer encoding is not chunked."},
    {kHost + "Transfer-Encoding:\r\n", "400 The last transfer encoding is not chunked."},
    {kHost + "Transfer-Encoding: chunked, gzip\r\n",
     "400 The last transfer encoding is not chunked."},
    {kHost + "Transfer-Encoding: gzip, chunked\r\n",
     "501 The server knows no transfer encoding except chunked."},
    {kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
     "501 The server knows no transfer encoding except chunked."},
    {kHost + "Expect: x\r\n", "417 The value of Expect is not 100-continue."},
    {kHost + "Expect: 100-continue\r\nExpect: x\r\n",
     "417 The value of Expect is not 100-continue."},
};

START_TEST(test_head) {
  const auto &row = ROW(kHeads);
  const std::string ends[] = {"\r\n", "\n", "\r\nX Y\r\nHost: b\r\n\r\n"};
  for (const std::string &end : ends) {
    const auto fault = head_fault(row.head + end);
    const std::string text = fault ? std::to_string(fault->status) + ' ' + fault->text : "";
    ck_assert_str_eq(text.c_str(), row.fault);
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run(
      "http_request_head",
      {{test_request_line, std::size(kLines)}, {test_first_line}, {test_head, std::size(kHeads)}});
}
