// SPDX-License-Identifier: LGPL-2.1-or-later
// Inputs and outputs as messages name them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "options.h"

namespace flvstream {

// A file, a URL, "standard input".
[[nodiscard]] std::string input_name(const Options &options);

// A file, "standard output", "127.0.0.1:5000", "http://127.0.0.1:8080/live.flv".
[[nodiscard]] std::string output_name(const Options &options);

// The addresses that clients of a server can open.
[[nodiscard]] std::vector<std::string> client_urls(const Options &options);

// "0:01:23.456" of a time in ms, without the fraction where it is 0.
[[nodiscard]] std::string time_name(std::uint64_t ms);

} // namespace flvstream
