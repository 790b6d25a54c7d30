// SPDX-License-Identifier: LGPL-2.1-or-later
// Posts an error or a warning on the bus, and logs it in the element's debug category.
// GST_DEBUG=flv*:2,http*:2 then shows it next to the log lines that explain it.
#pragma once

#include <gst/gst.h>

// `text` is a format with its arguments, in parentheses, as GST_ELEMENT_ERROR takes it. They are
// evaluated twice.
#define FLV_ELEMENT_ERROR(element, domain, code, text, debug)                                      \
  FLV_ELEMENT_MESSAGE(ERROR, element, domain, code, text, debug)
#define FLV_ELEMENT_WARNING(element, domain, code, text, debug)                                    \
  FLV_ELEMENT_MESSAGE(WARNING, element, domain, code, text, debug)
#define FLV_ELEMENT_MESSAGE(level, element, domain, code, text, debug)                             \
  G_STMT_START {                                                                                   \
    gchar *flv_logged = g_strdup_printf text;                                                      \
    GST_##level##_OBJECT(element, "%s", flv_logged);                                               \
    g_free(flv_logged);                                                                            \
    GST_ELEMENT_##level(element, domain, code, text, debug);                                       \
  }                                                                                                \
  G_STMT_END
