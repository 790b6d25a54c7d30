// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace flvserve {

namespace {

// Bytes per read of tag headers: a few audio tags, or one video tag.
constexpr std::size_t kAhead = 4096;

// Fewer bytes: the file has been truncated. nullopt: an error.
std::optional<std::size_t> read_at(int descriptor, std::uint8_t *to, std::size_t size,
                                   std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t now =
        pread(descriptor, to + done, size - done, static_cast<off_t>(offset + done));
    if (now < 0 && errno == EINTR)
      continue;
    if (now < 0)
      return std::nullopt;
    if (now == 0)
      break;
    done += static_cast<std::size_t>(now);
  }
  return done;
}

} // namespace

bool FileReader::fill(std::uint64_t offset, std::size_t size) {
  offset_ = offset;
  block_.resize(size);
  std::size_t filled = 0;
  bool good = true;
  for_each_piece(
      parts_, offset, size, [&](const flvhttp::Part &part, std::uint64_t at, std::uint64_t piece) {
        const auto bytes = static_cast<std::size_t>(piece);
        std::size_t now = bytes;
        if (const auto *shared = std::get_if<flvhttp::SharedBytes>(&part)) {
          std::memcpy(&block_[filled], &(*shared->bytes)[shared->offset + at], bytes);
        } else if (const auto *file = std::get_if<flvhttp::FileRange>(&part)) {
          const auto read =
              read_at(file->file->descriptor(), &block_[filled], bytes, file->offset + at);
          good = good && read;
          now = read.value_or(0);
        }
        filled += now;
      });
  block_.resize(filled);
  return good;
}

std::optional<flv::Bytes> FileReader::read(const flv::ReadRequest &request) {
  const bool is_held = request.in_order && request.offset >= offset_ &&
                       request.offset + request.size <= offset_ + block_.size();
  if (!is_held &&
      !fill(request.offset, request.in_order ? std::max(request.size, kAhead) : request.size))
    return std::nullopt;
  const auto skip = static_cast<std::size_t>(request.offset - offset_);
  return flv::Bytes(block_).subspan(skip, std::min(request.size, block_.size() - skip));
}

void FileReader::expect(const std::vector<flv::ReadRequest> &requests) const {
  for (const flv::ReadRequest &request : requests)
    for_each_piece(parts_, request.offset, request.size,
                   [](const flvhttp::Part &part, std::uint64_t at, std::uint64_t piece) {
                     if (const auto *file = std::get_if<flvhttp::FileRange>(&part))
                       posix_fadvise(file->file->descriptor(),
                                     static_cast<off_t>(file->offset + at),
                                     static_cast<off_t>(piece), POSIX_FADV_WILLNEED);
                   });
}

} // namespace flvserve
