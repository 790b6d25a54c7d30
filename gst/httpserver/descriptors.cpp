// SPDX-License-Identifier: LGPL-2.1-or-later
#include "descriptors.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace flvhttp {

std::size_t max_descriptors() {
  constexpr auto kAny = std::numeric_limits<int>::max();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > rlim_t{kAny})
    return kAny;
  return limit.rlim_cur;
}

bool has_free_descriptors() {
  const int lowest = dup(STDERR_FILENO);
  if (lowest < 0)
    return errno != EMFILE && errno != ENFILE; // EBADF: standard error is closed
  close(lowest);
  const std::size_t most = max_descriptors();
  return static_cast<std::size_t>(lowest) + std::min(kReservedDescriptors, most / 2) < most;
}

} // namespace flvhttp
