// SPDX-License-Identifier: LGPL-2.1-or-later
// What an input is that is not FLV, and the command that makes FLV of it.
#pragma once

#include <string>

#include "container.h"

namespace flvstream {

// "MP4 with H.264 and AAC; convert it: ffmpeg -i movie.mp4 -c copy -f flv - | flvstream -".
// Empty where nothing is known.
[[nodiscard]] std::string advice_for(const Container &container, const std::string &input);

} // namespace flvstream
