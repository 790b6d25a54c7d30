// SPDX-License-Identifier: LGPL-2.1-or-later
// State changes of the elements' classes: checked, and logged in a debug category.
#pragma once

#include <gst/gst.h>

#include "states/transition.h"

namespace gstflv {

// Logs the change, then performs it. Aborts if `Table` does not list the change. `name` is the
// class.
template <typename Table, typename State>
void change_state(GstDebugCategory *category, gpointer element, const char *name, State &state,
                  State next) {
  GST_CAT_DEBUG_OBJECT(category, element, "%s: %s -> %s", name, states::name_of(state),
                       states::name_of(next));
  states::change_state<Table>(name, state, std::move(next));
}

} // namespace gstflv
