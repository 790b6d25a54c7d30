// SPDX-License-Identifier: LGPL-2.1-or-later
// SIGINT and SIGTERM end a stream, which is no failure.
#pragma once

namespace flvstream {

// Holds the signals back until listen_to_signals(). A signal during GStreamer's scan of the plugins
// would leave some of them out of the registry for good.
void hold_signals();
void listen_to_signals();

} // namespace flvstream
