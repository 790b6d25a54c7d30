// SPDX-License-Identifier: LGPL-2.1-or-later
#include <optional>
#include <string>

#include "checkrun.h"
#include "http/conditions.h"

using namespace http;

namespace {

constexpr std::int64_t kModified = 784111777;
constexpr const char *kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char *kSame = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char *kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";

const Validators kBoth{"\"a\"", kModified};
const Validators kNone{"", std::nullopt};

// Fields of the request; nullptr: none.
struct Fields {
  const char *if_match = nullptr;
  const char *if_none_match = nullptr;
  const char *if_modified_since = nullptr;
  const char *if_unmodified_since = nullptr;
  const char *if_range = nullptr;
};

struct Request {
  explicit Request(const Fields &fields) {
    const auto set = [this](const std::string *&field, const char *text, std::size_t index) {
      if (text) {
        texts[index] = text;
        field = &texts[index];
      }
    };
    set(conditions.if_match, fields.if_match, 0);
    set(conditions.if_none_match, fields.if_none_match, 1);
    set(conditions.if_modified_since, fields.if_modified_since, 2);
    set(conditions.if_unmodified_since, fields.if_unmodified_since, 3);
    set(conditions.if_range, fields.if_range, 4);
  }

  std::string texts[5];
  Conditions conditions;
};

const struct {
  Fields fields;
  Outcome both; // with an entity tag and a date
  Outcome none; // with neither
} kRequests[] = {
    {{}, Outcome::Full, Outcome::Full},
    // If-None-Match
    {{.if_none_match = "\"a\""}, Outcome::NotModified, Outcome::Full},
    {{.if_none_match = "W/\"a\""}, Outcome::NotModified, Outcome::Full},
    {{.if_none_match = "\"b\""}, Outcome::Full, Outcome::Full},
    {{.if_none_match = "\"b\", \"a\""}, Outcome::NotModified, Outcome::Full},
    {{.if_none_match = "\"b\",W/\"a\" ,"}, Outcome::NotModified, Outcome::Full},
    {{.if_none_match = "\"b, \"a\""}, Outcome::Full, Outcome::Full},
    {{.if_none_match = "*"}, Outcome::NotModified, Outcome::NotModified},
    {{.if_none_match = " * "}, Outcome::NotModified, Outcome::NotModified},
    {{.if_none_match = "a"}, Outcome::Full, Outcome::Full},
    {{.if_none_match = "\"a"}, Outcome::Full, Outcome::Full},
    {{.if_none_match = ""}, Outcome::Full, Outcome::Full},
    {{.if_none_match = "w/\"a\""}, Outcome::Full, Outcome::Full},
    // If-Modified-Since
    {{.if_modified_since = kBefore}, Outcome::Full, Outcome::Full},
    {{.if_modified_since = kSame}, Outcome::NotModified, Outcome::Full},
    {{.if_modified_since = kAfter}, Outcome::NotModified, Outcome::Full},
    {{.if_modified_since = "Sunday, 06-Nov-94 08:49:37 GMT"}, Outcome::NotModified, Outcome::Full},
    {{.if_modified_since = "never"}, Outcome::Full, Outcome::Full},
    // It does not count beside If-None-Match.
    {{.if_none_match = "\"b\"", .if_modified_since = kSame}, Outcome::Full, Outcome::Full},
    // If-Match
    {{.if_match = "\"a\""}, Outcome::Full, Outcome::PreconditionFailed},
    {{.if_match = "W/\"a\""}, Outcome::PreconditionFailed, Outcome::PreconditionFailed},
    {{.if_match = "\"b\", \"a\""}, Outcome::Full, Outcome::PreconditionFailed},
    {{.if_match = "\"b\""}, Outcome::PreconditionFailed, Outcome::PreconditionFailed},
    {{.if_match = "*"}, Outcome::Full, Outcome::Full},
    {{.if_match = "a"}, Outcome::PreconditionFailed, Outcome::PreconditionFailed},
    {{.if_match = "\"a\"", .if_none_match = "\"a\""},
     Outcome::NotModified,
     Outcome::PreconditionFailed},
    // If-Unmodified-Since
    {{.if_unmodified_since = kBefore}, Outcome::PreconditionFailed, Outcome::Full},
    {{.if_unmodified_since = kSame}, Outcome::Full, Outcome::Full},
    {{.if_unmodified_since = "never"}, Outcome::Full, Outcome::Full},
    {{.if_match = "\"a\"", .if_unmodified_since = kBefore},
     Outcome::Full,
     Outcome::PreconditionFailed},
};

START_TEST(test_conditions) {
  const Request request(ROW(kRequests).fields);
  ck_assert_enum_eq(evaluate(request.conditions, kBoth), ROW(kRequests).both);
  ck_assert_enum_eq(evaluate(request.conditions, kNone), ROW(kRequests).none);
}
END_TEST

const struct {
  const char *text;
  bool allows;
} kRanges[] = {
    {nullptr, true},    {"\"a\"", true},         {" \"a\" ", true}, {"\"b\"", false},
    {"W/\"a\"", false}, {"\"a\", \"b\"", false}, {"*", false},      {kSame, true},
    {kBefore, false},   {kAfter, false},         {"", false},       {"a", false},
};

START_TEST(test_if_range) {
  const Request request({.if_range = ROW(kRanges).text});
  ck_assert_int_eq(allows_range(request.conditions, kBoth), ROW(kRanges).allows);
  ck_assert_int_eq(allows_range(request.conditions, kNone), ROW(kRanges).text == nullptr);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("http_conditions", {{test_conditions, std::size(kRequests)},
                                          {test_if_range, std::size(kRanges)}});
}
