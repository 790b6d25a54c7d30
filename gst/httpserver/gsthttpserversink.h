// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include <gst/base/gstbasesink.h>

namespace flvhttp {
class Listener;
}

G_BEGIN_DECLS

#define GST_TYPE_HTTP_SERVER_SINK (gst_http_server_sink_get_type())
G_DECLARE_FINAL_TYPE(GstHttpServerSink, gst_http_server_sink, GST, HTTP_SERVER_SINK, GstBaseSink)

GST_ELEMENT_REGISTER_DECLARE(httpserversink)

G_END_DECLS

// Serves at this listener instead of the address and the port of the properties. For programs that
// are linked to the element. Takes effect when the element starts from READY.
void gst_http_server_sink_set_listener(GstElement *sink,
                                       std::shared_ptr<flvhttp::Listener> listener);
