// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that is not stored: the tags of a stored file behind an onMetaData with a complete index.
#pragma once

#include <optional>
#include <vector>

#include "file_probe.h"
#include "index_scan.h"

namespace flv {

// `head`, then the bytes of the stored file from `body_offset` on.
struct VirtualFile {
  // Bytes of the stored file that are in `head`.
  struct Copy {
    std::uint64_t position = 0; // in the virtual file
    std::uint64_t stored = 0;   // in the stored file
    std::uint64_t size = 0;
  };

  // The file header, onMetaData, and the tags before the old onMetaData.
  std::vector<std::uint8_t> head;
  std::uint64_t body_offset = 0; // in the stored file
  std::uint64_t body_size = 0;
  // As listed in onMetaData: positions in the virtual file, timestamps of the tags. If the file has
  // a decoder configuration before its first keyframe, the first entry is the configuration, as
  // flvmeta and yamdi list it: flv.js and mpegts.js ignore the first entry.
  KeyframeIndex index;
  std::vector<Copy> copies;

  [[nodiscard]] std::uint64_t size() const { return head.size() + body_size; }
  // The position in the stored file of a byte of this file. nullopt: it is not in the stored file,
  // or `position` is after the end. The end of this file is the end of the stored file.
  [[nodiscard]] std::optional<std::uint64_t> to_stored(std::uint64_t position) const;
  // The position in this file of a byte of the stored file. nullopt: it is not in this file.
  [[nodiscard]] std::optional<std::uint64_t> from_stored(std::uint64_t stored) const;
};

// A virtual file lists all keyframes if there are at most this many. Otherwise, it lists keyframes
// that are at least a second apart, or more. Players download the index before they start.
inline constexpr std::size_t kMaxListedKeyframes = 65536;

// `scan` has reached the end of the file. `between` is the part of the file from its first tag to
// the end of onMetaData. It can be empty: if onMetaData is not the first tag, it then stays in the
// body. The own values of onMetaData stay, except those that depend on the index and on the size of
// the file. nullopt: the file has no video keyframe.
[[nodiscard]] std::optional<VirtualFile> make_virtual_file(const FileFacts &facts,
                                                           const IndexScan &scan,
                                                           std::uint64_t file_size, Bytes between);

// ms: the timestamp of the first tag to play. It is signed: publishers begin before 0, too.
[[nodiscard]] std::int64_t first_time(const IndexScan &scan);

// s: from the first tag to play to the end of the last one.
[[nodiscard]] double duration_of(const IndexScan &scan);

// The entries that are at least `spacing` s apart.
[[nodiscard]] KeyframeIndex spaced(const KeyframeIndex &index, double spacing);

// Reduces an index to at most `count` entries, which are at least a second apart, or more.
[[nodiscard]] KeyframeIndex reduced(const KeyframeIndex &index, std::size_t count);

} // namespace flv
