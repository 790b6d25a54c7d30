// SPDX-License-Identifier: LGPL-2.1-or-later
// Describes an input that is not FLV, and names the command that converts it to FLV.
#pragma once

#include <string>

#include "common/container.h"

namespace flvstream {

// "MP4 with H.264 and AAC; convert it: ffmpeg -i movie.mp4 -c copy -f flv - | flvstream -". Empty
// if the container is unknown.
[[nodiscard]] std::string advice_for(const tools::Container &container, const std::string &input);

} // namespace flvstream
