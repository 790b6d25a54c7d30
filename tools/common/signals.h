// SPDX-License-Identifier: LGPL-2.1-or-later
// SIGINT and SIGTERM end a stream. This is not a failure.
#pragma once

namespace tools {

// Blocks the signals until listen_to_signals(). A signal during GStreamer's scan of the plugins
// would leave some of them out of the registry permanently.
void hold_signals();
void listen_to_signals();

} // namespace tools
