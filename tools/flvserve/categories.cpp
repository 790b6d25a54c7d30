// SPDX-License-Identifier: LGPL-2.1-or-later
#include "categories.h"

GST_DEBUG_CATEGORY(flvserve_debug);

namespace flvserve {

void init_categories() {
  GST_DEBUG_CATEGORY_INIT(flvserve_debug, "flvserve", 0, "serves files and streams over HTTP");
}

} // namespace flvserve
