// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string>

#include "checkrun.h"
#include "http/query.h"

using namespace http;
using Status = Number::Status;

namespace {

const struct {
  const char *text;
  const char *decoded;
} kTexts[] = {
    {"", ""},         {"abc", "abc"},         {"a+b", "a b"},   {"a%20b", "a b"},
    {"%2B", "+"},     {"%e4%E4", "\xE4\xE4"}, {"%", "%"},       {"%4", "%4"},
    {"%4g", "%4g"},   {"%%41", "%A"},         {"100%", "100%"}, {"%25", "%"},
    {"%2541", "%41"},
};

START_TEST(test_decode) {
  ck_assert(decode(ROW(kTexts).text) == ROW(kTexts).decoded);
}
END_TEST

START_TEST(test_query) {
  const Query query("start=5&end=&flag&a%20b=c+d&=x&&start=6&e=f=g&nul=%00");
  const auto value = [&query](const char *name) {
    const std::string *found = query.find(name);
    return found ? *found : std::string("(none)");
  };
  ck_assert_uint_eq(query.all().size(), 8);
  ck_assert(value("start") == "5");
  ck_assert(value("end") == "");
  ck_assert(value("flag") == "");
  ck_assert(value("a b") == "c d");
  ck_assert(value("") == "x");
  ck_assert(value("e") == "f=g");
  ck_assert(value("nul") == std::string(1, '\0'));
  ck_assert(value("Start") == "(none)");
  ck_assert(Query("").all().empty() && Query("&").all().empty());
}
END_TEST

const struct {
  const char *text; // nullptr: missing
  Number number;
  Number time;
} kNumbers[] = {
    {nullptr, {}, {}},
    {"0", {Status::Ok, 0}, {Status::Ok, 0}},
    {"12", {Status::Ok, 12}, {Status::Ok, 12'000}},
    {"007", {Status::Ok, 7}, {Status::Ok, 7'000}},
    {"12.5", {Status::Malformed, 0}, {Status::Ok, 12'500}},
    {".5", {Status::Malformed, 0}, {Status::Ok, 500}},
    {"1.0009", {Status::Malformed, 0}, {Status::Ok, 1'000}},
    {"1.05", {Status::Malformed, 0}, {Status::Ok, 1'050}},
    {"18446744073709551615", {Status::Ok, UINT64_MAX}, {Status::TooLarge, 0}},
    {"18446744073709551616", {Status::TooLarge, 0}, {Status::TooLarge, 0}},
    {"18446744073709551.615", {Status::Malformed, 0}, {Status::Ok, UINT64_MAX}},
    {"", {Status::Malformed, 0}, {Status::Malformed, 0}},
    {".", {Status::Malformed, 0}, {Status::Malformed, 0}},
    {"1.", {Status::Malformed, 0}, {Status::Malformed, 0}},
    {"1.2.3", {Status::Malformed, 0}, {Status::Malformed, 0}},
    {"-1", {Status::Malformed, 0}, {Status::Malformed, 0}},
    {"+1", {Status::Malformed, 0}, {Status::Malformed, 0}},
    {" 1", {Status::Malformed, 0}, {Status::Malformed, 0}},
    {"1e3", {Status::Malformed, 0}, {Status::Malformed, 0}},
    {"0x10", {Status::Malformed, 0}, {Status::Malformed, 0}},
    {"nan", {Status::Malformed, 0}, {Status::Malformed, 0}},
    {"1.2a", {Status::Malformed, 0}, {Status::Malformed, 0}},
};

START_TEST(test_numbers) {
  const auto &row = ROW(kNumbers);
  const std::string text = row.text ? row.text : "";
  ck_assert(whole_number(row.text ? &text : nullptr) == row.number);
  ck_assert(milliseconds(row.text ? &text : nullptr) == row.time);
}
END_TEST

} // namespace

int main() {
  return flvtest::run(
      "http_query",
      {{test_decode, std::size(kTexts)}, {test_query}, {test_numbers, std::size(kNumbers)}});
}
