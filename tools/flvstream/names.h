// SPDX-License-Identifier: LGPL-2.1-or-later
// The names of inputs and outputs in messages.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "options.h"

namespace flvstream {

// A file name, a URL, or "standard input".
[[nodiscard]] std::string input_name(const Options &options);

// A file name, "standard output", "127.0.0.1:5000", or "http://127.0.0.1:8080/live.flv".
[[nodiscard]] std::string output_name(const Options &options);

// The addresses that clients of a server can open.
[[nodiscard]] std::vector<std::string> client_urls(const Options &options);

// The path of the player page, beside the stream's path.
[[nodiscard]] std::string page_path(const std::string &stream_path);

// The addresses of the player page.
[[nodiscard]] std::vector<std::string> page_urls(const Options &options);

// "0:01:23.456" for a time in ms. A fraction of 0 is left out.
[[nodiscard]] std::string time_name(std::uint64_t ms);

} // namespace flvstream
