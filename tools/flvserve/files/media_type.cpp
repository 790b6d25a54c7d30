// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media_type.h"

#include <algorithm>
#include <iterator>

namespace flvserve {

namespace {

struct Type {
  std::string_view extension;
  std::string_view type;
};

constexpr Type kTypes[] = {
    {"flv", kFlvType},
    {"mp4", "video/mp4"},
    {"m4v", "video/mp4"},
    {"f4v", "video/mp4"},
    {"m4a", "audio/mp4"},
    {"mov", "video/quicktime"},
    {"mkv", "video/x-matroska"},
    {"mka", "audio/x-matroska"},
    {"webm", "video/webm"},
    {"ts", "video/mp2t"},
    {"m2ts", "video/mp2t"},
    {"mts", "video/mp2t"},
    {"mpg", "video/mpeg"},
    {"mpeg", "video/mpeg"},
    {"avi", "video/x-msvideo"},
    {"ogg", "audio/ogg"},
    {"oga", "audio/ogg"},
    {"opus", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"mp3", "audio/mpeg"},
    {"aac", "audio/aac"},
    {"flac", "audio/flac"},
    {"wav", "audio/wav"},
    {"m3u", "audio/x-mpegurl"},
    {"m3u8", "application/vnd.apple.mpegurl"},
    {"mpd", "application/dash+xml"},
    {"m4s", "video/iso.segment"},
    {"vtt", "text/vtt"},
    {"srt", "application/x-subrip"},
    {"txt", "text/plain; charset=utf-8"},
    {"json", "application/json"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"png", "image/png"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
};

char lower(char each) {
  return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
}

} // namespace

std::string_view media_type(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) {
    const std::string_view extension = name.substr(dot + 1);
    const auto found = std::ranges::find_if(kTypes, [extension](const Type &type) {
      return std::ranges::equal(type.extension, extension, {}, {}, lower);
    });
    if (found != std::end(kTypes))
      return found->type;
  }
  return "application/octet-stream";
}

bool plays_in_browsers(std::string_view type) {
  constexpr std::string_view kPlayed[] = {"video/mp4",  "audio/mp4", "video/webm",
                                          "audio/mpeg", "audio/aac", "audio/ogg",
                                          "video/ogg",  "audio/wav", "audio/flac"};
  return std::ranges::find(kPlayed, type) != std::end(kPlayed);
}

bool is_playable(std::string_view type) {
  return (type.starts_with("video/") || type.starts_with("audio/")) && type != "video/iso.segment";
}

} // namespace flvserve
