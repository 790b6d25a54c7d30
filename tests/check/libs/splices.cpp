// SPDX-License-Identifier: LGPL-2.1-or-later
// Splices: a second file header in the stream, and interruptions.
#include "ingest_stream.h"

namespace {

Buffer bytes_of(const Entry &entry) {
  return {entry.bytes.begin(), entry.bytes.end()};
}

// The content of an entry.
struct Expected {
  Buffer bytes;
  std::int64_t time;
  bool can_join = false;
};

void check(const Fed &fed, const std::vector<Expected> &expected) {
  ck_assert_uint_eq(fed.entries.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ck_assert(bytes_of(fed.entries[i]) == expected[i].bytes);
    ck_assert_int_eq(fed.entries[i].time, expected[i].time);
    ck_assert_int_eq(fed.entries[i].join_header != nullptr, expected[i].can_join);
  }
}

Buffer at(const Stream &stream, std::size_t tag) {
  return {stream.at(tag).begin(), stream.at(tag).end()};
}

Stream two_frames() {
  Stream stream;
  stream.header().configs().key(0).aac(0).inter(40).aac(23);
  return stream;
}

// --- A second file header ---

// The second file continues after the first one, with its own configurations before its first
// keyframe. `variant` 0: both files have the same configurations.
START_TEST(test_second_file) {
  const auto variant = static_cast<std::uint8_t>(_i);
  Stream stream = two_frames();
  stream.header().configs(0, variant).aac(0).inter(0).key(40).aac(23).inter(80);
  const Fed fed = feed_every_way(stream.bytes);
  check(fed, {{at(stream, 2), 0, true},
              {at(stream, 3), 0},
              {at(stream, 4), 40},
              {at(stream, 5), 23},
              {avc_config(40, variant), 80},
              {aac_config(40, variant), 80},
              {at(stream, 10), 80, true},
              {at(stream, 11), 63},
              {at(stream, 12), 120}});
  ck_assert(fed.entries[6].join_header->decoder_configs ==
            (std::vector<Buffer>{avc_config(0, variant), aac_config(0, variant)}));
  ck_assert_int_eq(fed.entries[6].join_header == fed.entries[0].join_header, variant == 0);
}
END_TEST

// The last PreviousTagSize of the first file is missing.
START_TEST(test_second_file_after_a_missing_size) {
  Stream stream;
  stream.header().configs().key(0).aac(0);
  Buffer bytes = stream.bytes;
  bytes.resize(bytes.size() - 4);
  Stream second;
  second.header().configs().key(0).aac(0);
  const Fed fed = feed_every_way(joined({bytes, second.bytes}));
  check(fed, {{at(stream, 2), 0, true},
              {at(stream, 3), 0},
              {avc_config(), 40},
              {aac_config(), 40},
              {at(second, 2), 40, true},
              {at(second, 3), 40}});
}
END_TEST

// The header of the second file announces audio only.
START_TEST(test_second_file_without_video) {
  Stream stream = two_frames();
  stream.header(true, false).audio(0, flvtest::aac_config()).aac(0).aac(23);
  const Fed fed = feed_every_way(stream.bytes);
  check(fed, {{at(stream, 2), 0, true},
              {at(stream, 3), 0},
              {at(stream, 4), 40},
              {at(stream, 5), 23},
              {aac_config(), 46},
              {at(stream, 7), 46, true},
              {at(stream, 8), 69, true}});
  ck_assert_uint_eq(fed.entries[5].join_header->container_header.at(4), 4);
}
END_TEST

// The tags of the second file are held until its kinds are known.
START_TEST(test_second_file_is_held) {
  Stream stream;
  stream.header().configs().key(0).aac(0);
  stream.header().video(0, flvtest::h263_frame(true, 40)).video(40, flvtest::h263_frame(false, 40));
  ck_assert_uint_eq(feed(stream.bytes, SIZE_MAX, false).entries.size(), 2);
  stream.audio(20, flvtest::mp3_frame(30));
  const Fed fed = feed_every_way(stream.bytes);
  check(fed, {{at(stream, 2), 0, true},
              {at(stream, 3), 0},
              {at(stream, 4), 40, true},
              {at(stream, 5), 80},
              {at(stream, 6), 60}});
  ck_assert_uint_eq(fed.entries[2].join_header->container_header.at(4), 5);
  ck_assert_uint_eq(feed(stream.bytes, SIZE_MAX, false).entries.size(), 5);
}
END_TEST

// The second file starts while tags of the first one are held: these are emitted first.
START_TEST(test_second_file_while_held) {
  Stream stream;
  stream.header().video(0, flvtest::avc_config()).key(0).inter(40);
  stream.header().video(0, flvtest::avc_config(1)).key(0).audio(0, flvtest::mp3_frame(30));
  const Fed fed = feed_every_way(stream.bytes);
  check(fed, {{at(stream, 1), 0, true},
              {at(stream, 2), 40},
              {avc_config(0, 1), 80},
              {at(stream, 4), 80, true},
              {at(stream, 5), 80}});
  ck_assert_uint_eq(fed.entries[0].join_header->container_header.at(4), 1);
  ck_assert_uint_eq(fed.entries[3].join_header->container_header.at(4), 5);
}
END_TEST

// New metadata is emitted before the first entry of the new section.
START_TEST(test_second_file_with_metadata) {
  const flvtest::Members first{{"width", {1.0}}};
  const flvtest::Members second{{"width", {2.0}}, {"duration", {7.0}}};
  for (const bool other : {false, true}) {
    Stream stream;
    stream.header().metadata(first).configs().key(0).aac(0);
    stream.header().metadata(other ? second : first).configs().key(0).aac(0);
    const Fed fed = feed_every_way(stream.bytes);
    std::vector<Expected> expected{{at(stream, 3), 0, true}, {at(stream, 4), 0}};
    if (other)
      expected.push_back({metadata_tag({{"width", {2.0}}}), 40});
    expected.insert(
        expected.end(),
        {{avc_config(), 40}, {aac_config(), 40}, {at(stream, 8), 40, true}, {at(stream, 9), 40}});
    check(fed, expected);
    ck_assert(fed.entries.back().is_media());
    const Entry &key = fed.entries[fed.entries.size() - 2];
    ck_assert(key.join_header->container_header ==
              joined({flvtest::file_header(), metadata_tag({{"width", {other ? 2.0 : 1.0}}})}));
  }
  // The second file has no metadata.
  Stream stream;
  stream.header().metadata(first).configs().key(0).aac(0).header().configs().key(0).aac(0);
  const Fed fed = feed_every_way(stream.bytes);
  ck_assert_uint_eq(fed.entries.size(), 6);
  ck_assert(fed.entries[4].join_header->container_header == flvtest::file_header());
}
END_TEST

// --- Interruptions ---

// Feeds `first`, interrupts, and feeds `second`.
Fed interrupted(Bytes first, Bytes second) {
  FlvIngest flv;
  Fed before = feed(flv, first, SIZE_MAX, false);
  flv.interrupt();
  Fed after = feed_every_way(flv, second);
  before.entries.insert(before.entries.end(), after.entries.begin(), after.entries.end());
  before.status = after.status;
  before.fault = after.fault;
  return before;
}

// An interruption discards an incomplete tag. The timeline continues at the next keyframe.
START_TEST(test_interrupted) {
  const Stream first = two_frames();
  Stream second;
  second.inter(500'000).aac(500'000).key(500'040).aac(500'023).inter(500'080);
  const Stream cut = two_frames();
  for (const std::size_t more : {0U, 1U, 10U, 11U, 12U, 40U}) {
    const Bytes half = cut.at(2).first(std::min(more, cut.at(2).size()));
    const Fed fed = interrupted(joined({first.bytes, half}), second.bytes);
    check(fed, {{at(first, 2), 0, true},
                {at(first, 3), 0},
                {at(first, 4), 40},
                {at(first, 5), 23},
                {avc_config(500'040), 80},
                {aac_config(500'040), 80},
                {at(second, 2), 80, true},
                {at(second, 3), 63},
                {at(second, 4), 120}});
    ck_assert(fed.entries[6].join_header == fed.entries[0].join_header);
    for (const std::size_t i : {4U, 5U})
      ck_assert(fed.entries[i].is_tag && !fed.entries[i].is_media());
  }
}
END_TEST

// The section after the interruption may have other configurations.
START_TEST(test_interrupted_with_configurations) {
  const Stream first = two_frames();
  Stream second;
  second.configs(70, 1).key(70).aac(70);
  const Fed fed = interrupted(first.bytes, second.bytes);
  ck_assert_uint_eq(fed.entries.size(), 8);
  ck_assert(bytes_of(fed.entries[4]) == avc_config(70, 1));
  ck_assert(bytes_of(fed.entries[5]) == aac_config(70, 1));
  ck_assert(fed.entries[6].join_header->decoder_configs ==
            (std::vector<Buffer>{avc_config(70, 1), aac_config(70, 1)}));
}
END_TEST

// The section after the interruption may be a file.
START_TEST(test_interrupted_by_a_file) {
  const Stream first = two_frames();
  const Fed fed = interrupted(first.bytes, first.bytes);
  check(fed, {{at(first, 2), 0, true},
              {at(first, 3), 0},
              {at(first, 4), 40},
              {at(first, 5), 23},
              {avc_config(), 80},
              {aac_config(), 80},
              {at(first, 2), 80, true},
              {at(first, 3), 80},
              {at(first, 4), 120},
              {at(first, 5), 103}});
}
END_TEST

// An interruption before the first entry keeps the configurations.
START_TEST(test_interrupted_at_the_start) {
  Stream first;
  first.header().configs();
  Stream second;
  second.inter(500).key(540).aac(540);
  Fed fed = interrupted(first.bytes, second.bytes);
  check(fed, {{at(second, 1), 540, true}, {at(second, 2), 540}});
  ck_assert(fed.entries[0].join_header->decoder_configs ==
            (std::vector<Buffer>{avc_config(), aac_config()}));
  for (const std::size_t size : {0U, 5U, 12U}) {
    fed = interrupted(Bytes(first.bytes).first(size), joined({first.bytes, second.bytes}));
    check(fed, {{at(second, 1), 540, true}, {at(second, 2), 540}});
  }
  fed = interrupted(Bytes(first.bytes).first(5), second.bytes);
  ck_assert_enum_eq(fed.status, Status::Malformed);
}
END_TEST

Buffer frame_with(std::uint32_t composition_time, bool key) {
  Buffer data = flvtest::avc_frame(key, 30);
  flv::store_u24(&data[2], composition_time);
  return data;
}

// The presentation time of the keyframe is after all earlier ones. The delay applies to the whole
// section.
START_TEST(test_interrupted_in_presentation_order) {
  Stream first;
  first.header().configs().video(0, frame_with(80, true)).aac(0).video(40, frame_with(200, false));
  Stream second;
  second.video(500, frame_with(80, true)).aac(500).video(540, frame_with(80, false));
  const Fed fed = interrupted(first.bytes, second.bytes);
  check(fed, {{at(first, 2), 0, true},
              {at(first, 3), 0},
              {at(first, 4), 40},
              {avc_config(500), 161},
              {aac_config(500), 161},
              {at(second, 0), 161, true},
              {at(second, 1), 161},
              {at(second, 2), 201}});
  const std::int64_t composition_times[] = {80, 0, 200, 0, 0, 80, 0, 80};
  for (std::size_t i = 0; i < fed.entries.size(); ++i)
    ck_assert_int_eq(fed.entries[i].composition_time, composition_times[i]);
}
END_TEST

// Dropped media does not advance the timeline.
START_TEST(test_interrupted_in_mid_group) {
  Stream first;
  first.header().configs().key(0).aac(0).inter(40);
  Stream second;
  second.inter(5000).aac(5000).inter(5040).key(5080).aac(5080).inter(5120);
  Fed fed = interrupted(first.bytes, second.bytes);
  check(fed, {{at(first, 2), 0, true},
              {at(first, 3), 0},
              {at(first, 4), 40},
              {avc_config(5080), 80},
              {aac_config(5080), 80},
              {at(second, 3), 80, true},
              {at(second, 4), 80},
              {at(second, 5), 120}});
}
END_TEST

// An interruption discards held tags.
START_TEST(test_interrupted_while_held) {
  Stream first;
  first.header().video(0, flvtest::avc_config()).key(0).inter(40);
  Stream second;
  second.inter(5000).inter(5040).key(5080).inter(5120).audio(5100, flvtest::mp3_frame(20));
  const Fed fed = interrupted(first.bytes, second.bytes);
  ck_assert_uint_eq(fed.entries.size(), 3);
  for (std::size_t i = 0; i < 3; ++i)
    ck_assert(bytes_of(fed.entries[i]) == at(second, 2 + i));
  ck_assert_uint_eq(fed.entries[0].join_header->container_header.at(4), 5);
}
END_TEST

// Clients receive the last metadata from before the keyframe, if it is new.
START_TEST(test_interrupted_with_metadata) {
  Stream first;
  first.header().metadata({{"width", {1.0}}}).configs().key(0).aac(0);
  for (const double width : {1.0, 3.0}) {
    Stream second;
    second.metadata({{"width", {2.0}}}).metadata({{"width", {width}}}).key(40).aac(40);
    const Fed fed = interrupted(first.bytes, second.bytes);
    const bool other = width > 1;
    ck_assert_uint_eq(fed.entries.size(), other ? 7 : 6);
    if (other)
      ck_assert(bytes_of(fed.entries[2]) == metadata_tag({{"width", {3.0}}}));
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("splices", {{test_second_file, 2},
                                  {test_second_file_after_a_missing_size},
                                  {test_second_file_without_video},
                                  {test_second_file_is_held},
                                  {test_second_file_while_held},
                                  {test_second_file_with_metadata},
                                  {test_interrupted},
                                  {test_interrupted_with_configurations},
                                  {test_interrupted_by_a_file},
                                  {test_interrupted_at_the_start},
                                  {test_interrupted_in_presentation_order},
                                  {test_interrupted_in_mid_group},
                                  {test_interrupted_while_held},
                                  {test_interrupted_with_metadata}});
}
