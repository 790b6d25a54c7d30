// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the text of a configuration: sections, keys and values in GKeyFile's format, each with its
// line, which GKeyFile does not report.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flvserve {

struct Fault {
  unsigned line = 0; // 0: the whole file
  std::string text;
};

struct Entry {
  std::string key;
  std::string value; // without escapes
  unsigned line = 0;
};

struct Section {
  std::string kind; // "mount" of [mount /live.flv]
  std::string name; // "/live.flv"; empty: the section has no name
  unsigned line = 0;
  std::vector<Entry> entries;

  [[nodiscard]] const Entry *find(std::string_view key) const;
};

struct ConfigFile {
  std::vector<Section> sections;
  std::vector<Fault> faults; // in the order of their lines
};

// Sections and keys that appear twice are faults.
[[nodiscard]] ConfigFile read_config_file(std::string_view text);

// The value as it is written in a file.
[[nodiscard]] std::string escaped_value(std::string_view value);

// "[mount /live.flv]"
[[nodiscard]] std::string title_of(const Section &section);

} // namespace flvserve
