// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

namespace flvserve {

namespace {

constexpr std::size_t kEscape = 3; // characters
constexpr int kMaxLinks = 40;      // as the kernel

int digit(char each) {
  if (each >= '0' && each <= '9')
    return each - '0';
  if (each >= 'A' && each <= 'F')
    return each - 'A' + 10;
  return each >= 'a' && each <= 'f' ? each - 'a' + 10 : -1;
}

// nullopt: an escape is invalid or stands for a NUL.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at++) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    if (text.size() - at < kEscape)
      return std::nullopt;
    const int high = digit(text[at + 1]);
    const int low = digit(text[at + 2]);
    if (high < 0 || low < 0 || high + low == 0)
      return std::nullopt;
    out += static_cast<char>(high << 4 | low);
    at += kEscape - 1;
  }
  return out;
}

// Takes the first name of the path, and the slashes behind it.
std::string take_name(std::string &path) {
  const std::size_t end = std::min(path.find('/'), path.size());
  std::string name = path.substr(0, end);
  path.erase(0, std::min(path.find_first_not_of('/', end), path.size()));
  return name;
}

// Whether `path` is `folder` or below it; removes the folder.
bool take_folder(std::string &path, const std::string &folder) {
  const std::string start = folder == "/" ? "" : folder;
  if (!path.starts_with(start) || (path.size() > start.size() && path[start.size()] != '/'))
    return false;
  path.erase(0, std::min(path.find_first_not_of('/', start.size()), path.size()));
  return true;
}

std::optional<std::string> link_target(int folder, const std::string &name) {
  std::string target(PATH_MAX, '\0');
  const ssize_t size = readlinkat(folder, name.c_str(), target.data(), target.size());
  if (size <= 0 || static_cast<std::size_t>(size) == target.size())
    return std::nullopt;
  target.resize(static_cast<std::size_t>(size));
  return target;
}

std::string real_path(const std::string &path) {
  char *real = realpath(path.c_str(), nullptr);
  std::string out = real ? real : path;
  free(real);
  return out;
}

int open_folder(int folder, const std::string &name) {
  return openat(folder, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

} // namespace

Descriptor::~Descriptor() {
  if (descriptor_ >= 0)
    close(descriptor_);
}

Descriptor &Descriptor::operator=(Descriptor &&other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0)
      close(descriptor_);
    descriptor_ = other.release();
  }
  return *this;
}

int Descriptor::release() {
  return std::exchange(descriptor_, -1);
}

std::optional<std::string> relative_path(std::string_view url_path, std::string_view prefix) {
  while (prefix.ends_with('/'))
    prefix.remove_suffix(1);
  if (!url_path.starts_with(prefix))
    return std::nullopt;
  url_path.remove_prefix(prefix.size());
  if (!url_path.empty() && !url_path.starts_with('/'))
    return std::nullopt;
  std::string out;
  while (!url_path.empty()) {
    url_path.remove_prefix(1); // the slash
    const std::size_t end = std::min(url_path.find('/'), url_path.size());
    const auto name = unescaped(url_path.substr(0, end));
    url_path.remove_prefix(end);
    if (!name || name->starts_with('.') ||
        name->find_first_of(std::string_view("/\0", 2)) != std::string::npos)
      return std::nullopt;
    if (name->empty() && !url_path.empty())
      return std::nullopt;
    out += *name;
    if (!url_path.empty())
      out += '/';
  }
  return out;
}

std::string escaped_segment(std::string_view name) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~!$'()*,;=:@";
  std::string out;
  for (const char each : name) {
    const auto byte = static_cast<unsigned char>(each);
    const bool letter = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                        (each >= '0' && each <= '9');
    if (letter || kPlain.find(each) != std::string_view::npos) {
      out += each;
      continue;
    }
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0x0F];
  }
  return out;
}

int RootFolder::open(const std::string &path) {
  path_ = path;
  const Descriptor root = open_root();
  if (!root.is_open())
    return errno;
  return faccessat(root.get(), ".", X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

// For each request, because the path can be a link that is changed to another folder. O_PATH needs
// no permission to list the folder.
Descriptor RootFolder::open_root() const {
  return Descriptor(::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

int RootFolder::open_in_kernel(const Descriptor &root, const std::string &path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags));
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how));
}

// Each step opens one name without following a link, so that a file that is replaced by a link
// meanwhile does not lead out of the root.
int RootFolder::open_by_steps(const Descriptor &root, const std::string &path, int flags) const {
  std::vector<Descriptor> above; // the folders from the root to `folder`, without it
  Descriptor folder(dup(root.get()));
  std::string rest = path;
  for (int links = 0; links <= kMaxLinks;) {
    const std::string name = take_name(rest);
    if (name.empty() || name == ".") {
      if (rest.empty())
        return openat(folder.get(), ".", flags | O_DIRECTORY);
      continue;
    }
    if (name == "..") {
      if (above.empty()) {
        errno = EXDEV;
        return -1;
      }
      folder = std::move(above.back());
      above.pop_back();
      continue;
    }
    if (auto target = link_target(folder.get(), name)) {
      if (target->starts_with('/')) {
        if (!take_folder(*target, real_path(path_))) {
          errno = EXDEV;
          return -1;
        }
        above.clear();
        folder = Descriptor(dup(root.get()));
      }
      if (!rest.empty())
        target->append("/").append(rest);
      rest = std::move(*target);
      links++;
      continue;
    }
    if (rest.empty())
      return openat(folder.get(), name.c_str(), flags | O_NOFOLLOW);
    Descriptor next(open_folder(folder.get(), name));
    if (!next.is_open())
      return -1;
    above.push_back(std::move(folder));
    folder = std::move(next);
  }
  errno = ELOOP;
  return -1;
}

// The kernel refuses absolute links with EXDEV, even if they stay inside the root. EAGAIN: another
// process renamed a folder meanwhile. The other errors are those of a kernel, or of a container,
// without openat2.
int RootFolder::open_beneath(const std::string &path, int flags, Walk walk) const {
  const Descriptor root = open_root();
  if (!root.is_open())
    return -1;
  if (walk == Walk::Kernel) {
    const int descriptor = open_in_kernel(root, path, flags);
    if (descriptor >= 0 ||
        (errno != ENOSYS && errno != EPERM && errno != EXDEV && errno != EAGAIN && errno != EINVAL))
      return descriptor;
  }
  return open_by_steps(root, path, flags);
}

RootFolder::Found RootFolder::find(const std::string &path, Walk walk) const {
  const std::string name = path.empty() ? "." : path;
  // To open a FIFO would release its writer, and a device can react, so the type comes first.
  const Descriptor look(open_beneath(name, O_PATH | O_CLOEXEC, walk));
  struct stat info {};
  if (!look.is_open() || fstat(look.get(), &info) != 0)
    return Missing{errno};
  if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
    return Missing{ENOENT};
  Descriptor opened(open_beneath(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, walk));
  if (!opened.is_open() || fstat(opened.get(), &info) != 0)
    return Missing{errno};
  if (S_ISREG(info.st_mode) && !path.ends_with('/'))
    return File{std::move(opened)};
  if (S_ISDIR(info.st_mode))
    return Folder{std::move(opened)};
  return Missing{ENOENT};
}

} // namespace flvserve
