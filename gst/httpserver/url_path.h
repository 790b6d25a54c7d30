// SPDX-License-Identifier: LGPL-2.1-or-later
// Paths of URLs in one spelling, so that equivalent ones compare equal: RFC 3986, 6.2.2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flvhttp {

// Without query and fragment. Escapes are in upper case, and only where a path needs them; an
// escaped slash stays escaped; dot segments are removed. nullopt: it has a "%" without two
// hexadecimal digits, or an escaped NUL.
[[nodiscard]] std::optional<std::string> normalized_path(std::string_view path);

// Why `path` is no absolute path of a URL, as the end of a sentence; empty: it is one.
[[nodiscard]] std::string path_fault(std::string_view path);

} // namespace flvhttp
