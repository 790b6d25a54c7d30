// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages on standard error: one line each, with the journal's level if systemd reads them.
#pragma once

#include <cstdint>
#include <string>

namespace flvserve {

enum class Level : std::uint8_t { Error = 3, Warning = 4, Info = 6 }; // the numbers of syslog

// Prints "flvserve: TEXT". Control characters become "?". Any thread.
void report(Level level, const std::string &text);

} // namespace flvserve
