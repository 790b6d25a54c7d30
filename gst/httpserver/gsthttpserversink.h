// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_HTTP_SERVER_SINK (gst_http_server_sink_get_type())
G_DECLARE_FINAL_TYPE(GstHttpServerSink, gst_http_server_sink, GST, HTTP_SERVER_SINK, GstBaseSink)

GST_ELEMENT_REGISTER_DECLARE(httpserversink)

G_END_DECLS
