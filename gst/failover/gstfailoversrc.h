// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_FAILOVER_SRC (gst_failover_src_get_type())
G_DECLARE_FINAL_TYPE(GstFailoverSrc, gst_failover_src, GST, FAILOVER_SRC, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE(failoversrc)

G_END_DECLS
