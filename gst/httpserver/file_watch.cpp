// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_watch.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace flvhttp {

namespace {

// Bytes: distinguish a file that has grown from one that was written anew.
constexpr std::size_t kSample = 1024;

bool has_link(int descriptor) {
  struct stat file {};
  return fstat(descriptor, &file) == 0 && file.st_nlink > 0;
}

// FNV-1a.
std::uint64_t hash_of(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const std::uint8_t byte : bytes)
    hash = (hash ^ byte) * 0x100000001B3U;
  return hash;
}

} // namespace

FileWatch::FileWatch(FilePtr file, const FileVersion &version, std::uint64_t offset,
                     std::uint64_t size)
    : file_(std::move(file)), version_(version), sample_offset_(offset),
      sample_size_(static_cast<std::size_t>(std::min<std::uint64_t>(size, kSample))),
      sample_(hash_of_sample()), was_linked_(has_link(file_->descriptor())) {}

std::optional<std::uint64_t> FileWatch::hash_of_sample() const {
  std::array<std::uint8_t, kSample> bytes{};
  const ssize_t size =
      pread(file_->descriptor(), bytes.data(), sample_size_, static_cast<off_t>(sample_offset_));
  if (size != static_cast<ssize_t>(sample_size_))
    return std::nullopt;
  return hash_of(std::span(bytes).first(sample_size_));
}

// A change of the permissions or of the links, and an access, do not change the content. A file
// that another one replaces has no link any more.
bool FileWatch::is_unchanged() {
  struct stat file {};
  if (fstat(file_->descriptor(), &file) != 0 || (was_linked_ && file.st_nlink == 0))
    return false;
  const FileVersion now = FileVersion::of(file);
  if (now.size == version_.size && now.modified == version_.modified)
    return true;
  if (now.size <= version_.size || !sample_ || hash_of_sample() != sample_)
    return false;
  version_ = now;
  return true;
}

} // namespace flvhttp
