// SPDX-License-Identifier: LGPL-2.1-or-later
#include "configuration.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <glib.h>

#include "base/gst_ptr.h"
#include "source_check.h"

namespace flvserve {

namespace {

constexpr const char *kDefaultHost = "localhost";

void append(std::string &text, const std::string &key, const std::string &value) {
  text += key + '=' + escaped_value(value) + '\n';
}

std::string server_text(const ServerSettings &server) {
  const ServerSettings defaults;
  std::string text = "[server]\n";
  std::string listen;
  for (const tools::Address &address : listen_or_default(server))
    listen += (listen.empty() ? "" : ";") + listen_text(address);
  append(text, "listen", listen);
  if (!server.tls_certificate.empty())
    append(text, "tls-certificate", server.tls_certificate);
  if (!server.tls_key.empty())
    append(text, "tls-key", server.tls_key);
  if (!server.access_log.empty())
    append(text, "access-log", server.access_log);
  if (server.access_log_format != defaults.access_log_format)
    append(text, "access-log-format", name_of(server.access_log_format));
  if (server.max_clients != defaults.max_clients)
    append(text, "max-clients", std::to_string(server.max_clients));
  if (server.drain_timeout != defaults.drain_timeout)
    append(text, "drain-timeout", std::to_string(server.drain_timeout));
  return text;
}

// The separator of lists is escaped as in a URI.
std::string list_item(const std::string &uri) {
  if (uri.find(';') == std::string::npos)
    return uri;
  const gstflv::StringPtr file(is_uri(uri) ? nullptr
                                           : g_filename_to_uri(uri.c_str(), nullptr, nullptr));
  std::string text = file ? file.get() : uri;
  for (std::size_t at = text.find(';'); at != std::string::npos; at = text.find(';', at))
    text.replace(at, 1, "%3B");
  return text;
}

std::string mount_text(const MountSettings &mount) {
  std::string text = "\n[mount " + mount.path + "]\n";
  if (!mount.uri.empty())
    append(text, "uris", list_item(mount.uri));
  if (!mount.launch.empty())
    append(text, "launch", mount.launch);
  if (!mount.from.empty())
    append(text, "from", mount.from);
  if (mount.loop)
    append(text, "loop", "true");
  if (mount.live != Live::Auto)
    append(text, "live", mount.live == Live::Yes ? "yes" : "no");
  for (const auto &[key, value] : mount.sink)
    append(text, key, value);
  return text;
}

std::string folder_text(const FilesFolder &folder) {
  std::string text = "\n[files " + (folder.prefix.empty() ? "/" : folder.prefix) + "]\n";
  const auto defaults = files_entries({});
  for (const auto &entry : files_entries(folder.settings)) {
    if (std::ranges::find(defaults, entry) == defaults.end())
      append(text, entry.first, entry.second);
  }
  return text;
}

} // namespace

bool ServerSettings::operator==(const ServerSettings &other) const {
  const auto same = [](const tools::Address &one, const tools::Address &two) {
    return one.host == two.host && one.port == two.port;
  };
  return std::ranges::equal(listen, other.listen, same) &&
         tls_certificate == other.tls_certificate && tls_key == other.tls_key &&
         access_log == other.access_log && access_log_format == other.access_log_format &&
         max_clients == other.max_clients && drain_timeout == other.drain_timeout;
}

std::vector<std::string> server_keys() {
  return {"listen",      "tls-certificate", "tls-key", "access-log", "access-log-format",
          "max-clients", "drain-timeout"};
}

std::vector<std::string> mount_keys() {
  std::vector<std::string> keys = {"uris", "launch", "from", "loop", "live"};
  keys.insert(keys.end(), sink_keys().begin(), sink_keys().end());
  return keys;
}

Loaded load_configuration(const std::string &path) {
  gchar *text = nullptr;
  gsize size = 0;
  GError *error = nullptr;
  if (!g_file_get_contents(path.c_str(), &text, &size, &error)) {
    Loaded loaded{{}, {"cannot read " + path + ": " + g_strerror(errno)}};
    g_error_free(error);
    return loaded;
  }
  const gstflv::StringPtr owned(text);
  const gstflv::StringPtr name(g_canonicalize_filename(path.c_str(), nullptr));
  const gstflv::StringPtr folder(g_path_get_dirname(name.get()));
  Checked checked = check_configuration({text, size}, folder.get());
  Loaded loaded{std::move(checked.configuration), {}};
  for (const Fault &fault : checked.faults)
    loaded.complaints.push_back(
        path + (fault.line > 0 ? ':' + std::to_string(fault.line) : std::string()) + ": " +
        fault.text);
  return loaded;
}

std::string text_of(const Configuration &configuration) {
  std::string text = server_text(configuration.server);
  for (const MountSettings &mount : configuration.mounts)
    text += mount_text(mount);
  for (const FilesFolder &folder : configuration.folders)
    text += folder_text(folder);
  return text;
}

std::optional<tools::Address> parse_listen(const std::string &text) {
  auto address = tools::parse_address(text, tools::HostPart::Optional);
  if (address && text.find(':') == std::string::npos)
    address->host = kDefaultHost;
  return address;
}

std::string listen_text(const tools::Address &address) {
  return address.host.empty() ? ':' + std::to_string(address.port) : tools::name_of(address);
}

std::vector<tools::Address> listen_or_default(const ServerSettings &server) {
  return server.listen.empty() ? std::vector{tools::Address{kDefaultHost, kDefaultPort}}
                               : server.listen;
}

} // namespace flvserve
