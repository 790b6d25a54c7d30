// SPDX-License-Identifier: LGPL-2.1-or-later
#include "track.h"

#include <algorithm>
#include <initializer_list>

namespace remux {

namespace {

bool is_one_of(Codec codec, std::initializer_list<Codec> codecs) {
  return std::ranges::find(codecs, codec) != codecs.end();
}

} // namespace

bool is_video(Codec codec) {
  return is_one_of(codec, {Codec::H264, Codec::Hevc, Codec::Av1, Codec::Vp8, Codec::Vp9});
}

const char *name_of(Codec codec) {
  switch (codec) {
  case Codec::H264:
    return "H.264";
  case Codec::Hevc:
    return "HEVC";
  case Codec::Av1:
    return "AV1";
  case Codec::Vp8:
    return "VP8";
  case Codec::Vp9:
    return "VP9";
  case Codec::Aac:
    return "AAC";
  case Codec::Mp3:
    return "MP3";
  case Codec::Mp2:
    return "MP2";
  case Codec::Opus:
    return "Opus";
  case Codec::Vorbis:
    return "Vorbis";
  case Codec::Flac:
    return "FLAC";
  case Codec::Ac3:
    return "AC-3";
  case Codec::Eac3:
    return "E-AC-3";
  }
  return "";
}

bool carries(Format format, Codec codec) {
  switch (format) {
  case Format::Flv:
    return !is_one_of(codec, {Codec::Mp2, Codec::Vorbis});
  case Format::Matroska:
    return true;
  case Format::WebM:
    return is_one_of(codec, {Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::Opus, Codec::Vorbis});
  case Format::MpegTs:
    return is_one_of(codec, {Codec::H264, Codec::Hevc, Codec::Aac, Codec::Mp3, Codec::Mp2,
                             Codec::Opus, Codec::Ac3, Codec::Eac3});
  case Format::Mp3:
    return codec == Codec::Mp3;
  case Format::Ogg:
    return is_one_of(codec, {Codec::Opus, Codec::Vorbis, Codec::Flac});
  }
  return false;
}

bool has_one_track_per_kind(Format format) {
  return format == Format::Flv || format == Format::Mp3 || format == Format::Ogg;
}

std::int64_t to_ms(std::int64_t ns) {
  constexpr std::int64_t kMs = 1'000'000;
  const std::int64_t rounded = ns + kMs / 2;
  return rounded / kMs - (rounded % kMs < 0 ? 1 : 0);
}

} // namespace remux
