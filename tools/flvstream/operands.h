// SPDX-License-Identifier: LGPL-2.1-or-later
// INPUT and OUTPUT, and the remedy if flvstream cannot read or write one of them.
#pragma once

#include <string>
#include <vector>

#include "options.h"

namespace flvstream {

[[nodiscard]] bool is_url(const std::string &input); // an http or https URL

// Returns the first error; empty: there is no error.
[[nodiscard]] std::string take_operands(const std::vector<std::string> &operands, Options &options);

// The error and the remedy if --host is a URL; empty: it is not a URL.
[[nodiscard]] std::string hint_for_host(const std::string &host, const std::string &input);

// "/movie.flv" for "films/movie.flv", escaped as in a URL. "/live.flv" for an input without a name.
[[nodiscard]] std::string default_path(const std::string &input);

// Quotes the text for a shell if necessary.
[[nodiscard]] std::string shell_word(const std::string &text);

} // namespace flvstream
