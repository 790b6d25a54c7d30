// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings of the server: from a configuration file, or from the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/address.h"
#include "config_file.h"
#include "files/settings.h"
#include "log_line.h"
#include "mount_settings.h"

namespace flvserve {

inline constexpr std::uint16_t kDefaultPort = 8080;

struct ServerSettings {
  std::vector<tools::Address> listen; // empty: the default
  std::string tls_certificate;        // a PEM file; empty: plain HTTP
  std::string tls_key;
  std::string access_log; // a file, or "-" for standard output; empty: no log
  LogFormat access_log_format = LogFormat::Common;
  std::uint32_t max_clients = 0;        // 0: no limit
  std::uint32_t drain_timeout = 10'000; // ms

  bool operator==(const ServerSettings &) const;
};

struct FilesFolder {
  std::string prefix; // "/vod"; empty: all paths
  FilesSettings settings;

  bool operator==(const FilesFolder &) const = default;
};

struct Configuration {
  ServerSettings server;
  std::vector<MountSettings> mounts; // each after the mount in its `from`
  std::vector<FilesFolder> folders;

  bool operator==(const Configuration &) const = default;
};

// The keys of [server] and [mount].
[[nodiscard]] std::vector<std::string> server_keys();
[[nodiscard]] std::vector<std::string> mount_keys();

struct Checked {
  Configuration configuration; // valid if there is no fault
  std::vector<Fault> faults;   // in the order of their lines
};

// `folder`: relative file names in the configuration start there. Needs gst_init().
[[nodiscard]] Checked check_configuration(std::string_view text, const std::string &folder);

struct Loaded {
  Configuration configuration;
  std::vector<std::string> complaints; // "FILE:LINE: text"; empty: the configuration is valid
};
[[nodiscard]] Loaded load_configuration(const std::string &path);

// The text of a configuration file. Settings that have their default are left out.
[[nodiscard]] std::string text_of(const Configuration &configuration);

// "[HOST:]PORT". Without a colon, the host is localhost; ":8080" is every address of the machine.
[[nodiscard]] std::optional<tools::Address> parse_listen(const std::string &text);
// As parse_listen() reads it.
[[nodiscard]] std::string listen_text(const tools::Address &address);
[[nodiscard]] std::vector<tools::Address> listen_or_default(const ServerSettings &server);

} // namespace flvserve
