// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings of a folder that is served as files on demand: the section [files /PATH] of the
// configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flvserve {

enum class FileIndex : std::uint8_t {
  Auto,   // a file without a usable keyframe index is served with an index that is built by a scan
  Stored, // each file is served as it is stored
};

struct FilesSettings {
  std::string root;                  // an existing folder
  FileIndex index = FileIndex::Auto; // index=auto, index=no
  std::uint32_t burst_ms = 0;        // 0: as fast as the client reads
  bool listing = false;              // whether a folder's path answers with a list
  std::uint32_t max_age_s = 0;       // of Cache-Control; 0: no-cache
  std::vector<std::string> start_names = {"start", "fs", "ec_seek", "apstart"};
  std::string allow_origin = "*"; // as httpserversink's property

  bool operator==(const FilesSettings &) const = default;
};

// The keys of the section.
[[nodiscard]] const std::vector<std::string> &files_keys();
// Sets the member that belongs to `key`. Returns the fault of the value as a sentence; nullopt: the
// value is valid. `key` is one of files_keys().
[[nodiscard]] std::optional<std::string>
set_files_key(FilesSettings &settings, std::string_view key, std::string_view value);
// All keys with their values, in the form that set_files_key() reads.
[[nodiscard]] std::vector<std::pair<std::string, std::string>>
files_entries(const FilesSettings &settings);

} // namespace flvserve
