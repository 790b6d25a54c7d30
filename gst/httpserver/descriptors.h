// SPDX-License-Identifier: LGPL-2.1-or-later
// How many file descriptors the process may have, and how near to that it is.
#pragma once

#include <cstddef>

namespace flvhttp {

// Left for the application: a source opens its file again, a name is looked up.
inline constexpr std::size_t kReservedDescriptors = 32;

// RLIMIT_NOFILE as it is now.
[[nodiscard]] std::size_t max_descriptors();
// Whether one more leaves kReservedDescriptors free. The system gives the lowest number that is
// free, so this takes the same time however many there are.
[[nodiscard]] bool has_free_descriptors();

} // namespace flvhttp
