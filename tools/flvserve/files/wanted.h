// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of a file that a query asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace flvserve {

// The file.
struct WantsFile {
  std::optional<std::uint64_t> end; // up to the tag boundary at or before this offset
};
// From a keyframe on, with everything that a decoder needs in front.
struct WantsStart {
  enum class Measure : std::uint8_t {
    Offset, // the keyframe at or after this byte
    Time,   // the keyframe at or before this time, in ms
  };
  Measure measure = Measure::Offset;
  std::uint64_t value = 0; // not 0
  std::optional<std::uint64_t> end;
};
// Exactly these bytes.
struct WantsBytes {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> last;
};
// A playlist with the address of the file.
struct WantsPlaylist {};
// The query is wrong: a sentence for the client.
struct WantsNonsense {
  std::string reason;
};
using Wanted = std::variant<WantsFile, WantsStart, WantsBytes, WantsPlaylist, WantsNonsense>;

using QueryItems = std::vector<std::pair<std::string, std::string>>;

// Names that are not known are ignored. `start_names` are those of FilesSettings.
[[nodiscard]] Wanted read_query(const QueryItems &items,
                                const std::vector<std::string> &start_names);

} // namespace flvserve
