// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/seek/index_scan.h"

#include "checkrun.h"
#include "drive.h"
#include "flv/seek/index_verify.h"
#include "media.h"
#include "split.h"

using namespace flv;
using flvtest::Buffer;
using flvtest::Entries;
using flvtest::Stream;

namespace {

constexpr std::uint64_t kFirstTag = kFileHeaderSize + kPreviousTagSizeSize;

IndexScan scan(Bytes file, std::uint64_t file_size, Splitter::Start start = Splitter::Start::File,
               std::uint64_t position = kFirstTag) {
  IndexScan scan(start, position, file_size);
  const auto reads = flvtest::drive(scan, file);
  ck_assert(!reads.endless);
  return scan;
}

void check_index(const KeyframeIndex &index, const Entries &expected) {
  ck_assert_uint_eq(index.positions.size(), expected.size());
  ck_assert_uint_eq(index.times.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ck_assert_uint_eq(index.positions[i], expected[i].first);
    ck_assert_double_eq_tol(index.times[i], expected[i].second, 1e-9);
  }
}

const Stream kClip = flvtest::file({.duration = 2000});

// --- Files in order ---

START_TEST(test_clip) {
  for (const std::size_t size : {std::size_t{0}, kClip.bytes.size()}) {
    const IndexScan done = scan(kClip.bytes, size);
    check_index(done.index(), flvtest::key_frames_of(kClip));
    ck_assert_uint_eq(done.tags(), kClip.tags.size());
    ck_assert(done.audio_seen() && done.video_seen());
    ck_assert_uint_eq(done.position(), kClip.bytes.size());
    ck_assert_uint_eq(done.last_tag(), kClip.tags.back().begin);
    ck_assert_uint_eq(done.configurations().size(), 2);
    for (std::size_t i = 0; i < 2; ++i) {
      ck_assert_uint_eq(done.configurations()[i].position, kClip.tags[i + 1].begin);
      ck_assert_uint_eq(done.configurations()[i].size, kClip.at(i + 1).size());
    }
    ck_assert_uint_eq(done.head().parts().size(), 2);
  }
}
END_TEST

START_TEST(test_audio_only) {
  const Stream stream = flvtest::file({.duration = 500, .video = false});
  const IndexScan done = scan(stream.bytes, stream.bytes.size());
  ck_assert(done.audio_seen() && !done.video_seen());
  check_index(done.index(), flvtest::roles_of(stream, {Role::Media}));
}
END_TEST

const Buffer kBody = flvtest::payload(300);

// Audio before the first video frame is not a start position. Neither are configurations, end of
// sequence, commands and scripts.
START_TEST(test_what_is_listed) {
  using flvtest::Packet;
  Stream stream;
  stream.header()
      .metadata()
      .aac(0)
      .configs()
      .inter(0)
      .key(40)
      .video(40, flvtest::avc_end())
      .video(40, Buffer{0x57, 0})
      .video(50, flvtest::ex_video(1, Packet::SequenceStart, "hvc1", kBody))
      .video(60, flvtest::ex_video(1, Packet::CodedFrames, "hvc1", kBody))
      .script(60, flvtest::script("onCuePoint", {}))
      .video(70, {})
      .video(80, flvtest::h263_frame(true, 10));
  const IndexScan done = scan(stream.bytes, stream.bytes.size());
  const auto &tags = stream.tags;
  check_index(done.index(), {{tags[5].begin, 0.04}, {tags[9].begin, 0.06}, {tags[12].begin, 0.08}});
  ck_assert_uint_eq(done.configurations().size(), 3);
}
END_TEST

// An index with decreasing times would be invalid.
START_TEST(test_times_that_step_back) {
  Stream stream;
  stream.header().key(1000).key(500).key(1500).key(1400).key(2500);
  const IndexScan done = scan(stream.bytes, stream.bytes.size());
  check_index(done.index(), {{stream.tags[0].begin, 0.0},
                             {stream.tags[1].begin, 0.0},
                             {stream.tags[2].begin, 0.5},
                             {stream.tags[3].begin, 0.5},
                             {stream.tags[4].begin, 1.5}});
}
END_TEST

// The scan reads the first bytes of each tag, and all bytes of a configuration.
START_TEST(test_how_much_is_read) {
  Stream stream;
  stream.header().video(0, flvtest::joined({flvtest::avc_config(), flvtest::payload(5000)}));
  for (std::uint32_t i = 0; i < 50; ++i)
    stream.key(i * 40, 100'000);
  IndexScan one(Splitter::Start::File, kFirstTag, stream.bytes.size());
  const auto reads = flvtest::drive(one, stream.bytes);
  ck_assert_uint_le(reads.count, stream.tags.size() + 2);
  ck_assert_uint_le(reads.bytes, 48 * stream.tags.size() + 6000);
  ck_assert_uint_eq(one.head().parts().at(0)->size(), stream.at(0).size());
}
END_TEST

// A truncated last tag does not count. Its PreviousTagSize may be missing.
START_TEST(test_cut_off) {
  const Bytes bytes(kClip.bytes);
  const std::size_t tags = kClip.tags.size();
  for (const std::size_t cut : {1U, 4U, 5U, 40U, 60U}) {
    const IndexScan done = scan(bytes.first(bytes.size() - cut), bytes.size() - cut);
    ck_assert_uint_eq(done.tags(), cut <= 4 ? tags : tags - 1);
  }
  ck_assert_uint_eq(scan({}, 0).tags(), 0);
  ck_assert_uint_eq(scan(bytes.first(kFirstTag + 5), kFirstTag + 5).tags(), 0);
}
END_TEST

// --- Damage ---

const std::size_t kPlace = kClip.tags[20].begin;

const struct {
  const char *what;
  Buffer bytes;
  std::size_t lost; // tags
} kDamaged[] = {
    {"bytes inserted", flvtest::inserted(kClip.bytes, kPlace, flvtest::payload(100)), 0},
    {"many bytes inserted", flvtest::inserted(kClip.bytes, kPlace, flvtest::payload(200'000)), 0},
    {"type overwritten", flvtest::overwritten(kClip.bytes, kPlace, Buffer{0x55}), 1},
    {"file header inside", flvtest::inserted(kClip.bytes, kPlace, flvtest::file_header()), 0},
    {"a second file",
     flvtest::joined({Bytes(kClip.bytes).first(kPlace), flvtest::file_header(),
                      Bytes(kClip.bytes).subspan(kPlace)}),
     0},
    {"zeros", flvtest::inserted(kClip.bytes, kPlace, Buffer(3000)), 0},
    {"wrong sizes", flvtest::with_previous_sizes(kClip, 0), 0},
};

START_TEST(test_damage) {
  const auto &row = ROW(kDamaged);
  for (const std::size_t size : {std::size_t{0}, row.bytes.size()}) {
    const IndexScan done = scan(row.bytes, size);
    ck_assert_msg(done.tags() + row.lost == kClip.tags.size(), "%s: %zu tags", row.what,
                  static_cast<std::size_t>(done.tags()));
    for (const std::uint64_t position : done.index().positions) {
      TagHeader header;
      const Bytes tag = Bytes(row.bytes).subspan(static_cast<std::size_t>(position));
      ck_assert(read_tag_header(tag.data(), kMaxDataSize, header).kind == Fault::Kind::None);
      ck_assert_enum_eq(classify(header.type, tag.subspan(kTagHeaderSize)).role, Role::KeyFrame);
    }
  }
}
END_TEST

// From any byte, it finds the tags after that byte.
START_TEST(test_middle) {
  const std::size_t end = kClip.tags[30].begin;
  for (std::size_t at = kClip.tags[28].begin; at <= end; ++at) {
    const IndexScan done = scan(kClip.bytes, 0, Splitter::Start::Middle, at);
    std::size_t behind = 0;
    for (const Stream::Tag &tag : kClip.tags)
      behind += tag.begin >= at;
    ck_assert_uint_eq(done.tags(), behind);
  }
}
END_TEST

// A tag with a stream id that differs from the file's is damage. The file's only script tag may
// have a different one.
START_TEST(test_other_stream_id) {
  StreamIds ids;
  for (const Stream::Tag &tag : kClip.tags)
    ids.note({.type = tag.type});
  for (const std::size_t tag : {std::size_t{0}, std::size_t{1}, std::size_t{20}}) {
    Buffer bytes = kClip.bytes;
    store_u24(&bytes[kClip.tags[tag].begin + 8], 0xFD);
    IndexScan one(Splitter::Start::File, kFirstTag, bytes.size(), ids);
    const auto reads = flvtest::drive(one, bytes);
    ck_assert(!reads.endless);
    ck_assert_uint_eq(one.tags(), kClip.tags.size() - (tag > 0));
  }
}
END_TEST

START_TEST(test_nothing_but_damage) {
  const Buffer bytes =
      flvtest::joined({flvtest::file_header(), Buffer{0x55}, flvtest::payload(300'000)});
  IndexScan one(Splitter::Start::File, kFirstTag, bytes.size());
  const auto reads = flvtest::drive(one, bytes);
  ck_assert(one.index().positions.empty());
  ck_assert_uint_eq(one.tags(), 0);
  ck_assert_uint_le(reads.bytes, bytes.size() + 64); // reads each byte once
}
END_TEST

// --- Large numbers of tags ---

START_TEST(test_active_configurations) {
  Stream stream;
  stream.header();
  for (std::uint8_t variant = 0; variant < 60; ++variant)
    stream.configs(variant, variant).key(variant);
  const IndexScan done = scan(stream.bytes, stream.bytes.size());
  ck_assert_uint_eq(done.configurations().size(), 120);
  const auto parts = done.head().parts();
  ck_assert_uint_eq(parts.size(), 2);
  const Bytes last = stream.at(59 * 3);
  ck_assert(*parts[0] == Buffer(last.begin(), last.end()));
}
END_TEST

START_TEST(test_many_key_frames) {
  const Buffer frame = flvtest::whole_tag(TagType::Video, 0, flvtest::h263_frame(true, 0));
  constexpr std::size_t kCount = IndexScan::kMaxEntries + 100'000;
  Buffer bytes = flvtest::file_header();
  bytes.reserve(bytes.size() + kCount * frame.size());
  for (std::uint32_t i = 0; i < kCount; ++i) {
    flvtest::append(bytes, frame);
    store_timestamp(&bytes[bytes.size() - frame.size()], i * 100);
  }
  const KeyframeIndex index = scan(bytes, bytes.size()).index();
  ck_assert_uint_lt(index.positions.size(), kCount / 9);
  ck_assert_uint_gt(index.positions.size(), kCount / 11);
  for (std::size_t i = 1; i < index.times.size(); ++i) {
    ck_assert(index.times[i] - index.times[i - 1] >= 1.0 - 1e-9);
    ck_assert_uint_gt(index.positions[i], index.positions[i - 1]);
  }
}
END_TEST

// --- IndexCheck ---

KeyframeIndex index_of(const Entries &entries) {
  KeyframeIndex index;
  for (const auto &[position, time] : entries) {
    index.positions.push_back(position);
    index.times.push_back(time);
  }
  return index;
}

START_TEST(test_check) {
  const auto all = flvtest::entries_of(kClip, [](std::size_t) { return true; });
  IndexVerify check(index_of(all), true, kClip.bytes.size());
  (void)flvtest::drive(check, kClip.bytes);
  // The configurations precede the first keyframe, and have its time.
  check_index(check.take(), flvtest::key_frames_of(kClip));
}
END_TEST

START_TEST(test_check_bound) {
  Entries many;
  for (std::size_t i = 0; i < 100'000; ++i)
    many.emplace_back(kFirstTag + i, 0.0);
  IndexVerify check(index_of(many), true, 0);
  const auto reads = flvtest::drive(check, kClip.bytes);
  ck_assert_uint_le(reads.count, IndexVerify::kMaxEntries * IndexVerify::kMaxTried);
  IndexVerify none({}, true, 0);
  ck_assert(!none.next_request() && none.take().positions.empty());
}
END_TEST

// A long index keeps one keyframe of each group.
START_TEST(test_long_index) {
  Stream stream;
  stream.header().configs();
  constexpr std::size_t kKeys = 10 * IndexVerify::kMaxEntries;
  for (std::uint32_t i = 0; i < kKeys; ++i)
    stream.key(i * 100, 20).aac(i * 100).aac(i * 100 + 50);
  const Entries keys = flvtest::key_frames_of(stream);
  IndexVerify honest(index_of(keys), true, stream.bytes.size());
  const auto likely = honest.requests();
  ck_assert_uint_eq(likely.size(), IndexVerify::kMaxEntries);
  const auto reads = flvtest::drive(honest, stream.bytes);
  ck_assert_uint_eq(reads.count, IndexVerify::kMaxEntries);
  const KeyframeIndex kept = honest.take();
  ck_assert_uint_eq(kept.positions.size(), IndexVerify::kMaxEntries);
  for (std::size_t i = 0; i < kept.positions.size(); ++i) {
    ck_assert_uint_eq(likely[i].offset, kept.positions[i]);
    ck_assert_uint_eq(kept.positions[i], keys[10 * i].first);
    ck_assert_double_eq_tol(kept.times[i], keys[10 * i].second, 1e-9);
  }
  // Most entries are audio.
  const Entries media = flvtest::roles_of(stream, {Role::KeyFrame, Role::Media});
  IndexVerify mixed(index_of(media), true, stream.bytes.size());
  (void)flvtest::drive(mixed, stream.bytes);
  const KeyframeIndex found = mixed.take();
  ck_assert_uint_eq(found.positions.size(), IndexVerify::kMaxEntries);
  for (const std::uint64_t position : found.positions)
    ck_assert(std::ranges::binary_search(keys, position, {}, &Entries::value_type::first));
}
END_TEST

// --- Real files: the same tags as in one pass ---

START_TEST(test_media) {
  const auto &row = ROW(flvtest::kMedia);
  const auto bytes = flvtest::media_file(row.name);
  if (!bytes)
    return;
  const auto tags = flvtest::split(*bytes).tags();
  Entries keys;
  std::size_t configurations = 0;
  Timeline timeline;
  double last = 0;
  for (const Item &item : tags) {
    const Bytes data = flvtest::bytes_of(item, *bytes).subspan(kTagHeaderSize, item.tag.data_size);
    const Role role = classify(item.tag.type, data).role;
    configurations += role == Role::DecoderConfig;
    const bool listed = row.video > 0 ? role == Role::KeyFrame
                                      : item.tag.type == TagType::Audio && role == Role::Media;
    if (is_media(role)) {
      const auto kind =
          item.tag.type == TagType::Audio ? Timeline::Kind::Audio : Timeline::Kind::Video;
      const auto time = timeline.media(kind, item.tag.timestamp).time - *timeline.first();
      last = listed ? std::max(last, static_cast<double>(time) / 1000) : last;
    }
    if (!listed)
      continue;
    keys.emplace_back(item.begin, last);
  }
  const IndexScan done = scan(*bytes, bytes->size());
  ck_assert_msg(done.tags() == tags.size(), "%s", row.name);
  check_index(done.index(), keys);
  ck_assert_uint_eq(done.configurations().size(), configurations);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("indexscan", {{test_clip},
                                    {test_audio_only},
                                    {test_what_is_listed},
                                    {test_times_that_step_back},
                                    {test_how_much_is_read},
                                    {test_cut_off},
                                    {test_damage, std::size(kDamaged)},
                                    {test_middle},
                                    {test_other_stream_id},
                                    {test_nothing_but_damage},
                                    {test_active_configurations},
                                    {test_many_key_frames},
                                    {test_check},
                                    {test_check_bound},
                                    {test_long_index},
                                    {test_media, std::size(flvtest::kMedia)}});
}
