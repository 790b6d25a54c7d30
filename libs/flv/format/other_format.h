// SPDX-License-Identifier: LGPL-2.1-or-later
// Names the format of a file that is not FLV, for error messages.
#pragma once

#include <string>
#include <string_view>

#include "bytes.h"

namespace flv {

// other_format() reads at most this many bytes from the start of a file.
inline constexpr std::size_t kOtherFormatBytes = 512;

// Guesses a format such as "MP4" or "HTML" from `bytes`, the start of a file. Empty: unknown.
[[nodiscard]] std::string_view other_format(Bytes bytes);

// The same, as the end of a message: ", and looks like MP4". Empty: unknown.
[[nodiscard]] std::string looks_like(Bytes bytes);

} // namespace flv
