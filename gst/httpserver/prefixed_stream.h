// SPDX-License-Identifier: LGPL-2.1-or-later
// A connection whose first bytes were read already.
#pragma once

#include <gio/gio.h>

namespace flvhttp {

// Gives the `size` bytes at `head`, which are copied, and then what `base` gives; both of its
// streams have to be pollable. Closing it closes nothing: the base goes on in other hands.
[[nodiscard]] GIOStream *new_head_stream(GIOStream *base, const void *head, gsize size);

} // namespace flvhttp
