// SPDX-License-Identifier: LGPL-2.1-or-later
// The debug categories of the classes behind the element. The element has its own category.
#pragma once

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN(gst_http_server_client_debug);
GST_DEBUG_CATEGORY_EXTERN(gst_http_server_download_debug);
GST_DEBUG_CATEGORY_EXTERN(gst_http_server_ingest_debug);
GST_DEBUG_CATEGORY_EXTERN(gst_http_server_stream_debug);

namespace flvhttp {

// Must be called before the classes are used, after gst_init(). Later calls do nothing.
void init_categories();

} // namespace flvhttp
