// SPDX-License-Identifier: LGPL-2.1-or-later
// The debug category `flvserve`.
#pragma once

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN(flvserve_debug);

namespace flvserve {

void init_categories();

} // namespace flvserve
