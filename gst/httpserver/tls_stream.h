// SPDX-License-Identifier: LGPL-2.1-or-later
// A TLS session as a GIOStream. No function blocks, not even those that block in other streams.
#pragma once

#include "tls.h"

namespace flvhttp {

[[nodiscard]] GIOStream *new_tls_stream(std::shared_ptr<const TlsCredentials> credentials,
                                        GSocketConnection *connection);
[[nodiscard]] bool is_tls(GIOStream *stream);

} // namespace flvhttp
