// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/format/metadata.h"

#include <cmath>

#include "checkrun.h"
#include "flvbuild.h"
#include "media.h"
#include "split.h"

using namespace flv;
using namespace flv::amf0;
using flvtest::Buffer;
using flvtest::Members;
using Kind = IndexFault::Kind;

namespace {

const double kNan = std::nan("");

Value numbers(std::vector<double> items) {
  return items.empty() ? Value{StrictArray{}} : Value{NumberArray{std::move(items)}};
}

Value array(Members members) {
  return {EcmaArray{std::move(members)}};
}

Value object(Members members) {
  return {Object{std::move(members)}};
}

Value with_keyframes(Value keyframes) {
  return array({{"hasKeyframes", {true}}, {"keyframes", std::move(keyframes)}});
}

Value with_index(Value positions, Value times) {
  return with_keyframes(
      object({{"filepositions", std::move(positions)}, {"times", std::move(times)}}));
}

const Value kPositions = numbers({500, 2000, 90000});
const Value kTimes = numbers({0, 0, 2.5});

// --- Classification of script tags as onMetaData ---

Buffer text(std::string_view name, std::uint8_t marker = 2) {
  Buffer out{marker};
  Writer writer(out);
  if (marker == 12)
    writer.u16(0);
  writer.u16(static_cast<std::uint32_t>(name.size()));
  writer.text(name);
  return out;
}

const Buffer kEcma{8,   0, 0,    0,    1, 0, 8, 'd', 'u', 'r', 'a', 't', 'i', 'o',
                   'n', 0, 0x40, 0x24, 0, 0, 0, 0,   0,   0,   0,   0,   9};

const struct {
  const char *what;
  Buffer data;
  bool is;
  Status status;
} kEvents[] = {
    {"plain", flvtest::joined({text("onMetaData"), kEcma}), true, Status::Ok},
    {"@setDataFrame", flvtest::joined({text("@setDataFrame"), text("onMetaData"), kEcma}), true,
     Status::Ok},
    {"AMF3 script tag", flvtest::joined({Buffer{0}, text("onMetaData"), kEcma}), true, Status::Ok},
    {"AMF3 and @setDataFrame",
     flvtest::joined({Buffer{0}, text("@setDataFrame"), text("onMetaData"), kEcma}), true,
     Status::Ok},
    {"padded name", flvtest::joined({text({"onMetaData\0\0", 12}), kEcma}), true, Status::Ok},
    {"no end marker", flvtest::joined({text("onMetaData"), Bytes(kEcma).first(24)}), true,
     Status::Ok},
    {"cut off", flvtest::joined({text("onMetaData"), Bytes(kEcma).first(20)}), true,
     Status::NeedMore},
    {"no value", text("onMetaData"), true, Status::NeedMore},
    {"value is a number", flvtest::joined({text("onMetaData"), Buffer{0, 0, 0, 0, 0, 0, 0, 0, 0}}),
     true, Status::Malformed},
    {"value is null", flvtest::joined({text("onMetaData"), Buffer{5}}), true, Status::Malformed},
    {"unknown marker", flvtest::joined({text("onMetaData"), Buffer{99}}), true, Status::Malformed},
    {"another event", flvtest::joined({text("onCuePoint"), kEcma}), false, Status::Malformed},
    {"longer name", flvtest::joined({text("onMetaData2"), kEcma}), false, Status::Malformed},
    {"shorter name", flvtest::joined({text("onMetaDat"), kEcma}), false, Status::Malformed},
    {"name is a number", {0, 0, 0, 0, 0, 0, 0, 0, 0}, false, Status::Malformed},
    {"name past the end", {2, 0xFF, 0xFF, 'o', 'n'}, false, Status::Malformed},
    {"@setDataFrame alone", text("@setDataFrame"), false, Status::Malformed},
    {"nothing", {}, false, Status::Malformed},
    {"zero", {0}, false, Status::Malformed},
};

START_TEST(test_events) {
  const auto &row = ROW(kEvents);
  ck_assert_msg(is_on_metadata(row.data) == row.is, "%s", row.what);
  Value value;
  const Status status = read_on_metadata(row.data, value);
  ck_assert_msg(status == row.status, "%s", row.what);
  if (status == Status::Ok)
    ck_assert(summarize(value).duration == 10.0);
}
END_TEST

// --- The contents of onMetaData ---

START_TEST(test_summary) {
  const Metadata all = summarize(array({{"duration", {12.5}},
                                        {"filesize", {4096.0}},
                                        {"videodatarate", {700.0}},
                                        {"audiodatarate", {128.0}},
                                        {"videocodecid", {7.0}},
                                        {"audiocodecid", {std::string("Opus")}},
                                        {"encoder", {std::string("Lavf59\0\0", 8)}},
                                        {"metadatacreator", {std::string("yamdi")}}}));
  ck_assert(all.duration == 12.5);
  ck_assert(all.file_size == 4096.0);
  ck_assert(all.video_data_rate == 700.0);
  ck_assert(all.audio_data_rate == 128.0);
  ck_assert(all.video_codec == 7U);
  ck_assert(all.audio_codec == fourcc("Opus"));
  ck_assert(all.encoder == "Lavf59");
  ck_assert(summarize(object({{"metadatacreator", {std::string("yamdi")}}})).encoder == "yamdi");
  ck_assert(summarize(object({{"encoder", {1.0}}})).encoder.empty());
}
END_TEST

// Invalid rates, durations and codecs.
const Value kNonsense[] = {{kNan},   {HUGE_VAL},          {-HUGE_VAL}, {-1.0},      {true},
                           {Null{}}, {std::string("10")}, {Object{}},  numbers({1})};

START_TEST(test_summary_of_nonsense) {
  const Value &value = ROW(kNonsense);
  const Metadata none = summarize(array({{"duration", value},
                                         {"filesize", value},
                                         {"videodatarate", value},
                                         {"audiodatarate", value},
                                         {"videocodecid", value},
                                         {"audiocodecid", value}}));
  ck_assert(!none.duration && !none.file_size);
  ck_assert(!none.video_data_rate && !none.audio_data_rate);
  ck_assert(!none.video_codec && !none.audio_codec && none.encoder.empty());
  ck_assert(!summarize(array({{"duration", {0.0}}})).duration);
  ck_assert(!summarize(array({{"videocodecid", {4294967296.0}}})).video_codec);
  ck_assert(summarize(array({{"videocodecid", {4294967295.0}}})).video_codec == 0xFFFFFFFFU);
  ck_assert(!summarize({1.0}).duration);
}
END_TEST

// --- The keyframe index ---

const struct {
  const char *producer;
  Value metadata;
} kShapes[] = {
    {"ffmpeg", with_index(kPositions, kTimes)},
    {"flvmeta", with_keyframes(object({{"times", kTimes}, {"filepositions", kPositions}}))},
    {"flvmux", with_keyframes(array({{"times", kTimes}, {"filepositions", kPositions}}))},
    {"plain object",
     object({{"keyframes", object({{"filepositions", kPositions}, {"times", kTimes}})}})},
    {"padded names", array({{std::string("keyframes\0", 10),
                             object({{std::string("filepositions\0", 14), kPositions},
                                     {std::string("times\0", 6), kTimes}})}})},
    {"lists as ECMA arrays", with_index(array({{"0", {500.0}}, {"1", {2000.0}}, {"2", {90000.0}}}),
                                        array({{"0", {0.0}}, {"1", {0.0}}, {"2", {2.5}}}))},
};

START_TEST(test_shapes) {
  // Also as the data of a tag.
  Buffer data = text("onMetaData");
  write(data, ROW(kShapes).metadata);
  Value value;
  ck_assert_enum_eq(read_on_metadata(data, value), Status::Ok);
  KeyframeIndex index;
  const IndexFault fault = read_keyframe_index(value, 100'000, index);
  ck_assert_msg(fault.kind == Kind::None, "%s: %s", ROW(kShapes).producer, describe(fault).c_str());
  ck_assert(index.positions == (std::vector<std::uint64_t>{500, 2000, 90000}));
  ck_assert(index.times == (std::vector<double>{0, 0, 2.5}));
}
END_TEST

constexpr std::uint64_t kSize = 100'000;

const struct {
  Value metadata;
  Kind kind;
  const char *text;
} kFaults[] = {
    {{1.0}, Kind::Missing, "onMetaData has no keyframe index"},
    {array({}), Kind::Missing, "onMetaData has no keyframe index"},
    {with_keyframes({1.0}), Kind::Missing, "onMetaData has no keyframe index"},
    {with_keyframes(object({{"times", kTimes}})), Kind::Missing,
     "onMetaData has no keyframe index"},
    {with_keyframes(object({{"filepositions", kPositions}})), Kind::Missing,
     "onMetaData has no keyframe index"},
    {with_index({std::string("500")}, kTimes), Kind::Missing, "onMetaData has no keyframe index"},
    {with_index(kPositions, object({})), Kind::Missing, "onMetaData has no keyframe index"},
    {array({{"times", kTimes}, {"filepositions", kPositions}}), Kind::Missing,
     "onMetaData has no keyframe index"},
    {with_index(numbers({}), numbers({})), Kind::Empty, "the keyframe index has 0 entries"},
    {with_index(array({}), array({})), Kind::Empty, "the keyframe index has 0 entries"},
    {with_index(kPositions, numbers({0, 1})), Kind::Lengths,
     "the keyframe index has 3 positions and 2 times"},
    {with_index(numbers({}), numbers({0})), Kind::Lengths,
     "the keyframe index has 0 positions and 1 times"},
    {with_index(numbers({500, kNan, 9000}), kTimes), Kind::NotANumber,
     "entry 1 of the keyframe index is not a number"},
    {with_index(kPositions, numbers({0, 1, HUGE_VAL})), Kind::NotANumber,
     "entry 2 of the keyframe index is not a number"},
    {with_index({StrictArray{{{std::string("1")}, {2.0}, {3.0}}}}, kTimes), Kind::NotANumber,
     "entry 0 of the keyframe index is not a number"},
    {with_index(numbers({-500, 2000, 9000}), kTimes), Kind::Negative,
     "entry 0 of the keyframe index is negative: -500"},
    {with_index(kPositions, numbers({0, -0.5, 1})), Kind::Negative,
     "entry 1 of the keyframe index is negative: -0.5"},
    {with_index(numbers({500, 500, 9000}), kTimes), Kind::NotAscending,
     "entry 1 of the keyframe index, 500, does not come after 500"},
    {with_index(numbers({500, 9000, 501}), kTimes), Kind::NotAscending,
     "entry 2 of the keyframe index, 501, does not come after 9000"},
    {with_index(numbers({500.25, 500.75, 9000}), kTimes), Kind::NotAscending,
     "entry 1 of the keyframe index, 500, does not come after 500"},
    {with_index(kPositions, numbers({0, 2, 1.5})), Kind::NotAscending,
     "entry 2 of the keyframe index, 1.5, does not come after 2"},
    {with_index(numbers({500, 2000, 100'000}), kTimes), Kind::BeyondTheFile,
     "entry 2 of the keyframe index, position 100000, is beyond the file's 100000 bytes"},
    {with_index(numbers({500, 2e5, 1e300}), kTimes), Kind::BeyondTheFile,
     "entry 1 of the keyframe index, position 200000, is beyond the file's 100000 bytes"},
};

START_TEST(test_index_faults) {
  const auto &row = ROW(kFaults);
  KeyframeIndex index{{7}, {7}};
  const IndexFault fault = read_keyframe_index(row.metadata, kSize, index);
  const std::string text = describe(fault);
  ck_assert_str_eq(text.c_str(), row.text);
  ck_assert_enum_eq(fault.kind, row.kind);
  ck_assert_uint_eq(index.positions.size(), 1);
}
END_TEST

// Without a known file size, a position must still be an exact integer as a double.
START_TEST(test_unknown_size) {
  KeyframeIndex index;
  const double last = 9007199254740991.0;
  const Value good = with_index(numbers({500, 1000.5, last}), kTimes);
  ck_assert_enum_eq(read_keyframe_index(good, 0, index).kind, Kind::None);
  ck_assert(index.positions == (std::vector<std::uint64_t>{500, 1000, 9007199254740991}));
  const Value bad = with_index(numbers({500, 2000, last + 1}), kTimes);
  ck_assert_enum_eq(read_keyframe_index(bad, 0, index).kind, Kind::BeyondTheFile);
  const std::string none = describe(IndexFault{});
  ck_assert_str_eq(none.c_str(), "no fault");
}
END_TEST

// --- The sample files ---

const struct {
  const char *file;
  std::size_t events; // the readable onMetaData events
  double duration;    // of the first one; 0: not present
  const char *encoder;
  std::size_t entries;
} kMediaMetadata[] = {
    {"h264_aac_bbb.flv", 1, 10.08, "Lavf58.76.100", 0},
    {"h264_gstmux_index.flv", 1, 0.94, "GStreamer 1.28.3 FLV muxer", 1},
    {"indexed_small.flv", 1, 6.6, "Lavf58.21.100", 0},
    {"pcm16_only.flv", 2, 0, "GStreamer FLV muxer", 0},
    {"vp6_alpha_xmp.flv", 1, 3.56, "", 0},
    {"cuepoints.flv", 1, 0.666, "", 0},
    {"extended_ts_wrong_flags.flv", 0, 0, "", 0},
    {"no_metadata.flv", 0, 0, "", 0},
};

START_TEST(test_media_metadata) {
  const auto &row = ROW(kMediaMetadata);
  const auto bytes = flvtest::media_file(row.file);
  if (!bytes)
    return;
  std::size_t events = 0;
  Metadata first;
  std::size_t entries = 0;
  for (const Item &tag : flvtest::split(*bytes).tags()) {
    const Bytes data = flvtest::bytes_of(tag, *bytes).subspan(kTagHeaderSize, tag.tag.data_size);
    Value value;
    if (!tag.tag.is_script() || read_on_metadata(data, value) != Status::Ok)
      continue;
    if (events++ == 0)
      first = summarize(value);
    KeyframeIndex index;
    (void)read_keyframe_index(value, bytes->size(), index);
    entries += index.positions.size();
  }
  ck_assert_uint_eq(events, row.events);
  ck_assert_double_eq_tol(first.duration.value_or(0), row.duration, 0.001);
  ck_assert_str_eq(first.encoder.c_str(), row.encoder);
  ck_assert_uint_eq(entries, row.entries);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("metadata", {{test_events, std::size(kEvents)},
                                   {test_summary},
                                   {test_summary_of_nonsense, std::size(kNonsense)},
                                   {test_shapes, std::size(kShapes)},
                                   {test_index_faults, std::size(kFaults)},
                                   {test_unknown_size},
                                   {test_media_metadata, std::size(kMediaMetadata)}});
}
