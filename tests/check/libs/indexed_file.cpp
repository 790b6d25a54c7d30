// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/seek/indexed_file.h"

#include <algorithm>
#include <cmath>

#include "media.h"
#include "starting.h"

using namespace flvtest::starting;
using flvtest::Clip;
using flvtest::Members;

namespace {

constexpr std::uint32_t kHour = 3'600'000;

Buffer bytes_of(const VirtualFile &file, Bytes stored) {
  return flvtest::joined({file.head, stored.subspan(static_cast<std::size_t>(file.body_offset),
                                                    static_cast<std::size_t>(file.body_size))});
}

Role role_of(const Item &item, Bytes file) {
  return classify(item.tag.type,
                  flvtest::bytes_of(item, file).subspan(kTagHeaderSize, item.tag.data_size))
      .role;
}

bool is_metadata(const Item &item, Bytes file) {
  return item.tag.is_script() &&
         is_on_metadata(flvtest::bytes_of(item, file).subspan(kTagHeaderSize, item.tag.data_size));
}

// The own metadata of a file.
amf0::Value metadata_of(Bytes file) {
  FileProbe probe;
  (void)flvtest::drive(probe, file);
  ck_assert(probe.facts().metadata_tag && probe.facts().metadata_status == Status::Ok);
  return probe.facts().metadata;
}

double number_of(const amf0::Value &object, std::string_view name) {
  const amf0::Value *value = object.find(name);
  ck_assert(value && std::holds_alternative<double>(value->data));
  return std::get<double>(value->data);
}

// The same tags behind one onMetaData.
void check_tags(const Buffer &made, Bytes stored, const VirtualFile &file) {
  const auto before = flvtest::split(stored).tags();
  const auto after = flvtest::split(made).tags();
  ck_assert(is_metadata(after.at(0), made) && after[0].tag.timestamp == 0);
  std::size_t next = 1;
  for (const Item &tag : before) {
    if (tag.begin < file.body_offset && is_metadata(tag, stored)) {
      ck_assert(!file.from_stored(tag.begin));
      continue;
    }
    const Item &same = after.at(next++);
    ck_assert(std::ranges::equal(flvtest::bytes_of(tag, stored), flvtest::bytes_of(same, made)));
    ck_assert(file.to_stored(same.begin) == tag.begin && file.from_stored(tag.begin) == same.begin);
  }
  ck_assert_uint_eq(next, after.size());
  ck_assert(!file.to_stored(0) && !file.to_stored(after[0].begin));
  ck_assert(file.to_stored(made.size()) == stored.size());
  ck_assert(file.from_stored(stored.size()) == made.size());
  ck_assert(!file.to_stored(made.size() + 1) && !file.from_stored(stored.size() + 1));
}

// All keyframes, after the first configuration.
void check_listed(const Buffer &made, const VirtualFile &file) {
  const amf0::Value metadata = metadata_of(made);
  KeyframeIndex listed;
  const IndexFault fault = read_keyframe_index(metadata, made.size(), listed);
  ck_assert_msg(fault.kind == IndexFault::Kind::None, "%s", describe(fault).c_str());
  ck_assert(listed.positions == file.index.positions && listed.times == file.index.times);
  ck_assert(number_of(metadata, "filesize") == static_cast<double>(made.size()));
  ck_assert(std::get<bool>(metadata.find("hasKeyframes")->data));
  std::vector<std::uint64_t> expected;
  std::optional<std::uint64_t> of_video;
  std::optional<std::uint64_t> of_audio;
  for (const Item &tag : flvtest::split(made).tags()) {
    const Role role = role_of(tag, made);
    if (role == Role::KeyFrame)
      expected.push_back(tag.begin);
    auto &configuration = tag.tag.type == TagType::Video ? of_video : of_audio;
    if (role == Role::DecoderConfig && expected.empty() && !configuration)
      configuration = tag.begin;
  }
  ck_assert(!expected.empty());
  const auto configuration = of_video ? of_video : of_audio;
  if (configuration)
    expected.insert(expected.begin(), *configuration);
  ck_assert(listed.positions == expected);
}

void check_points(const IndexedFile &indexed) {
  const auto points = indexed.byte_points();
  const KeyframeIndex &index = indexed.index();
  ck_assert(points.size() >= index.positions.size() + 1);
  ck_assert(points.front() == (BytePoint{0, 0}));
  ck_assert_uint_eq(points.back().position, indexed.size());
  for (std::size_t i = 1; i < points.size(); ++i) {
    ck_assert_uint_lt(points[i - 1].position, points[i].position);
    ck_assert_uint_le(points[i - 1].time, points[i].time);
  }
  for (std::size_t i = 0; i < index.positions.size(); ++i) {
    const BytePoint point{index.positions[i],
                          static_cast<std::uint64_t>(std::llround(index.times[i] * 1000))};
    ck_assert(std::ranges::find(points, point) != points.end());
  }
}

// Players find all start points of the virtual file in it.
void check_virtual(const IndexedFile &indexed, Bytes stored, bool restarts = false) {
  ck_assert(!indexed.reason().empty());
  const VirtualFile &file = *indexed.virtual_file();
  const Buffer made = bytes_of(file, stored);
  ck_assert(made.size() == file.size() && made.size() == indexed.size());
  check_tags(made, stored, file);
  check_listed(made, file);
  check_points(indexed);
  // Its own index is usable. If timestamps restart, those of the tags are not its times.
  if (restarts)
    return;
  IndexedFile again(made.size());
  ck_assert(!flvtest::drive(again, made).endless);
  ck_assert_msg(again.reason().empty(), "%s", again.reason().c_str());
  ck_assert(!again.virtual_file());
  ck_assert(again.index().positions == indexed.index().positions);
  // Times before 0 are listed as 0, so the index alone does not tell the first time.
  const double lost =
      file.index.times.front() == 0 ? indexed.index().times.back() - file.index.times.back() : 0;
  for (std::size_t i = 0; i < again.index().times.size(); ++i)
    ck_assert_double_eq_tol(again.index().times[i], indexed.index().times[i],
                            std::max(lost, 0.0) + 1e-6);
  // Starts.
  SeekPlanner planner(Access::Anywhere, made.size());
  for (std::size_t i = 1; i < file.index.positions.size(); ++i) {
    const std::uint64_t position = file.index.positions[i];
    const Result result = look(planner, made, at(position, Snap::Exact));
    ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
    ck_assert_uint_eq(result.start.position, position);
    ck_assert_uint_eq(result.start.time,
                      static_cast<std::uint64_t>(std::llround(indexed.index().times[i] * 1000)));
  }
}

// Of a file without an own index. The file has one in the end.
void make(IndexedFile &indexed, const char *what, Bytes stored, bool restarts = false) {
  ck_assert(!flvtest::drive(indexed, stored).endless);
  ck_assert_msg(indexed.is_flv() && indexed.virtual_file(), "%s: %s", what,
                indexed.reason().c_str());
  check_virtual(indexed, stored, restarts);
}

// --- Files without an index ---

Stream without_metadata(const Clip &clip = {.duration = 4000}) {
  Stream stream;
  stream.header(clip.audio, clip.video).configs(clip.start);
  flvtest::append_media(stream, clip);
  return stream;
}

Stream behind(const Stream &stream, std::size_t tag, Bytes metadata) {
  Stream out = stream;
  out.bytes = flvtest::inserted(stream.bytes, stream.tags[tag].end,
                                flvtest::whole_tag(TagType::Script, 0, metadata));
  return out;
}

Buffer cut_metadata() {
  Buffer data = flvtest::on_metadata({{"duration", {4.0}}, {"encoder", {std::string("test")}}});
  data.resize(data.size() - 6);
  return data;
}

Stream with_metadata(Bytes data) {
  Stream stream;
  stream.header().script(0, data).configs();
  flvtest::append_media(stream, {.duration = 4000});
  return stream;
}

Stream twice(bool configuration_between) {
  Stream stream;
  stream.header().metadata({{"duration", {1.0}}});
  if (configuration_between)
    stream.configs();
  stream.metadata({{"duration", {2.0}}, {"encoder", {std::string("second")}}});
  if (!configuration_between)
    stream.configs();
  flvtest::append_media(stream, {.duration = 4000});
  return stream;
}

Stream restarted() {
  Stream stream;
  stream.header().metadata().configs();
  for (const std::uint32_t start : {0U, 0U, kHour})
    flvtest::append_media(stream, {.duration = 4000, .start = start});
  return stream;
}

Stream h263() {
  Stream stream;
  stream.header().metadata();
  for (std::uint32_t i = 0; i < 100; ++i)
    stream.video(i * 40, flvtest::h263_frame(i % 10 == 0, 300, i)).audio(i * 40, {});
  return stream;
}

Stream enhanced() {
  using flvtest::Packet;
  Stream stream;
  stream.header().metadata();
  stream.video(0, flvtest::ex_video(1, Packet::SequenceStart, "hvc1", Buffer(30, 7)));
  for (std::uint32_t i = 0; i < 100; ++i)
    stream.video(i * 40, flvtest::ex_video(i % 10 == 0 ? 1 : 2, Packet::CodedFramesX, "hvc1",
                                           flvtest::payload(300, i)));
  return stream;
}

// Audio for so long that the video is not found at the beginning of the file.
Stream late_video() {
  Stream stream;
  stream.header().metadata().audio(0, flvtest::aac_config());
  for (std::uint32_t i = 0; i < 100; ++i)
    stream.aac(i * 20, 10'000);
  stream.video(2000, flvtest::avc_config());
  flvtest::append_media(stream, {.duration = 4000, .start = 2000});
  return stream;
}

Stream stale_index(bool audio_only) {
  return flvtest::indexed(flvtest::media_of({.duration = 4000}), [=](const Stream &stream) {
    if (audio_only)
      return flvtest::entries_of(
          stream, [&](std::size_t i) { return stream.tags[i].type == TagType::Audio; });
    Entries entries = flvtest::key_frames_of(stream);
    for (auto &[position, time] : entries)
      position += 100;
    return entries;
  });
}

Stream wrong_times() {
  return flvtest::indexed(flvtest::media_of({.duration = 8000}), [](const Stream &stream) {
    Entries entries = flvtest::key_frames_of(stream);
    for (auto &[position, time] : entries)
      time *= 5;
    return entries;
  });
}

Buffer with_stream_id(Stream stream) {
  for (const Stream::Tag &tag : stream.tags)
    store_u24(&stream.bytes[tag.begin + 8], 1);
  return stream.bytes;
}

Buffer long_header() {
  const Stream stream = without_metadata();
  Buffer header = flvtest::file_header();
  store_u32(&header[5], 40);
  header.insert(header.begin() + kFileHeaderSize, 31, 0xAB);
  return flvtest::joined(
      {header, Bytes(stream.bytes).subspan(kFileHeaderSize + kPreviousTagSizeSize)});
}

struct Row {
  const char *what;
  Buffer bytes;
};

const Row kFiles[] = {
    {"no onMetaData", without_metadata().bytes},
    {"onMetaData without an index", flvtest::file({.duration = 4000}).bytes},
    {"no audio", flvtest::file({.duration = 4000, .audio = false}).bytes},
    {"one keyframe", flvtest::file({.duration = 400}).bytes},
    {"onMetaData after the configurations",
     behind(without_metadata(), 1, flvtest::on_metadata({{"x", {true}}})).bytes},
    {"onMetaData after some media",
     behind(without_metadata(), 20, flvtest::on_metadata({{"x", {true}}})).bytes},
    {"two onMetaData", twice(false).bytes},
    {"two onMetaData, configurations between them", twice(true).bytes},
    {"onMetaData is cut off", with_metadata(cut_metadata()).bytes},
    {"onMetaData is no object", with_metadata(flvtest::script("onMetaData", {{1.0}})).bytes},
    {"onMetaData has no value", with_metadata(flvtest::script("onMetaData", {})).bytes},
    {"@setDataFrame",
     with_metadata(flvtest::script("@setDataFrame", {{std::string("onMetaData")},
                                                     {amf0::Object{{{"duration", {4.0}}}}}}))
         .bytes},
    {"from an hour", flvtest::file({.duration = 4000, .start = kHour}).bytes},
    {"from -33 ms", flvtest::file({.duration = 4000, .start = 0xFFFFFFDF}).bytes},
    {"timestamps restart", restarted().bytes},
    {"no configurations", h263().bytes},
    {"Enhanced FLV", enhanced().bytes},
    {"video begins late", late_video().bytes},
    {"the index is of another file", stale_index(false).bytes},
    {"the index lists audio", stale_index(true).bytes},
    {"the index has wrong times", wrong_times().bytes},
    {"stream id 1", with_stream_id(flvtest::file({.duration = 4000}))},
    {"a long file header", long_header()},
    {"PreviousTagSize 0", flvtest::with_previous_sizes(flvtest::file({.duration = 4000}), 0)},
    {"wrong header flags", flvtest::overwritten(without_metadata().bytes, 4, Buffer{0})},
};

START_TEST(test_virtual) {
  const Row &row = ROW(kFiles);
  IndexedFile indexed(row.bytes.size());
  make(indexed, row.what, row.bytes, std::string(row.what) == "timestamps restart");
  ck_assert_uint_eq(indexed.virtual_file()->head.at(4),
                    std::string(row.what) == "no audio" ||
                            std::string(row.what) == "Enhanced FLV" ||
                            std::string(row.what) == "no configurations"
                        ? 1
                        : 5);
}
END_TEST

// --- Times ---

START_TEST(test_times) {
  for (const std::uint32_t start : {0U, 40U, kHour}) {
    const Stream stream = flvtest::file({.duration = 4000, .start = start});
    IndexedFile indexed(stream.bytes.size());
    make(indexed, "", stream.bytes);
    const VirtualFile &file = *indexed.virtual_file();
    ck_assert_uint_eq(file.index.times.size(), 11);
    for (std::size_t i = 0; i < file.index.times.size(); ++i) {
      const double since_first = i == 0 ? 0 : 0.4 * static_cast<double>(i - 1);
      ck_assert_double_eq_tol(file.index.times[i], start / 1000.0 + since_first, 1e-9);
      ck_assert_double_eq_tol(indexed.index().times[i], since_first, 1e-9);
    }
    const amf0::Value metadata = metadata_of(file.head);
    ck_assert_double_eq_tol(number_of(metadata, "duration"), 4.0, 0.021);
    ck_assert(indexed.byte_points().back().time ==
              static_cast<std::uint64_t>(std::llround(number_of(metadata, "duration") * 1000)));
  }
}
END_TEST

// Publishers begin before 0, too. The index has no times before 0.
START_TEST(test_times_from_before_zero) {
  const Stream stream = flvtest::file({.duration = 4000, .start = 0U - 33});
  IndexedFile indexed(stream.bytes.size());
  make(indexed, "", stream.bytes);
  const VirtualFile &file = *indexed.virtual_file();
  ck_assert_uint_eq(file.index.times.size(), 11);
  for (std::size_t i = 0; i < file.index.times.size(); ++i) {
    const double since_first = i == 0 ? 0 : 0.4 * static_cast<double>(i - 1);
    ck_assert_double_eq_tol(file.index.times[i], std::max(0.0, since_first - 0.033), 1e-9);
    ck_assert_double_eq_tol(indexed.index().times[i], since_first, 1e-9);
  }
  ck_assert_double_eq_tol(number_of(metadata_of(file.head), "duration"), 4.0, 0.021);
}
END_TEST

// The times continue.
START_TEST(test_restarted_times) {
  const Stream stream = restarted();
  IndexedFile indexed(stream.bytes.size());
  make(indexed, "", stream.bytes, true);
  const KeyframeIndex &index = indexed.index();
  ck_assert_uint_eq(index.times.size(), 31);
  for (std::size_t i = 1; i < index.times.size(); ++i)
    ck_assert_double_eq_tol(index.times[i], 0.4 * static_cast<double>(i - 1), 0.15);
  ck_assert_double_eq_tol(number_of(metadata_of(indexed.virtual_file()->head), "duration"), 12,
                          0.15);
}
END_TEST

// --- The own values of onMetaData ---

START_TEST(test_own_values) {
  Members members{{"duration", {99.0}},
                  {"encoder", {std::string("test")}},
                  {"filesize", {5.0}},
                  {"hasKeyframes", {false}},
                  {"lastkeyframelocation", {5.0}},
                  {"lastkeyframetimestamp", {5.0}},
                  {"custom", {amf0::Object{{{"x", {amf0::Undefined{}}}}}}}};
  Stream stream;
  stream.header().metadata(members).configs();
  flvtest::append_media(stream, {.duration = 4000});
  IndexedFile indexed(stream.bytes.size());
  make(indexed, "", stream.bytes);
  const VirtualFile &file = *indexed.virtual_file();
  amf0::Value made = metadata_of(file.head);
  ck_assert(number_of(made, "lastkeyframelocation") ==
            static_cast<double>(file.index.positions.back()));
  ck_assert(number_of(made, "lastkeyframetimestamp") == file.index.times.back());
  ck_assert(made.members()->at(0).name == "keyframes"); // it was missing
  made.members()->erase(made.members()->begin());
  ck_assert_uint_eq(made.members()->size(), members.size());
  for (std::size_t i = 0; i < members.size(); ++i)
    ck_assert_str_eq(made.members()->at(i).name.c_str(), members[i].name.c_str());
  ck_assert(*made.find("encoder") == members[1].value && *made.find("custom") == members[6].value);
  // A file without them does not get the last two.
  const Stream other = flvtest::file({.duration = 4000});
  IndexedFile plain(other.bytes.size());
  make(plain, "", other.bytes);
  ck_assert(!metadata_of(plain.virtual_file()->head).find("lastkeyframelocation"));
}
END_TEST

// onMetaData that is too large for an index as well.
START_TEST(test_full_metadata) {
  Stream stream;
  stream.header().metadata({{"x", {std::string(kMaxDataSize - 100, 'x')}}}).configs();
  flvtest::append_media(stream, {.duration = 4000});
  IndexedFile indexed(stream.bytes.size());
  make(indexed, "", stream.bytes);
  ck_assert(!metadata_of(indexed.virtual_file()->head).find("x"));
}
END_TEST

// --- Damage ---

START_TEST(test_damage) {
  const Stream stream = flvtest::file({.duration = 8000});
  const Buffer junk = flvtest::payload(5000, 3);
  const Buffer rows[] = {
      Buffer(stream.bytes.begin(), stream.bytes.end() - 7),
      Buffer(stream.bytes.begin(), stream.bytes.end() - 300),
      flvtest::inserted(stream.bytes, stream.tags[100].begin, junk),
      flvtest::overwritten(stream.bytes, stream.tags[100].begin, Buffer(20, 0x55)),
      flvtest::inserted(stream.bytes, stream.tags[100].begin,
                        flvtest::file({.duration = 4000}).bytes),
  };
  for (const Buffer &bytes : rows) {
    IndexedFile indexed(bytes.size());
    ck_assert(!flvtest::drive(indexed, bytes).endless);
    ck_assert(indexed.virtual_file());
    const VirtualFile &file = *indexed.virtual_file();
    const Buffer made = bytes_of(file, bytes);
    const auto tags = flvtest::split(made).tags();
    for (std::size_t i = 1; i < file.index.positions.size(); ++i) {
      const auto tag = std::ranges::find(tags, file.index.positions[i], &Item::begin);
      ck_assert(tag != tags.end() && role_of(*tag, made) == Role::KeyFrame);
    }
    check_points(indexed);
  }
}
END_TEST

// --- Files with a usable index: the stored file ---

void check_stored(const Stream &stream, const Entries &expected) {
  for (const auto policy : {IndexedFile::Policy::Auto, IndexedFile::Policy::Stored}) {
    IndexedFile indexed(stream.bytes.size(), policy);
    const auto reads = flvtest::drive(indexed, stream.bytes);
    ck_assert_uint_lt(reads.count, 100);
    ck_assert_msg(indexed.reason().empty(), "%s", indexed.reason().c_str());
    ck_assert(indexed.is_flv() && !indexed.virtual_file() && !indexed.is_scanning());
    ck_assert_uint_eq(indexed.size(), stream.bytes.size());
    ck_assert_uint_eq(indexed.index().positions.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ck_assert_uint_eq(indexed.index().positions[i], expected[i].first);
      ck_assert_double_eq_tol(indexed.index().times[i], expected[i].second, 1e-6);
    }
    check_points(indexed);
  }
}

START_TEST(test_stored) {
  // As ffmpeg lists it.
  const auto media = flvtest::media_of({.duration = 20'000});
  const Stream plain = flvtest::indexed(media);
  check_stored(plain, flvtest::key_frames_of(plain));
  // As flvmeta and yamdi list it.
  const auto ended = [&](Stream &stream) {
    media(stream);
    stream.video(20'000, flvtest::avc_end());
  };
  const auto pick = [](const Stream &stream) {
    return flvtest::entries_of(stream, [&](std::size_t i) {
      const Role role = flvtest::role_of(stream, i);
      return stream.tags[i].type == TagType::Video &&
             (role == Role::KeyFrame || role == Role::DecoderConfig || role == Role::EndOfSequence);
    });
  };
  const Stream whole = flvtest::indexed(ended, pick);
  Entries expected = pick(whole);
  expected.pop_back();
  check_stored(whole, expected);
}
END_TEST

// The index lists timestamps.
START_TEST(test_stored_from_an_hour) {
  const auto media = flvtest::media_of({.duration = 20'000, .start = kHour});
  const Stream stream = flvtest::indexed(media);
  Entries expected = flvtest::key_frames_of(stream);
  for (auto &[position, time] : expected)
    time -= 3600;
  check_stored(stream, expected);
}
END_TEST

// --- Files that cannot have an index ---

START_TEST(test_policy) {
  const Stream stream = flvtest::file({.duration = 4000});
  IndexedFile indexed(stream.bytes.size(), IndexedFile::Policy::Stored);
  const auto reads = flvtest::drive(indexed, stream.bytes);
  ck_assert_uint_lt(reads.count, 20);
  ck_assert(indexed.is_flv() && !indexed.virtual_file());
  ck_assert_uint_eq(indexed.size(), stream.bytes.size());
  ck_assert(indexed.index().positions.empty() && indexed.byte_points().empty());
  ck_assert_str_eq(indexed.reason().c_str(), "onMetaData has no keyframe index");
}
END_TEST

// An index of audio would help no player.
START_TEST(test_audio_only) {
  for (const bool says_video : {false, true}) {
    Stream stream;
    stream.header(true, says_video).metadata().audio(0, flvtest::aac_config());
    flvtest::append_media(stream, {.duration = 60'000, .video = false});
    IndexedFile indexed(stream.bytes.size());
    (void)flvtest::drive(indexed, stream.bytes);
    ck_assert(indexed.is_flv() && !indexed.virtual_file());
    ck_assert_uint_eq(indexed.size(), stream.bytes.size());
    const KeyframeIndex &index = indexed.index();
    ck_assert_uint_ge(index.positions.size(), 55);
    ck_assert_uint_le(index.positions.size(), 60);
    for (std::size_t i = 1; i < index.times.size(); ++i)
      ck_assert(index.times[i] - index.times[i - 1] >= 1);
    check_points(indexed);
    const std::uint64_t end = indexed.byte_points().back().time;
    ck_assert(end >= 59'900 && end <= 60'100);
  }
}
END_TEST

START_TEST(test_no_start_points) {
  Stream inter;
  inter.header().metadata().configs();
  for (std::uint32_t i = 0; i < 50; ++i)
    inter.inter(i * 40);
  Stream empty;
  empty.header().metadata();
  const Buffer cut(empty.bytes.begin(), empty.bytes.end() - 8);
  const Buffer header = flvtest::file_header();
  for (const Buffer &bytes : {inter.bytes, empty.bytes, cut, header}) {
    IndexedFile indexed(bytes.size());
    ck_assert(!flvtest::drive(indexed, bytes).endless);
    ck_assert(indexed.is_flv() && !indexed.virtual_file() && !indexed.reason().empty());
    ck_assert(indexed.index().positions.empty() && indexed.byte_points().empty());
    ck_assert_uint_eq(indexed.size(), bytes.size());
  }
}
END_TEST

START_TEST(test_not_flv) {
  const Buffer webm{0x1A, 0x45, 0xDF, 0xA3, 0x9F, 0x42, 0x86, 0x81, 1, 0x42, 0xF7};
  for (const Buffer &bytes : {Buffer{}, Buffer{'F', 'L'}, webm}) {
    IndexedFile indexed(bytes.size());
    ck_assert(!flvtest::drive(indexed, bytes).endless);
    ck_assert(!indexed.is_flv() && !indexed.virtual_file() && !indexed.reason().empty());
    ck_assert_uint_eq(indexed.size(), bytes.size());
    ck_assert(indexed.index().positions.empty() && indexed.byte_points().empty());
  }
}
END_TEST

// --- Many keyframes ---

START_TEST(test_many_keyframes) {
  constexpr std::uint32_t kCount = kMaxListedKeyframes + 5000;
  Stream stream;
  stream.header();
  for (std::uint32_t i = 0; i < kCount; ++i)
    stream.video(i * 100, flvtest::h263_frame(true, 4));
  IndexedFile indexed(stream.bytes.size());
  ck_assert(!flvtest::drive(indexed, stream.bytes).endless);
  ck_assert(indexed.virtual_file());
  const KeyframeIndex &index = indexed.virtual_file()->index;
  ck_assert_uint_eq(index.positions.size(), (kCount + 9) / 10);
  for (std::size_t i = 0; i < index.positions.size(); ++i) {
    const auto stored = indexed.virtual_file()->to_stored(index.positions[i]);
    ck_assert(stored == stream.tags[10 * i].begin);
    ck_assert_double_eq_tol(index.times[i], static_cast<double>(i), 1e-6);
  }
}
END_TEST

// --- Real files ---

START_TEST(test_media) {
  const auto &row = ROW(flvtest::kMedia);
  const auto bytes = flvtest::media_file(row.name);
  if (!bytes)
    return;
  IndexedFile indexed(bytes->size());
  ck_assert(!flvtest::drive(indexed, *bytes).endless);
  ck_assert(indexed.is_flv());
  if (indexed.virtual_file()) {
    ck_assert(row.video > 0);
    check_virtual(indexed, *bytes);
  } else if (row.video > 0) {
    ck_assert_msg(indexed.reason().empty(), "%s: %s", row.name, indexed.reason().c_str());
  }
  std::printf("%s: %s, %zu entries; %s\n", row.name, indexed.virtual_file() ? "virtual" : "stored",
              indexed.index().positions.size(), indexed.reason().c_str());
}
END_TEST

} // namespace

int main() {
  return flvtest::run("indexedfile", {{test_virtual, std::size(kFiles)},
                                      {test_times},
                                      {test_times_from_before_zero},
                                      {test_restarted_times},
                                      {test_own_values},
                                      {test_full_metadata},
                                      {test_damage},
                                      {test_stored},
                                      {test_stored_from_an_hour},
                                      {test_policy},
                                      {test_audio_only},
                                      {test_no_start_points},
                                      {test_not_flv},
                                      {test_many_keyframes},
                                      {test_media, std::size(flvtest::kMedia)}});
}
