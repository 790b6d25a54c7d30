// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/seek/file_probe.h"

#include "checkrun.h"
#include "drive.h"
#include "media.h"
#include "split.h"

using namespace flv;
using flvtest::Buffer;
using flvtest::Stream;
using Kind = Fault::Kind;

namespace {

Buffer with_header_size(std::uint32_t size) {
  Buffer bytes = flvtest::file_header();
  store_u32(&bytes[5], size);
  return bytes;
}

// onMetaData with objects nested `depth` levels deep.
Buffer nested(std::size_t depth) {
  Buffer data = flvtest::script("onMetaData", {});
  for (std::size_t i = 0; i < depth; ++i)
    flvtest::append(data, Buffer{3, 0, 1, 'a'});
  return data;
}

const Stream kClip = flvtest::file({.duration = 400});

// --- Files of other formats, and truncated files ---

const struct {
  const char *what;
  Buffer bytes;
  Kind kind;
  std::uint32_t value;
  bool has_header = false;
} kFaults[] = {
    {"empty", {}, Kind::Truncated, 0},
    {"two bytes", {'F', 'L'}, Kind::Truncated, 2},
    {"header cut off", {'F', 'L', 'V', 1, 5, 0, 0, 0}, Kind::Truncated, 8},
    {"no PreviousTagSize0", Buffer(kClip.bytes.begin(), kClip.bytes.begin() + 12), Kind::Truncated,
     12},
    {"another kind", flvtest::payload(64), Kind::Signature, load_u24(flvtest::payload(3).data())},
    {"three bytes of another kind", {'G', 'I', 'F'}, Kind::Signature, 0x474946},
    {"version", {'F', 'L', 'V', 9, 5, 0, 0, 0, 9, 0, 0, 0, 0}, Kind::Version, 9},
    {"short header", with_header_size(8), Kind::HeaderLength, 8},
    {"long header", with_header_size(0xFFFFFFFF), Kind::HeaderLength, 0xFFFFFFFF},
    {"long header cut off", with_header_size(100), Kind::Truncated, 13},
    {"onMetaData cut off", Buffer(kClip.bytes.begin(), kClip.bytes.begin() + 40), Kind::Truncated,
     27, true},
};

START_TEST(test_faults) {
  const auto &row = ROW(kFaults);
  FileProbe opening;
  const auto reads = flvtest::drive(opening, row.bytes);
  ck_assert_msg(opening.fault().kind == row.kind, "%s", row.what);
  ck_assert_msg(opening.fault().value == row.value, "%s: %u", row.what, opening.fault().value);
  ck_assert_msg(opening.has_header() == row.has_header, "%s", row.what);
  ck_assert_uint_le(reads.count, 4);
}
END_TEST

// --- The start of a file ---

FileFacts open(Bytes file) {
  FileProbe opening;
  const auto reads = flvtest::drive(opening, file);
  ck_assert(!reads.endless);
  ck_assert_enum_eq(opening.fault().kind, Kind::None);
  return opening.take();
}

const struct {
  const char *what;
  bool says_audio, says_video, audio, video;
} kKinds[] = {
    {"both", true, true, true, true},
    {"audio", true, false, true, false},
    {"video", false, true, false, true},
    {"header says nothing", false, false, true, true},
    {"header says video, there is audio", false, true, true, false},
    {"header says both, there is video", true, true, false, true},
};

START_TEST(test_kinds) {
  const auto &row = ROW(kKinds);
  Stream stream;
  stream.header(row.says_audio, row.says_video).metadata();
  flvtest::append_media(stream, {.duration = 400, .audio = row.audio, .video = row.video});
  const FileFacts facts = open(stream.bytes);
  ck_assert_msg(facts.audio_seen == row.audio && facts.video_seen == row.video, "%s", row.what);
  const bool right = row.says_audio == row.audio && row.says_video == row.video;
  ck_assert_msg(facts.is_whole() != right, "%s", row.what);
}
END_TEST

START_TEST(test_facts) {
  const FileFacts facts = open(kClip.bytes);
  ck_assert(facts.header_bytes == Buffer(kClip.bytes.begin(), kClip.bytes.begin() + 13));
  ck_assert_uint_eq(facts.first_tag(), 13);
  ck_assert(facts.metadata_tag && facts.metadata_tag->position == 13);
  ck_assert_enum_eq(facts.metadata_status, Status::Ok);
  ck_assert(summarize(facts.metadata).duration == 0.4);
  ck_assert_uint_eq(facts.configurations.size(), 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const PlacedTag &tag = facts.configurations[i];
    ck_assert_uint_eq(tag.position, kClip.tags[i + 1].begin);
    const Bytes expected = kClip.at(i + 1);
    ck_assert(tag.bytes == Buffer(expected.begin(), expected.end()));
    ck_assert_uint_eq(tag.data().size(), expected.size() - 15);
  }
  ck_assert_uint_eq(facts.end, kClip.tags[5].begin);
}
END_TEST

// A truncated keyframe, a truncated configuration, and an invalid tag.
START_TEST(test_ends) {
  const std::size_t config = kClip.tags[1].begin;
  for (const std::size_t left : {0U, 5U, 11U, 20U}) {
    const FileFacts facts = open(Bytes(kClip.bytes).first(config + left));
    ck_assert(facts.is_whole() && facts.configurations.empty() && facts.metadata_tag);
  }
  const FileFacts damaged = open(flvtest::overwritten(kClip.bytes, config, Buffer{0x55}));
  ck_assert(!damaged.is_whole() && damaged.configurations.empty());
  ck_assert_uint_eq(damaged.end, config);
}
END_TEST

START_TEST(test_enhanced) {
  using flvtest::Packet;
  Stream stream;
  stream.header()
      .metadata()
      .video(0, flvtest::ex_video(1, Packet::SequenceStart, "hvc1", flvtest::payload(300)))
      .video(0, flvtest::ex_video(5, Packet::Metadata, "hvc1", Buffer{1}))
      .audio(0, flvtest::ex_audio(Packet::SequenceStart, "Opus", Buffer{2}))
      .video(0, flvtest::ex_command(0))
      .video(0, flvtest::ex_video(1, Packet::CodedFramesX, "hvc1", flvtest::payload(50)))
      .audio(0, flvtest::ex_audio(Packet::CodedFrames, "Opus", flvtest::payload(50)));
  const FileFacts facts = open(stream.bytes);
  ck_assert_uint_eq(facts.configurations.size(), 3);
  ck_assert(facts.audio_seen && facts.video_seen);
  const FileFacts before = open(Bytes(stream.bytes).first(stream.tags[5].begin));
  ck_assert(!before.audio_seen && !before.video_seen);
}
END_TEST

// --- Tags without data, and timestamps that do not start at 0 ---

const struct {
  const char *what;
  TagType type;
  std::size_t at; // the empty tag is before this media tag
} kEmptyTags[] = {
    {"video, first", TagType::Video, 0},  {"video, second", TagType::Video, 1},
    {"video, later", TagType::Video, 20}, {"audio, first", TagType::Audio, 0},
    {"audio, later", TagType::Audio, 20},
};

START_TEST(test_empty_tags) {
  const auto &row = ROW(kEmptyTags);
  const bool audio = row.type == TagType::Video;
  for (const unsigned times : {1U, 2U, 50U}) {
    const Stream media = flvtest::file({.duration = 2000, .audio = audio, .video = !audio});
    Buffer bytes = flvtest::file_header();
    for (std::size_t i = 0; i < media.tags.size(); ++i) {
      for (unsigned empty = 0; empty < times && i == row.at + 2; ++empty)
        flvtest::append(bytes, flvtest::whole_tag(row.type, media.tags[i].timestamp, {}));
      flvtest::append(bytes, media.at(i));
    }
    const FileFacts facts = open(bytes);
    ck_assert_msg(facts.audio_seen == audio && facts.video_seen == !audio, "%s", row.what);
    ck_assert_msg(facts.is_whole() && facts.has_video() == !audio, "%s", row.what);
  }
}
END_TEST

// A long file is not read to its end. Only the file header announces video.
START_TEST(test_long_audio) {
  for (const bool claims : {false, true}) {
    Stream stream;
    stream.header().metadata({{"hasVideo", {claims}}}).audio(0, flvtest::aac_config());
    stream.aac(0).video(0, {});
    for (std::uint32_t i = 0; i < 2000; ++i)
      stream.aac(i * 20, 1000);
    const FileFacts facts = open(stream.bytes);
    ck_assert(facts.audio_seen && !facts.video_seen && !facts.is_whole());
    ck_assert(facts.has_video() == claims);
  }
}
END_TEST

START_TEST(test_first_timestamp) {
  for (const std::uint32_t first : {0U, 40U, 3'600'000U, 0xFFFFFFDFU}) {
    Stream stream;
    stream.header().metadata().video(0, {}).configs(7).aac(first).key(first + 20);
    const FileFacts facts = open(stream.bytes);
    ck_assert(facts.first_timestamp() == first);
    ck_assert_uint_eq(facts.tags.size(), 5);
    ck_assert(facts.tags.back().is_media && !facts.tags.front().is_media);
  }
  ck_assert(!open(flvtest::file_header()).first_timestamp());
}
END_TEST

START_TEST(test_stream_ids) {
  for (const std::uint32_t id : {0U, 1U, 5U}) {
    Buffer bytes = kClip.bytes;
    for (const Stream::Tag &tag : kClip.tags)
      store_u24(&bytes[tag.begin + 8], id);
    const FileFacts facts = open(bytes);
    ck_assert(facts.metadata_tag && facts.audio_seen && facts.video_seen);
    ck_assert_uint_eq(facts.configurations.size(), 2);
    for (const std::uint32_t other : {0U, 1U, 5U}) {
      const TagHeader header{.type = TagType::Video, .stream_id = other};
      ck_assert(facts.stream_ids.accepts(header) == (other == id));
    }
  }
}
END_TEST

// --- onMetaData ---

const struct {
  const char *what;
  Buffer data;
  Status status;
} kMetadata[] = {
    {"good", flvtest::on_metadata({{"duration", {1.0}}}), Status::Ok},
    {"empty", flvtest::on_metadata({}), Status::Ok},
    {"with @setDataFrame",
     flvtest::joined({flvtest::script("@setDataFrame", {}), flvtest::on_metadata({})}), Status::Ok},
    {"a number", flvtest::script("onMetaData", {{5.0}}), Status::Malformed},
    {"nothing", flvtest::script("onMetaData", {}), Status::NeedMore},
    {"cut off inside", flvtest::joined({flvtest::script("onMetaData", {}), Buffer{2, 0, 9}}),
     Status::NeedMore},
    {"a million objects deep", nested(1'000'000), Status::Malformed},
    {"count of 2^32-1",
     flvtest::joined({flvtest::script("onMetaData", {}), Buffer{8, 255, 255, 255, 255, 0, 0, 9}}),
     Status::Ok},
};

START_TEST(test_metadata) {
  const auto &row = ROW(kMetadata);
  Stream stream;
  stream.header().script(0, row.data).configs().key(0).aac(0);
  const FileFacts facts = open(stream.bytes);
  ck_assert_msg(facts.metadata_tag.has_value(), "%s", row.what);
  ck_assert_msg(facts.metadata_status == row.status, "%s", row.what);
  ck_assert_msg(facts.configurations.size() == 2, "%s", row.what);
}
END_TEST

// Data after onMetaData: the last onMetaData counts, but it cannot remove the index, and an
// unreadable one does not count.
START_TEST(test_several_metadata) {
  const Buffer indexed = flvtest::on_metadata(flvtest::index_members({{100, 0}}));
  const Buffer plain = flvtest::on_metadata({{"duration", {2.0}}});
  const Buffer bad = flvtest::script("onMetaData", {{5.0}});
  const struct {
    std::vector<Buffer> tags;
    std::size_t counts;
  } rows[] = {{{plain, indexed}, 1}, {{indexed, plain}, 0}, {{plain, bad}, 0},
              {{bad, plain}, 1},     {{plain, plain}, 1},   {{indexed, indexed, plain}, 1}};
  for (const auto &row : rows) {
    Stream stream;
    stream.header();
    for (const Buffer &tag : row.tags)
      stream.script(0, tag);
    stream.configs().key(0).aac(0);
    const FileFacts facts = open(stream.bytes);
    ck_assert_uint_eq(facts.metadata_tag->position, stream.tags[row.counts].begin);
    ck_assert_enum_eq(facts.metadata_status, Status::Ok);
  }
}
END_TEST

// Command frames and audio before onMetaData, up to a limit.
START_TEST(test_late_metadata) {
  for (const std::size_t before : {1000U, 60'000U, 70'000U}) {
    Stream stream;
    stream.header().script(0, flvtest::script("|RtmpSampleAccess", {{true}})).configs();
    stream.aac(0, before - 200).key(0, 100).metadata().key(40).aac(50);
    const FileFacts facts = open(stream.bytes);
    ck_assert(facts.metadata_tag.has_value() == (before < FileProbe::kMaxMediaBeforeMetadata));
    ck_assert_uint_eq(facts.configurations.size(), 2);
  }
}
END_TEST

// --- The amount of data read ---

const struct {
  const char *what;
  Buffer header;
  Buffer tag;
} kEndless[] = {
    {"audio, and video announced", flvtest::file_header(),
     flvtest::whole_tag(TagType::Audio, 0, flvtest::aac_frame(100))},
    {"nothing announced", flvtest::file_header(false, false),
     flvtest::whole_tag(TagType::Audio, 0, flvtest::aac_frame(1000))},
    {"configurations", flvtest::file_header(),
     flvtest::whole_tag(TagType::Video, 0,
                        flvtest::joined({flvtest::avc_config(), Buffer(50'000, 1)}))},
    {"empty script tags", flvtest::file_header(), flvtest::whole_tag(TagType::Script, 0, {})},
    {"onMetaData", flvtest::file_header(),
     flvtest::whole_tag(TagType::Script, 0,
                        flvtest::on_metadata({{"x", {std::string(5000, 'x')}}}))},
};

START_TEST(test_bounded) {
  const auto &row = ROW(kEndless);
  Buffer bytes = row.header;
  while (bytes.size() < (8U << 20))
    flvtest::append(bytes, row.tag);
  FileProbe opening;
  const auto reads = flvtest::drive(opening, bytes);
  ck_assert_msg(reads.bytes < (2U << 20) && opening.facts().end < (4U << 20),
                "%s: %zu bytes read, up to %zu", row.what, static_cast<std::size_t>(reads.bytes),
                static_cast<std::size_t>(opening.facts().end));
}
END_TEST

START_TEST(test_little_is_read) {
  Stream stream = flvtest::file({.duration = 20'000});
  FileProbe opening;
  const auto reads = flvtest::drive(opening, stream.bytes);
  ck_assert_uint_le(reads.count, 10);
  ck_assert_uint_le(reads.bytes, 1024);
}
END_TEST

// --- Real files ---

START_TEST(test_media) {
  const auto &row = ROW(flvtest::kMedia);
  const auto bytes = flvtest::media_file(row.name);
  if (!bytes)
    return;
  const FileFacts facts = open(*bytes);
  ck_assert_msg(facts.audio_seen == (row.audio > 0), "%s", row.name);
  ck_assert_msg(facts.video_seen == (row.video > 0), "%s", row.name);
  if (row.script == 0)
    ck_assert_msg(!facts.metadata_tag, "%s", row.name);
  if (facts.metadata_tag)
    ck_assert_msg(facts.metadata_status == Status::Ok && facts.metadata.members(), "%s", row.name);
  for (const PlacedTag &tag : facts.configurations)
    ck_assert(classify(tag.header.type, tag.data()).role == Role::DecoderConfig);
}
END_TEST

START_TEST(test_not_flv) {
  const auto bytes = flvtest::media_file(flvtest::kNotFlv);
  if (!bytes)
    return;
  FileProbe opening;
  ck_assert_uint_eq(flvtest::drive(opening, *bytes).count, 2);
  ck_assert_enum_eq(opening.fault().kind, Kind::Signature);
  ck_assert_str_eq(opening.looks_like().c_str(), ", and looks like WebM");
}
END_TEST

} // namespace

int main() {
  return flvtest::run("opening", {{test_faults, std::size(kFaults)},
                                  {test_kinds, std::size(kKinds)},
                                  {test_facts},
                                  {test_ends},
                                  {test_enhanced},
                                  {test_empty_tags, std::size(kEmptyTags)},
                                  {test_long_audio},
                                  {test_first_timestamp},
                                  {test_stream_ids},
                                  {test_metadata, std::size(kMetadata)},
                                  {test_several_metadata},
                                  {test_late_metadata},
                                  {test_bounded, std::size(kEndless)},
                                  {test_little_is_read},
                                  {test_media, std::size(flvtest::kMedia)},
                                  {test_not_flv}});
}
