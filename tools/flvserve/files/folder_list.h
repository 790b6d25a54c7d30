// SPDX-License-Identifier: LGPL-2.1-or-later
// The page that lists a folder, and the playlist of one file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flvserve {

struct FolderEntry {
  std::string name;
  bool is_folder = false;
  std::uint64_t size = 0;
  std::int64_t modified = 0; // s since 1970
};

// Reads up to kMaxEntries regular files and folders, the folders first, by name. Entries that begin
// with a dot are left out, and links, which could leave the root. `descriptor` stays open.
inline constexpr std::size_t kMaxEntries = 10'000;
[[nodiscard]] std::vector<FolderEntry> read_folder(int descriptor);

// `path`: of the folder, as in the URL. Each file that is audio or video has a link "play": to the
// file if browsers play it, otherwise to its playlist, which opens the system's player.
[[nodiscard]] std::string folder_page(std::string_view path, bool has_parent,
                                      const std::vector<FolderEntry> &entries);

// An M3U playlist. `base`: scheme and host. `path`: as in the URL.
[[nodiscard]] std::string playlist(std::string_view base, std::string_view path,
                                   std::string_view name);

} // namespace flvserve
