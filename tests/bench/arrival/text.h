// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace bench {

// Appends printf output to a string.
[[gnu::format(printf, 2, 3)]] void append(std::string &out, const char *format, ...);

} // namespace bench
