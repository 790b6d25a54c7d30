// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "crowd.h"

namespace load {

// One line of JSON.
[[nodiscard]] std::string summary(const Crowd &crowd);

} // namespace load
