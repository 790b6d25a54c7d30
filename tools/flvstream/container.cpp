// SPDX-License-Identifier: LGPL-2.1-or-later
#include "container.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <unistd.h>

#include <glib.h>

namespace flvstream {

using namespace std::string_view_literals;

namespace {

constexpr std::size_t kHead = 1024;  // bytes that are looked at
constexpr std::size_t kPacket = 188; // of a transport stream

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  Container::Kind kind;
  const char *name;
  const char *unpack;
};

using Kind = Container::Kind;

// Those of more bytes come first.
constexpr std::array kMagics{
    Magic{0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"sv, Kind::Media, "ASF (WMV, WMA)", ""},
    Magic{0, "\x28\xb5\x2f\xfd"sv, Kind::Compressed, "zstd", "zstd -dc"},
    Magic{0,
          "\xfd"
          "7zXZ\0"sv,
          Kind::Compressed, "xz", "xz -dc"},
    Magic{0, "\x1f\x8b"sv, Kind::Compressed, "gzip", "gunzip -c"},
    Magic{0, "BZh"sv, Kind::Compressed, "bzip2", "bzip2 -dc"},
    Magic{0, "PK\x03\x04"sv, Kind::Compressed, "ZIP", "unzip -p"},
    Magic{4, "ftyp"sv, Kind::Media, "MP4", ""},
    Magic{4, "styp"sv, Kind::Media, "MP4", ""},
    Magic{4, "moov"sv, Kind::Media, "MP4", ""},
    Magic{4, "mdat"sv, Kind::Media, "MP4", ""},
    Magic{0, "\x1a\x45\xdf\xa3"sv, Kind::Media, "Matroska", ""},
    Magic{8, "AVI "sv, Kind::Media, "AVI", ""},
    Magic{8, "WAVE"sv, Kind::Media, "WAV", ""},
    Magic{0, "OggS"sv, Kind::Media, "Ogg", ""},
    Magic{0, "fLaC"sv, Kind::Media, "FLAC", ""},
    Magic{0, "ID3"sv, Kind::Media, "MP3 (an ID3 tag comes first)", ""},
    Magic{0, "\0\0\x01\xba"sv, Kind::Media, "MPEG-PS", ""},
    Magic{0, "#EXTM3U"sv, Kind::Text, "a playlist (HLS)", ""},
    Magic{0, "<?xml"sv, Kind::Text, "XML", ""},
};

bool has_text(std::string_view head, const char *text) {
  std::string_view rest = head.substr(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  return rest.size() >= std::string_view(text).size() &&
         g_ascii_strncasecmp(rest.data(), text, std::string_view(text).size()) == 0;
}

bool is_transport_stream(std::string_view head) {
  constexpr std::size_t kPackets = 3;
  for (std::size_t i = 0; i < kPackets; ++i) {
    if (head.size() <= i * kPacket || head[i * kPacket] != '\x47')
      return false;
  }
  return true;
}

Container container_of(std::string_view head) {
  for (const Magic &magic : kMagics) {
    if (head.size() >= magic.offset && head.substr(magic.offset).starts_with(magic.bytes))
      return {magic.kind, magic.name, magic.unpack, {}};
  }
  if (is_transport_stream(head))
    return {Kind::Media, "MPEG-TS", "", {}};
  if (has_text(head, "<!doctype html") || has_text(head, "<html"))
    return {Kind::Text, "a web page (HTML)", "", {}};
  return {};
}

} // namespace

std::size_t FileBytes::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
  if (offset > G_MAXINT64)
    return 0;
  const ssize_t size = pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

std::size_t MemoryBytes::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
  if (offset >= bytes_.size())
    return 0;
  const auto rest = bytes_.subspan(static_cast<std::size_t>(offset));
  const std::size_t size = std::min(rest.size(), into.size());
  std::copy_n(rest.begin(), size, into.begin());
  return size;
}

Container identify(const ByteSource &source) {
  std::array<std::uint8_t, kHead> bytes{};
  const std::size_t size = source.read(0, bytes);
  const std::string_view head(reinterpret_cast<const char *>(bytes.data()), size);
  Container container = container_of(head);
  if (container.name == "MP4")
    container.codecs = codecs_of_mp4(source);
  else if (container.name == "MPEG-TS")
    container.codecs = codecs_of_transport_stream(source);
  else if (container.name == "Matroska") {
    container.codecs = codecs_of_matroska(source);
    if (head.substr(0, 64).find("webm") != std::string_view::npos)
      container.name = "WebM";
  }
  return container;
}

} // namespace flvstream
