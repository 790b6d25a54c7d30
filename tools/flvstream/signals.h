// SPDX-License-Identifier: LGPL-2.1-or-later
// SIGINT and SIGTERM, which end a stream and are no failure.
#pragma once

namespace flvstream {

// They come once somebody listens. One that came while GStreamer looks through its plugins would
// leave some of them out for good.
void hold_signals();
void listen_to_signals();

} // namespace flvstream
