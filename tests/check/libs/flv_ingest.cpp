// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fanout/flv_ingest.h"

#include "checkrun.h"
#include "feeding.h"

using namespace fanout;
using flv::Status;
using flv::TagType;
using flvtest::Buffer;
using flvtest::Fed;
using flvtest::feed;
using flvtest::feed_every_way;
using flvtest::joined;
using flvtest::Stream;
using flvtest::whole_tag;

namespace {

constexpr std::uint32_t kHour = 3'600'000;

Buffer metadata_tag(flvtest::Members members) {
  return whole_tag(TagType::Script, 0, flvtest::on_metadata(std::move(members)));
}

Buffer avc_config(std::uint32_t timestamp = 0, std::uint8_t variant = 0) {
  return whole_tag(TagType::Video, timestamp, flvtest::avc_config(variant));
}

Buffer aac_config(std::uint32_t timestamp = 0, std::uint8_t variant = 0) {
  return whole_tag(TagType::Audio, timestamp, flvtest::aac_config(variant));
}

// The stream's tags from `first` on, at their own times.
void check_tags(const Fed &fed, const Stream &stream, std::size_t first, std::int64_t shift = 0) {
  ck_assert_uint_eq(fed.entries.size(), stream.tags.size() - first);
  for (std::size_t i = 0; i < fed.entries.size(); ++i) {
    const Entry &entry = fed.entries[i];
    ck_assert(Buffer(entry.bytes.begin(), entry.bytes.end()) ==
              Buffer(stream.at(first + i).begin(), stream.at(first + i).end()));
    ck_assert_int_eq(entry.time, stream.tags[first + i].timestamp + shift);
    ck_assert(entry.is_tag);
  }
}

std::vector<std::size_t> joins_of(const Fed &fed) {
  std::vector<std::size_t> joins;
  for (std::size_t i = 0; i < fed.entries.size(); ++i) {
    if (fed.entries[i].head)
      joins.push_back(i);
  }
  return joins;
}

// What one gets who joins first.
const JoinHeader &head_of(const Fed &fed) {
  const auto joins = joins_of(fed);
  ck_assert(!joins.empty());
  return *fed.entries[joins[0]].head;
}

std::uint8_t flags_of(const JoinHeader &head) {
  return head.opening.at(4);
}

// --- A whole stream ---

START_TEST(test_clip) {
  for (const std::uint32_t start : {0U, 5000U, kHour}) {
    const Stream stream = flvtest::file({.duration = 2000, .start = start});
    const Fed fed = feed_every_way(stream.bytes);
    check_tags(fed, stream, 3);
    for (std::size_t i = 0; i < fed.entries.size(); ++i) {
      const bool key = flvtest::role_of(stream, 3 + i) == flv::Role::KeyFrame;
      ck_assert_int_eq(fed.entries[i].head != nullptr, key);
      ck_assert(fed.entries[i].is_media);
    }
    // The same pointer is the same bytes, and the other way round.
    for (const std::size_t join : joins_of(fed))
      ck_assert(fed.entries[join].head == fed.entries[0].head);
    ck_assert(head_of(fed).configurations ==
              (std::vector<Buffer>{avc_config(start), aac_config(start)}));
    ck_assert(head_of(fed).opening == joined({flvtest::file_header(), metadata_tag({})}));
  }
}
END_TEST

const struct {
  const char *what;
  Buffer data;
  std::int64_t ahead;
} kAhead[] = {
    {"AVC", {0x27, 1, 0, 0, 80, 9}, 80},
    {"AVC, negative", {0x27, 1, 0xFF, 0xFF, 0xFE, 9}, -2},
    {"the largest", {0x27, 1, 0x7F, 0xFF, 0xFF, 9}, 0x7FFFFF},
    {"cut off", {0x27, 1, 0, 0}, 0},
    {"H.263", {0x22, 1, 0, 0, 80, 9}, 0},
    {"enhanced", flvtest::ex_video(2, flvtest::Packet::CodedFrames, "hvc1", Buffer{0, 1, 0, 9}),
     256},
    {"enhanced AVC", flvtest::ex_video(2, flvtest::Packet::CodedFrames, "avc1", Buffer{0, 0, 7, 9}),
     7},
    {"enhanced VVC", flvtest::ex_video(2, flvtest::Packet::CodedFrames, "vvc1", Buffer{0, 0, 7, 9}),
     7},
    {"enhanced, cut off", flvtest::ex_video(2, flvtest::Packet::CodedFrames, "hvc1", Buffer{0, 1}),
     0},
    {"enhanced, of no code", {0xA1, 'h', 'v'}, 0},
    {"without a time",
     flvtest::ex_video(2, flvtest::Packet::CodedFramesX, "hvc1", Buffer{0, 1, 0, 9}), 0},
    {"AV1", flvtest::ex_video(2, flvtest::Packet::CodedFrames, "av01", Buffer{0, 1, 0, 9}), 0},
    {"nothing", {}, 0},
};

// By how much pictures are shown later than decoded.
START_TEST(test_ahead) {
  const auto &row = ROW(kAhead);
  Stream stream;
  stream.header().configs().key(0).aac(0).video(40, row.data);
  const Fed fed = feed_every_way(stream.bytes);
  check_tags(fed, stream, 2);
  ck_assert_msg(fed.entries[2].ahead == row.ahead, "%s: %d", row.what,
                static_cast<int>(fed.entries[2].ahead));
}
END_TEST

// An entry is a piece of what came in, or a copy where that had to be put together.
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

// What stands behind a tag is its size, whatever it was.
START_TEST(test_wrong_sizes) {
  const Stream stream = flvtest::file();
  for (const std::uint32_t size : {0U, 1U, 0xFFFFFFFFU}) {
    const Fed fed = feed_every_way(flvtest::with_previous_sizes(stream, size));
    check_tags(fed, stream, 3);
    ck_assert(head_of(fed).configurations == (std::vector<Buffer>{avc_config(), aac_config()}));
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
  // The last head announces the kinds with frames in the 2 s around it.
  const Entry &join = fed.entries[joins_of(fed).back()];
  const auto is_there = [&](fanout::Kind kind) {
    return std::any_of(fed.entries.begin(), fed.entries.end(), [&](const Entry &entry) {
      return entry.is_media && entry.kind == kind &&
             std::abs(entry.time - join.time) <= fanout::kSilence;
    });
  };
  const int flags =
      (is_there(fanout::Kind::Audio) ? 4 : 0) | (is_there(fanout::Kind::Video) ? 1 : 0);
  ck_assert_msg(flags_of(*join.head) == flags, "%s", row.name);
}
END_TEST

// --- What the stream has ---

// Tags are held until the kinds that the header promises have been shown, for a second at most.
const struct {
  const char *what;
  bool audio, video;         // promised
  bool has_audio, has_video; // there
  std::uint32_t video_from;  // ms
  std::uint32_t held;        // what comes before that is held
  std::uint8_t flags;
} kPromises[] = {
    {"both", true, true, true, true, 0, 0, 5},
    {"video", false, true, false, true, 0, 0, 1},
    {"audio", true, false, true, false, 0, 0, 4},
    {"video that does not come", true, true, true, false, 0, 1000, 4},
    {"audio that does not come", true, true, false, true, 0, 1000, 1},
    {"the other one, video", true, false, false, true, 0, 1000, 1},
    {"the other one, audio", false, true, true, false, 0, 1000, 4},
    {"nothing, audio there", false, false, true, false, 0, 1000, 4},
    {"nothing, both there", false, false, true, true, 0, 0, 5},
    {"video that is late", true, true, true, true, 600, 600, 5},
};

START_TEST(test_promises) {
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
  ck_assert_msg(first == row.held, "%s: %u", row.what, first);
  const Fed fed = feed_every_way(stream.bytes);
  ck_assert_msg(flags_of(head_of(fed)) == row.flags, "%s: %d", row.what, flags_of(head_of(fed)));
  // Nothing is lost but what a key frame has to come before.
  ck_assert_int_eq(fed.entries[0].time, row.video_from);
}
END_TEST

// A configuration without a frame promises nothing: the stream is held for its frames, and what
// does not come is not announced.
START_TEST(test_not_shown_by_configuration) {
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
      stream.configs(time); // again, as some encoders do
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
  for (const std::size_t join : joins_of(fed)) {
    const JoinHeader &head = *fed.entries[join].head;
    ck_assert_uint_eq(flags_of(head), silent_audio ? 1 : 4);
    ck_assert_uint_eq(head.configurations.size(), 1);
    ck_assert_uint_eq(head.configurations[0][0], silent_audio ? 9 : 8);
    const auto members = silent_audio ? flvtest::Members{{"videocodecid", {7.0}}}
                                      : flvtest::Members{{"audiocodecid", {10.0}}};
    ck_assert(head.opening ==
              joined({flvtest::file_header(!silent_audio, silent_audio), metadata_tag(members)}));
    ck_assert(!head.audio_alone && !head.video_alone);
  }
}
END_TEST

// Video that is so late is there all the same.
START_TEST(test_late_video) {
  Stream stream;
  stream.header().audio(44'800, flvtest::mp3_frame(20)).video(0, flvtest::h263_frame(true, 20));
  const Fed fed = feed_every_way(stream.bytes);
  check_tags(fed, stream, 1);
  ck_assert_uint_eq(flags_of(head_of(fed)), 5);
}
END_TEST

// The end tells, too, and so do very many tags.
START_TEST(test_held_at_the_end) {
  Stream stream;
  stream.header().aac(0).aac(20).aac(40);
  ck_assert(feed(stream.bytes, SIZE_MAX, false).entries.empty());
  const Fed fed = feed_every_way(stream.bytes);
  check_tags(fed, stream, 0);
  ck_assert_uint_eq(flags_of(head_of(fed)), 4);
  Stream many;
  many.header();
  for (int i = 0; i < 1000; ++i)
    many.aac(0);
  check_tags(feed(many.bytes, SIZE_MAX, false), many, 0);
}
END_TEST

// The first to come is a key frame, or audio where there is no video.
START_TEST(test_first) {
  Stream stream;
  stream.header().configs().aac(0).inter(0).script(0, flvtest::script("onCuePoint", {}));
  const std::size_t first = stream.tags.size();
  stream.key(40).aac(40).inter(80).configs(120, 1).key(120);
  const Fed fed = feed_every_way(stream.bytes);
  check_tags(fed, stream, first);
  ck_assert(joins_of(fed) == (std::vector<std::size_t>{0, 5}));
  ck_assert(fed.entries[5].head->configurations ==
            (std::vector<Buffer>{avc_config(120, 1), aac_config(120, 1)}));
  // A configuration is of use to those who come later.
  ck_assert(fed.entries[2].is_media && !fed.entries[3].is_media && !fed.entries[4].is_media);
}
END_TEST

// One can join at any audio tag where there is no video, or has not been for two seconds.
START_TEST(test_audio_alone) {
  Stream stream;
  stream.header().configs().key(0).aac(0).inter(40);
  for (std::uint32_t time = 100; time <= 40'000; time += 100)
    stream.aac(time);
  const Fed fed = feed_every_way(stream.bytes);
  check_tags(fed, stream, 2);
  for (const Entry &entry : fed.entries) {
    if (!entry.head) {
      ck_assert_int_le(entry.time, 40 + kSilence);
      continue;
    }
    ck_assert(entry.time == 0 || entry.time > 40 + kSilence);
    ck_assert_uint_eq(flags_of(*entry.head), entry.time == 0 ? 5 : 4);
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
      head_of(fed).opening ==
      joined({flvtest::file_header(),
              metadata_tag({{"width", {640.0}}, {"audiocodecid", {10.0}}, {"hasVideo", {true}}})}));
}
END_TEST

START_TEST(test_no_metadata) {
  const Fed fed = fed_of([](Stream &stream) { stream.key(0).aac(0); });
  ck_assert(head_of(fed).opening == flvtest::file_header());
}
END_TEST

// It is told again where it changes, as it is true for a live stream, and known to those who come.
START_TEST(test_metadata_changes) {
  const flvtest::Members first{{"width", {1.0}}};
  const flvtest::Members second{{"width", {2.0}}, {"duration", {5.0}}};
  const Fed fed = fed_of([&](Stream &stream) {
    stream.metadata(first).key(0).aac(0).metadata(first).inter(40).metadata(second).inter(80);
    stream.metadata(second).key(120);
  });
  ck_assert_uint_eq(fed.entries.size(), 6);
  const Entry &told = fed.entries[3];
  ck_assert(Buffer(told.bytes.begin(), told.bytes.end()) == metadata_tag({{"width", {2.0}}}));
  ck_assert(told.is_tag && !told.is_media && !told.head);
  ck_assert_int_eq(told.time, 0);
  ck_assert(head_of(fed).opening ==
            joined({flvtest::file_header(), metadata_tag({{"width", {1.0}}})}));
  ck_assert(fed.entries[5].head->opening ==
            joined({flvtest::file_header(), metadata_tag({{"width", {2.0}}})}));
}
END_TEST

// With the end marker that it lacks, it would not fit into a tag.
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
  ck_assert(head_of(fed).opening == flvtest::file_header());
  ck_assert(fed.entries[2].head == fed.entries[0].head);
}
END_TEST

// Other script data is passed on, metadata that cannot be read is not.
START_TEST(test_other_script_data) {
  const Buffer cue = flvtest::script("onCuePoint", {{1.0}});
  const Fed fed = fed_of([&](Stream &stream) {
    stream.key(0).aac(0).script(40, cue).script(40, flvtest::script("onMetaData", {{5.0}}));
    stream.script(40, {}).inter(40);
  });
  ck_assert_uint_eq(fed.entries.size(), 5);
  const Bytes told = fed.entries[2].bytes;
  ck_assert(Buffer(told.begin(), told.end()) == whole_tag(TagType::Script, 40, cue));
  ck_assert(!fed.entries[2].is_media);
  ck_assert(head_of(fed).opening == flvtest::file_header());
}
END_TEST

// --- The head from elsewhere ---

// Parts of the caps, and then a stream from its middle.
Fed fed_behind(const std::vector<Buffer> &parts, Bytes stream) {
  FlvIngest flv;
  for (const Buffer &part : parts)
    flv.note_head(part);
  return feed_every_way(flv, stream);
}

START_TEST(test_note_head) {
  Stream stream;
  stream.key(500).aac(500).inter(540).key(580);
  const std::vector<Buffer> parts{flvtest::file_header(), metadata_tag({{"width", {5.0}}}),
                                  avc_config(), aac_config()};
  Fed fed = fed_behind(parts, stream.bytes);
  check_tags(fed, stream, 0);
  ck_assert(head_of(fed).opening == joined({flvtest::file_header(), parts[1]}));
  ck_assert(head_of(fed).configurations == (std::vector<Buffer>{parts[2], parts[3]}));
  // The header may come again in the stream.
  fed = fed_behind(parts, joined({flvtest::file_header(), stream.bytes}));
  check_tags(fed, stream, 0);
  ck_assert(head_of(fed).configurations == (std::vector<Buffer>{parts[2], parts[3]}));
  // And what it promises counts.
  Stream sound;
  sound.aac(500);
  fed = fed_behind({flvtest::file_header(true, false)}, sound.bytes);
  ck_assert_uint_eq(flags_of(head_of(fed)), 4);
  // Without a header, the stream has to have one.
  fed = fed_behind({parts[1], parts[2]}, joined({flvtest::file_header(), stream.bytes}));
  ck_assert(head_of(fed).configurations == std::vector<Buffer>{parts[2]});
  ck_assert_enum_eq(fed_behind({parts[1], parts[2]}, stream.bytes).status, Status::Malformed);
}
END_TEST

// However they are cut into parts, and whatever stands behind a tag.
START_TEST(test_note_head_in_other_parts) {
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
    const Fed fed = fed_behind(parts, stream.bytes);
    check_tags(fed, stream, 0);
    ck_assert(head_of(fed).opening == joined({flvtest::file_header(), metadata}));
    ck_assert(head_of(fed).configurations == (std::vector<Buffer>{avc_config(), aac_config()}));
  }
}
END_TEST

// Nothing in them is trusted.
START_TEST(test_note_head_of_anything) {
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
  const Fed fed = fed_behind(parts, stream.bytes);
  check_tags(fed, stream, 2);
  ck_assert(flvtest::same(fed, feed_every_way(stream.bytes)));
}
END_TEST

// --- What goes wrong ---

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

// After damage, it goes on with the next whole tag.
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

// A publisher is cut off inside a key frame, and the next one begins: its configurations count, and
// none of its bytes is in a tag of the first.
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
  ck_assert(start.head && start.head->configurations.size() == 2);
  ck_assert(start.head->configurations[0] == Buffer(second.at(1).begin(), second.at(1).end()));
  for (const Entry &entry : fed.entries)
    ck_assert_uint_lt(entry.bytes.size(), 1000);
}
END_TEST

// The cutting of the input does not decide which of many cuts are found.
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
  return flvtest::run("flvfeed", {{test_clip},
                                  {test_ahead, std::size(kAhead)},
                                  {test_shared},
                                  {test_wrong_sizes},
                                  {test_media_file, std::size(flvtest::kMedia)},
                                  {test_promises, std::size(kPromises)},
                                  {test_not_shown_by_configuration, 2},
                                  {test_late_video},
                                  {test_held_at_the_end},
                                  {test_first},
                                  {test_audio_alone},
                                  {test_metadata_first},
                                  {test_no_metadata},
                                  {test_metadata_changes},
                                  {test_metadata_too_large},
                                  {test_other_script_data},
                                  {test_note_head},
                                  {test_note_head_in_other_parts},
                                  {test_note_head_of_anything},
                                  {test_not_flv},
                                  {test_damage},
                                  {test_cut_publisher},
                                  {test_many_cut_publishers},
                                  {test_clear}});
}
