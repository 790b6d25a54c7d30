// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text.h"

#include <cstdarg>
#include <cstdio>

namespace bench {

void append(std::string &out, const char *format, ...) {
  va_list arguments;
  va_list again;
  va_start(arguments, format);
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  if (size > 0) {
    const std::size_t before = out.size();
    const auto length = static_cast<std::size_t>(size);
    out.resize(before + length + 1);
    std::vsnprintf(out.data() + before, length + 1, format, again);
    out.resize(before + length);
  }
  va_end(again);
}

} // namespace bench
