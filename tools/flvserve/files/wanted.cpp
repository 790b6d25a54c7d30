// SPDX-License-Identifier: LGPL-2.1-or-later
#include "wanted.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "http/query.h"

namespace flvserve {

namespace {

// One value of the query, under one of its names.
struct Item {
  std::string name; // "": the query has none
  std::string value;

  [[nodiscard]] bool is_there() const { return !name.empty(); }
};

// A number that is too large is behind the end of every file, like the largest number.
std::optional<std::uint64_t> value_of(const http::Number &number) {
  switch (number.status) {
  case http::Number::Status::Ok:
    return number.value;
  case http::Number::Status::TooLarge:
    return std::numeric_limits<std::uint64_t>::max();
  case http::Number::Status::Missing:
  case http::Number::Status::Malformed:
    break;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number(const Item &item) {
  return value_of(http::whole_number(&item.value));
}

WantsNonsense no_number(const Item &item) {
  return {"\"" + item.name + "\" is not a number of bytes: \"" + item.value + "\"."};
}

WantsNonsense no_time(const Item &item) {
  return {"\"" + item.name + "\" is not a number of seconds: \"" + item.value + "\"."};
}

class Query {
public:
  Query(const QueryItems &items, const std::vector<std::string> &start_names) {
    for (const auto &[name, value] : items) {
      if (std::ranges::find(start_names, name) != start_names.end())
        take(start, name, value);
      else if (name == "end")
        take(end, name, value);
      else if (name == "t" || name == "starttime")
        take(seconds, name, value);
      else if (name == "bstart")
        take(first, name, value);
      else if (name == "bend")
        take(last, name, value);
      else if (name == "play")
        take(play, name, value);
    }
  }

  Item start, end, seconds, first, last, play;
  std::string fault; // two values that exclude each other

private:
  void take(Item &item, const std::string &name, const std::string &value) {
    if (item.is_there() && fault.empty())
      fault = item.name == name
                  ? "\"" + name + "\" is there twice."
                  : "\"" + item.name + "\" and \"" + name + "\" are two names for the same value.";
    item = {name, value};
  }
};

// The first two of the items that are there, which exclude each other.
std::string conflict(std::initializer_list<const Item *> items) {
  std::string first;
  for (const Item *item : items) {
    if (!item->is_there())
      continue;
    if (!first.empty())
      return "\"" + first + "\" and \"" + item->name + "\" cannot be combined.";
    first = item->name;
  }
  return "";
}

Wanted bytes_of(const Query &query) {
  WantsBytes wanted;
  if (query.first.is_there()) {
    const auto first = number(query.first);
    if (!first)
      return no_number(query.first);
    wanted.first = *first;
  }
  if (query.last.is_there()) {
    wanted.last = number(query.last);
    if (!wanted.last)
      return no_number(query.last);
    if (*wanted.last < wanted.first)
      return WantsNonsense{"\"bend\" is before \"bstart\"."};
  }
  return wanted;
}

Wanted start_of(const Query &query, std::optional<std::uint64_t> end) {
  const bool by_time = query.seconds.is_there();
  const auto value =
      by_time ? value_of(http::milliseconds(&query.seconds.value)) : number(query.start);
  if (!value)
    return by_time ? no_time(query.seconds) : no_number(query.start);
  if (*value == 0)
    return WantsFile{end};
  return WantsStart{by_time ? WantsStart::Measure::Time : WantsStart::Measure::Offset, *value, end};
}

} // namespace

Wanted read_query(const QueryItems &items, const std::vector<std::string> &start_names) {
  const Query query(items, start_names);
  if (!query.fault.empty())
    return WantsNonsense{query.fault};
  const Item &bytes = query.first.is_there() ? query.first : query.last;
  std::string fault = conflict({&query.start, &query.seconds, &bytes});
  if (fault.empty())
    fault = conflict({&query.end, &bytes});
  if (!fault.empty())
    return WantsNonsense{fault};
  if (bytes.is_there())
    return bytes_of(query);
  std::optional<std::uint64_t> end;
  if (query.end.is_there()) {
    end = number(query.end);
    if (!end)
      return no_number(query.end);
  }
  if (query.start.is_there() || query.seconds.is_there())
    return start_of(query, end);
  if (query.play.is_there() && !end)
    return WantsPlaylist{};
  return WantsFile{end};
}

} // namespace flvserve
