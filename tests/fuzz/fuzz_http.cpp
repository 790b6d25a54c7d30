// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is the value of a header field or a query. Its last eight bytes are a number.
#include <string>
#include <string_view>

#include "flv/format/bytes.h"
#include "fuzz.h"
#include "http/conditions.h"
#include "http/date.h"
#include "http/query.h"
#include "http/range.h"
#include "http/request_head.h"

using namespace http;

namespace {

void check_range(std::string_view text, std::uint64_t size) {
  const Range range = parse_range(text, size);
  if (range.kind != Range::Kind::Part) {
    REQUIRE(range.first == 0 && range.last == 0);
    return;
  }
  REQUIRE(range.first <= range.last && range.last < size);
  // The same range, as a client would write it.
  const std::string same =
      "bytes=" + std::to_string(range.first) + "-" + std::to_string(range.last);
  REQUIRE(parse_range(same, size) == range);
}

void check_date(std::string_view text, std::uint64_t number) {
  const auto seconds = parse_date(text, static_cast<std::int64_t>(number));
  if (seconds && *seconds < 253'402'300'800) // a leap second may be in year 10000
    REQUIRE(parse_date(format_date(*seconds), 0) == *seconds || *seconds < -62'135'596'800);
  REQUIRE(parse_date(format_date(static_cast<std::int64_t>(number)), 0));
}

void check_conditions(std::string_view text, std::uint64_t number) {
  const std::string field(text);
  const Validators validators{"\"tag\"", static_cast<std::int64_t>(number >> 32U)};
  Conditions conditions;
  conditions.if_none_match = &field;
  REQUIRE(evaluate(conditions, validators) != Outcome::PreconditionFailed);
  const bool none_matches = evaluate(conditions, validators) == Outcome::NotModified;
  conditions.if_none_match = nullptr;
  conditions.if_match = &field;
  // What matches strongly also matches weakly.
  const bool matches = evaluate(conditions, validators) == Outcome::Full;
  REQUIRE(!matches || none_matches);
  conditions.if_match = nullptr;
  conditions.if_modified_since = &field;
  conditions.if_unmodified_since = &field;
  (void)evaluate(conditions, validators);
  conditions.if_range = &field;
  if (allows_range(conditions, validators) && field.find('"') != std::string::npos)
    REQUIRE(matches);
}

void check_query(std::string_view text) {
  const Query query(text);
  REQUIRE(query.all().size() <= text.size());
  for (const auto &[name, value] : query.all()) {
    REQUIRE(query.find(name));
    const Number number = whole_number(&value);
    const Number time = milliseconds(&value);
    if (number.status == Number::Status::Ok && time.status == Number::Status::Ok)
      REQUIRE(time.value == number.value * 1000);
    REQUIRE(number.status != Number::Status::Ok || time.status != Number::Status::Malformed);
  }
  REQUIRE(decode(text).size() <= text.size());
}

void check_head(std::string_view text) {
  const auto line = parse_request_line(first_line(text));
  const auto fault = head_fault(text);
  if (fault)
    REQUIRE(fault->status >= 400 && fault->text.ends_with('.'));
  else
    REQUIRE(line && line->protocol.starts_with("HTTP/1."));
  // A valid head stays valid, and an invalid line of it does not.
  const std::string head = "GET / HTTP/1.0\r\n" + std::string(text);
  REQUIRE(fault || head_fault(head));
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char *>(data), size);
  std::uint64_t number = 1000;
  if (size >= 8) {
    number = std::uint64_t{flv::load_u32(data + size - 8)} << 32U | flv::load_u32(data + size - 4);
    text.remove_suffix(8);
  }
  check_range(text, number);
  check_range(text, number % 4096);
  check_date(text, number);
  check_conditions(text, number);
  check_query(text);
  check_head(text);
  return 0;
}
