// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_FLV_PACE (gst_flv_pace_get_type())
G_DECLARE_FINAL_TYPE(GstFlvPace, gst_flv_pace, GST, FLV_PACE, GstElement)

GST_ELEMENT_REGISTER_DECLARE(flvpace)

G_END_DECLS
