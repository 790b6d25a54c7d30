// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/stream/splice_search.h"

#include "checkrun.h"
#include "flvbuild.h"

using namespace flv;
using flvtest::Buffer;

namespace {

constexpr std::uint32_t kLimit = kMaxDataSize;

// The first `there` bytes of a keyframe tag that declares `size` bytes of data.
Buffer cut_tag(std::size_t there, std::uint32_t size = 5000) {
  return flvtest::joined({flvtest::tag_header(9, size), flvtest::payload(there)});
}

std::optional<std::size_t> find(Bytes tag, std::uint32_t limit = kLimit) {
  SpliceSearch search;
  search.note_read(tag.size());
  return search.find(tag, limit);
}

START_TEST(test_file_header_inside) {
  const Buffer tag = cut_tag(100);
  const Buffer next = flvtest::file().bytes;
  // For a cut at any byte: at least 5 bytes of the file header are needed, and all present bytes
  // must match.
  for (std::size_t size = 5; size < 200; ++size) {
    const Buffer bytes = flvtest::joined({tag, Bytes(next).first(size)});
    ck_assert(find(bytes) == tag.size());
  }
  for (std::size_t size = 0; size < 5; ++size)
    ck_assert(!find(flvtest::joined({tag, Bytes(next).first(size)})));
}
END_TEST

// For a cut at any byte of the tag, its header included.
START_TEST(test_any_place) {
  const Buffer tag = cut_tag(50);
  const Buffer next = flvtest::file().bytes;
  for (std::size_t there = 1; there < tag.size(); ++there)
    ck_assert(find(flvtest::joined({Bytes(tag).first(there), next})) == there);
  ck_assert(!find(next));
}
END_TEST

const struct {
  const char *what;
  Buffer next;
  bool found;
} kNext[] = {
    {"a tag", flvtest::file({.duration = 80}).bytes, true},
    {"a tag with a message stream id",
     flvtest::joined({flvtest::file_header(), flvtest::tag_header(18, 4000000, 0, 1)}), true},
    {"a tag with an impossible stream id",
     flvtest::joined({flvtest::file_header(), flvtest::tag_header(18, 4000000, 0, 0x123456)}),
     false},
    {"no tag type", flvtest::joined({flvtest::file_header(), flvtest::tag_header(3, 4000000)}),
     false},
    {"reserved flags", {'F', 'L', 'V', 1, 0x15, 0, 0, 0, 9, 0, 0, 0, 0}, false},
    {"another version", {'F', 'L', 'V', 2, 5, 0, 0, 0, 9, 0, 0, 0, 0}, false},
    {"a longer file header", {'F', 'L', 'V', 1, 5, 0, 0, 0, 10, 0, 0, 0, 0}, false},
    {"a PreviousTagSize0 that is not 0", {'F', 'L', 'V', 1, 5, 0, 0, 0, 9, 0, 0, 0, 1}, false},
    {"a tag without its own size",
     flvtest::joined({flvtest::file_header(), flvtest::tag_header(9, 30), flvtest::payload(34)}),
     false},
};

START_TEST(test_what_follows) {
  const auto &row = ROW(kNext);
  const Buffer tag = cut_tag(64);
  const Buffer bytes = flvtest::joined({tag, row.next});
  ck_assert_msg(find(bytes).has_value() == row.found, "%s", row.what);
  // A false file header does not hide a real one.
  const Buffer both = flvtest::joined({bytes, flvtest::file().bytes});
  ck_assert(find(both) == (row.found ? tag.size() : bytes.size()));
}
END_TEST

START_TEST(test_tag_over_the_limit) {
  const Buffer next = flvtest::joined({flvtest::file_header(), flvtest::tag_header(9, 1001)});
  const Buffer bytes = flvtest::joined({cut_tag(64), next});
  ck_assert(find(bytes, 1001));
  ck_assert(!find(bytes, 1000));
}
END_TEST

// No byte is searched more than a few times.
START_TEST(test_work_is_bounded) {
  const Buffer tag = cut_tag(100'000);
  SpliceSearch search;
  search.note_read(tag.size());
  const Buffer spliced = flvtest::joined({tag, flvtest::file_header()});
  ck_assert(search.find(spliced, kLimit));
  for (int i = 0; i < 20; ++i)
    (void)search.find(spliced, kLimit);
  ck_assert(!search.find(spliced, kLimit));
  search.note_read(2 * tag.size());
  ck_assert(search.find(spliced, kLimit));
}
END_TEST

} // namespace

int main() {
  return flvtest::run("splice", {{test_file_header_inside},
                                 {test_any_place},
                                 {test_what_follows, std::size(kNext)},
                                 {test_tag_over_the_limit},
                                 {test_work_is_bounded}});
}
