// SPDX-License-Identifier: LGPL-2.1-or-later
#include "other_format.h"

#include <algorithm>

namespace flv {

namespace {

using namespace std::string_view_literals;

struct Signature {
  std::size_t offset;
  std::string_view text;
  std::string_view format;
};

// More specific signatures come first.
constexpr Signature kSignatures[] = {
    {4, "ftypqt  "sv, "QuickTime"},
    {4, "ftyp"sv, "MP4"},
    {4, "styp"sv, "MP4"},
    {4, "moov"sv, "MP4"},
    {4, "moof"sv, "MP4"},
    {4, "mdat"sv, "MP4"},
    {0, "ID3"sv, "MP3 (an ID3 tag comes first)"},
    {0, "\x1F\x8B"sv, "gzip"},
    {0, "PK\x03\x04"sv, "ZIP"},
    {0, "BZh"sv, "bzip2"},
    {0,
     "\xFD"
     "7zXZ\0"sv,
     "xz"},
    {0, "\x28\xB5\x2F\xFD"sv, "zstd"},
    {0, "OggS"sv, "Ogg"},
    {0, "fLaC"sv, "FLAC"},
    {0, "\x00\x00\x01\xBA"sv, "MPEG-PS"},
    {0, "\x00\x00\x00\x01"sv, "H.264 or H.265 without a container"},
    {0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11"sv, "ASF (WMV, WMA)"},
    {0, "FWS"sv, "SWF (Flash)"},
    {0, "CWS"sv, "SWF (Flash)"},
    {0, "ZWS"sv, "SWF (Flash)"},
    {0, "#EXTM3U"sv, "an M3U playlist (HLS)"},
    {0, "HTTP/1."sv, "an HTTP response with its header"},
    {0, "\xFF\xF1"sv, "AAC (ADTS)"},
    {0, "\xFF\xF9"sv, "AAC (ADTS)"},
    {0, "\xFF\xFB"sv, "MP3"},
    {0, "\xFF\xFA"sv, "MP3"},
    {0, "\xFF\xF3"sv, "MP3"},
    {0, "\xFF\xF2"sv, "MP3"},
};

// Lower case. White space and a byte order mark before the signature are skipped.
constexpr Signature kMarkup[] = {
    {0, "<!doctype html"sv, "HTML"}, {0, "<html"sv, "HTML"}, {0, "<head"sv, "HTML"},
    {0, "<body"sv, "HTML"},          {0, "<?xml"sv, "XML"},
};

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

bool has_at(std::string_view text, std::size_t offset, std::string_view part) {
  return offset <= text.size() && text.substr(offset).starts_with(part);
}

bool is_transport_stream(Bytes bytes) {
  constexpr std::uint8_t kSync = 0x47;
  constexpr std::size_t kPacket = 188;
  constexpr std::size_t kTimecode = 4; // bytes before each packet of M2TS
  const auto syncs = [&bytes](std::size_t first, std::size_t step) {
    if (bytes.size() <= first + step)
      return false;
    for (std::size_t i = first; i < bytes.size(); i += step) {
      if (bytes[i] != kSync)
        return false;
    }
    return true;
  };
  return syncs(0, kPacket) || syncs(kTimecode, kTimecode + kPacket);
}

std::string_view matroska(std::string_view text) {
  if (!text.starts_with("\x1A\x45\xDF\xA3"sv))
    return {};
  return text.find("webm"sv) != std::string_view::npos ? "WebM"sv : "Matroska"sv;
}

std::string_view riff(std::string_view text) {
  if (!text.starts_with("RIFF"sv))
    return {};
  if (has_at(text, 8, "AVI "sv))
    return "AVI";
  return has_at(text, 8, "WAVE"sv) ? "WAV"sv : "RIFF"sv;
}

std::string_view markup(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF"sv))
    text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"sv), text.size()));
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (const Signature &signature : kMarkup) {
    if (has_at(lower, signature.offset, signature.text))
      return signature.format;
  }
  return {};
}

} // namespace

std::string_view other_format(Bytes bytes) {
  bytes = bytes.first(std::min(bytes.size(), kOtherFormatBytes));
  const std::string_view text = text_of(bytes);
  if (text.starts_with("FLV"sv))
    return {};
  for (const std::string_view format : {matroska(text), riff(text), markup(text)}) {
    if (!format.empty())
      return format;
  }
  if (is_transport_stream(bytes))
    return "MPEG-TS";
  for (const Signature &signature : kSignatures) {
    if (has_at(text, signature.offset, signature.text))
      return signature.format;
  }
  return {};
}

std::string looks_like(Bytes bytes) {
  const std::string_view format = other_format(bytes);
  return format.empty() ? std::string() : ", and looks like " + std::string(format);
}

} // namespace flv
