// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds this project's plugins, and names the packages of missing elements.
#pragma once

#include <initializer_list>
#include <string>

namespace tools {

inline constexpr const char *kHttpServer = "httpserversink";

// The plugins that are installed with this program may be outside of GStreamer's search path. If
// one of the elements is missing, adds their folder to the registry.
void find_own_plugins(std::initializer_list<const char *> elements);

// "there is no GStreamer element udpsink; on Debian: apt-get install gstreamer1.0-plugins-good".
[[nodiscard]] std::string missing_element(const std::string &element);

} // namespace tools
