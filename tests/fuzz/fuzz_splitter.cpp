// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is a stream. Its last four bytes set the chunk sizes, the start and the maximum size of
// a tag.
#include "fuzz.h"

#include "flv/stream/splice_search.h"
#include "flvbuild.h"
#include "split.h"

using namespace flv;
using flvtest::Buffer;
using Kind = Item::Kind;

namespace {

struct Settings {
  Splitter::Start start = Splitter::Start::File;
  std::uint32_t max_data_size = kMaxDataSize;
  std::uint32_t cuts = 1;
};

Settings read_settings(Bytes &stream) {
  if (stream.size() < 4)
    return {};
  const std::uint8_t *raw = stream.last(4).data();
  stream = stream.first(stream.size() - 4);
  constexpr std::uint32_t kSizes[] = {kMaxDataSize, 1000, 64, 0};
  return {.start = raw[0] & 1 ? Splitter::Start::Middle : Splitter::Start::File,
          .max_data_size = kSizes[(raw[0] >> 1) & 3],
          .cuts = load_u24(raw + 1)};
}

// Feeds chunks of sizes that depend on `cuts`. Checks that no later item needs bytes before
// keep_from().
flvtest::Split split_in_pieces(Bytes stream, const Settings &settings) {
  Splitter splitter(settings.max_data_size);
  splitter.reset(settings.start);
  flvtest::Split result;
  std::uint32_t state = settings.cuts;
  std::uint64_t kept = 0;
  std::size_t seen = 0;
  const auto check_new_items = [&] {
    for (; seen < result.items.size(); ++seen) {
      const Item &item = result.items[seen];
      REQUIRE(item.begin >= kept || item.kind == Kind::Damage || item.kind == Kind::Skipped);
    }
  };
  while (!stream.empty() && result.status == Status::Ok) {
    state = state * 1664525U + 1013904223U;
    const std::size_t longest = std::size_t{1} << (state >> 24) % 12;
    const std::size_t size = std::min<std::size_t>((state >> 8) % longest, stream.size());
    result.status = splitter.feed(stream.first(size), result.items);
    stream = stream.subspan(size);
    check_new_items();
    REQUIRE(splitter.keep_from() >= kept);
    kept = splitter.keep_from();
    REQUIRE(splitter.position() - kept <=
            std::max(settings.max_data_size, kMaxFileHeaderSize) + 2 * kTagHeaderSize + 4);
  }
  if (result.status == Status::Ok) {
    result.status = splitter.finish(result.items);
    check_new_items();
  }
  result.fault = splitter.fault();
  return result;
}

void check_tag(const Item &tag, Bytes stream, std::uint32_t max_data_size) {
  const Bytes bytes = flvtest::bytes_of(tag, stream);
  TagHeader header;
  REQUIRE(bytes.size() >= kTagHeaderSize);
  REQUIRE(read_tag_header(bytes.data(), max_data_size, header).kind == Fault::Kind::None);
  REQUIRE(header == tag.tag);
  REQUIRE(bytes.size() >= header.tag_size() && bytes.size() <= header.tag_size() + 4);
  const bool right_size = bytes.size() == header.tag_size() + 4 &&
                          load_u32(bytes.data() + header.tag_size()) == header.tag_size();
  REQUIRE(tag.wrong_previous_size == !right_size);
}

// A splice within a tag starts with a file header.
void check_splice(Bytes tag, std::uint32_t max_data_size) {
  SpliceSearch search;
  search.note_read(tag.size());
  const auto at = search.find(tag, max_data_size);
  if (!at)
    return;
  REQUIRE(*at > 0 && *at + 5 <= tag.size());
  REQUIRE(std::memcmp(&tag[*at], "FLV\1", 4) == 0);
}

void check_items(const flvtest::Split &result, Bytes stream, std::uint32_t max_data_size) {
  if (result.status != Status::Ok) {
    REQUIRE(result.status == Status::Malformed && result.items.empty());
    REQUIRE(!describe(result.fault).empty());
    return;
  }
  REQUIRE(flvtest::contiguous(result.items, 0, stream.size()));
  for (std::size_t i = 0; i < result.items.size(); ++i) {
    const Item &item = result.items[i];
    switch (item.kind) {
    case Kind::FileHeader:
      REQUIRE(item.end - item.begin == item.file.size + 4);
      break;
    case Kind::Tag:
      check_tag(item, stream, max_data_size);
      check_splice(flvtest::bytes_of(item, stream), max_data_size);
      break;
    case Kind::Damage:
      REQUIRE(item.fault.kind != Fault::Kind::None);
      REQUIRE(i + 1 < result.items.size() && result.items[i + 1].kind == Kind::Skipped);
      break;
    case Kind::Skipped:
      REQUIRE(item.end > item.begin);
      break;
    case Kind::Truncated:
      REQUIRE(item.fault.value == item.end - item.begin);
      REQUIRE(i + 1 == result.items.size());
      break;
    }
  }
}

// The bytes of the tags form a stream without damage and with the same tags.
void check_what_is_covered(const flvtest::Split &result, Bytes stream,
                           std::uint32_t max_data_size) {
  Buffer covered = flvtest::file_header();
  std::vector<TagHeader> tags;
  for (const Item &item : result.items) {
    if (item.kind != Kind::Tag && item.kind != Kind::FileHeader)
      continue;
    flvtest::append(covered, flvtest::bytes_of(item, stream));
    if (item.kind == Kind::Tag)
      tags.push_back(item.tag);
  }
  const auto again = flvtest::split(covered, SIZE_MAX, Splitter::Start::File, max_data_size);
  REQUIRE(again.status == Status::Ok);
  std::size_t count = 0;
  for (const Item &item : again.items) {
    REQUIRE(item.kind == Kind::Tag || item.kind == Kind::FileHeader);
    if (item.kind == Kind::Tag)
      REQUIRE(count < tags.size() && item.tag == tags[count++]);
  }
  REQUIRE(count == tags.size());
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  Bytes stream(data, size);
  const Settings settings = read_settings(stream);
  const auto whole = flvtest::split(stream, SIZE_MAX, settings.start, settings.max_data_size);
  const auto pieces = split_in_pieces(stream, settings);
  REQUIRE(pieces.status == whole.status && pieces.fault == whole.fault);
  REQUIRE(flvtest::same(pieces.items, whole.items));
  check_items(whole, stream, settings.max_data_size);
  check_what_is_covered(whole, stream, settings.max_data_size);
  return 0;
}
