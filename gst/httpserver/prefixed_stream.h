// SPDX-License-Identifier: LGPL-2.1-or-later
// A connection whose first bytes have already been read.
#pragma once

#include <gio/gio.h>

namespace flvhttp {

// Returns a stream of the `size` bytes at `head`, which are copied, and then of the bytes of
// `base`. Both streams of `base` must be pollable. Closing the result does not close `base`,
// because Transport uses it later.
[[nodiscard]] GIOStream *new_head_stream(GIOStream *base, const void *head, gsize size);

} // namespace flvhttp
