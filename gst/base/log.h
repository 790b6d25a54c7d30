// SPDX-License-Identifier: LGPL-2.1-or-later
// Posts an error or a warning on the bus, and logs it in the element's debug category.
// GST_DEBUG=flv*:2,http*:2 then shows it next to the log lines that explain it.
#pragma once

#include <gst/gst.h>

// `text` is a format with its arguments, in parentheses, as for GST_ELEMENT_ERROR. It is evaluated
// twice.
#define FLV_ELEMENT_ERROR(element, domain, code, text, debug)                                      \
  G_STMT_START {                                                                                   \
    gchar *flv_logged = g_strdup_printf text;                                                      \
    GST_ERROR_OBJECT(element, "%s", flv_logged);                                                   \
    g_free(flv_logged);                                                                            \
    GST_ELEMENT_ERROR(element, domain, code, text, debug);                                         \
  }                                                                                                \
  G_STMT_END

#define FLV_ELEMENT_WARNING(element, domain, code, text, debug)                                    \
  G_STMT_START {                                                                                   \
    gchar *flv_logged = g_strdup_printf text;                                                      \
    GST_WARNING_OBJECT(element, "%s", flv_logged);                                                 \
    g_free(flv_logged);                                                                            \
    GST_ELEMENT_WARNING(element, domain, code, text, debug);                                       \
  }                                                                                                \
  G_STMT_END
