// SPDX-License-Identifier: LGPL-2.1-or-later
// The limit for the file descriptors of the process, and whether it is nearly reached.
#pragma once

#include <cstddef>

namespace flvhttp {

// Left for the application, for example to reopen a file or to look up a host name.
inline constexpr std::size_t kReservedDescriptors = 32;

// The current RLIMIT_NOFILE.
[[nodiscard]] std::size_t max_descriptors();
// Whether one more descriptor leaves kReservedDescriptors free (or half of the limit, if that is
// less). The system assigns the lowest free number, so the time of this check does not depend on
// the number of open descriptors.
[[nodiscard]] bool has_free_descriptors();

} // namespace flvhttp
