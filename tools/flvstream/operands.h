// SPDX-License-Identifier: LGPL-2.1-or-later
// INPUT and OUTPUT, and the way on where one names what flvstream does not read or write.
#pragma once

#include <string>
#include <vector>

#include "options.h"

namespace flvstream {

[[nodiscard]] bool is_url(const std::string &input); // that flvstream reads

// Returns the first thing that is wrong.
[[nodiscard]] std::string take_operands(const std::vector<std::string> &operands, Options &options);

// Why a --host that is a URL is none, and the way on. Empty: it is no URL.
[[nodiscard]] std::string hint_for_host(const std::string &host, const std::string &input);

// "/movie.flv" of "films/movie.flv", escaped as in a URL. Input without a name is "/live.flv".
[[nodiscard]] std::string default_path(const std::string &input);

// As a shell needs it.
[[nodiscard]] std::string shell_word(const std::string &text);

} // namespace flvstream
