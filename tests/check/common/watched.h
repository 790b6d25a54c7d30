// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether the test runs under a sanitizer or valgrind, which need more time and memory.
#pragma once

#include <cstdlib>
#include <string_view>

namespace flvtest {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FLV_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FLV_SANITIZED 1
#endif

inline bool is_watched() {
#ifdef FLV_SANITIZED
  return true;
#else
  const char *preloaded = std::getenv("LD_PRELOAD");
  return preloaded && std::string_view(preloaded).find("vgpreload") != std::string_view::npos;
#endif
}

} // namespace flvtest
