// SPDX-License-Identifier: LGPL-2.1-or-later
// The addresses of the server: for messages, and as URLs that clients can open.
#pragma once

#include <string>
#include <vector>

#include "configuration.h"
#include "httpserver/listener.h"

namespace flvserve {

// The address that a socket is bound to.
[[nodiscard]] flvhttp::ListenAddress place_of_socket(int socket, const std::string &certificate,
                                                     const std::string &key);
// "localhost:8080, [::1]:8081"
[[nodiscard]] std::string places_text(const std::vector<flvhttp::ListenAddress> &places);
[[nodiscard]] bool same_addresses(const std::vector<tools::Address> &one,
                                  const std::vector<tools::Address> &other);
// Each mount and each folder at each place.
[[nodiscard]] std::vector<std::string> urls_of(const Configuration &configuration,
                                               const std::vector<flvhttp::ListenAddress> &places);

} // namespace flvserve
