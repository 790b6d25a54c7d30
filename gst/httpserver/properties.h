// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties of the element.
#pragma once

#include "broadcast.h"
#include "listener.h"

namespace flvhttp {

enum {
  PROP_0,
  PROP_ADDRESS,
  PROP_PORT,
  PROP_CURRENT_PORT,
  PROP_PATH,
  PROP_ALLOW_ORIGIN,
  PROP_WAIT_TIMEOUT,
  PROP_REQUEST_TIMEOUT,
  PROP_TLS_CERTIFICATE,
  PROP_TLS_KEY,
  PROP_JOIN,
  PROP_BURST,
  PROP_REBASE_TIMESTAMPS,
  PROP_DRAIN_TIMEOUT,
  PROP_MAX_LAG,
  PROP_MAX_LAG_BYTES,
  PROP_CLIENT_TIMEOUT,
  PROP_MAX_CLIENTS,
  PROP_MERGE,
  PROP_STATS_PATH,
  PROP_METRICS_PATH,
  PROP_PAGE_PATH,
  PROP_STATS,
};

inline constexpr guint kDefaultPort = 8080;
inline constexpr guint kDefaultRequestTimeout = 5000; // ms

// The settings that take effect at the start.
struct Places {
  ListenAddress place{"localhost", kDefaultPort, {}, {}};
  std::string path = "/";
  std::string stats_path;
  std::string metrics_path;
  std::string page_path;
  guint request_timeout = kDefaultRequestTimeout;

  bool operator==(const Places &) const = default;
};

struct Properties {
  Properties();

  Places places;
  BroadcastSettings settings;

  // false: the property is not in this struct.
  [[nodiscard]] bool set(guint id, const GValue *value);
  [[nodiscard]] bool get(guint id, GValue *value) const;
};

// Installs all properties of the element, including those that only the element can read.
void install_properties(GObjectClass *object_class);

} // namespace flvhttp
