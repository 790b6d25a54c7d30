// SPDX-License-Identifier: LGPL-2.1-or-later
// Read requests of the classes that inspect a file. They do no I/O: the owner reads the requested
// bytes and supplies them, until there is no next request.
#pragma once

#include <cstddef>
#include <cstdint>

namespace flv {

// Bytes of the file. If fewer bytes are supplied, the file ends there.
struct ReadRequest {
  std::uint64_t offset = 0;
  std::size_t size = 0;
  bool in_order = false; // the next request is probably for the bytes that follow
};

} // namespace flv
