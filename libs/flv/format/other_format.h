// SPDX-License-Identifier: LGPL-2.1-or-later
// Names the format of a file that is not FLV, for error messages.
#pragma once

#include <string>
#include <string_view>

#include "bytes.h"

namespace flv {

// This many bytes from the start of a file are enough for other_format().
inline constexpr std::size_t kOtherFormatBytes = 512;

// The format that `bytes`, the start of a file, look like: "MP4", "HTML". Empty: unknown.
[[nodiscard]] std::string_view other_format(Bytes bytes);

// The same as the end of a message: ", and looks like MP4". Empty: unknown.
[[nodiscard]] std::string looks_like(Bytes bytes);

} // namespace flv
