// SPDX-License-Identifier: LGPL-2.1-or-later
// For tests that use GStreamer's library, and no plugin of the system.
#pragma once

#include <gst/gst.h>

namespace flvtest {

// With the plugins of the system, GLib has so many quarks that it replaces its table of them.
// LeakSanitizer and valgrind report the old table.
inline void init_without_plugins(int *argc, char ***argv) {
  g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE);
  gst_init(argc, argv);
}

} // namespace flvtest
