// SPDX-License-Identifier: LGPL-2.1-or-later
#include "urls.h"

#include <algorithm>
#include <array>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/gst_ptr.h"
#include "common/values.h"

namespace flvserve {

namespace {

// Existing escapes stay.
std::string escaped_path(const std::string &path) {
  const gstflv::StringPtr escaped(g_uri_escape_string(path.c_str(), "/%!$&'()*+,;=:@", FALSE));
  return escaped.get();
}

} // namespace

flvhttp::ListenAddress place_of_socket(int socket, const std::string &certificate,
                                       const std::string &key) {
  flvhttp::ListenAddress place{"localhost", 0, certificate, key};
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getsockname(socket, reinterpret_cast<sockaddr *>(&address), &size) == 0 &&
      getnameinfo(reinterpret_cast<const sockaddr *>(&address), size, host.data(), host.size(),
                  port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
    place.address = host.data();
    place.port = static_cast<guint16>(tools::parse_number(port.data(), UINT16_MAX).value_or(0));
  }
  return place;
}

std::string places_text(const std::vector<flvhttp::ListenAddress> &places) {
  std::string text;
  for (const flvhttp::ListenAddress &place : places)
    text += (text.empty() ? "" : ", ") + tools::name_of({place.address, place.port});
  return text;
}

bool same_addresses(const std::vector<tools::Address> &one,
                    const std::vector<tools::Address> &other) {
  return std::ranges::equal(one, other, [](const tools::Address &a, const tools::Address &b) {
    return a.host == b.host && a.port == b.port;
  });
}

std::vector<std::string> urls_of(const Configuration &configuration,
                                 const std::vector<flvhttp::ListenAddress> &places) {
  std::vector<std::string> paths;
  for (const MountSettings &mount : configuration.mounts)
    paths.push_back(escaped_path(mount.path));
  for (const FilesFolder &folder : configuration.folders)
    paths.push_back(escaped_path(folder.prefix) + '/');
  std::vector<std::string> urls;
  for (const flvhttp::ListenAddress &place : places) {
    const std::string scheme = place.certificate.empty() ? "http://" : "https://";
    for (const std::string &host : tools::reachable({place.address, place.port})) {
      for (const std::string &path : paths)
        urls.emplace_back(scheme).append(host).append(path);
    }
  }
  return urls;
}

} // namespace flvserve
