// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole streams, stream headers from caps, and damaged streams.
#include "ingest_stream.h"

namespace {

constexpr std::uint32_t kHour = 3'600'000; // ms

// --- Entries ---

START_TEST(test_clip) {
  for (const std::uint32_t start : {0U, 5000U, kHour}) {
    const Stream stream = flvtest::file({.duration = 2000, .start = start});
    const Fed fed = feed_every_way(stream.bytes);
    check_tags(fed, stream, 3);
    for (std::size_t i = 0; i < fed.entries.size(); ++i) {
      const bool key = flvtest::role_of(stream, 3 + i) == flv::Role::KeyFrame;
      ck_assert_int_eq(fed.entries[i].join_header != nullptr, key);
      ck_assert(fed.entries[i].is_media());
    }
    // Equal headers share one object.
    for (const std::size_t join : joins_of(fed))
      ck_assert(fed.entries[join].join_header == fed.entries[0].join_header);
    ck_assert(header_of(fed).decoder_configs ==
              (std::vector<Buffer>{avc_config(start), aac_config(start)}));
    ck_assert(header_of(fed).container_header ==
              joined({flvtest::file_header(), metadata_tag({})}));
  }
}
END_TEST

const struct {
  const char *name;
  Buffer data;
  std::int64_t composition_time;
} kCompositionTimes[] = {
    {"AVC", {0x27, 1, 0, 0, 80, 9}, 80},
    {"AVC, negative", {0x27, 1, 0xFF, 0xFF, 0xFE, 9}, -2},
    {"the largest", {0x27, 1, 0x7F, 0xFF, 0xFF, 9}, 0x7FFFFF},
    {"truncated", {0x27, 1, 0, 0}, 0},
    {"H.263", {0x22, 1, 0, 0, 80, 9}, 0},
    {"enhanced", flvtest::ex_video(2, flvtest::Packet::CodedFrames, "hvc1", Buffer{0, 1, 0, 9}),
     256},
    {"enhanced AVC", flvtest::ex_video(2, flvtest::Packet::CodedFrames, "avc1", Buffer{0, 0, 7, 9}),
     7},
    {"enhanced VVC", flvtest::ex_video(2, flvtest::Packet::CodedFrames, "vvc1", Buffer{0, 0, 7, 9}),
     7},
    {"enhanced, truncated",
     flvtest::ex_video(2, flvtest::Packet::CodedFrames, "hvc1", Buffer{0, 1}), 0},
    {"enhanced, truncated FourCC", {0xA1, 'h', 'v'}, 0},
    {"enhanced, without a composition time",
     flvtest::ex_video(2, flvtest::Packet::CodedFramesX, "hvc1", Buffer{0, 1, 0, 9}), 0},
    {"AV1", flvtest::ex_video(2, flvtest::Packet::CodedFrames, "av01", Buffer{0, 1, 0, 9}), 0},
    {"no data", {}, 0},
};

START_TEST(test_composition_time) {
  const auto &row = ROW(kCompositionTimes);
  Stream stream;
  stream.header().configs().key(0).aac(0).video(40, row.data);
  const Fed fed = feed_every_way(stream.bytes);
  check_tags(fed, stream, 2);
  ck_assert_msg(fed.entries[2].composition_time == row.composition_time, "%s: %d", row.name,
                static_cast<int>(fed.entries[2].composition_time));
}
END_TEST

// Entries refer to the input, without a copy.
START_TEST(test_shared) {
  const Stream stream = flvtest::file();
  const auto owner = std::make_shared<const Buffer>(stream.bytes);
  FlvIngest flv;
  std::vector<Entry> entries;
  ck_assert_enum_eq(flv.take(owner, *owner, entries), Status::Ok);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    ck_assert(entries[i].owner == owner);
    ck_assert_ptr_eq(entries[i].bytes.data(), owner->data() + stream.tags[3 + i].begin);
  }
}
END_TEST

// Entries have the right PreviousTagSize.
START_TEST(test_wrong_sizes) {
  const Stream stream = flvtest::file();
  for (const std::uint32_t size : {0U, 1U, 0xFFFFFFFFU}) {
    const Fed fed = feed_every_way(flvtest::with_previous_sizes(stream, size));
    check_tags(fed, stream, 3);
    ck_assert(header_of(fed).decoder_configs == (std::vector<Buffer>{avc_config(), aac_config()}));
  }
}
END_TEST

START_TEST(test_media_file) {
  const auto &row = ROW(flvtest::kMedia);
  const auto bytes = flvtest::media_file(row.name);
  if (!bytes)
    return;
  const Fed fed = feed(*bytes, 65536);
  ck_assert(flvtest::same(feed(*bytes, 1000), fed));
  ck_assert_enum_eq(fed.status, Status::Ok);
  if (joins_of(fed).empty())
    return;
  // The last header announces the kinds with frames within 2 s.
  const Entry &join = fed.entries[joins_of(fed).back()];
  const auto is_present = [&](fanout::Kind kind) {
    return std::any_of(fed.entries.begin(), fed.entries.end(), [&](const Entry &entry) {
      return entry.is_media() && entry.kind == kind &&
             std::abs(entry.time - join.time) <= fanout::kSilence;
    });
  };
  const int flags =
      (is_present(fanout::Kind::Audio) ? 4 : 0) | (is_present(fanout::Kind::Video) ? 1 : 0);
  ck_assert_msg(flags_of(*join.join_header) == flags, "%s", row.name);
}
END_TEST

// --- Stream headers from caps ---

// The stream header comes from caps, and the stream lacks its start.
Fed fed_after(const std::vector<Buffer> &parts, Bytes stream) {
  FlvIngest flv;
  for (const Buffer &part : parts)
    flv.note_stream_header(part);
  return feed_every_way(flv, stream);
}

START_TEST(test_note_stream_header) {
  Stream stream;
  stream.key(500).aac(500).inter(540).key(580);
  const std::vector<Buffer> parts{flvtest::file_header(), metadata_tag({{"width", {5.0}}}),
                                  avc_config(), aac_config()};
  Fed fed = fed_after(parts, stream.bytes);
  check_tags(fed, stream, 0);
  ck_assert(header_of(fed).container_header == joined({flvtest::file_header(), parts[1]}));
  ck_assert(header_of(fed).decoder_configs == (std::vector<Buffer>{parts[2], parts[3]}));
  // The stream may repeat the file header.
  fed = fed_after(parts, joined({flvtest::file_header(), stream.bytes}));
  check_tags(fed, stream, 0);
  ck_assert(header_of(fed).decoder_configs == (std::vector<Buffer>{parts[2], parts[3]}));
  // The file header from caps promises kinds.
  Stream audio;
  audio.aac(500);
  fed = fed_after({flvtest::file_header(true, false)}, audio.bytes);
  ck_assert_uint_eq(flags_of(header_of(fed)), 4);
  // Without a file header in caps, the stream needs one.
  fed = fed_after({parts[1], parts[2]}, joined({flvtest::file_header(), stream.bytes}));
  ck_assert(header_of(fed).decoder_configs == std::vector<Buffer>{parts[2]});
  ck_assert_enum_eq(fed_after({parts[1], parts[2]}, stream.bytes).status, Status::Malformed);
}
END_TEST

// The parts may be divided in any way, and may lack the PreviousTagSize or have a wrong one.
START_TEST(test_note_stream_header_in_other_parts) {
  Stream stream;
  stream.key(500).aac(500);
  const Buffer metadata = metadata_tag({{"width", {5.0}}});
  const Buffer whole = joined({flvtest::file_header(), metadata, avc_config(), aac_config()});
  Buffer wrong = avc_config();
  wrong.back()++;
  Buffer sizeless = aac_config();
  sizeless.resize(sizeless.size() - flv::kPreviousTagSizeSize);
  const Buffer short_header(whole.begin(), whole.begin() + flv::kFileHeaderSize);
  const std::vector<Buffer> ways[] = {{whole},
                                      {flvtest::file_header(), joined({metadata, wrong, sizeless})},
                                      {short_header, metadata, wrong, sizeless}};
  for (const auto &parts : ways) {
    const Fed fed = fed_after(parts, stream.bytes);
    check_tags(fed, stream, 0);
    ck_assert(header_of(fed).container_header == joined({flvtest::file_header(), metadata}));
    ck_assert(header_of(fed).decoder_configs == (std::vector<Buffer>{avc_config(), aac_config()}));
  }
}
END_TEST

// Malformed parts are ignored.
START_TEST(test_note_malformed_stream_header) {
  Stream stream;
  stream.header().configs().key(0).aac(0);
  const Buffer config = avc_config(0, 1);
  std::vector<Buffer> parts{{},
                            {'F'},
                            {'F', 'L', 'V'},
                            flvtest::payload(8),
                            flvtest::payload(100),
                            flvtest::tag_header(9, 1000),
                            flvtest::tag_header(18, 0)};
  for (std::size_t size = 0; size < config.size() - 4; ++size)
    parts.emplace_back(config.begin(), config.begin() + static_cast<std::ptrdiff_t>(size));
  const Fed fed = fed_after(parts, stream.bytes);
  check_tags(fed, stream, 2);
  ck_assert(flvtest::same(fed, feed_every_way(stream.bytes)));
}
END_TEST

// --- Damage ---

START_TEST(test_not_flv) {
  const Fed fed = feed_every_way(flvtest::payload(100));
  ck_assert_enum_eq(fed.status, Status::Malformed);
  ck_assert_enum_eq(fed.fault.kind, flv::Fault::Kind::Signature);
  ck_assert(fed.entries.empty());
  const Fed version = feed_every_way(Buffer{'F', 'L', 'V', 9, 5, 0, 0, 0, 9, 0, 0, 0, 0});
  ck_assert_enum_eq(version.status, Status::Malformed);
  ck_assert(version.fault == (flv::Fault{flv::Fault::Kind::Version, 9}));
}
END_TEST

// The ingest continues with the next whole tag after damage.
START_TEST(test_damage) {
  Stream stream;
  stream.header().configs().key(0).aac(0).inter(40).inter(80).key(120);
  const Buffer garbage = flvtest::payload(70);
  const Fed inserted =
      feed_every_way(flvtest::inserted(stream.bytes, stream.tags[4].begin, garbage));
  check_tags(inserted, stream, 2);
  const Fed missing = feed_every_way(flvtest::erased(stream.bytes, stream.tags[4].begin + 20, 9));
  ck_assert_uint_eq(missing.entries.size(), 4);
  ck_assert_int_eq(missing.entries[2].time, 40);
  ck_assert_int_eq(missing.entries[3].time, 120);
}
END_TEST

// A publisher stops within a keyframe, and the next one starts with a file header. No tag of the
// first one has bytes of the second one.
START_TEST(test_cut_publisher) {
  Stream first = flvtest::file({.duration = 1000});
  const std::size_t whole_tags = first.tags.size();
  first.key(1000, 5000);
  Stream second;
  second.header().metadata().configs(0, 7);
  flvtest::append_media(second, {.duration = 2000});
  const Bytes cut = Bytes(first.bytes).first(first.tags.back().begin + 1000);
  const Fed fed = feed_every_way(joined({cut, second.bytes}));
  ck_assert_enum_eq(fed.status, Status::Ok);
  const std::size_t media = second.tags.size() - 3;
  ck_assert_uint_ge(fed.entries.size(), whole_tags - 3 + media);
  for (std::size_t i = 0; i < media; ++i) {
    const Entry &entry = fed.entries[fed.entries.size() - media + i];
    const Bytes tag = second.at(3 + i);
    ck_assert(Buffer(entry.bytes.begin(), entry.bytes.end()) == Buffer(tag.begin(), tag.end()));
  }
  const Entry &start = fed.entries[fed.entries.size() - media];
  ck_assert(start.join_header && start.join_header->decoder_configs.size() == 2);
  ck_assert(start.join_header->decoder_configs[0] ==
            Buffer(second.at(1).begin(), second.at(1).end()));
  for (const Entry &entry : fed.entries)
    ck_assert_uint_lt(entry.bytes.size(), 1000);
}
END_TEST

// The chunks of the input do not decide which of many splices are found.
START_TEST(test_many_cut_publishers) {
  Stream publisher;
  publisher.header().metadata().configs();
  flvtest::append_media(publisher, {.duration = 2000});
  const Bytes cut = Bytes(publisher.bytes).first(publisher.tags[5].begin + 30);
  Buffer data;
  for (int i = 0; i < 60; ++i)
    flvtest::append(data, cut);
  const Fed fed = feed_every_way(joined({data, publisher.bytes}));
  ck_assert_uint_eq(fed.entries.size(), 60 * 4 + publisher.tags.size() - 3);
}
END_TEST

START_TEST(test_clear) {
  const Stream stream = flvtest::file({.start = 5000});
  FlvIngest flv;
  std::vector<Entry> entries;
  ck_assert_enum_eq(flv.take(nullptr, Bytes(stream.bytes).first(1000), entries), Status::Ok);
  flv.clear();
  ck_assert(flvtest::same(feed_every_way(flv, stream.bytes), feed_every_way(stream.bytes)));
}
END_TEST

} // namespace

int main() {
  return flvtest::run("flv_ingest", {{test_clip},
                                     {test_composition_time, std::size(kCompositionTimes)},
                                     {test_shared},
                                     {test_wrong_sizes},
                                     {test_media_file, std::size(flvtest::kMedia)},
                                     {test_note_stream_header},
                                     {test_note_stream_header_in_other_parts},
                                     {test_note_malformed_stream_header},
                                     {test_not_flv},
                                     {test_damage},
                                     {test_cut_publisher},
                                     {test_many_cut_publishers},
                                     {test_clear}});
}
