// SPDX-License-Identifier: LGPL-2.1-or-later
#include "settings.h"

#include <algorithm>
#include <charconv>

namespace flvserve {

namespace {

constexpr std::uint32_t kMaxBurst = 3600 * 1000;     // ms
constexpr std::uint32_t kMaxAge = 10U * 366 * 86400; // s

std::optional<std::string> set_number(std::string_view value, std::uint32_t limit,
                                      std::uint32_t &member) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number > limit)
    return "\"" + std::string(value) + "\" is not a number from 0 to " + std::to_string(limit);
  member = number;
  return std::nullopt;
}

std::optional<std::string> set_bool(std::string_view value, bool &member) {
  if (value != "true" && value != "false")
    return "\"" + std::string(value) + "\" is neither true nor false";
  member = value == "true";
  return std::nullopt;
}

std::optional<std::string> set_index(std::string_view value, FileIndex &member) {
  if (value != "auto" && value != "no")
    return "\"" + std::string(value) + "\" is neither auto nor no";
  member = value == "auto" ? FileIndex::Auto : FileIndex::Stored;
  return std::nullopt;
}

bool is_query_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
           (each >= '0' && each <= '9') || each == '-' || each == '_' || each == '.';
  });
}

// The other names of the query, which have their own meaning.
bool is_taken(std::string_view name) {
  constexpr std::string_view kTaken[] = {"end", "t", "starttime", "bstart", "bend", "play"};
  return std::ranges::find(kTaken, name) != std::end(kTaken);
}

std::optional<std::string> set_names(std::string_view value, std::vector<std::string> &member) {
  std::vector<std::string> names;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(';'), value.size());
    const std::string_view name = value.substr(0, end);
    if (!is_query_name(name))
      return "\"" + std::string(name) + "\" is not a name of letters, digits, '-', '_' and '.'";
    if (is_taken(name))
      return "\"" + std::string(name) + "\" has another meaning in a query";
    if (std::ranges::find(names, name) != names.end())
      return "\"" + std::string(name) + "\" is there twice";
    names.emplace_back(name);
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  if (names.empty())
    return "there is no name";
  member = std::move(names);
  return std::nullopt;
}

std::string text_of(const std::vector<std::string> &names) {
  std::string text;
  for (const std::string &name : names)
    text += (text.empty() ? "" : ";") + name;
  return text;
}

} // namespace

const std::vector<std::string> &files_keys() {
  static const std::vector<std::string> keys = {"root",    "index",       "burst",       "listing",
                                                "max-age", "start-names", "allow-origin"};
  return keys;
}

std::optional<std::string> set_files_key(FilesSettings &settings, std::string_view key,
                                         std::string_view value) {
  if (key == "index")
    return set_index(value, settings.index);
  if (key == "burst")
    return set_number(value, kMaxBurst, settings.burst_ms);
  if (key == "listing")
    return set_bool(value, settings.listing);
  if (key == "max-age")
    return set_number(value, kMaxAge, settings.max_age_s);
  if (key == "start-names")
    return set_names(value, settings.start_names);
  if (key == "allow-origin") {
    const auto is_control = [](char each) { return each < ' ' || each == '\x7F'; };
    if (std::ranges::any_of(value, is_control))
      return "the value has a control character";
    settings.allow_origin = value;
    return std::nullopt;
  }
  if (value.empty())
    return "the folder is missing";
  settings.root = value;
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> files_entries(const FilesSettings &settings) {
  return {{"root", settings.root},
          {"index", settings.index == FileIndex::Auto ? "auto" : "no"},
          {"burst", std::to_string(settings.burst_ms)},
          {"listing", settings.listing ? "true" : "false"},
          {"max-age", std::to_string(settings.max_age_s)},
          {"start-names", text_of(settings.start_names)},
          {"allow-origin", settings.allow_origin}};
}

} // namespace flvserve
