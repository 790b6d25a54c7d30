// SPDX-License-Identifier: LGPL-2.1-or-later
// What an element's error or warning says to somebody who doesn't know about elements.
#pragma once

#include <string>

#include "options.h"
#include "pipeline.h"

namespace flvstream {

// "127.0.0.1 port 5000", "http://127.0.0.1:8080/live.flv", a file, "standard input": as messages
// name them.
[[nodiscard]] std::string input_name(const Options &options);
[[nodiscard]] std::string output_name(const Options &options);

// One line: what cannot be done with which file or address, and why.
[[nodiscard]] std::string failure_of(GstMessage *message, const Options &options,
                                     const Pipeline &pipeline);

} // namespace flvstream
