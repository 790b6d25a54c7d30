// SPDX-License-Identifier: LGPL-2.1-or-later
#include "container.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <unistd.h>

#include <glib.h>

#include "flv/format/other_format.h"

namespace tools {

namespace {

using Kind = Container::Kind;

// Formats without media, by their names in flv::other_format(). ffmpeg may read all other formats.
struct Other {
  std::string_view format;
  Kind kind;
  const char *unpack;
};

constexpr std::array kOthers{
    Other{"gzip", Kind::Compressed, "gunzip -c"},
    Other{"bzip2", Kind::Compressed, "bzip2 -dc"},
    Other{"xz", Kind::Compressed, "xz -dc"},
    Other{"zstd", Kind::Compressed, "zstd -dc"},
    Other{"ZIP", Kind::Compressed, "unzip -p"},
    Other{"HTML", Kind::Text, ""},
    Other{"XML", Kind::Text, ""},
    Other{"an M3U playlist (HLS)", Kind::Text, ""},
    Other{"SWF (Flash)", Kind::Text, ""},
    Other{"an HTTP response with its header", Kind::Text, ""},
};

Container container_of(std::string_view format) {
  if (format.empty())
    return {};
  const auto other = std::ranges::find(kOthers, format, &Other::format);
  if (other == kOthers.end())
    return {Kind::Media, std::string(format), "", {}};
  return {other->kind, std::string(format), other->unpack, {}};
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
  std::array<std::uint8_t, flv::kOtherFormatBytes> bytes{};
  const std::size_t size = source.read(0, bytes);
  Container container = container_of(flv::other_format(flv::Bytes(bytes).first(size)));
  if (container.name == "MP4" || container.name == "QuickTime")
    container.codecs = codecs_of_mp4(source);
  else if (container.name == "MPEG-TS")
    container.codecs = codecs_of_transport_stream(source);
  else if (container.name == "Matroska" || container.name == "WebM")
    container.codecs = codecs_of_matroska(source);
  return container;
}

} // namespace tools
