// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/conditions.h"

#include "http/date.h"
#include "http/text.h"

namespace http {

namespace {

enum class Compare : std::uint8_t { Strong, Weak };

constexpr std::string_view kWeak = "W/";

// Removes one entity tag from the start of a list; empty: there is none.
std::string_view take_tag(std::string_view &list) {
  while (!list.empty() && (list.front() == ',' || list.front() == ' ' || list.front() == '\t'))
    list.remove_prefix(1);
  const std::size_t begin = list.starts_with(kWeak) ? kWeak.size() : 0;
  if (list.substr(begin, 1) != "\"")
    return {};
  const std::size_t end = list.find('"', begin + 1);
  if (end == std::string_view::npos)
    return {};
  const std::string_view tag = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return tag;
}

bool is_same(std::string_view a, std::string_view b, Compare compare) {
  if (compare == Compare::Strong)
    return a == b && !a.starts_with(kWeak);
  a.remove_prefix(a.starts_with(kWeak) ? kWeak.size() : 0);
  b.remove_prefix(b.starts_with(kWeak) ? kWeak.size() : 0);
  return a == b;
}

// "*" matches any representation.
bool has_tag(std::string_view list, const std::string &etag, Compare compare) {
  if (trimmed(list) == "*")
    return true;
  for (std::string_view tag = take_tag(list); !tag.empty(); tag = take_tag(list)) {
    if (is_same(tag, etag, compare))
      return true;
  }
  return false;
}

// nullopt: the field is missing or not a date, or the representation has no date.
std::optional<bool> is_newer(const Validators &validators, const std::string *field) {
  const auto date = field ? parse_date(*field) : std::nullopt;
  if (!date || !validators.modified)
    return std::nullopt;
  return *validators.modified > *date;
}

} // namespace

// In the order of RFC 9110, 13.2.2.
Outcome evaluate(const Conditions &conditions, const Validators &validators) {
  if (conditions.if_match) {
    if (!has_tag(*conditions.if_match, validators.etag, Compare::Strong))
      return Outcome::PreconditionFailed;
  } else if (is_newer(validators, conditions.if_unmodified_since).value_or(false)) {
    return Outcome::PreconditionFailed;
  }
  if (conditions.if_none_match)
    return has_tag(*conditions.if_none_match, validators.etag, Compare::Weak) ? Outcome::NotModified
                                                                              : Outcome::Full;
  return is_newer(validators, conditions.if_modified_since).value_or(true) ? Outcome::Full
                                                                           : Outcome::NotModified;
}

bool allows_range(const Conditions &conditions, const Validators &validators) {
  if (!conditions.if_range)
    return true;
  const std::string_view text = trimmed(*conditions.if_range);
  std::string_view list = text;
  if (const std::string_view tag = take_tag(list); !tag.empty())
    return tag == text && is_same(tag, validators.etag, Compare::Strong);
  const auto date = parse_date(text);
  return date && validators.modified == date;
}

} // namespace http
