// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/seek/config_search.h"

#include "checkrun.h"
#include "drive.h"
#include "flv/seek/forward_search.h"
#include "media.h"
#include "split.h"

using namespace flv;
using flvtest::Buffer;
using flvtest::Stream;
using Stretch = ConfigurationSearch::Stretch;

namespace {

Buffer video(std::uint8_t variant) {
  return flvtest::whole_tag(TagType::Video, variant, flvtest::avc_config(variant));
}

Buffer audio(std::uint8_t variant) {
  return flvtest::whole_tag(TagType::Audio, variant, flvtest::aac_config(variant));
}

void note(StreamHeader &head, Bytes tag) {
  TagHeader header;
  ck_assert_enum_eq(read_tag_header(tag.data(), kMaxDataSize, header).kind, Fault::Kind::None);
  head.note(header, classify(header.type, tag.subspan(kTagHeaderSize, header.data_size)), tag);
}

StreamHeader head_of(std::initializer_list<Buffer> tags) {
  StreamHeader head;
  for (const Buffer &tag : tags)
    note(head, tag);
  return head;
}

// In any order.
void check_parts(const StreamHeader &head, const std::vector<Buffer> &expected) {
  const auto parts = head.parts();
  ck_assert_uint_eq(parts.size(), expected.size());
  for (const Buffer &tag : expected)
    ck_assert(std::any_of(parts.begin(), parts.end(),
                          [&tag](const SharedBytes &part) { return *part == tag; }));
}

// --- Head ---

START_TEST(test_covers) {
  using flvtest::Multitrack;
  const auto tracks = [](std::vector<std::uint8_t> ids) {
    std::vector<flvtest::Track> list;
    for (const std::uint8_t id : ids)
      list.push_back({id, "hvc1", {id}});
    return flvtest::whole_tag(
        TagType::Video, 0,
        flvtest::multitrack(1, flvtest::Packet::SequenceStart, Multitrack::ManyTracks, list));
  };
  const Buffer hdr = flvtest::whole_tag(
      TagType::Video, 0, flvtest::ex_video(5, flvtest::Packet::Metadata, "hvc1", Buffer{1}));
  ck_assert(StreamHeader().covers({}));
  ck_assert(head_of({video(0)}).covers({}));
  ck_assert(!StreamHeader().covers(head_of({video(0)})));
  ck_assert(head_of({video(1)}).covers(head_of({video(0)})));
  ck_assert(!head_of({video(1)}).covers(head_of({video(0), audio(0)})));
  ck_assert(!head_of({video(1)}).covers(head_of({hdr})));
  ck_assert(!head_of({tracks({1})}).covers(head_of({tracks({1, 2})})));
  ck_assert(head_of({tracks({1}), tracks({2})}).covers(head_of({tracks({1, 2})})));
  ck_assert(head_of({tracks({0, 1})}).covers(head_of({video(0)})));
}
END_TEST

START_TEST(test_note_all) {
  StreamHeader head = head_of({video(0), audio(0)});
  head.note_all(head_of({video(1)}));
  check_parts(head, {video(1), audio(0)});
  head.note_all({});
  check_parts(head, {video(1), audio(0)});
  // From a later stretch, only configurations count.
  StreamHeader later;
  later.set_file_header(flvtest::file_header());
  note(later, audio(2));
  head.note_all(later);
  check_parts(head, {video(1), audio(2)});
}
END_TEST

// --- Likely positions of configurations ---

START_TEST(test_stretches) {
  const auto none = likely_stretches({100, 200}, 500, 500);
  ck_assert(none.empty());
  std::vector<std::uint64_t> key_frames;
  for (std::uint64_t i = 0; i < 10'000; ++i)
    key_frames.push_back(1000 + 37'000 * i);
  for (const std::uint64_t place : {501UL, 5000UL, 400'000UL, 100'000'000UL, 1'000'000'000UL}) {
    const auto stretches = likely_stretches(key_frames, 500, place);
    ck_assert_uint_eq(stretches.at(0).end, place);
    std::uint64_t bytes = 0;
    std::uint64_t limit = place;
    for (const Stretch &stretch : stretches) {
      ck_assert(stretch.begin < stretch.end && stretch.end <= limit && stretch.begin >= 500);
      limit = stretch.begin;
      bytes += stretch.end - stretch.begin;
    }
    ck_assert_uint_le(bytes, 1U << 20);
  }
  // Near the start of the file, no bytes are left out.
  const auto near = likely_stretches(key_frames, 500, 60'000);
  ck_assert_uint_eq(near.size(), 1);
  ck_assert_uint_eq(near[0].begin, 500);
}
END_TEST

// --- The last configuration before a place ---

// Far before the place, between, and directly before it.
struct Layout {
  Stream stream;
  std::vector<std::uint64_t> key_frames;
  std::uint64_t place = 0;
};

Layout layout(std::size_t gops, const std::vector<std::size_t> &changes, std::size_t frame) {
  Layout out;
  out.stream.header();
  for (std::size_t gop = 0; gop < gops; ++gop) {
    const auto time = static_cast<std::uint32_t>(gop * 1000);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      if (changes[i] == gop)
        out.stream.raw(video(static_cast<std::uint8_t>(i)));
    }
    out.key_frames.push_back(out.stream.bytes.size());
    out.stream.key(time, frame).inter(time + 40, frame).aac(time + 50);
  }
  out.place = out.key_frames.back();
  return out;
}

const struct {
  const char *what;
  std::vector<std::size_t> changes; // the GOPs with a configuration before them
  std::size_t frame;
} kLayouts[] = {
    {"at the beginning only", {0}, 50'000},
    {"right before the place", {0, 39}, 50'000},
    {"a GOP before", {0, 38}, 50'000},
    {"far before", {0, 5}, 50'000},
    {"several", {0, 5, 20, 21, 22}, 50'000},
    {"before every key frame", {0, 1, 2, 3, 4, 5, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39}, 50'000},
    {"small frames", {0, 7, 8}, 100},
};

START_TEST(test_last) {
  const auto &row = ROW(kLayouts);
  const Layout file = layout(40, row.changes, row.frame);
  const std::size_t begin = kFileHeaderSize + kPreviousTagSizeSize + video(0).size();
  ConfigurationSearch search(head_of({video(0)}),
                             likely_stretches(file.key_frames, begin, file.place));
  const auto reads = flvtest::drive(search, file.stream.bytes);
  check_parts(search.take(), {video(static_cast<std::uint8_t>(row.changes.size() - 1))});
  ck_assert_uint_le(reads.bytes, 1U << 20);
}
END_TEST

// A configuration at any place in a stretch.
START_TEST(test_places) {
  for (std::size_t place = 0; place < 200; ++place) {
    Stream stream;
    stream.bytes.assign(place, 0xFF);
    stream.raw(video(1)).key(1000, 100).inter(1040, 100);
    ConfigurationSearch search(head_of({video(0)}), {{0, stream.bytes.size()}});
    (void)flvtest::drive(search, stream.bytes);
    check_parts(search.take(), {video(1)});
  }
}
END_TEST

// For each track, the nearest configuration counts, in any stretch. The search stops when it has
// all tracks of the start of the file.
START_TEST(test_tracks) {
  Stream stream;
  stream.header().raw(video(0)).raw(audio(0)).key(0, 5000);
  const std::size_t one = stream.bytes.size();
  stream.raw(video(1)).raw(audio(1)).key(1000, 5000);
  const std::size_t two = stream.bytes.size();
  stream.raw(video(2)).key(2000, 5000);
  const std::size_t three = stream.bytes.size();
  stream.raw(video(3)).raw(video(4)).key(3000, 5000);
  const std::size_t end = stream.bytes.size();
  const std::vector<Stretch> stretches{{three, end}, {two, three}, {one, two}, {13, one}};
  ConfigurationSearch search(head_of({video(0), audio(0)}), stretches);
  ck_assert_uint_eq(flvtest::drive(search, stream.bytes).count, 3);
  check_parts(search.take(), {video(4), audio(1)});
  ConfigurationSearch only(head_of({video(0)}), stretches);
  ck_assert_uint_eq(flvtest::drive(only, stream.bytes).count, 1);
  check_parts(only.take(), {video(4)});
  ConfigurationSearch none(head_of({video(0)}), {});
  ck_assert(!none.next_request());
  check_parts(none.take(), {video(0)});
}
END_TEST

// A file that ends within a stretch, or that has changed since.
START_TEST(test_short_reads) {
  const Layout file = layout(5, {0, 3}, 3000);
  for (std::size_t size = 0; size < file.stream.bytes.size(); size += 97) {
    ConfigurationSearch search(head_of({video(0)}),
                               likely_stretches(file.key_frames, 13, file.place));
    ck_assert(!flvtest::drive(search, Bytes(file.stream.bytes).first(size)).endless);
    (void)search.take();
  }
}
END_TEST

// --- ForwardSearch ---

KeyframeIndex index_of(const flvtest::Entries &entries) {
  KeyframeIndex index;
  for (const auto &[position, time] : entries) {
    index.positions.push_back(position);
    index.times.push_back(time);
  }
  return index;
}

// Configurations found by the forward scan replace the earlier ones.
START_TEST(test_forward) {
  const Layout file = layout(6, {0, 2, 4}, 3000);
  KeyframeIndex index;
  index.positions = file.key_frames;
  index.times.assign(index.positions.size(), 0);
  const std::uint8_t in_force[] = {0, 0, 1, 1, 2, 2};
  for (std::size_t key = 0; key < 6; ++key) {
    const StartRequest request{StartRequest::Measure::Offset, file.key_frames[key], Snap::Next};
    ForwardSearch search(index, request, true, 0, {Splitter::Start::File, 13, 0},
                         head_of({audio(7)}));
    std::uint64_t kept = 0;
    while (const auto wanted = search.next_request()) {
      ck_assert(wanted->offset >= kept);
      ck_assert(search.keep_from() >= kept);
      kept = search.keep_from();
      search.supply(flvtest::piece(file.stream.bytes, *wanted));
    }
    ck_assert(search.search().place() && search.search().place()->position == file.key_frames[key]);
    ck_assert(search.keep_from() <= file.key_frames[key]);
    check_parts(search.head(), {audio(7), video(in_force[key])});
  }
}
END_TEST

// Configurations that the scan found after a wrong entry do not count for an earlier place.
START_TEST(test_forward_and_back) {
  Stream stream;
  stream.header().raw(video(0)).key(0).raw(video(1)).aac(40).key(80);
  const KeyframeIndex index = index_of({{stream.tags[0].begin, 0}, {stream.tags[1].begin, 0.04}});
  const StartRequest request{StartRequest::Measure::Offset, stream.tags[1].begin + 1,
                             Snap::Previous};
  ForwardSearch search(index, request, true, 0, {Splitter::Start::File, 13, 0}, {});
  (void)flvtest::drive(search, stream.bytes);
  ck_assert(search.search().place() && search.search().place()->position == stream.tags[0].begin);
  check_parts(search.head(), {video(0)});
}
END_TEST

// A configuration at the position of the entry is before its keyframe.
START_TEST(test_forward_config) {
  Stream stream;
  stream.header().raw(video(0)).key(0);
  const std::uint64_t entry = stream.bytes.size();
  stream.raw(video(1)).raw(audio(1)).key(40);
  const KeyframeIndex index = index_of({{entry, 0}});
  ForwardSearch search(index, {StartRequest::Measure::Offset, entry, Snap::Next}, true, 0,
                       {Splitter::Start::File, 13, 0}, {});
  (void)flvtest::drive(search, stream.bytes);
  ck_assert(search.search().place() && search.search().place()->position == stream.tags[1].begin);
  check_parts(search.head(), {video(1), audio(1)});
}
END_TEST

// --- Real files: for each keyframe, the same result as reading everything ---

const char *const kMedia[] = {"h264_aac_bbb.flv",      "h264_speex_many_configs.flv",
                              "speex_screenshare.flv", "enhanced_av1_opus.flv",
                              "enhanced_hevc_aac.flv", "h264_only_33s.flv",
                              "h264_gstmux_index.flv", "h264_aac_red5.flv"};

START_TEST(test_media) {
  const auto bytes = flvtest::media_file(ROW(kMedia));
  if (!bytes)
    return;
  std::vector<std::uint64_t> key_frames;
  StreamHeader head;
  StreamHeader opening;
  std::uint64_t begin = 0;
  for (const Item &item : flvtest::split(*bytes).tags()) {
    const Bytes tag = flvtest::bytes_of(item, *bytes);
    const TagInfo info = classify(item.tag.type, tag.subspan(kTagHeaderSize, item.tag.data_size));
    if (info.role == Role::DecoderConfig) {
      head.note(item.tag, info, tag);
    } else if (info.role == Role::KeyFrame) {
      if (begin == 0) {
        opening = head;
        begin = item.begin;
      }
      ConfigurationSearch search(opening, likely_stretches(key_frames, begin, item.begin));
      (void)flvtest::drive(search, *bytes);
      std::vector<Buffer> expected;
      for (const SharedBytes &part : head.parts())
        expected.push_back(*part);
      check_parts(search.take(), expected);
      key_frames.push_back(item.begin);
    }
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("configsearch", {{test_covers},
                                       {test_note_all},
                                       {test_stretches},
                                       {test_last, std::size(kLayouts)},
                                       {test_places},
                                       {test_tracks},
                                       {test_short_reads},
                                       {test_forward},
                                       {test_forward_and_back},
                                       {test_forward_config},
                                       {test_media, std::size(kMedia)}});
}
