// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config_file.h"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace flvserve {

namespace {

constexpr std::string_view kSpace = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// GKeyFile's escapes. nullopt: a backslash begins none.
std::optional<std::string> unescaped(std::string_view text) {
  std::string value;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      value += text[at];
      continue;
    }
    if (++at == text.size())
      return std::nullopt;
    switch (text[at]) {
    case 's':
      value += ' ';
      break;
    case 't':
      value += '\t';
      break;
    case 'n':
      value += '\n';
      break;
    case 'r':
      value += '\r';
      break;
    case '\\':
      value += '\\';
      break;
    default:
      return std::nullopt;
    }
  }
  return value;
}

bool is_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
           (each >= '0' && each <= '9') || each == '-' || each == '_';
  });
}

class Reader {
public:
  ConfigFile read(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++line_;
      read_line(trimmed(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::move(file_);
  }

private:
  void fault(std::string text) { file_.faults.push_back({line_, std::move(text)}); }

  void read_line(std::string_view line) {
    if (line.empty() || line.front() == '#')
      return;
    if (line.find('\0') != std::string_view::npos)
      fault("the line has a NUL byte");
    else if (line.front() == '[')
      read_section(line);
    else
      read_entry(line);
  }

  void read_section(std::string_view line) {
    skipping_ = true; // the entries of a section with a fault
    if (line.back() != ']')
      return fault("the section \"" + std::string(line) + "\" does not end with \"]\"");
    const std::string_view title = trimmed(line.substr(1, line.size() - 2));
    const std::size_t space = std::min(title.find_first_of(kSpace), title.size());
    Section section{
        std::string(title.substr(0, space)), std::string(trimmed(title.substr(space))), line_, {}};
    for (const Section &other : file_.sections) {
      if (other.kind == section.kind && other.name == section.name)
        return fault(title_of(section) + " is already in line " + std::to_string(other.line));
    }
    file_.sections.push_back(std::move(section));
    skipping_ = false;
  }

  void read_entry(std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos)
      return fault("\"" + std::string(line) + "\" is neither [section] nor key=value");
    const std::string key(trimmed(line.substr(0, equals)));
    if (!is_key(key))
      return fault("\"" + key + "\" is not a key: only letters, digits, - and _");
    if (skipping_)
      return;
    if (file_.sections.empty())
      return fault("the key \"" + key + "\" is before the first section");
    Section &section = file_.sections.back();
    if (const Entry *other = section.find(key))
      return fault("the key \"" + key + "\" is already in line " + std::to_string(other->line));
    const auto value = unescaped(trimmed(line.substr(equals + 1)));
    if (!value)
      return fault(key + ": a backslash begins an escape: \\s, \\t, \\n, \\r or \\\\");
    section.entries.push_back({key, *value, line_});
  }

  ConfigFile file_;
  unsigned line_ = 0;
  bool skipping_ = false;
};

} // namespace

const Entry *Section::find(std::string_view key) const {
  const auto place = std::ranges::find(entries, key, &Entry::key);
  return place == entries.end() ? nullptr : &*place;
}

ConfigFile read_config_file(std::string_view text) {
  return Reader().read(text);
}

std::string escaped_value(std::string_view value) {
  std::string text;
  for (const char each : value) {
    switch (each) {
    case '\\':
      text += "\\\\";
      break;
    case '\t':
      text += "\\t";
      break;
    case '\n':
      text += "\\n";
      break;
    case '\r':
      text += "\\r";
      break;
    default:
      text += each;
    }
  }
  // Spaces at the ends would be removed.
  if (!text.empty() && text.back() == ' ')
    text.replace(text.size() - 1, 1, "\\s");
  if (!text.empty() && text.front() == ' ')
    text.replace(0, 1, "\\s");
  return text;
}

std::string title_of(const Section &section) {
  return "[" + section.kind + (section.name.empty() ? "" : " ") + section.name + "]";
}

} // namespace flvserve
