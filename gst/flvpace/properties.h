// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties of the element.
#pragma once

#include <gst/gst.h>

namespace flvpace {

enum Property : guint {
  PROP_BURST = 1,
  PROP_SPEED,
  PROP_CATCH_UP_SPEED,
  PROP_SYNC,
  PROP_RETIMESTAMP,
  PROP_MAX_GAP,
  PROP_MTU,
  PROP_MAX_TAG_SIZE,
  PROP_ON_CORRUPT,
  PROP_LIVE,
  PROP_MAX_DELAY,
  PROP_STATS,
};

enum class Live { Auto, Yes, No };

// Installs all properties of the element, and registers their enum types.
void install_properties(GObjectClass *object_class);

} // namespace flvpace
