// SPDX-License-Identifier: LGPL-2.1-or-later
// Content types of files.
#pragma once

#include <string_view>

namespace flvserve {

inline constexpr std::string_view kFlvType = "video/x-flv";

// By the extension of the name. Types that a browser would run as a page or as a script are not
// listed: they are served as application/octet-stream, because a folder of videos can have files of
// other people.
[[nodiscard]] std::string_view media_type(std::string_view name);

// Whether browsers play files of this type without a script.
[[nodiscard]] bool plays_in_browsers(std::string_view type);
// Whether files of this type are audio or video.
[[nodiscard]] bool is_playable(std::string_view type);

} // namespace flvserve
