// SPDX-License-Identifier: LGPL-2.1-or-later
#include "states/transition.h"

#include <cstdio>
#include <cstdlib>

namespace states {

void fail_transition(const char *name, const char *from, const char *to) {
  std::fprintf(stderr, "%s: the state cannot change from %s to %s\n", name, from, to);
  std::abort();
}

} // namespace states
