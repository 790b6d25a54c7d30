// SPDX-License-Identifier: LGPL-2.1-or-later
#include "categories.h"

#include <mutex>

GST_DEBUG_CATEGORY(gst_http_server_client_debug);
GST_DEBUG_CATEGORY(gst_http_server_download_debug);
GST_DEBUG_CATEGORY(gst_http_server_ingest_debug);
GST_DEBUG_CATEGORY(gst_http_server_stream_debug);

namespace flvhttp {

namespace {

void init() {
  GST_DEBUG_CATEGORY_INIT(gst_http_server_client_debug, "httpserver-client", 0,
                          "clients of httpserversink");
  GST_DEBUG_CATEGORY_INIT(gst_http_server_download_debug, "httpserver-download", 0,
                          "downloads from sites");
  GST_DEBUG_CATEGORY_INIT(gst_http_server_ingest_debug, "httpserver-ingest", 0,
                          "input of httpserversink");
  GST_DEBUG_CATEGORY_INIT(gst_http_server_stream_debug, "httpserver-stream", 0,
                          "streams of httpserversink");
}

} // namespace

void init_categories() {
  static std::once_flag once;
  std::call_once(once, init);
}

} // namespace flvhttp
