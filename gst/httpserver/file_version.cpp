// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_version.h"

#include <array>
#include <cinttypes>
#include <cstdio>

#include <sys/stat.h>
#include <unistd.h>

namespace flvhttp {

OpenFile::~OpenFile() {
  close(descriptor_);
}

std::optional<FileVersion> FileVersion::of(int descriptor) {
  struct stat file {};
  return fstat(descriptor, &file) == 0 ? std::optional(of(file)) : std::nullopt;
}

FileVersion FileVersion::of(const struct stat &file) {
  constexpr std::int64_t kSecond = 1'000'000'000; // ns
  FileVersion version;
  version.device = file.st_dev;
  version.inode = file.st_ino;
  version.size = static_cast<std::uint64_t>(file.st_size);
  version.modified = file.st_mtim.tv_sec * kSecond + file.st_mtim.tv_nsec;
  version.changed = file.st_ctim.tv_sec * kSecond + file.st_ctim.tv_nsec;
  return version;
}

// Without the device and the change time, so that copies of a file on several servers can have the
// same tag if their inode numbers are the same, and so that a change of the permissions keeps it.
std::string FileVersion::etag(std::string_view variant) const {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64, inode, size,
                static_cast<std::uint64_t>(modified));
  std::string tag = text.data();
  if (!variant.empty())
    tag.append("-").append(variant);
  return tag + '"';
}

} // namespace flvhttp
