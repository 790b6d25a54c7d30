// SPDX-License-Identifier: LGPL-2.1-or-later
// The debug category of the remux bin: GST_DEBUG=remux:5.
#pragma once

#include <gst/gst.h>

namespace remux {

[[nodiscard]] GstDebugCategory *debug_category();

} // namespace remux
