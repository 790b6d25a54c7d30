// SPDX-License-Identifier: LGPL-2.1-or-later
// Warnings about properties that are set after the start, when the element no longer reads them.
#pragma once

#include <string>

#include "gst_ptr.h"

namespace gstflv {

inline bool has_started(GstElement *element) {
  const ObjectLock lock(element);
  return GST_STATE(element) > GST_STATE_READY || GST_STATE_NEXT(element) > GST_STATE_READY;
}

// Whether `value` differs from the current value of the property.
inline bool is_change(GObject *object, GParamSpec *spec, const GValue *value) {
  GValue present = G_VALUE_INIT;
  g_object_get_property(object, spec->name, &present);
  const bool differs = g_param_values_cmp(spec, &present, value) != 0;
  g_value_unset(&present);
  return differs;
}

// Formats flags by their nicks. gst_value_serialize() would use their descriptions.
inline std::string value_text(const GValue *value) {
  if (!G_VALUE_HOLDS_FLAGS(value)) {
    const StringPtr text(gst_value_serialize(value));
    return text ? text.get() : "";
  }
  const auto *type = static_cast<GFlagsClass *>(g_type_class_peek(G_VALUE_TYPE(value)));
  std::string text;
  for (guint i = 0; i < type->n_values; ++i) {
    if ((type->values[i].value & g_value_get_flags(value)) != 0)
      text.append(text.empty() ? "" : "+").append(type->values[i].value_nick);
  }
  return text.empty() ? "0" : text;
}

// Formats an assignment as in a launch line: "offset=7".
inline std::string assignment(GParamSpec *spec, const GValue *value) {
  return std::string(spec->name).append("=").append(value_text(value));
}

// Must be called before the value is stored. Returns a warning text if the value changes, the
// property is mutable only up to READY, and the element has left READY. Otherwise returns "".
inline std::string late_change(GObject *object, GParamSpec *spec, const GValue *value) {
  const bool until_ready = (spec->flags & GST_PARAM_MUTABLE_READY) != 0;
  if (!until_ready || !has_started(GST_ELEMENT(object)) || !is_change(object, spec, value))
    return {};
  return assignment(spec, value) +
         " has no effect now: it takes effect when the element starts from READY again.";
}

} // namespace gstflv
