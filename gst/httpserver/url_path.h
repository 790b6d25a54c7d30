// SPDX-License-Identifier: LGPL-2.1-or-later
// Normalizes the paths of URLs, so that equivalent paths compare equal: RFC 3986, 6.2.2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flvhttp {

// `path` has no query and no fragment. In the result, escapes are in upper case, and only necessary
// escapes are left. An escaped slash stays escaped. Dot segments are removed. nullopt: `path` has a
// "%" without two hexadecimal digits, or an escaped NUL.
[[nodiscard]] std::optional<std::string> normalized_path(std::string_view path);

// The reason why `path` is not an absolute path of a URL, as the end of a sentence; empty: the path
// is valid.
[[nodiscard]] std::string path_fault(std::string_view path);

} // namespace flvhttp
