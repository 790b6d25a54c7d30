// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/format/other_format.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "checkrun.h"
#include "flvbuild.h"
#include "media.h"

using namespace flv;
using flvtest::Buffer;

namespace {

Buffer text(std::string_view characters, std::size_t size = 0) {
  Buffer out(characters.begin(), characters.end());
  out.resize(std::max(size, out.size()), 'x');
  return out;
}

// Packets of `packet` bytes with the sync byte at offset `sync`.
Buffer transport_stream(std::size_t packet, std::size_t sync, std::size_t size = 1024) {
  Buffer out(size, 0x11);
  for (std::size_t i = sync; i < size; i += packet)
    out[i] = 0x47;
  return out;
}

using namespace std::string_view_literals;

const struct {
  Buffer bytes;
  std::string format; // empty: unknown
} kFormats[] = {
    {{}, ""},
    {{0}, ""},
    {Buffer(600), ""},
    {flvtest::payload(600), ""},
    {flvtest::file_header(), ""},
    {text("FLV\x01"
          "ftypisom"),
     ""},
    {text("hello"), ""},
    {text("\x00\x00\x00\x18"
          "ftypisom\x00"sv),
     "MP4"},
    {text("\x00\x00\x00\x18"
          "ftyp"sv),
     "MP4"},
    {text("\x00\x00\x00\x14"
          "ftypqt  "sv),
     "QuickTime"},
    {text("\x00\x00\x00\x18"
          "styp"sv,
          600),
     "MP4"},
    {text("\x00\x00\x00\x08"
          "moov"sv),
     "MP4"},
    {text("\x00\x00\x00\x08"
          "fty"sv),
     ""},
    {text("\x1A\x45\xDF\xA3\x01\x42\x82\x84webm"sv, 100), "WebM"},
    {text("\x1A\x45\xDF\xA3\x01\x42\x82\x88matroska"sv, 100), "Matroska"},
    {text("\x1A\x45\xDF\xA3"sv), "Matroska"},
    {transport_stream(188, 0), "MPEG-TS"},
    {transport_stream(188, 0, 189), "MPEG-TS"},
    {transport_stream(188, 0, 188), ""},
    {transport_stream(192, 4), "MPEG-TS"},
    {transport_stream(190, 0), ""},
    {text("<!DOCTYPE html><html>"), "HTML"},
    {text("\xEF\xBB\xBF \r\n\t<HTML lang=en>"), "HTML"},
    {text("<?xml version='1.0'?>"), "XML"},
    {text(" \n\t "), ""},
    {text("ID3\x04"sv, 600), "MP3 (an ID3 tag comes first)"},
    {text("\x1F\x8B\x08"sv), "gzip"},
    {text("PK\x03\x04"sv), "ZIP"},
    {text("RIFF\x01\x02\x03\x04"
          "AVI LIST"),
     "AVI"},
    {text("RIFF\x01\x02\x03\x04WAVEfmt "), "WAV"},
    {text("RIFF"), "RIFF"},
    {text("OggS"), "Ogg"},
    {text("\x00\x00\x01\xBA"sv), "MPEG-PS"},
    {text("\x00\x00\x00\x01\x67"sv), "H.264 or H.265 without a container"},
    {text("#EXTM3U\n"), "an M3U playlist (HLS)"},
    {text("HTTP/1.1 200 OK\r\n"), "an HTTP response with its header"},
    {text("\xFF\xF1\x50\x80"sv), "AAC (ADTS)"},
    {text("\xFF\xFB\x90"sv), "MP3"},
    {text("CWS\x09"), "SWF (Flash)"},
};

START_TEST(test_formats) {
  const auto &row = ROW(kFormats);
  const std::string found(other_format(row.bytes));
  ck_assert_msg(found == row.format, "%s instead of %s", found.c_str(), row.format.c_str());
  const std::string end = looks_like(row.bytes);
  ck_assert(end == (row.format.empty() ? "" : ", and looks like " + row.format));
  // Any shorter prefix is safe to inspect.
  for (std::size_t size = 0; size < row.bytes.size(); ++size)
    (void)other_format(Bytes(row.bytes).first(size));
}
END_TEST

START_TEST(test_media) {
  if (const auto bytes = flvtest::media_file(flvtest::kNotFlv))
    ck_assert(other_format(*bytes) == "WebM");
  for (const auto &file : flvtest::kMedia) {
    if (const auto bytes = flvtest::media_file(file.name))
      ck_assert_msg(other_format(*bytes).empty(), "%s", file.name);
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("otherformat", {{test_formats, std::size(kFormats)}, {test_media}});
}
