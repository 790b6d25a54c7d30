// SPDX-License-Identifier: LGPL-2.1-or-later
// The list of URIs in the property `uris`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace failover {

// Splits at semicolons and line ends. Removes white space around URIs, and empty ones.
[[nodiscard]] std::vector<std::string> split_uris(std::string_view text);

// The URI without its password and without its query, which often contain secrets: for logs and
// messages.
[[nodiscard]] std::string without_secrets(std::string_view uri);

} // namespace failover
