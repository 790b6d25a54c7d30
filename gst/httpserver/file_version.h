// SPDX-License-Identifier: LGPL-2.1-or-later
// An open file, and the identity of its content.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct stat;

namespace flvhttp {

// Owns a file descriptor. Downloads share it.
class OpenFile {
public:
  // `descriptor` is valid.
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  ~OpenFile();
  OpenFile(const OpenFile &) = delete;
  OpenFile &operator=(const OpenFile &) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

private:
  int descriptor_;
};
using FilePtr = std::shared_ptr<const OpenFile>;

// File attributes: at least one differs after a change of the content.
struct FileVersion {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;    // bytes
  std::int64_t modified = 0; // ns since 1970, as is `changed`
  std::int64_t changed = 0;

  // nullopt: fstat() fails.
  [[nodiscard]] static std::optional<FileVersion> of(int descriptor);
  [[nodiscard]] static FileVersion of(const struct stat &file);
  bool operator==(const FileVersion &) const = default;

  // A strong entity tag, with its quotes. `variant` tells representations of the same file apart;
  // it consists of letters, digits, "-" and ".".
  [[nodiscard]] std::string etag(std::string_view variant = {}) const;
};

} // namespace flvhttp
