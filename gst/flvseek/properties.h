// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties of the element.
#pragma once

#include <gst/gst.h>

namespace flvseek {

enum Property : guint {
  PROP_OFFSET = 1,
  PROP_START_TIME,
  PROP_STOP_OFFSET,
  PROP_SNAP,
  PROP_INDEX,
  PROP_REINSERT,
  PROP_METADATA_KEYFRAMES,
  PROP_ACTUAL_OFFSET,
  PROP_ACTUAL_TIME,
  PROP_KEYFRAMES,
};

// Installs all properties of the element, and registers their enum types.
void install_properties(GObjectClass *object_class);

} // namespace flvseek
