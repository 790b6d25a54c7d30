// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/stream/stream_header.h"

#include "checkrun.h"
#include "flvbuild.h"
#include "media.h"
#include "split.h"

using namespace flv;
using flvtest::Buffer;
using flvtest::Multitrack;
using flvtest::Packet;
using Change = StreamHeader::Change;

namespace {

constexpr auto kAudio = TagType::Audio;
constexpr auto kVideo = TagType::Video;
constexpr auto kScript = TagType::Script;

Change note(StreamHeader &head, Bytes tag) {
  TagHeader header;
  ck_assert_enum_eq(read_tag_header(tag.data(), kMaxDataSize, header).kind, Fault::Kind::None);
  return head.note(header, classify(header.type, tag.subspan(kTagHeaderSize, header.data_size)),
                   tag);
}

Change note(StreamHeader &head, TagType type, std::uint32_t timestamp, Bytes data) {
  return note(head, flvtest::whole_tag(type, timestamp, data));
}

void check_parts(const StreamHeader &head, const std::vector<Buffer> &expected) {
  const auto parts = head.parts();
  ck_assert_uint_eq(parts.size(), expected.size());
  for (std::size_t i = 0; i < parts.size(); ++i)
    ck_assert(*parts[i] == expected[i]);
}

Buffer video(Bytes data, std::uint32_t timestamp = 0) {
  return flvtest::whole_tag(kVideo, timestamp, data);
}

Buffer audio(Bytes data, std::uint32_t timestamp = 0) {
  return flvtest::whole_tag(kAudio, timestamp, data);
}

Buffer metadata(double duration) {
  return flvtest::whole_tag(kScript, 0, flvtest::on_metadata({{"duration", {duration}}}));
}

START_TEST(test_order) {
  StreamHeader head;
  check_parts(head, {});
  // Header and metadata come first, in any order of arrival; configurations are in the order of
  // arrival.
  ck_assert_enum_eq(note(head, audio(flvtest::aac_config())), Change::Changed);
  ck_assert_enum_eq(note(head, video(flvtest::avc_config())), Change::Changed);
  ck_assert_enum_eq(note(head, metadata(5)), Change::Changed);
  head.set_file_header(flvtest::file_header());
  const std::vector<Buffer> expected{flvtest::file_header(), metadata(5),
                                     audio(flvtest::aac_config()), video(flvtest::avc_config())};
  check_parts(head, expected);
  head.clear();
  check_parts(head, {});
}
END_TEST

const struct {
  const char *what;
  TagType type;
  Buffer data;
} kNoPart[] = {
    {"key frame", kVideo, flvtest::avc_frame(true, 50)},
    {"end of sequence", kVideo, flvtest::avc_end()},
    {"command", kVideo, {0x57, 0}},
    {"AAC frame", kAudio, flvtest::aac_frame(50)},
    {"cue point", kScript, flvtest::script("onCuePoint", {{amf0::Object{}}})},
    {"script without data", kScript, {}},
    {"video without data", kVideo, {}},
    {"enhanced frame", kVideo, flvtest::ex_video(1, Packet::CodedFrames, "hvc1", {})},
    {"enhanced end", kAudio, flvtest::ex_audio(Packet::SequenceEnd, "Opus", {})},
};

START_TEST(test_no_part) {
  StreamHeader head;
  ck_assert_msg(note(head, ROW(kNoPart).type, 0, ROW(kNoPart).data) == Change::None, "%s",
                ROW(kNoPart).what);
  check_parts(head, {});
}
END_TEST

// A repetition changes nothing, whatever its timestamp and PreviousTagSize.
START_TEST(test_repeated) {
  StreamHeader head;
  const std::vector<Buffer> first{metadata(5), video(flvtest::avc_config()),
                                  audio(flvtest::aac_config())};
  for (const Buffer &tag : first)
    ck_assert_enum_eq(note(head, tag), Change::Changed);
  for (Buffer tag : first) {
    store_timestamp(tag.data(), 123456);
    store_u32(&tag[tag.size() - 4], 0);
    ck_assert_enum_eq(note(head, tag), Change::Repeated);
    ck_assert_enum_eq(note(head, Bytes(tag).first(tag.size() - 4)), Change::Repeated);
  }
  check_parts(head, first);
}
END_TEST

START_TEST(test_changed) {
  StreamHeader head;
  for (std::uint8_t variant = 0; variant < 5; ++variant) {
    ck_assert_enum_eq(note(head, metadata(variant)), Change::Changed);
    ck_assert_enum_eq(note(head, video(flvtest::avc_config(variant), variant)), Change::Changed);
    ck_assert_enum_eq(note(head, audio(flvtest::aac_config(variant), variant)), Change::Changed);
  }
  check_parts(head,
              {metadata(4), video(flvtest::avc_config(4), 4), audio(flvtest::aac_config(4), 4)});
}
END_TEST

// Every kind of configuration is stored separately.
START_TEST(test_enhanced) {
  StreamHeader head;
  const std::vector<Buffer> all{
      video(flvtest::ex_video(1, Packet::SequenceStart, "hvc1", Buffer{1})),
      video(flvtest::ex_video(5, Packet::Metadata, "hvc1", Buffer{2})),
      audio(flvtest::ex_audio(Packet::SequenceStart, "Opus", Buffer{3})),
      audio(flvtest::ex_audio(Packet::MultichannelConfig, "Opus", Buffer{4})),
  };
  for (const Buffer &tag : all)
    ck_assert_enum_eq(note(head, tag), Change::Changed);
  check_parts(head, all);
  for (const Buffer &tag : all)
    ck_assert_enum_eq(note(head, tag), Change::Repeated);
  const Buffer hdr = video(flvtest::ex_video(5, Packet::Metadata, "hvc1", Buffer{9}));
  ck_assert_enum_eq(note(head, hdr), Change::Changed);
  check_parts(head, {all[0], all[2], all[3], hdr});
}
END_TEST

Buffer tracks(const std::vector<std::uint8_t> &ids, std::uint8_t body,
              Packet packet = Packet::SequenceStart) {
  std::vector<flvtest::Track> list;
  for (const std::uint8_t id : ids)
    list.push_back({id, "hvc1", {body}});
  return video(flvtest::multitrack(1, packet, Multitrack::ManyTracks, list));
}

// A configuration replaces those configurations whose tracks it all has, and no others.
START_TEST(test_multitrack) {
  StreamHeader head;
  const Buffer both = tracks({1, 2}, 7);
  const Buffer one = tracks({1}, 8);
  const Buffer other = tracks({3}, 8);
  const Buffer plain = video(flvtest::avc_config());
  for (const Buffer &tag : {both, one, other, plain})
    ck_assert_enum_eq(note(head, tag), Change::Changed);
  check_parts(head, {both, one, other, plain});
  const Buffer hdr = tracks({1, 2}, 7, Packet::Metadata);
  ck_assert_enum_eq(note(head, hdr), Change::Changed);
  const Buffer all = tracks({1, 2, 3}, 9);
  ck_assert_enum_eq(note(head, all), Change::Changed);
  check_parts(head, {plain, hdr, all});
  // A tag that is not multitrack has track 0.
  const Buffer zero = tracks({0}, 9);
  ck_assert_enum_eq(note(head, zero), Change::Changed);
  check_parts(head, {hdr, all, zero});
}
END_TEST

// A tag that repeats a partly replaced configuration is not a repetition.
START_TEST(test_repeated_after_a_part) {
  StreamHeader head;
  const Buffer both = tracks({1, 2}, 7);
  const Buffer one = tracks({1}, 8);
  ck_assert_enum_eq(note(head, both), Change::Changed);
  ck_assert_enum_eq(note(head, one), Change::Changed);
  ck_assert_enum_eq(note(head, one), Change::Repeated);
  ck_assert_enum_eq(note(head, both), Change::Changed);
  check_parts(head, {both});
}
END_TEST

std::size_t size_of(const StreamHeader &head) {
  std::size_t size = 0;
  for (const flv::SharedBytes &part : head.parts())
    size += part->size();
  return size;
}

START_TEST(test_large_configurations) {
  StreamHeader head;
  const Buffer small = video(flvtest::avc_config());
  ck_assert_enum_eq(note(head, small), Change::Changed);
  const Buffer huge =
      flvtest::ex_video(5, Packet::Metadata, "hvc1", Buffer(StreamHeader::kMaxConfigurations));
  ck_assert_enum_eq(note(head, kVideo, 0, huge), Change::None);
  check_parts(head, {small});
  // If the total is too large, the last configurations are kept.
  for (std::uint8_t id = 1; id < 20; ++id) {
    const Buffer data = flvtest::multitrack(1, Packet::SequenceStart, Multitrack::OneTrack,
                                            {{id, "hvc1", Buffer(100'000)}});
    ck_assert_enum_eq(note(head, kVideo, 0, data), Change::Changed);
    ck_assert_uint_le(size_of(head), StreamHeader::kMaxConfigurations);
  }
  ck_assert_uint_eq(head.parts().size(), 10);
  ck_assert_uint_eq(head.parts().back()->at(kTagHeaderSize + 6), 19);
  // A replaced configuration frees its space.
  head.clear();
  for (std::uint8_t value = 0; value < 5; ++value) {
    ck_assert_enum_eq(note(head, audio(flvtest::aac_config(value))), Change::Changed);
    const Buffer data = flvtest::ex_video(1, Packet::SequenceStart, "hvc1", Buffer(600'000, value));
    ck_assert_enum_eq(note(head, kVideo, 0, data), Change::Changed);
    ck_assert_uint_eq(head.parts().size(), 2);
  }
}
END_TEST

// Unrealistic tracks: each new set of them is a new configuration.
START_TEST(test_many_configurations) {
  StreamHeader head;
  for (unsigned i = 0; i < 20'000; ++i) {
    const auto a = static_cast<std::uint8_t>(i);
    const auto b = static_cast<std::uint8_t>(i / 256 + i + 1);
    (void)note(head, tracks({a, b}, 1));
    ck_assert_uint_le(head.parts().size(), StreamHeader::kMaxParts);
  }
}
END_TEST

// The head of a real file has its last metadata and its last configurations.
const struct {
  const char *file;
  std::size_t parts;
  unsigned changed;
} kMediaHeads[] = {
    {"h264_aac_bbb.flv", 4, 3},      {"h264_speex_many_configs.flv", 3, 2},
    {"enhanced_av1_opus.flv", 6, 6}, {"cuepoints.flv", 2, 1},
    {"no_metadata.flv", 3, 2},       {"pcm16_only.flv", 2, 2},
};

START_TEST(test_media_heads) {
  const auto &row = ROW(kMediaHeads);
  const auto bytes = flvtest::media_file(row.file);
  if (!bytes)
    return;
  StreamHeader head;
  unsigned changed = 0;
  for (const Item &item : flvtest::split(*bytes).items) {
    const Bytes tag = flvtest::bytes_of(item, *bytes);
    if (item.kind == Item::Kind::FileHeader)
      head.set_file_header(tag);
    else
      changed += note(head, tag) == Change::Changed;
  }
  ck_assert_uint_eq(head.parts().size(), row.parts);
  ck_assert_uint_eq(changed, row.changed);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("head", {{test_order},
                               {test_no_part, std::size(kNoPart)},
                               {test_repeated},
                               {test_changed},
                               {test_enhanced},
                               {test_multitrack},
                               {test_repeated_after_a_part},
                               {test_large_configurations},
                               {test_many_configurations},
                               {test_media_heads, std::size(kMediaHeads)}});
}
