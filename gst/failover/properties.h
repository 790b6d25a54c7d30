// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties and signals of the element.
#pragma once

#include <string>

#include <gst/gst.h>

#include "failover/supervisor.h"

namespace gstfailover {

enum Property : guint {
  PROP_URIS = 1,
  PROP_TIMEOUT,
  PROP_RETRY_MIN,
  PROP_RETRY_MAX,
  PROP_FAIL_BACK,
  PROP_ON_DEMAND,
  PROP_IDLE_TIMEOUT,
  PROP_CURRENT_URI,
  PROP_STATS,
};

struct Properties {
  std::string uris;
  failover::Settings settings;
};

// The custom upstream event that starts and stops the sources with on-demand=true.
inline constexpr const char *kDemandEvent = "failoversrc-demand";
inline constexpr const char *kDemandField = "wanted"; // boolean

void install_properties(GObjectClass *object_class);

// `switch_to` is the handler of the action signal `switch`.
void install_signals(GType type, GCallback switch_to);

// Sets a writable property. Returns false for other ids.
[[nodiscard]] bool set_value(Properties &properties, guint id, const GValue *value);
// Reads a property that set_value() sets. Returns false for other ids.
[[nodiscard]] bool get_value(const Properties &properties, guint id, GValue *value);

} // namespace gstfailover
