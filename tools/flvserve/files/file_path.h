// SPDX-License-Identifier: LGPL-2.1-or-later
// From the path of a URL to an open file. Nothing outside the root folder is opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace flvserve {

// Closes the descriptor.
class Descriptor {
public:
  explicit Descriptor(int descriptor = -1) : descriptor_(descriptor) {}
  ~Descriptor();
  Descriptor(Descriptor &&other) noexcept : descriptor_(other.release()) {}
  Descriptor &operator=(Descriptor &&other) noexcept;
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int release();

private:
  int descriptor_;
};

// The path below the site's prefix, without escapes; "" is the root folder, and a folder's path can
// have one slash at the end. nullopt: there is no such file, because a name is empty, is "..",
// begins with a dot, or has a slash or a NUL.
[[nodiscard]] std::optional<std::string> relative_path(std::string_view url_path,
                                                       std::string_view prefix);

// The name as a segment of a URL.
[[nodiscard]] std::string escaped_segment(std::string_view name);

class RootFolder {
public:
  enum class Walk : std::uint8_t {
    Kernel,     // openat2; the steps are the fallback
    Components, // by steps only, for tests
  };
  struct File {
    Descriptor descriptor;
  };
  struct Folder {
    Descriptor descriptor;
  };
  struct Missing {
    int error = 0; // errno
  };
  using Found = std::variant<File, Folder, Missing>;

  // Returns the errno of a folder that cannot be opened, otherwise 0.
  [[nodiscard]] int open(const std::string &path);

  // Follows symbolic links that stay inside the root. Only regular files and folders are opened:
  // FIFOs, sockets and devices are Missing, and no peer notices the attempt.
  [[nodiscard]] Found find(const std::string &path, Walk walk = Walk::Kernel) const;

private:
  [[nodiscard]] Descriptor open_root() const;
  [[nodiscard]] int open_beneath(const std::string &path, int flags, Walk walk) const;
  [[nodiscard]] static int open_in_kernel(const Descriptor &root, const std::string &path,
                                          int flags);
  [[nodiscard]] int open_by_steps(const Descriptor &root, const std::string &path, int flags) const;

  std::string path_;
};

} // namespace flvserve
