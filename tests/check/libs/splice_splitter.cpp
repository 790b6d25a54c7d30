// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/stream/splice_splitter.h"

#include "checkrun.h"
#include "flvbuild.h"
#include "split.h"

using namespace flv;
using flvtest::Buffer;

namespace {

// Keeps all bytes of a stream.
struct Store {
  Bytes bytes;
  std::uint64_t end = 0; // of the input so far

  template <typename Function> void with_unread(std::uint64_t position, Function function) const {
    function(bytes.subspan(position, end - position));
  }
  template <typename Function>
  auto with_bytes(std::uint64_t from, std::uint64_t to, Function function) const {
    return function(bytes.subspan(from, to - from));
  }
  void reread(std::uint64_t /*position*/) {}
};

void drain(SpliceSplitter &splitter, Store &store, std::vector<Item> &items) {
  while (const Item *item = splitter.next(store))
    items.push_back(*item);
}

std::vector<Item> split(Bytes bytes, std::size_t chunk, bool is_interrupted = false) {
  SpliceSplitter splitter;
  Store store{bytes};
  std::vector<Item> items;
  while (store.end < bytes.size()) {
    const std::size_t size = std::min<std::size_t>(chunk, bytes.size() - store.end);
    store.end += size;
    splitter.begin(size);
    drain(splitter, store, items);
  }
  while (is_interrupted ? splitter.finish_interrupted() : splitter.finish())
    drain(splitter, store, items);
  ck_assert(!splitter.is_malformed());
  ck_assert_uint_eq(splitter.position(), bytes.size());
  return items;
}

Buffer cut_tag(std::size_t size) {
  return flvtest::joined({flvtest::tag_header(9, 5000), flvtest::payload(size)});
}

// The items of a stream without a splice are those of the splitter.
START_TEST(test_without_splice) {
  const Buffer bytes = flvtest::joined({flvtest::file().bytes, cut_tag(20)});
  ck_assert(flvtest::same(split(bytes, SIZE_MAX), flvtest::split(bytes).items));
}
END_TEST

// The tag that is cut off becomes Damage and Skipped. The items do not depend on the chunks.
START_TEST(test_splice) {
  const Buffer first = flvtest::file({.duration = 80}).bytes;
  const Buffer cut = cut_tag(100);
  const Buffer bytes =
      flvtest::joined({first, cut, flvtest::file({.duration = 800}).key(840, 9000).bytes});
  const std::vector<Item> items = split(bytes, SIZE_MAX);
  ck_assert(flvtest::contiguous(items, 0, bytes.size()));
  const auto damage = std::ranges::find(items, Item::Kind::Damage, &Item::kind);
  ck_assert(damage != items.end() && damage->begin == first.size());
  ck_assert(damage->fault.kind == Fault::Kind::CutShort && damage->fault.value == cut.size());
  ck_assert(damage[1].kind == Item::Kind::Skipped && damage[1].end == first.size() + cut.size());
  ck_assert(damage[2].kind == Item::Kind::FileHeader);
  for (const std::size_t chunk : {1U, 7U, 100U, 1000U, 4096U})
    ck_assert(flvtest::same(split(bytes, chunk), items));
}
END_TEST

// The last tag is not complete. It is searched for a splice at the end of the stream, and not after
// an interruption.
START_TEST(test_end_inside_cut_tag) {
  const Buffer first = flvtest::file({.duration = 80}).bytes;
  const Buffer next = flvtest::file({.duration = 80}).bytes;
  const Buffer bytes = flvtest::joined({first, cut_tag(100), Bytes(next).first(300)});
  const auto count = [](const std::vector<Item> &items, Item::Kind kind) {
    return std::ranges::count(items, kind, &Item::kind);
  };
  const std::vector<Item> ended = split(bytes, 64);
  ck_assert_int_eq(count(ended, Item::Kind::FileHeader), 2);
  const std::vector<Item> interrupted = split(bytes, 64, true);
  ck_assert_int_eq(count(interrupted, Item::Kind::FileHeader), 1);
  ck_assert_int_eq(count(interrupted, Item::Kind::Truncated), 0);
  ck_assert(interrupted.back().kind == Item::Kind::Skipped);
}
END_TEST

START_TEST(test_malformed) {
  const Buffer bytes(100, 'x');
  SpliceSplitter splitter;
  Store store{bytes, bytes.size()};
  splitter.begin(bytes.size());
  ck_assert(!splitter.next(store) && splitter.is_malformed());
  ck_assert(!splitter.finish() && splitter.is_malformed());
  splitter.reset(Splitter::Start::File);
  ck_assert(!splitter.is_malformed());
}
END_TEST

} // namespace

int main() {
  return flvtest::run(
      "splice_splitter",
      {{test_without_splice}, {test_splice}, {test_end_inside_cut_tag}, {test_malformed}});
}
