// SPDX-License-Identifier: LGPL-2.1-or-later
// The kinds and the metadata that the ingest finds at the start of a stream, and later changes.
#include "ingest_stream.h"

namespace {

// --- Kinds ---

// Tags are held until each kind that the file header promises has a frame, for at most 1 s.
const struct {
  const char *name;
  bool audio, video;         // announced
  bool has_audio, has_video; // in the stream
  std::uint32_t video_from;  // ms
  std::uint32_t held;        // ms: tags before this time are held
  std::uint8_t flags;
} kPromises[] = {
    {"both", true, true, true, true, 0, 0, 5},
    {"video", false, true, false, true, 0, 0, 1},
    {"audio", true, false, true, false, 0, 0, 4},
    {"missing video", true, true, true, false, 0, 1000, 4},
    {"missing audio", true, true, false, true, 0, 1000, 1},
    {"audio announced, video sent", true, false, false, true, 0, 1000, 1},
    {"video announced, audio sent", false, true, true, false, 0, 1000, 4},
    {"nothing announced, audio sent", false, false, true, false, 0, 1000, 4},
    {"nothing announced, both sent", false, false, true, true, 0, 0, 5},
    {"late video", true, true, true, true, 600, 600, 5},
};

START_TEST(test_announced_kinds) {
  const auto &row = ROW(kPromises);
  Stream stream;
  stream.header(row.audio, row.video);
  for (std::uint32_t time = 0; time < 2000; time += 40) {
    if (row.has_audio)
      stream.audio(time, flvtest::mp3_frame(20, time + 1));
    if (row.has_video && time >= row.video_from)
      stream.video(time, flvtest::h263_frame(time % 200 == 0, 50, time + 1));
  }
  FlvIngest flv;
  std::vector<Entry> entries;
  std::uint32_t first = UINT32_MAX;
  ck_assert_enum_eq(flv.take(nullptr, Bytes(stream.bytes).first(13), entries), Status::Ok);
  for (std::size_t i = 0; i < stream.tags.size(); ++i) {
    ck_assert_enum_eq(flv.take(nullptr, stream.at(i), entries), Status::Ok);
    if (!entries.empty())
      first = std::min(first, stream.tags[i].timestamp);
  }
  ck_assert_msg(first == row.held, "%s: %u", row.name, first);
  const Fed fed = feed_every_way(stream.bytes);
  ck_assert_msg(flags_of(header_of(fed)) == row.flags, "%s: %d", row.name,
                flags_of(header_of(fed)));
  // The first entry is the first video frame, if there is video.
  ck_assert_int_eq(fed.entries[0].time, row.video_from);
}
END_TEST

// A configuration does not count as a frame: the tags are held, and the header does not announce
// the kind.
START_TEST(test_configuration_without_frames) {
  const bool silent_audio = _i == 0;
  Stream stream;
  stream.header().metadata({{"audiocodecid", {10.0}}, {"videocodecid", {7.0}}}).configs();
  std::uint32_t held = UINT32_MAX;
  FlvIngest flv;
  std::vector<Entry> entries;
  for (std::uint32_t time = 0; time < 3000; time += 40) {
    if (silent_audio)
      stream.video(time, flvtest::avc_frame(time % 400 == 0, 40));
    else
      stream.aac(time);
    if (time == 1200)
      stream.configs(time); // some encoders repeat them
  }
  const Bytes header = Bytes(stream.bytes).first(stream.tags[0].begin);
  ck_assert_enum_eq(flv.take(nullptr, header, entries), Status::Ok);
  for (std::size_t i = 0; i < stream.tags.size(); ++i) {
    ck_assert_enum_eq(flv.take(nullptr, stream.at(i), entries), Status::Ok);
    if (!entries.empty())
      held = std::min(held, stream.tags[i].timestamp);
  }
  ck_assert_uint_eq(held, FlvIngest::kHold);
  const Fed fed = feed_every_way(stream.bytes);
  for (const std::size_t number : joins_of(fed)) {
    const JoinHeader &join = *fed.entries[number].join_header;
    ck_assert_uint_eq(flags_of(join), silent_audio ? 1 : 4);
    ck_assert_uint_eq(join.decoder_configs.size(), 1);
    ck_assert_uint_eq(join.decoder_configs[0][0], silent_audio ? 9 : 8);
    const auto members = silent_audio ? flvtest::Members{{"videocodecid", {7.0}}}
                                      : flvtest::Members{{"audiocodecid", {10.0}}};
    ck_assert(join.container_header ==
              joined({flvtest::file_header(!silent_audio, silent_audio), metadata_tag(members)}));
    ck_assert(!join.audio_alone && !join.video_alone);
  }
}
END_TEST

// The header announces video whose timestamps are much lower than those of audio.
START_TEST(test_late_video) {
  Stream stream;
  stream.header().audio(44'800, flvtest::mp3_frame(20)).video(0, flvtest::h263_frame(true, 20));
  const Fed fed = feed_every_way(stream.bytes);
  check_tags(fed, stream, 1);
  ck_assert_uint_eq(flags_of(header_of(fed)), 5);
}
END_TEST

// Held tags are emitted at the end of the stream, and when there are too many.
START_TEST(test_held_at_the_end) {
  Stream stream;
  stream.header().aac(0).aac(20).aac(40);
  ck_assert(feed(stream.bytes, SIZE_MAX, false).entries.empty());
  const Fed fed = feed_every_way(stream.bytes);
  check_tags(fed, stream, 0);
  ck_assert_uint_eq(flags_of(header_of(fed)), 4);
  Stream many;
  many.header();
  for (int i = 0; i < 1000; ++i)
    many.aac(0);
  check_tags(feed(many.bytes, SIZE_MAX, false), many, 0);
}
END_TEST

// The first entry is a keyframe, or an audio frame if there is no video.
START_TEST(test_first) {
  Stream stream;
  stream.header().configs().aac(0).inter(0).script(0, flvtest::script("onCuePoint", {}));
  const std::size_t first = stream.tags.size();
  stream.key(40).aac(40).inter(80).configs(120, 1).key(120);
  const Fed fed = feed_every_way(stream.bytes);
  check_tags(fed, stream, first);
  ck_assert(joins_of(fed) == (std::vector<std::size_t>{0, 5}));
  ck_assert(fed.entries[5].join_header->decoder_configs ==
            (std::vector<Buffer>{avc_config(120, 1), aac_config(120, 1)}));
  // The purpose of a configuration is Setup.
  ck_assert(fed.entries[2].is_media() && !fed.entries[3].is_media() && !fed.entries[4].is_media());
}
END_TEST

// Audio tags are start points if video is absent.
START_TEST(test_audio_alone) {
  Stream stream;
  stream.header().configs().key(0).aac(0).inter(40);
  for (std::uint32_t time = 100; time <= 40'000; time += 100)
    stream.aac(time);
  const Fed fed = feed_every_way(stream.bytes);
  check_tags(fed, stream, 2);
  for (const Entry &entry : fed.entries) {
    if (!entry.join_header) {
      ck_assert_int_le(entry.time, 40 + kSilence);
      continue;
    }
    ck_assert(entry.time == 0 || entry.time > 40 + kSilence);
    ck_assert_uint_eq(flags_of(*entry.join_header), entry.time == 0 ? 5 : 4);
  }
}
END_TEST

// --- Metadata ---

Fed fed_of(const std::function<void(Stream &)> &media) {
  Stream stream;
  stream.header().configs();
  media(stream);
  return feed_every_way(stream.bytes);
}

START_TEST(test_metadata_first) {
  const Fed fed = fed_of([](Stream &stream) {
    stream
        .metadata({{"duration", {9.0}},
                   {"width", {640.0}},
                   {"audiocodecid", {10.0}},
                   {"hasVideo", {false}}})
        .key(0)
        .aac(0);
  });
  ck_assert_uint_eq(fed.entries.size(), 2);
  ck_assert(
      header_of(fed).container_header ==
      joined({flvtest::file_header(),
              metadata_tag({{"width", {640.0}}, {"audiocodecid", {10.0}}, {"hasVideo", {true}}})}));
}
END_TEST

START_TEST(test_no_metadata) {
  const Fed fed = fed_of([](Stream &stream) { stream.key(0).aac(0); });
  ck_assert(header_of(fed).container_header == flvtest::file_header());
}
END_TEST

// Changed metadata is emitted, and is part of later headers. It describes a live stream.
START_TEST(test_metadata_changes) {
  const flvtest::Members first{{"width", {1.0}}};
  const flvtest::Members second{{"width", {2.0}}, {"duration", {5.0}}};
  const Fed fed = fed_of([&](Stream &stream) {
    stream.metadata(first).key(0).aac(0).metadata(first).inter(40).metadata(second).inter(80);
    stream.metadata(second).key(120);
  });
  ck_assert_uint_eq(fed.entries.size(), 6);
  const Entry &metadata = fed.entries[3];
  ck_assert(Buffer(metadata.bytes.begin(), metadata.bytes.end()) ==
            metadata_tag({{"width", {2.0}}}));
  ck_assert(metadata.is_tag && !metadata.is_media() && !metadata.join_header);
  ck_assert_int_eq(metadata.time, 0);
  ck_assert(header_of(fed).container_header ==
            joined({flvtest::file_header(), metadata_tag({{"width", {1.0}}})}));
  ck_assert(fed.entries[5].join_header->container_header ==
            joined({flvtest::file_header(), metadata_tag({{"width", {2.0}}})}));
}
END_TEST

// The metadata lacks an end marker. With it, the metadata is too large for a tag.
START_TEST(test_metadata_too_large) {
  Stream stream;
  const std::string text(flv::kMaxDataSize - 32, 'a');
  Buffer data = flvtest::on_metadata({{"a", {text}}, {"b", {flv::amf0::Null{}}}});
  data.resize(data.size() - 3);
  ck_assert_uint_lt(data.size(), flv::kMaxDataSize);
  ck_assert_uint_gt(data.size() + 3, flv::kMaxDataSize);
  stream.header().configs().key(0).aac(0).script(0, data).key(40);
  const Fed fed = feed(stream.bytes);
  ck_assert_uint_eq(fed.entries.size(), 3);
  ck_assert(header_of(fed).container_header == flvtest::file_header());
  ck_assert(fed.entries[2].join_header == fed.entries[0].join_header);
}
END_TEST

// Other script data is emitted, malformed metadata is not.
START_TEST(test_other_script_data) {
  const Buffer cue = flvtest::script("onCuePoint", {{1.0}});
  const Fed fed = fed_of([&](Stream &stream) {
    stream.key(0).aac(0).script(40, cue).script(40, flvtest::script("onMetaData", {{5.0}}));
    stream.script(40, {}).inter(40);
  });
  ck_assert_uint_eq(fed.entries.size(), 5);
  const Bytes script = fed.entries[2].bytes;
  ck_assert(Buffer(script.begin(), script.end()) == whole_tag(TagType::Script, 40, cue));
  ck_assert(!fed.entries[2].is_media());
  ck_assert(header_of(fed).container_header == flvtest::file_header());
}
END_TEST

} // namespace

int main() {
  return flvtest::run("probing", {{test_announced_kinds, std::size(kPromises)},
                                  {test_configuration_without_frames, 2},
                                  {test_late_video},
                                  {test_held_at_the_end},
                                  {test_first},
                                  {test_audio_alone},
                                  {test_metadata_first},
                                  {test_no_metadata},
                                  {test_metadata_changes},
                                  {test_metadata_too_large},
                                  {test_other_script_data}});
}
