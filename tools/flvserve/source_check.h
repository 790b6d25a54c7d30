// SPDX-License-Identifier: LGPL-2.1-or-later
// What can be said of a mount's source without opening it.
#pragma once

#include <string>

namespace flvserve {

// Whether the text begins with a URI's scheme.
[[nodiscard]] bool is_uri(const std::string &text);
// The name of the file that the URI or name means; empty: another kind of source.
[[nodiscard]] std::string file_name(const std::string &uri);
// Whether the source is a regular file, or a missing one: it has an end, and can be read again.
[[nodiscard]] bool is_file(const std::string &uri);
// The descriptor of "fd://N"; -1: another kind of source.
[[nodiscard]] int descriptor_of(const std::string &uri);

// Faults as sentences; empty: there is none.
[[nodiscard]] std::string uri_fault(const std::string &uri);
[[nodiscard]] std::string launch_fault(const std::string &launch);

} // namespace flvserve
