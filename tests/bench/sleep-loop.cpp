// SPDX-License-Identifier: LGPL-2.1-or-later
// The minimum work of any pacer: one sleep and one write per tag. The lateness of the tags is the
// jitter of the machine itself.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

#include "flv/stream/splitter.h"

namespace {

constexpr long kNanosecondsASecond = 1'000'000'000;

int fail(const char *what) {
  std::fprintf(stderr, "sleep-loop: %s: %s\n", what, std::strerror(errno));
  return 1;
}

// The contents of the file, mapped until the end of the process.
flv::Bytes mapped(const char *path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || fstat(file, &status) != 0)
    return {};
  const auto size = static_cast<std::size_t>(status.st_size);
  void *bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  return bytes == MAP_FAILED ? flv::Bytes()
                             : flv::Bytes(static_cast<const std::uint8_t *>(bytes), size);
}

void sleep_until(timespec start, std::uint32_t ms) {
  start.tv_sec += ms / 1000;
  start.tv_nsec += static_cast<long>(ms % 1000) * 1'000'000;
  if (start.tv_nsec >= kNanosecondsASecond) {
    start.tv_sec++;
    start.tv_nsec -= kNanosecondsASecond;
  }
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &start, nullptr);
}

bool write_all(flv::Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR)
      return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written < 0 ? 0 : written));
  }
  return true;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fputs("Usage: sleep-loop FILE\n\nWrites each tag of an FLV file to stdout at its time.\n",
               stderr);
    return 2;
  }
  const flv::Bytes file = mapped(argv[1]);
  if (file.empty())
    return fail(argv[1]);
  flv::Splitter splitter;
  std::vector<flv::Item> items;
  if (splitter.feed(file, items) != flv::Status::Ok) {
    std::fprintf(stderr, "sleep-loop: %s: no FLV file\n", argv[1]);
    return 1;
  }
  prctl(PR_SET_TIMERSLACK, 1); // ns: the most precise setting of the system
  timespec start{};
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (const flv::Item &item : items) {
    if (item.kind == flv::Item::Kind::Tag && item.tag.timestamp > 0)
      sleep_until(start, item.tag.timestamp);
    if (!write_all(file.subspan(item.begin, item.end - item.begin)))
      return errno == EPIPE ? 0 : fail("writing");
  }
}
