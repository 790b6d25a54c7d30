// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_FLV_SEEK (gst_flv_seek_get_type())
G_DECLARE_FINAL_TYPE(GstFlvSeek, gst_flv_seek, GST, FLV_SEEK, GstElement)

GST_ELEMENT_REGISTER_DECLARE(flvseek)

G_END_DECLS
