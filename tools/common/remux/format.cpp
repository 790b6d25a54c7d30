// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remux.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace remux {

namespace {

struct Extension {
  std::string_view text;
  Format format;
};

constexpr std::array kExtensions{
    Extension{"flv", Format::Flv},      Extension{"mkv", Format::Matroska},
    Extension{"mka", Format::Matroska}, Extension{"webm", Format::WebM},
    Extension{"ts", Format::MpegTs},    Extension{"m2ts", Format::MpegTs},
    Extension{"mts", Format::MpegTs},   Extension{"mp3", Format::Mp3},
    Extension{"ogg", Format::Ogg},      Extension{"oga", Format::Ogg},
    Extension{"opus", Format::Ogg},
};

bool equals(char a, char b) {
  return g_ascii_tolower(a) == g_ascii_tolower(b);
}

} // namespace

std::optional<Format> format_of_extension(std::string_view path) {
  const std::size_t point = path.rfind('.');
  if (point == std::string_view::npos)
    return std::nullopt;
  const std::string_view text = path.substr(point + 1);
  const auto found = std::ranges::find_if(kExtensions, [text](const Extension &one) {
    return std::ranges::equal(text, one.text, equals);
  });
  return found != kExtensions.end() ? std::optional(found->format) : std::nullopt;
}

const char *name_of(Format format) {
  switch (format) {
  case Format::Flv:
    return "FLV";
  case Format::Matroska:
    return "Matroska";
  case Format::WebM:
    return "WebM";
  case Format::MpegTs:
    return "MPEG-TS";
  case Format::Mp3:
    return "MP3";
  case Format::Ogg:
    return "Ogg";
  }
  return "";
}

} // namespace remux
