// SPDX-License-Identifier: LGPL-2.1-or-later
// Detects that a file changes while it is sent. A file that only grows counts as unchanged.
#pragma once

#include <cstdint>
#include <optional>

#include "file_version.h"

namespace flvhttp {

class FileWatch {
public:
  // `version`: the version that the response describes. `offset`, `size`: the range that is sent.
  FileWatch(FilePtr file, const FileVersion &version, std::uint64_t offset, std::uint64_t size);

  // false: the file has shrunk, was changed in place, or was replaced or deleted.
  [[nodiscard]] bool is_unchanged();

private:
  // nullopt: the sample cannot be read.
  [[nodiscard]] std::optional<std::uint64_t> hash_of_sample() const;

  FilePtr file_;
  FileVersion version_;
  std::uint64_t sample_offset_;
  std::size_t sample_size_;
  std::optional<std::uint64_t> sample_; // the hash of the first bytes of the range
  bool was_linked_ = false;
};

} // namespace flvhttp
