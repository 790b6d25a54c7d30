// SPDX-License-Identifier: LGPL-2.1-or-later
// Tests of the clients' parsers: tags, frames, chunks.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <unistd.h>

#include "checkrun.h"
#include "flvbuild.h"
#include "framing.h"
#include "plan.h"
#include "tagscan.h"

using namespace load;
using flv::TagType;
using flvtest::Buffer;
using flvtest::Stream;

namespace {

constexpr std::size_t kChunks[] = {1, 2, 7, 100, SIZE_MAX};

TagScan scan(flv::Bytes bytes, std::size_t chunk = SIZE_MAX) {
  TagScan scan;
  while (!bytes.empty()) {
    const std::size_t size = std::min(chunk, bytes.size());
    scan.feed(bytes.first(size));
    bytes = bytes.subspan(size);
  }
  return scan;
}

START_TEST(test_tags) {
  const Stream stream = flvtest::file({.start = 700});
  const TagScan all = scan(stream.bytes, ROW(kChunks));
  ck_assert_uint_eq(all.tags(), stream.tags.size());
  ck_assert_uint_eq(all.errors(), 0);
  ck_assert(all.key_frame());
  ck_assert_uint_eq(all.first_timestamp().value_or(0), 700);
  ck_assert(all.at_boundary());
}
END_TEST

START_TEST(test_key_frame) {
  Stream stream;
  stream.header().configs(5).inter(40).aac(50);
  TagScan waiting = scan(stream.bytes);
  ck_assert(!waiting.key_frame());
  ck_assert_uint_eq(waiting.first_timestamp().value_or(0), 40);
  const std::size_t before = stream.bytes.size();
  stream.key(80);
  // The first bytes of a tag are enough.
  waiting.feed(flv::Bytes(stream.bytes).subspan(before, 24));
  ck_assert(waiting.key_frame());
  ck_assert(!waiting.at_boundary());
}
END_TEST

// Only complete tags count. The order of the timestamps does not matter.
START_TEST(test_duration) {
  Stream stream;
  stream.header().configs(700);
  TagScan scan;
  scan.feed(stream.bytes);
  ck_assert(!scan.duration());
  std::size_t done = stream.bytes.size();
  stream.key(700).inter(740).aac(730).inter(0x10);
  const std::int64_t durations[] = {0, 40, 40, 40};
  for (std::size_t i = 0; i < std::size(durations); ++i) {
    const Stream::Tag &tag = stream.tags[stream.tags.size() - std::size(durations) + i];
    const auto before = scan.duration();
    scan.feed(flv::Bytes(stream.bytes).subspan(done, tag.end - 1 - done));
    ck_assert(scan.duration() == before);
    scan.feed(flv::Bytes(stream.bytes).subspan(tag.end - 1, 1));
    ck_assert(scan.duration() == durations[i]);
    done = tag.end;
  }
}
END_TEST

START_TEST(test_paths) {
  char name[] = "/tmp/load-paths-XXXXXX";
  const int descriptor = mkstemp(name);
  ck_assert_int_ge(descriptor, 0);
  const std::string texts[] = {"/a\n/b?start=5\n", "", "/a\nb\n"};
  for (const std::string &text : texts) {
    ck_assert_int_eq(ftruncate(descriptor, 0), 0);
    ck_assert_int_eq(static_cast<int>(pwrite(descriptor, text.data(), text.size(), 0)),
                     static_cast<int>(text.size()));
    std::vector<std::string> paths;
    const bool valid = read_paths(name, paths);
    ck_assert_int_eq(valid, &text == &texts[0]);
    if (valid)
      ck_assert(paths == (std::vector<std::string>{"/a", "/b?start=5"}));
  }
  close(descriptor);
  unlink(name);
  std::vector<std::string> paths;
  ck_assert(!read_paths(name, paths));
}
END_TEST

START_TEST(test_long_file_header) {
  Stream stream;
  stream.raw(Buffer{'F', 'L', 'V', 1, 5, 0, 0, 0, 12, 0x55, 0x55, 0x55, 0, 0, 0, 0}).key(0);
  const TagScan all = scan(stream.bytes, ROW(kChunks));
  ck_assert_uint_eq(all.tags(), 1);
  ck_assert_uint_eq(all.errors(), 0);
}
END_TEST

START_TEST(test_wrong_sizes) {
  const Stream stream = flvtest::file();
  const TagScan all = scan(with_previous_sizes(stream, 77), ROW(kChunks));
  ck_assert_uint_eq(all.tags(), stream.tags.size());
  ck_assert_uint_eq(all.errors(), stream.tags.size());
}
END_TEST

START_TEST(test_damage) {
  const Stream stream = flvtest::file();
  const std::size_t third = stream.tags.at(3).begin;
  ck_assert_uint_eq(scan(flvtest::overwritten(stream.bytes, 0, Buffer{'X'})).errors(), 1);
  const TagScan cut = scan(flvtest::erased(stream.bytes, third, 20), ROW(kChunks));
  ck_assert_uint_eq(cut.tags(), 3);
  ck_assert_uint_ge(cut.errors(), 1);
}
END_TEST

START_TEST(test_boundaries) {
  const Stream stream = flvtest::file();
  TagScan scan;
  ck_assert(scan.at_boundary());
  std::size_t done = 0;
  for (const Stream::Tag &tag : stream.tags) {
    scan.feed(flv::Bytes(stream.bytes).subspan(done, tag.end - 1 - done));
    ck_assert(!scan.at_boundary());
    scan.feed(flv::Bytes(stream.bytes).subspan(tag.end - 1, 1));
    ck_assert(scan.at_boundary());
    done = tag.end;
  }
}
END_TEST

// --- WebSocket ---

Buffer frame(std::uint8_t first, flv::Bytes payload, bool masked = false) {
  Buffer out{first};
  flv::Writer writer(out);
  const std::uint8_t mask = masked ? 0x80 : 0;
  const auto size = static_cast<std::uint32_t>(payload.size());
  if (size < 126) {
    writer.u8(mask | size);
  } else if (size < 65536) {
    writer.u8(mask | 126U);
    writer.u16(size);
  } else {
    writer.u8(mask | 127U);
    writer.u32(0);
    writer.u32(size);
  }
  writer.bytes(payload);
  return out;
}

struct Read {
  Buffer stream;
  std::vector<std::size_t> messages; // the offsets in it where messages begin
  std::vector<std::string> pings;
  Piece::Kind last = Piece::Kind::NeedMore;
};

template <typename Reader> Read read(flv::Bytes bytes, std::size_t chunk) {
  Read read;
  Reader reader;
  while (!bytes.empty()) {
    flv::Bytes input = bytes.first(std::min(chunk, bytes.size()));
    bytes = bytes.subspan(input.size());
    for (Piece piece = reader.next(input); piece.kind != Piece::Kind::NeedMore;
         piece = reader.next(input)) {
      read.last = piece.kind;
      if (piece.kind == Piece::Kind::End || piece.kind == Piece::Kind::Malformed)
        return read;
      if (piece.begins_message)
        read.messages.push_back(read.stream.size());
      if (piece.kind == Piece::Kind::Ping)
        read.pings.emplace_back(piece.bytes.begin(), piece.bytes.end());
      else
        flvtest::append(read.stream, piece.bytes);
    }
  }
  return read;
}

START_TEST(test_frames) {
  const Buffer small = flvtest::payload(125);
  const Buffer medium = flvtest::payload(126, 2);
  const Buffer large = flvtest::payload(70'000, 3);
  const Buffer ping = {'h', 'i'};
  const Buffer input = flvtest::joined({frame(0x82, small), frame(0x02, {}), frame(0x89, ping),
                                        frame(0x8A, ping), frame(0x80, medium), frame(0x82, large),
                                        frame(0x89, {}), frame(0x88, Buffer{3, 0xE8})});
  const Read all = read<FrameReader>(input, ROW(kChunks));
  ck_assert(all.stream == flvtest::joined({small, medium, large}));
  ck_assert(all.messages == (std::vector<std::size_t>{0, 125, 251}));
  ck_assert(all.pings == (std::vector<std::string>{"hi", ""}));
  ck_assert_enum_eq(all.last, Piece::Kind::End);
}
END_TEST

START_TEST(test_wrong_frames) {
  const Buffer some = flvtest::payload(10);
  const Buffer inputs[] = {
      frame(0x82, some, true),            // masked
      frame(0x81, some),                  // text
      frame(0xC2, some),                  // an extension that was not negotiated
      frame(0x09, some),                  // a fragmented ping
      frame(0x89, flvtest::payload(126)), // a ping that is too long
      frame(0x8B, some),                  // unknown opcode
  };
  for (const Buffer &input : inputs)
    ck_assert_enum_eq(read<FrameReader>(input, ROW(kChunks)).last, Piece::Kind::Malformed);
}
END_TEST

START_TEST(test_pong) {
  ck_assert(pong(Buffer{'h', 'i'}) == std::string("\x8A\x82\0\0\0\0hi", 8));
}
END_TEST

// --- Chunks ---

Buffer text(const std::string &text) {
  return {text.begin(), text.end()};
}

START_TEST(test_chunks) {
  const Read all = read<ChunkReader>(
      text("5\r\nhello\r\n001A;name=value\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\nmore"),
      ROW(kChunks));
  ck_assert(all.stream == text("helloabcdefghijklmnopqrstuvwxyz"));
  ck_assert_enum_eq(all.last, Piece::Kind::End);
}
END_TEST

START_TEST(test_wrong_chunks) {
  for (const char *input : {"\r\n", "x\r\n", "5\r\nhellothere", "11111111111111111\r\n"})
    ck_assert_enum_eq(read<ChunkReader>(text(input), ROW(kChunks)).last, Piece::Kind::Malformed);
}
END_TEST

} // namespace

int main() {
  constexpr std::size_t kRows = std::size(kChunks);
  return flvtest::run("load", {{test_tags, kRows},
                               {test_key_frame},
                               {test_duration},
                               {test_paths},
                               {test_long_file_header, kRows},
                               {test_wrong_sizes, kRows},
                               {test_damage, kRows},
                               {test_boundaries},
                               {test_frames, kRows},
                               {test_wrong_frames, kRows},
                               {test_pong},
                               {test_chunks, kRows},
                               {test_wrong_chunks, kRows}});
}
