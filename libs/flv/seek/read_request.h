// SPDX-License-Identifier: LGPL-2.1-or-later
// How the parts that look into a file say what they want to see of it. They do no I/O: whoever owns
// one reads what it wants and gives it that, until it wants nothing more.
#pragma once

#include <cstddef>
#include <cstdint>

namespace flv {

// Bytes of the file. Whoever gives fewer of them says that the file ends there.
struct ReadRequest {
  std::uint64_t offset = 0;
  std::size_t size = 0;
  bool in_order = false; // what follows will probably be wanted next
};

} // namespace flv
