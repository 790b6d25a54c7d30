// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/seek/keyframe_search.h"

#include "checkrun.h"
#include "drive.h"
#include "media.h"

using namespace flv;
using flvtest::Buffer;
using flvtest::Packet;
using flvtest::Stream;
using Kind = StartFault::Kind;
using Measure = StartRequest::Measure;

namespace {

// --- The tag at the position of an entry ---

using Tags = std::vector<std::pair<TagType, Buffer>>;

constexpr auto kAudio = TagType::Audio;
constexpr auto kVideo = TagType::Video;
constexpr auto kScript = TagType::Script;

const std::pair<TagType, Buffer> kKey{kVideo, flvtest::avc_frame(true, 60)};
const std::pair<TagType, Buffer> kInter{kVideo, flvtest::avc_frame(false, 60)};
const std::pair<TagType, Buffer> kConfig{kVideo, flvtest::avc_config()};
const std::pair<TagType, Buffer> kEnd{kVideo, flvtest::avc_end()};
const std::pair<TagType, Buffer> kSound{kAudio, flvtest::aac_frame(60)};
const std::pair<TagType, Buffer> kSoundConfig{kAudio, flvtest::aac_config()};
const std::pair<TagType, Buffer> kText{kScript, flvtest::script("onCuePoint", {{true}})};

Tags times(std::size_t count, const std::pair<TagType, Buffer> &tag) {
  return Tags(count, tag);
}

Tags chain(std::initializer_list<Tags> parts) {
  Tags tags;
  for (const Tags &part : parts)
    tags.insert(tags.end(), part.begin(), part.end());
  return tags;
}

constexpr int kNone = -1;

// Which of the tags is the place, if the entry has the position of the first tag.
const struct {
  const char *what;
  Tags tags;
  bool has_video;
  int place;
} kPointed[] = {
    {"key frame", {kKey}, true, 0},
    {"inter frame", {kInter, kKey}, true, kNone},
    {"sequence header", {kConfig, kKey}, true, 1},
    {"sequence header and audio's", {kConfig, kSoundConfig, kSound, kKey}, true, 3},
    {"sequence header, cue point, key frame", {kConfig, kText, kKey}, true, 2},
    {"audio's sequence header", {kSoundConfig, kConfig, kKey}, true, 2},
    {"sequence header and nothing", {kConfig}, true, kNone},
    {"sequence header and the end of sequence", {kConfig, kEnd, kKey}, true, kNone},
    {"end of sequence", {kEnd, kKey}, true, kNone},
    {"audio", {kSound, kKey}, true, kNone},
    {"script", {kText, kKey}, true, kNone},
    {"command", {{kVideo, Buffer{0x57, 0}}, kKey}, true, kNone},
    {"H.263 key frame", {{kVideo, flvtest::h263_frame(true, 60)}}, true, 0},
    {"H.263 inter frame", {{kVideo, flvtest::h263_frame(false, 60)}}, true, kNone},
    {"enhanced key frame",
     {{kVideo, flvtest::ex_video(1, Packet::CodedFramesX, "hvc1", flvtest::payload(60))}},
     true,
     0},
    {"enhanced sequence start",
     {{kVideo, flvtest::ex_video(1, Packet::SequenceStart, "hvc1", flvtest::payload(60))}, kKey},
     true,
     1},
    {"enhanced sequence end",
     {{kVideo, flvtest::ex_video(1, Packet::SequenceEnd, "hvc1", {})}, kKey},
     true,
     kNone},
    {"HDR metadata",
     {{kVideo, flvtest::ex_video(5, Packet::Metadata, "hvc1", flvtest::payload(60))}, kKey},
     true,
     1},
    {"multitrack key frame",
     {{kVideo, flvtest::multitrack(1, Packet::CodedFrames, flvtest::Multitrack::ManyTracks,
                                   {{0, "hvc1", flvtest::payload(60)}, {1, "hvc1", Buffer(9)}})}},
     true,
     0},
    {"video without data", {{kVideo, {}}, kKey}, true, kNone},
    {"audio in an audio file", {kSound}, false, 0},
    {"audio's sequence header in an audio file", {kSoundConfig, kSound}, false, 1},
    {"script in an audio file", {kText, kSound}, false, kNone},
    {"audio up to the key frame", chain({{kConfig}, times(60, kSound), {kKey}}), true, 61},
    {"configurations without end", chain({times(100, kConfig), {kKey}}), true, kNone},
    {"nothing", {}, true, kNone},
};

START_TEST(test_entry) {
  const auto &row = ROW(kPointed);
  Stream stream;
  stream.header();
  const std::size_t begin = stream.bytes.size();
  for (std::size_t i = 0; i < row.tags.size(); ++i)
    stream.tag(row.tags[i].first, static_cast<std::uint32_t>(1000 + i), row.tags[i].second);
  std::optional<SeekPoint> expected;
  if (row.place != kNone)
    expected = SeekPoint{stream.tags[static_cast<std::size_t>(row.place)].begin,
                         static_cast<std::uint32_t>(1000 + row.place)};
  for (const std::size_t size : {std::size_t{0}, stream.bytes.size()}) {
    EntryCheck check(begin, row.has_video, size);
    const auto reads = flvtest::drive(check, stream.bytes);
    ck_assert_msg(check.place() == expected, "%s", row.what);
    ck_assert_uint_le(reads.count, 65);
    ck_assert_uint_le(reads.bytes, 65 * 48);
  }
}
END_TEST

// At every byte except the first there is no tag. The last tag may lack its PreviousTagSize, but
// nothing else.
START_TEST(test_entry_off) {
  Stream stream;
  stream.header().key(40).key(80);
  const std::uint64_t second = stream.tags[1].begin;
  for (std::uint64_t at = second - 8; at < stream.bytes.size() + 20; ++at) {
    EntryCheck check(at, true, stream.bytes.size());
    (void)flvtest::drive(check, stream.bytes);
    ck_assert(check.place().has_value() == (at == second));
  }
  const Bytes bytes(stream.bytes);
  for (std::size_t cut = 0; cut < 8; ++cut) {
    EntryCheck check(second, true, bytes.size() - cut);
    (void)flvtest::drive(check, bytes.first(bytes.size() - cut));
    ck_assert(check.place().has_value() == (cut <= kPreviousTagSizeSize));
  }
  EntryCheck far(std::uint64_t{1} << 53, true, 0);
  (void)flvtest::drive(far, bytes);
  ck_assert(!far.place());
}
END_TEST

// --- The choice of the entry ---

constexpr auto kNext = Snap::Next;
constexpr auto kPrevious = Snap::Previous;
constexpr auto kExact = Snap::Exact;
constexpr auto kNearest = Snap::Nearest;

// Keyframes at 0, 400, 800, ... ms, with audio between them.
const Stream kClip = flvtest::indexed(flvtest::media_of({.duration = 2000}));
const auto kKeys = flvtest::key_frames_of(kClip);

KeyframeIndex index_of(const flvtest::Entries &entries) {
  KeyframeIndex index;
  for (const auto &[position, time] : entries) {
    index.positions.push_back(position);
    index.times.push_back(time);
  }
  return index;
}

StartSearch search(const Stream &stream, const KeyframeIndex &index, const StartRequest &request,
                   bool has_video = true) {
  StartSearch search(index, request, has_video, stream.bytes.size());
  const auto reads = flvtest::drive(search, stream.bytes);
  ck_assert(!reads.endless);
  ck_assert((search.fault().kind == Kind::None) == search.place().has_value());
  return search;
}

// Keyframe number `key`, plus an offset in bytes or ms.
const struct {
  Snap snap;
  std::size_t key;
  int distance;
  int expected; // keyframe
  Kind kind = Kind::None;
} kSnaps[] = {
    {kNext, 2, 0, 2},
    {kNext, 2, -1, 2},
    {kNext, 2, 1, 3},
    {kNext, 0, 0, 0},
    {kNext, 0, -1, 0},
    {kNext, 4, 0, 4},
    {kNext, 4, 1, kNone, Kind::PastTheLast},
    {kNext, 4, 1'000'000, kNone, Kind::PastTheLast},
    {kPrevious, 2, 0, 2},
    {kPrevious, 2, -1, 1},
    {kPrevious, 2, 1, 2},
    {kPrevious, 0, 0, 0},
    {kPrevious, 0, -1, kNone, Kind::BeforeTheFirst},
    {kPrevious, 4, 1, 4},
    {kPrevious, 4, 1'000'000, 4},
    {kExact, 2, 0, 2},
    {kExact, 2, -1, kNone, Kind::NotAKeyFrame},
    {kExact, 2, 1, kNone, Kind::NotAKeyFrame},
    {kExact, 0, -1, kNone, Kind::NotAKeyFrame},
    {kExact, 4, 1'000'000, kNone, Kind::NotAKeyFrame},
    {kNearest, 2, 0, 2},
    {kNearest, 2, -1, 2},
    {kNearest, 2, 1, 2},
    {kNearest, 0, -1, 0},
    {kNearest, 4, 1'000'000, 4},
};

START_TEST(test_snap) {
  const auto &row = ROW(kSnaps);
  const KeyframeIndex index = index_of(kKeys);
  for (const Measure measure : {Measure::Offset, Measure::Time}) {
    const auto value_of = [&](std::size_t key) {
      return measure == Measure::Offset ? kKeys[key].first
                                        : static_cast<std::uint64_t>(kKeys[key].second * 1000);
    };
    if (measure == Measure::Time && row.key == 0 && row.distance < 0)
      continue;
    const std::uint64_t value = value_of(row.key) + static_cast<std::uint64_t>(row.distance);
    const StartSearch done = search(kClip, index, {measure, value, row.snap});
    ck_assert_enum_eq(done.fault().kind, row.kind);
    ck_assert(done.rejected().empty());
    if (row.expected != kNone) {
      ck_assert_uint_eq(done.place()->position,
                        kKeys[static_cast<std::size_t>(row.expected)].first);
      continue;
    }
    // The message has the requested value and the keyframes around it.
    const std::string text = describe(done.fault());
    ck_assert_msg(text.find(std::to_string(value)) != std::string::npos, "%s", text.c_str());
    for (std::size_t key = 0; key < kKeys.size(); ++key) {
      const bool around = (value_of(key) < value && (key == 4 || value_of(key + 1) > value)) ||
                          (value_of(key) > value && (key == 0 || value_of(key - 1) < value));
      const std::string name =
          std::to_string(value_of(key)) + (measure == Measure::Time ? " " : "");
      if (around)
        ck_assert_msg(text.find(name) != std::string::npos, "%s", text.c_str());
    }
  }
}
END_TEST

// The middle, and slightly nearer to one side.
START_TEST(test_nearest) {
  const KeyframeIndex index = index_of(kKeys);
  for (const auto &[value, key] : {std::pair(400, 1), {599, 1}, {601, 2}, {799, 2}}) {
    const auto done =
        search(kClip, index, {Measure::Time, static_cast<std::uint64_t>(value), kNearest});
    ck_assert_uint_eq(done.place()->position, kKeys[static_cast<std::size_t>(key)].first);
  }
}
END_TEST

// Several entries with the same time: `previous` selects the last one that is a keyframe.
START_TEST(test_same_times) {
  Stream stream;
  stream.header().aac(0).aac(500).key(500).aac(900);
  const KeyframeIndex mixed = index_of(flvtest::roles_of(stream, {Role::KeyFrame, Role::Media}));
  for (const Snap snap : {kNext, kPrevious, kExact, kNearest}) {
    const auto done = search(stream, mixed, {Measure::Time, 500, snap});
    ck_assert_msg(done.place() && done.place()->position == stream.tags[2].begin, "snap %d",
                  static_cast<int>(snap));
  }
}
END_TEST

// --- Entries that are not keyframes ---

// flvmeta and yamdi write entries from the sequence header to the end of sequence.
START_TEST(test_from_config_to_end) {
  Stream stream;
  stream.header().metadata().configs().key(0).inter(40).key(80).inter(120).video(
      160, flvtest::avc_end());
  const auto &tags = stream.tags;
  const KeyframeIndex index =
      index_of({{tags[1].begin, 0}, {tags[5].begin, 0.08}, {tags[7].begin, 0.16}});
  const std::uint64_t config = tags[1].begin;
  const std::uint64_t first = tags[3].begin;
  const std::uint64_t second = tags[5].begin;
  const std::uint64_t end = tags[7].begin;
  const struct {
    std::uint64_t value;
    Snap snap;
    std::uint64_t place; // 0: none
    std::size_t rejected = 0;
  } rows[] = {
      {config, kNext, first},     {config - 1, kNext, first},  {config + 1, kNext, first},
      {first, kNext, first},      {first - 1, kNext, first},   {first + 1, kNext, second},
      {config, kPrevious, first}, {config - 1, kPrevious, 0},  {config + 1, kPrevious, 0},
      {first - 1, kPrevious, 0},  {first, kPrevious, first},   {second - 1, kPrevious, first},
      {config, kExact, first},    {config + 1, kExact, 0},     {first, kExact, first},
      {first + 1, kExact, 0},     {end, kPrevious, second, 1}, {end + 9, kPrevious, second, 1},
      {end, kExact, 0, 1},        {second + 1, kNext, 0, 1},   {end, kNext, 0, 1},
  };
  for (const auto &row : rows) {
    const auto done = search(stream, index, {Measure::Offset, row.value, row.snap});
    const std::uint64_t place = done.place() ? done.place()->position : 0;
    ck_assert_msg(place == row.place, "%d from %d: %d", static_cast<int>(row.snap),
                  static_cast<int>(row.value), static_cast<int>(place));
    ck_assert_uint_eq(done.rejected().size(), row.rejected);
  }
  // The message has the position of a keyframe, and not of any entry.
  const auto past = search(stream, index, {Measure::Offset, second + 1, kNext});
  ck_assert_enum_eq(past.fault().kind, Kind::PastTheLast);
  ck_assert(past.fault().before == second);
  const auto exact = search(stream, index, {Measure::Offset, end, kExact});
  ck_assert_enum_eq(exact.fault().kind, Kind::NotAKeyFrame);
  ck_assert(exact.fault().before == second && !exact.fault().after);
}
END_TEST

// flvmux writes few keyframes among its entries.
START_TEST(test_mostly_audio) {
  const auto all = flvtest::roles_of(kClip, {Role::KeyFrame, Role::Media});
  flvtest::Entries entries;
  for (const auto &entry : all) {
    const bool key = std::find(kKeys.begin(), kKeys.end(), entry) != kKeys.end();
    if (key || entries.size() % 8 != 0)
      entries.push_back(entry);
  }
  const KeyframeIndex index = index_of(entries);
  for (std::size_t key = 1; key < kKeys.size(); ++key) {
    for (const std::uint64_t off : {0U, 1U}) {
      const auto next = search(kClip, index, {Measure::Offset, kKeys[key].first - off, kNext});
      ck_assert(next.place() && next.place()->position == kKeys[key].first);
      const auto last = search(kClip, index, {Measure::Offset, kKeys[key].first - off, kPrevious});
      ck_assert(last.place() && last.place()->position == kKeys[key - off].first);
      ck_assert((off == 0) == last.rejected().empty());
    }
  }
  const auto past = search(kClip, index, {Measure::Offset, kKeys[4].first + 1, kNext});
  ck_assert_enum_eq(past.fault().kind, Kind::PastTheLast);
  ck_assert(past.fault().before == kKeys[4].first);
}
END_TEST

// An index with an offset, of another file, or of the audio tags.
START_TEST(test_mismatch) {
  const auto audio = flvtest::entries_of(
      kClip, [](std::size_t i) { return kClip.tags[i].type == TagType::Audio && i > 2; });
  auto shifted = kKeys;
  for (auto &[position, time] : shifted)
    position += 5;
  flvtest::Entries beyond;
  for (std::uint64_t i = 0; i < 5; ++i)
    beyond.emplace_back(kClip.bytes.size() + i, 0.0);
  for (const auto &entries : {shifted, beyond, audio}) {
    const KeyframeIndex index = index_of(entries);
    for (const Snap snap : {kNext, kPrevious, kExact, kNearest}) {
      const auto done = search(kClip, index, {Measure::Offset, kKeys[2].first + 5, snap});
      ck_assert_enum_eq(done.fault().kind, Kind::Mismatch);
      const std::string text = describe(done.fault());
      ck_assert(text.find(std::to_string(done.fault().position)) != std::string::npos);
      ck_assert_uint_ge(done.fault().entries, 1);
      // Each entry was read once.
      ck_assert_uint_le(done.fault().entries, entries.size());
      auto rejected = done.rejected();
      std::sort(rejected.begin(), rejected.end());
      ck_assert(std::adjacent_find(rejected.begin(), rejected.end()) == rejected.end());
    }
  }
}
END_TEST

START_TEST(test_audio_only) {
  Stream stream;
  stream.header(true, false).metadata().audio(0, flvtest::aac_config());
  for (std::uint32_t i = 0; i < 10; ++i)
    stream.aac(i * 20);
  flvtest::Entries entries;
  for (std::size_t i = 1; i < stream.tags.size(); i += 3)
    entries.emplace_back(stream.tags[i].begin, stream.tags[i].timestamp / 1000.0);
  const KeyframeIndex index = index_of(entries);
  const auto at = [&](std::uint64_t value, Snap snap) {
    const auto done = search(stream, index, {Measure::Offset, value, snap}, false);
    return done.place() ? done.place()->position : 0;
  };
  ck_assert_uint_eq(at(entries[0].first, kNext), stream.tags[2].begin);
  ck_assert_uint_eq(at(entries[1].first, kNext), entries[1].first);
  ck_assert_uint_eq(at(entries[1].first - 1, kPrevious), stream.tags[2].begin);
  ck_assert_uint_eq(at(entries[1].first + 1, kExact), 0);
}
END_TEST

// --- The amount of data read ---

START_TEST(test_little_is_read) {
  const KeyframeIndex index = index_of(kKeys);
  for (const Snap snap : {kNext, kPrevious, kExact, kNearest}) {
    StartSearch search(index, {Measure::Offset, kKeys[2].first, snap}, true, kClip.bytes.size());
    ck_assert_uint_eq(flvtest::drive(search, kClip.bytes).count, 1);
  }
  // Invalid entries are tried up to a limit.
  flvtest::Entries bad;
  for (std::uint64_t i = 0; i < 100'000; ++i)
    bad.emplace_back(1'000'000 + i, 0.0);
  const KeyframeIndex wrong = index_of(bad);
  for (const Snap snap : {kNext, kPrevious, kExact, kNearest}) {
    StartSearch search(wrong, {Measure::Offset, 1'050'000, snap}, true, 0);
    ck_assert_uint_le(flvtest::drive(search, kClip.bytes).count, 8192 + 32);
  }
}
END_TEST

START_TEST(test_no_entries) {
  const KeyframeIndex index;
  StartSearch search(index, {Measure::Offset, 100, kNext}, true, 1000);
  ck_assert(!search.next_request() && !search.place());
  ck_assert_enum_eq(search.fault().kind, Kind::Mismatch);
}
END_TEST

// --- Real files ---

const struct {
  const char *file;
  bool has_video;
} kIndexed[] = {
    {"h264_gstmux_index.flv", true}, {"indexed_small.flv", true}, {"pcm16_only.flv", false}};

START_TEST(test_media) {
  const auto &row = ROW(kIndexed);
  const auto bytes = flvtest::media_file(row.file);
  if (!bytes)
    return;
  TagHeader header;
  ck_assert_enum_eq(read_tag_header(&bytes->at(13), kMaxDataSize, header).kind, Fault::Kind::None);
  amf0::Value metadata;
  ck_assert_enum_eq(
      read_on_metadata(Bytes(*bytes).subspan(13 + kTagHeaderSize, header.data_size), metadata),
      Status::Ok);
  KeyframeIndex index;
  const IndexFault fault = read_keyframe_index(metadata, bytes->size(), index);
  if (fault.kind != IndexFault::Kind::None) {
    std::printf("%s: %s\n", row.file, describe(fault).c_str());
    return;
  }
  for (const std::uint64_t position : index.positions) {
    StartSearch search(index, {Measure::Offset, position, kPrevious}, row.has_video, bytes->size());
    (void)flvtest::drive(search, *bytes);
    ck_assert(search.place() || search.fault().kind != Kind::None);
  }
}
END_TEST

const struct {
  StartFault fault;
  const char *text;
} kTexts[] = {
    {{}, "no fault"},
    {{Kind::PastTheLast, {Measure::Offset, 900, kNext}, 800, {}, 0, 0},
     "byte 900 is past the last key frame, which is at byte 800"},
    {{Kind::PastTheLast, {Measure::Time, 900, kNext}, {}, {}, 0, 0},
     "900 ms is past the last key frame"},
    {{Kind::BeforeTheFirst, {Measure::Time, 9, kPrevious}, {}, 40, 0, 0},
     "9 ms is before the first key frame, which is at 40 ms"},
    {{Kind::NotAKeyFrame, {Measure::Offset, 5, kExact}, 4, 6, 0, 0},
     "there is no key frame at byte 5; the nearest are at byte 4 and byte 6"},
    {{Kind::NotAKeyFrame, {Measure::Offset, 5, kExact}, {}, 6, 0, 0},
     "there is no key frame at byte 5; the nearest is at byte 6"},
    {{Kind::NotAKeyFrame, {Measure::Offset, 5, kExact}, {}, {}, 0, 0},
     "there is no key frame at byte 5"},
    {{Kind::Mismatch, {Measure::Offset, 5, kExact}, 4, 6, 17, 99},
     "the keyframe index does not match the file: none of the 17 entries that were looked at is a "
     "key frame, the first at byte 99"},
    {{Kind::Passed, {Measure::Time, 5, kPrevious}, 4, 6, 0, 99},
     "5 ms needs the key frame at byte 99, which has passed, in a stream that cannot seek back"},
};

START_TEST(test_texts) {
  const std::string text = describe(ROW(kTexts).fault);
  ck_assert_str_eq(text.c_str(), ROW(kTexts).text);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("startpoint", {{test_entry, std::size(kPointed)},
                                     {test_entry_off},
                                     {test_snap, std::size(kSnaps)},
                                     {test_nearest},
                                     {test_same_times},
                                     {test_from_config_to_end},
                                     {test_mostly_audio},
                                     {test_mismatch},
                                     {test_audio_only},
                                     {test_little_is_read},
                                     {test_no_entries},
                                     {test_media, std::size(kIndexed)},
                                     {test_texts, std::size(kTexts)}});
}
