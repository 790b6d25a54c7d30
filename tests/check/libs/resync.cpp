// SPDX-License-Identifier: LGPL-2.1-or-later
// The splitter on damaged streams.
#include "checkrun.h"
#include "flvbuild.h"
#include "media.h"
#include "split.h"

using namespace flv;
using flvtest::Buffer;
using flvtest::split;
using Kind = Item::Kind;

namespace {
std::size_t g_largest_allocation = 0;
} // namespace

void *operator new(std::size_t size) {
  g_largest_allocation = std::max(g_largest_allocation, size);
  return std::malloc(size);
}

void operator delete(void *memory) noexcept {
  std::free(memory);
}

void operator delete(void *memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

constexpr std::uint32_t kLimit = 4096;
constexpr std::size_t kAt = 10; // the damaged tag

const flvtest::Stream kStream = flvtest::file();
const std::size_t kPlace = kStream.tags[kAt].begin;

struct Damage {
  const char *what;
  Buffer bytes;
  Fault fault;
  std::size_t begin; // of the damage
  std::size_t end;
  std::size_t next;     // the first tag after the damage
  bool cut_tag = false; // the tag before the damage is truncated
};

std::size_t place_of(std::size_t tag) {
  return kStream.tags[tag].begin;
}

// Inserted before the tag.
Damage insertion(const char *what, const Buffer &more, const Fault &fault) {
  return {what, flvtest::inserted(kStream.bytes, kPlace, more), fault, kPlace, kPlace + more.size(),
          kAt};
}

// Overwrites the tag's first bytes.
Damage overwriting(const char *what, std::size_t at, const Buffer &with, const Fault &fault) {
  return {what,
          flvtest::overwritten(kStream.bytes, kPlace + at, with),
          fault,
          kPlace,
          place_of(kAt + 1),
          kAt + 1};
}

Damage hole(const char *what, std::size_t tags, std::uint8_t filling, const Fault &fault) {
  const Buffer filler(place_of(kAt + tags) - kPlace, filling);
  return {what,
          flvtest::overwritten(kStream.bytes, kPlace, filler),
          fault,
          kPlace,
          place_of(kAt + tags),
          kAt + tags};
}

// Adds bytes in the middle of the tag's data: its declared size is too small.
Damage growth(std::size_t count) {
  const Buffer more = flvtest::payload(count);
  const Buffer bytes = flvtest::inserted(kStream.bytes, kPlace + 20, more);
  const std::size_t end = place_of(kAt + 1);
  return {"bytes inserted in a tag",
          bytes,
          {Fault::Kind::TagType, bytes[end]},
          end,
          end + count,
          kAt + 1,
          true};
}

// Removes bytes of the tag's data: its declared size includes the start of the next tag, which is
// lost.
Damage shrinkage(std::size_t count) {
  const Buffer bytes = flvtest::erased(kStream.bytes, kPlace + 20, count);
  const std::size_t end = place_of(kAt + 1);
  return {"bytes missing in a tag",
          bytes,
          {Fault::Kind::TagType, bytes[end]},
          end,
          place_of(kAt + 2) - count,
          kAt + 2,
          true};
}

std::vector<Damage> make_damages() {
  using enum Fault::Kind;
  const Buffer huge = flvtest::tag_header(9, kLimit - 1);
  const Buffer too_large = flvtest::tag_header(9, kMaxDataSize);
  return {
      overwriting("a bad type", 0, {0x55}, {TagType, 0x55}),
      overwriting("a bad stream id", 8, {1, 2, 3}, {StreamId, 0x010203}),
      overwriting("a size over the limit", 1, {0, 0x10, 1}, {DataSize, kLimit + 1}),
      hole("a hole of zeros", 1, 0, {TagType, 0}),
      hole("a hole of zeros over many tags", 40, 0, {TagType, 0}),
      hole("a hole of ones", 5, 0xFF, {TagType, 0xFF}),
      hole("a hole of possible type bytes", 3, 9, {DataSize, 0x090909}),
      insertion("one byte more", {0}, {TagType, 0}),
      insertion("noise", flvtest::payload(1000, 3), {TagType, flvtest::payload(1, 3)[0]}),
      insertion("zeros", Buffer(100'000), {TagType, 0}),
      insertion("a size missing before a truncated file header", {'F', 'L', 'V', 1},
                {TagType, 'F'}),
      insertion("a bogus header", flvtest::joined({Buffer{0}, huge}), {TagType, 0}),
      insertion("a bogus header over the limit", too_large, {DataSize, kMaxDataSize}),
      growth(1),
      growth(5),
      growth(17),
      shrinkage(1),
      shrinkage(9),
  };
}

const std::vector<Damage> kDamages = make_damages();

void check_damaged(const Damage &damage, const flvtest::Split &result, bool right_sizes) {
  ck_assert_enum_eq(result.status, Status::Ok);
  ck_assert(flvtest::contiguous(result.items, 0, damage.bytes.size()));

  const auto found = result.of(Kind::Damage);
  ck_assert_msg(found.size() == 1, "%s: %zu damaged places", damage.what, found.size());
  ck_assert_msg(found[0].fault == damage.fault, "%s: %s", damage.what,
                describe(found[0].fault).c_str());
  ck_assert_uint_eq(found[0].begin, damage.begin);
  const auto skipped = result.of(Kind::Skipped);
  ck_assert_uint_eq(skipped.size(), 1);
  ck_assert_msg(skipped[0].begin == damage.begin && skipped[0].end == damage.end,
                "%s: skipped %zu to %zu, not %zu to %zu", damage.what,
                static_cast<std::size_t>(skipped[0].begin),
                static_cast<std::size_t>(skipped[0].end), damage.begin, damage.end);

  const auto tags = result.tags();
  const std::size_t before = kAt + damage.cut_tag;
  ck_assert_uint_eq(tags.size(), kStream.tags.size() - damage.next + before);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const std::size_t number = i < before ? i : i - before + damage.next;
    const Bytes bytes = flvtest::bytes_of(tags[i], damage.bytes);
    const bool cut = damage.cut_tag && i == kAt;
    ck_assert_int_eq(tags[i].wrong_previous_size, cut || !right_sizes);
    // If all sizes are wrong, only the tags themselves can be compared.
    const std::size_t size = bytes.size() - (right_sizes ? 0 : kPreviousTagSizeSize);
    if (!cut)
      ck_assert(std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size),
                           kStream.at(number).begin()));
  }
}

START_TEST(test_damage) {
  const Damage &damage = ROW(kDamages);
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{65536}, SIZE_MAX})
    check_damaged(damage, split(damage.bytes, chunk, Splitter::Start::File, kLimit), true);
}
END_TEST

// The same if no PreviousTagSize is correct: the next header then confirms a tag.
START_TEST(test_damage_among_wrong_sizes) {
  Damage damage = ROW(kDamages);
  const auto right = split(damage.bytes, SIZE_MAX, Splitter::Start::File, kLimit);
  for (const Item &tag : right.tags())
    store_u32(&damage.bytes[tag.end - 4], 0);
  for (const std::size_t chunk : {std::size_t{1}, SIZE_MAX}) {
    const auto result = split(damage.bytes, chunk, Splitter::Start::File, kLimit);
    ck_assert_uint_eq(result.tags().size(), right.tags().size());
    ck_assert_uint_eq(result.of(Kind::Damage).size(), 1);
    for (std::size_t i = 0; i < result.tags().size(); ++i)
      ck_assert_uint_eq(result.tags()[i].begin, right.tags()[i].begin);
  }
}
END_TEST

// Whatever size a bogus header declares, the real tag after it is returned as soon as it is
// complete.
START_TEST(test_false_headers_do_not_block) {
  flvtest::Stream stream;
  stream.header().raw(Buffer{0});
  for (std::uint32_t i = 0; i < 1000; ++i)
    stream.raw(flvtest::tag_header(9, kMaxDataSize - i));
  stream.key(0).inter(40);
  const Bytes bytes(stream.bytes);
  for (std::size_t size = stream.tags[0].begin; size <= stream.tags[0].end; ++size) {
    Splitter splitter;
    splitter.reset(Splitter::Start::File);
    std::vector<Item> items;
    ck_assert_enum_eq(splitter.feed(bytes.first(size), items), Status::Ok);
    const bool out = !items.empty() && items.back().kind == Kind::Tag;
    ck_assert_int_eq(out, size == stream.tags[0].end);
    if (out)
      ck_assert_uint_eq(items.back().begin, stream.tags[0].begin);
  }
}
END_TEST

START_TEST(test_file_header_ends_a_search) {
  flvtest::Stream stream;
  stream.header().key(0).raw(flvtest::payload(100)).header().key(0);
  const auto result = split(stream.bytes);
  ck_assert_uint_eq(result.of(Kind::FileHeader).size(), 2);
  ck_assert_uint_eq(result.of(Kind::Damage).size(), 1);
  ck_assert_uint_eq(result.of(Kind::Skipped)[0].end - result.of(Kind::Skipped)[0].begin, 100);
  ck_assert_uint_eq(result.tags().size(), 2);
  ck_assert_uint_eq(result.tags()[1].begin, stream.tags[1].begin);
}
END_TEST

// A search accepts only the usual file header, with zero as its PreviousTagSize.
START_TEST(test_other_file_headers_do_not_end_the_search) {
  Buffer header = flvtest::file_header();
  header[_i == 0 ? 8 : 12] = 10;
  flvtest::Stream stream;
  stream.header().key(0).raw(flvtest::payload(100)).raw(header).key(0);
  const auto result = split(stream.bytes);
  ck_assert_uint_eq(result.of(Kind::FileHeader).size(), 1);
  ck_assert_uint_eq(result.tags().size(), 2);
}
END_TEST

// The last tag after damage: the end of the stream confirms it, with any PreviousTagSize or none. A
// tag that is truncated, or that ends earlier, is not confirmed.
START_TEST(test_eof_confirms_a_tag) {
  flvtest::Stream stream;
  stream.header().key(0).raw(flvtest::payload(100)).key(40).raw(Buffer(3, 0xEE));
  const flvtest::Stream::Tag &last = stream.tags[1];
  store_u32(&stream.bytes[last.end - 4], 77);
  for (std::size_t size = last.begin; size <= stream.bytes.size(); ++size) {
    const auto result = split(Bytes(stream.bytes).first(size));
    ck_assert(flvtest::contiguous(result.items, 0, size));
    const bool proven = size == last.end - 4 || size == last.end;
    ck_assert_msg(result.tags().size() == 1U + proven, "%zu of %zu bytes", size, last.end);
    if (proven)
      ck_assert(result.tags()[1].wrong_previous_size && result.tags()[1].begin == last.begin);
  }
}
END_TEST

START_TEST(test_two_damaged_places) {
  Buffer bytes = flvtest::overwritten(kStream.bytes, place_of(5), Buffer{0x55});
  bytes = flvtest::overwritten(bytes, place_of(20), Buffer{0x55});
  const auto result = split(bytes);
  ck_assert_uint_eq(result.of(Kind::Damage).size(), 2);
  ck_assert_uint_eq(result.tags().size(), kStream.tags.size() - 2);
}
END_TEST

START_TEST(test_damage_up_to_the_end) {
  const Buffer bytes =
      flvtest::overwritten(kStream.bytes, kPlace, Buffer(kStream.bytes.size() - kPlace));
  const auto result = split(bytes);
  ck_assert_uint_eq(result.tags().size(), kAt);
  ck_assert_uint_eq(result.of(Kind::Skipped)[0].end, bytes.size());
  ck_assert(result.of(Kind::Truncated).empty());
}
END_TEST

// From any first byte, the first whole tag after it is found.
START_TEST(test_start_in_the_middle) {
  flvtest::Stream stream;
  stream.header().configs();
  flvtest::append_media(stream, {.duration = 200});
  const Bytes bytes(stream.bytes);
  for (std::size_t from = 0; from < stream.tags.back().begin; ++from) {
    const auto next = std::find_if(stream.tags.begin(), stream.tags.end(),
                                   [from](const auto &tag) { return tag.begin >= from; });
    const auto result = split(bytes.subspan(from), 7, Splitter::Start::Middle);
    ck_assert_enum_eq(result.status, Status::Ok);
    const auto tags = result.tags();
    ck_assert_msg(tags.size() == static_cast<std::size_t>(stream.tags.end() - next),
                  "%zu tags from byte %zu on", tags.size(), from);
    ck_assert_uint_eq(tags[0].begin, next->begin - from);
    ck_assert(result.of(Kind::Damage).empty());
    ck_assert_uint_eq(result.of(Kind::Skipped).size(), from != 0 && from != next->begin);
    ck_assert_uint_eq(result.of(Kind::FileHeader).size(), from == 0);
  }
}
END_TEST

// All kinds of damage except those of a single tag, in realistic payloads.
START_TEST(test_damaged_media) {
  const flvtest::MediaFile &file = ROW(flvtest::kMedia);
  const auto bytes = flvtest::media_file(file.name);
  if (!bytes)
    return;
  const auto clean = split(*bytes).tags();
  constexpr std::size_t kPlaces = 20;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    const std::size_t number = i * (clean.size() - 1) / (kPlaces - 1);
    const auto at = static_cast<std::size_t>(clean[number].begin);
    const auto result = split(flvtest::overwritten(*bytes, at, Buffer{0x55}), 65536);
    auto expected = clean;
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(number));
    ck_assert_msg(flvtest::same(result.tags(), expected), "%s, tag %zu of %zu", file.name, number,
                  clean.size());
  }
}
END_TEST

START_TEST(test_keep_from_while_searching) {
  const Damage &damage = ROW(kDamages);
  Splitter splitter(kLimit);
  splitter.reset(Splitter::Start::File);
  std::vector<Item> items;
  std::size_t seen = 0;
  std::uint64_t kept = 0;
  for (const std::uint8_t &byte : damage.bytes) {
    (void)splitter.feed(Bytes(&byte, 1), items);
    for (; seen < items.size(); ++seen)
      ck_assert(items[seen].begin >= kept || items[seen].kind == Kind::Damage ||
                items[seen].kind == Kind::Skipped);
    ck_assert_uint_ge(splitter.keep_from(), kept);
    kept = splitter.keep_from();
    ck_assert_uint_le(splitter.position() - kept, kLimit + 2 * kTagHeaderSize + 4);
  }
}
END_TEST

// Headers at every possible position, each of which is a candidate. A resync that is not linear
// takes long here, and an unbounded one uses much memory.
struct Hostile {
  std::size_t distance;
  std::uint32_t size;
  bool meet = false; // instead, all sizes end at the same position
  std::size_t total = 4 << 20;
};

const Hostile kHostile[] = {{11, kMaxDataSize, false, 16 << 20},
                            {11, 0},
                            {12, 100},
                            {11, 5000, false, 16 << 20},
                            {11, 65536},
                            {13, 1},
                            {11, 0, true},
                            {15, 0, true}};

START_TEST(test_hostile_headers) {
  const Hostile &row = ROW(kHostile);
  constexpr std::size_t kMeeting = 20000;
  Buffer bytes = flvtest::file_header();
  bytes.reserve(row.total);
  bytes.push_back(0);
  while (bytes.size() + row.distance < row.total) {
    const std::size_t left = kMeeting - bytes.size() % kMeeting;
    const auto meeting = static_cast<std::uint32_t>(left > 15 ? left - 15 : kMeeting);
    flvtest::append(bytes, flvtest::tag_header(9, row.meet ? meeting : row.size, 0x10101010));
    bytes.resize(bytes.size() + row.distance - kTagHeaderSize, 0xFF);
  }
  g_largest_allocation = 0;
  const auto result = split(bytes);
  ck_assert_enum_eq(result.status, Status::Ok);
  ck_assert(flvtest::contiguous(result.items, 0, bytes.size()));
  ck_assert_uint_lt(g_largest_allocation, 1 << 20);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("resync", {{test_damage, kDamages.size()},
                                 {test_damage_among_wrong_sizes, kDamages.size()},
                                 {test_false_headers_do_not_block},
                                 {test_file_header_ends_a_search},
                                 {test_other_file_headers_do_not_end_the_search, 2},
                                 {test_eof_confirms_a_tag},
                                 {test_two_damaged_places},
                                 {test_damage_up_to_the_end},
                                 {test_start_in_the_middle},
                                 {test_damaged_media, std::size(flvtest::kMedia)},
                                 {test_keep_from_while_searching, kDamages.size()},
                                 {test_hostile_headers, std::size(kHostile)}});
}
