// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams without damage. resync.cpp tests damaged streams.
#include "flv/stream/splitter.h"

#include "checkrun.h"
#include "flvbuild.h"
#include "media.h"
#include "split.h"

using namespace flv;
using flvtest::Buffer;
using flvtest::split;
using Kind = Item::Kind;

namespace {

const std::size_t kChunks[] = {1, 7, 65536};

// The items of `bytes`. Checks that they do not depend on the chunking and are contiguous.
flvtest::Split split_every_way(Bytes bytes, Splitter::Start start = Splitter::Start::File) {
  auto whole = split(bytes, SIZE_MAX, start);
  for (const std::size_t chunk : kChunks) {
    const auto pieces = split(bytes, chunk, start);
    ck_assert_enum_eq(pieces.status, whole.status);
    ck_assert(pieces.fault == whole.fault);
    ck_assert(flvtest::same(pieces.items, whole.items));
  }
  if (whole.status == Status::Ok)
    ck_assert(flvtest::contiguous(whole.items, 0, bytes.size()));
  return whole;
}

// Checks that the items are exactly the stream's tags, with or without their PreviousTagSize.
void check_tags(const flvtest::Split &result, const flvtest::Stream &stream, bool right_sizes) {
  const auto tags = result.tags();
  ck_assert_uint_eq(tags.size(), stream.tags.size());
  for (std::size_t i = 0; i < tags.size(); ++i) {
    ck_assert_uint_eq(tags[i].begin, stream.tags[i].begin);
    ck_assert_uint_eq(tags[i].end, stream.tags[i].end);
    ck_assert_enum_eq(tags[i].tag.type, stream.tags[i].type);
    ck_assert_uint_eq(tags[i].tag.timestamp, stream.tags[i].timestamp);
    ck_assert_int_eq(tags[i].wrong_previous_size, !right_sizes);
  }
}

START_TEST(test_clean_file) {
  const auto stream = flvtest::file();
  const auto result = split_every_way(stream.bytes);
  ck_assert_enum_eq(result.status, Status::Ok);
  check_tags(result, stream, true);
  ck_assert_uint_eq(result.items.size(), stream.tags.size() + 1);
  const Item &header = result.items[0];
  ck_assert_enum_eq(header.kind, Kind::FileHeader);
  ck_assert_uint_eq(header.end, 13);
  ck_assert(header.file.has_audio && header.file.has_video && !header.wrong_previous_size);
}
END_TEST

START_TEST(test_media_file) {
  const flvtest::MediaFile &file = ROW(flvtest::kMedia);
  const auto bytes = flvtest::media_file(file.name);
  if (!bytes)
    return;
  const auto result = split_every_way(*bytes);
  ck_assert_enum_eq(result.status, Status::Ok);
  unsigned audio = 0;
  unsigned video = 0;
  unsigned script = 0;
  unsigned wrong_sizes = 0;
  Buffer again;
  for (const Item &item : result.items) {
    ck_assert(item.kind == Kind::FileHeader || item.kind == Kind::Tag);
    flvtest::append(again, flvtest::bytes_of(item, *bytes));
    if (item.kind == Kind::FileHeader)
      continue;
    ++(item.tag.type == TagType::Audio ? audio : item.tag.type == TagType::Video ? video : script);
    wrong_sizes += item.wrong_previous_size;
  }
  ck_assert(again == *bytes);
  ck_assert_uint_eq(audio, file.audio);
  ck_assert_uint_eq(video, file.video);
  ck_assert_uint_eq(script, file.script);
  ck_assert_uint_eq(wrong_sizes, file.right_sizes ? 0 : audio + video + script);
}
END_TEST

const struct {
  Buffer bytes;
  Fault fault;
  std::size_t taken; // the number of bytes that decide it
} kNotFlv[] = {
    {{'F', 'L', 'A', 'C', 0, 0, 0, 0, 0, 0, 0, 0, 0}, {Fault::Kind::Signature, 0x464C41}, 3},
    {{0x1A, 0x45, 0xDF, 0xA3}, {Fault::Kind::Signature, 0x1A45DF}, 3},
    {{8, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 12}, {Fault::Kind::Signature, 0x080000}, 3},
    {{'F', 'L', 'V', 9, 5, 0, 0, 0, 9, 0, 0, 0, 0}, {Fault::Kind::Version, 9}, 9},
    {{'F', 'L', 'V', 1, 5, 0, 0, 0, 7, 0, 0, 0, 0}, {Fault::Kind::HeaderLength, 7}, 9},
    {{}, {Fault::Kind::Truncated, 0}, 0},
    {{'F', 'L'}, {Fault::Kind::Truncated, 2}, 2},
    {{'F', 'L', 'V', 1, 5, 0, 0, 0}, {Fault::Kind::Truncated, 8}, 8},
    {{'F', 'L', 'V', 1, 5, 0, 0, 0, 9, 0, 0, 0}, {Fault::Kind::Truncated, 12}, 12},
    {{'F', 'L', 'V', 1, 5, 0, 0, 0, 12, 0, 0, 0, 0}, {Fault::Kind::Truncated, 13}, 13},
};

START_TEST(test_not_flv) {
  const auto &row = ROW(kNotFlv);
  const auto result = split_every_way(row.bytes);
  ck_assert_enum_eq(result.status, Status::Malformed);
  ck_assert(result.fault == row.fault);
  ck_assert(result.items.empty());

  // The state is final until a reset.
  Splitter splitter;
  splitter.reset(Splitter::Start::File);
  std::vector<Item> items;
  (void)splitter.feed(row.bytes, items);
  (void)splitter.finish(items);
  ck_assert_uint_eq(splitter.position(), row.taken);
  ck_assert_enum_eq(splitter.feed(flvtest::file().bytes, items), Status::Malformed);
  ck_assert_enum_eq(splitter.finish(items), Status::Malformed);
  ck_assert(items.empty() && splitter.fault() == row.fault);
  splitter.reset(Splitter::Start::File);
  ck_assert_enum_eq(splitter.feed(flvtest::file().bytes, items), Status::Ok);
  ck_assert(!items.empty());
}
END_TEST

START_TEST(test_media_that_is_not_flv) {
  const auto bytes = flvtest::media_file(flvtest::kNotFlv);
  if (!bytes)
    return;
  const auto result = split_every_way(*bytes);
  ck_assert(result.fault == (Fault{Fault::Kind::Signature, 0x1A45DF}));
  ck_assert(result.items.empty());
}
END_TEST

// A header of any length from 9 bytes on, at the start and within the stream. Within the stream,
// the PreviousTagSize before it may be missing.
const struct {
  std::uint32_t size;
  std::uint32_t previous_size0;
} kHeaders[] = {{9, 0}, {9, 77}, {10, 0}, {11, 0}, {12, 0}, {13, 9}, {300, 0}, {1024, 0}};

Buffer header_of(std::uint32_t size, std::uint32_t previous_size0) {
  Buffer bytes = flvtest::file_header(true, false);
  bytes.resize(9);
  store_u32(&bytes[5], size);
  flvtest::append(bytes, flvtest::payload(size - 9));
  Writer(bytes).u32(previous_size0);
  return bytes;
}

START_TEST(test_file_headers) {
  const auto &row = ROW(kHeaders);
  const Buffer header = header_of(row.size, row.previous_size0);
  for (const bool missing_size : {false, true}) {
    flvtest::Stream stream;
    stream.raw(header).key(0).inter(40);
    if (missing_size) {
      stream.bytes.resize(stream.bytes.size() - 4);
      stream.tags.back().end -= 4;
    }
    stream.raw(header).key(0).inter(40);
    const auto result = split_every_way(stream.bytes);
    const auto headers = result.of(Kind::FileHeader);
    ck_assert_uint_eq(headers.size(), 2);
    for (const Item &item : headers) {
      ck_assert_uint_eq(item.end - item.begin, row.size + 4);
      ck_assert_uint_eq(item.file.size, row.size);
      ck_assert(item.file.has_audio && !item.file.has_video);
      ck_assert_int_eq(item.wrong_previous_size, row.previous_size0 != 0);
    }
    const auto tags = result.tags();
    ck_assert_uint_eq(tags.size(), 4);
    ck_assert_uint_eq(result.items.size(), 6);
    for (std::size_t i = 0; i < 4; ++i) {
      ck_assert_uint_eq(tags[i].begin, stream.tags[i].begin);
      ck_assert_uint_eq(tags[i].end, stream.tags[i].end);
      ck_assert_int_eq(tags[i].wrong_previous_size, missing_size && i == 1);
    }
  }
}
END_TEST

// A PreviousTagSize of "FLV" and 1 is a wrong size, unless a valid file header starts there.
START_TEST(test_size_that_looks_like_a_file_header) {
  const auto stream = flvtest::file();
  const auto result = split_every_way(flvtest::with_previous_sizes(stream, 0x464C5601));
  check_tags(result, stream, false);
  ck_assert_uint_eq(result.items.size(), stream.tags.size() + 1);
}
END_TEST

// The stream ends after such a size, before it is decided: it belongs to the tag.
START_TEST(test_size_that_looks_like_a_file_header_at_the_end) {
  flvtest::Stream stream;
  stream.header().key(0);
  store_u32(&stream.bytes[stream.tags[0].end - 4], 0x464C5601);
  for (std::size_t more = 0; more < 5; ++more) {
    const auto result = split_every_way(stream.bytes);
    check_tags(result, stream, false);
    ck_assert_uint_eq(result.of(Kind::Truncated).size(), more > 0);
    stream.bytes.push_back(0);
  }
}
END_TEST

const std::uint32_t kWrongSizes[] = {0, 1, 10, 0x01000000, 0xFFFFFFFF};

START_TEST(test_wrong_sizes_everywhere) {
  const auto stream = flvtest::file();
  const auto result = split_every_way(flvtest::with_previous_sizes(stream, ROW(kWrongSizes)));
  check_tags(result, stream, false);
  ck_assert_uint_eq(result.items.size(), stream.tags.size() + 1);
}
END_TEST

START_TEST(test_tags_without_data) {
  flvtest::Stream stream;
  stream.header();
  for (std::uint32_t i = 0; i < 5; ++i)
    stream.video(i, {}).audio(i, {}).script(i, {});
  check_tags(split_every_way(stream.bytes), stream, true);
}
END_TEST

START_TEST(test_largest_tag) {
  const Buffer data(kMaxDataSize, 0x22);
  flvtest::Stream stream;
  stream.header().video(0, data).inter(40);
  const auto result = split(stream.bytes, 65536);
  check_tags(result, stream, true);
}
END_TEST

// Whole tags are returned, the rest is counted. A tag without its PreviousTagSize is whole.
START_TEST(test_truncated_at_every_byte) {
  flvtest::Stream stream;
  stream.header().metadata().configs().key(0, 60).aac(0, 30).inter(40, 20).video(40, {});
  for (std::size_t size = 13; size < stream.bytes.size(); ++size) {
    const auto result = split_every_way(Bytes(stream.bytes).first(size));
    ck_assert_enum_eq(result.status, Status::Ok);
    std::size_t whole = 0;
    while (stream.tags[whole].end - 4 <= size)
      if (++whole == stream.tags.size())
        break;
    ck_assert_uint_eq(result.tags().size(), whole);
    const std::size_t covered =
        whole == 0 ? 13 : std::min<std::size_t>(stream.tags[whole - 1].end, size);
    const auto cut = result.of(Kind::Truncated);
    ck_assert_uint_eq(cut.size(), covered < size);
    if (covered < size) {
      ck_assert_uint_eq(cut[0].begin, covered);
      ck_assert(cut[0].fault ==
                (Fault{Fault::Kind::Truncated, static_cast<std::uint32_t>(size - covered)}));
    }
    if (whole > 0)
      ck_assert_int_eq(result.tags().back().wrong_previous_size, size < stream.tags[whole - 1].end);
    ck_assert(result.of(Kind::Damage).empty());
  }
}
END_TEST

START_TEST(test_positions_go_on_after_the_end) {
  const auto stream = flvtest::file();
  Splitter splitter;
  std::vector<Item> items;
  constexpr std::uint64_t kStart = 1'000'000'000'000;
  splitter.reset(Splitter::Start::File, kStart);
  for (int file = 0; file < 3; ++file) {
    ck_assert_enum_eq(splitter.feed(stream.bytes, items), Status::Ok);
    ck_assert_enum_eq(splitter.finish(items), Status::Ok);
    ck_assert_uint_eq(items.size(), (stream.tags.size() + 1) * static_cast<std::size_t>(file + 1));
  }
  ck_assert(flvtest::contiguous(items, kStart, kStart + 3 * stream.bytes.size()));
  ck_assert_uint_eq(splitter.position(), kStart + 3 * stream.bytes.size());
}
END_TEST

// No later item needs bytes before keep_from(), and keep_from() keeps only the current item.
START_TEST(test_keep_from) {
  const auto stream = flvtest::file();
  Splitter splitter;
  splitter.reset(Splitter::Start::File);
  std::vector<Item> items;
  std::size_t seen = 0;
  std::uint64_t kept = 0;
  for (const std::uint8_t &byte : stream.bytes) {
    (void)splitter.feed(Bytes(&byte, 1), items);
    for (; seen < items.size(); ++seen)
      ck_assert_uint_ge(items[seen].begin, kept);
    kept = splitter.keep_from();
    ck_assert_uint_eq(kept, items.empty() ? 0 : items.back().end);
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("splitter", {{test_clean_file},
                                   {test_media_file, std::size(flvtest::kMedia)},
                                   {test_not_flv, std::size(kNotFlv)},
                                   {test_media_that_is_not_flv},
                                   {test_file_headers, std::size(kHeaders)},
                                   {test_size_that_looks_like_a_file_header},
                                   {test_size_that_looks_like_a_file_header_at_the_end},
                                   {test_wrong_sizes_everywhere, std::size(kWrongSizes)},
                                   {test_tags_without_data},
                                   {test_largest_tag},
                                   {test_truncated_at_every_byte},
                                   {test_positions_go_on_after_the_end},
                                   {test_keep_from}});
}
