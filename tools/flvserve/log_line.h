// SPDX-License-Identifier: LGPL-2.1-or-later
// The formats of the access log.
#pragma once

#include <cstdint>
#include <string>

#include "httpserver/request_log.h"

namespace flvserve {

enum class LogFormat : std::uint8_t {
  Common,   // the common log format of web servers
  Combined, // with Referer and User-Agent
  Json,     // one object a line
};

[[nodiscard]] const char *name_of(LogFormat format);

// One line with its line feed. Times are UTC.
[[nodiscard]] std::string log_line(const flvhttp::LoggedRequest &request, LogFormat format);

} // namespace flvserve
