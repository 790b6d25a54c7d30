// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/seek/start_header.h"

#include "checkrun.h"
#include "drive.h"
#include "flv/seek/index_scan.h"
#include "split.h"

using namespace flv;
using flvtest::Buffer;
using flvtest::Members;
using flvtest::Stream;

namespace {

amf0::Value metadata(Members more = {}, bool ecma = false) {
  Members members{{"duration", {10.0}},
                  {"filesize", {5000.0}},
                  {"hasKeyframes", {true}},
                  {"lastkeyframelocation", {4000.0}},
                  {"lastkeyframetimestamp", {9.0}}};
  for (auto &member : flvtest::index_members({{1000, 0}, {2000, 3}, {4000, 9}}, ecma))
    members.push_back(std::move(member));
  members.insert(members.end(), more.begin(), more.end());
  return {amf0::EcmaArray{std::move(members)}};
}

KeyframeIndex known() {
  return {{1000, 2000, 4000}, {0, 3, 9}};
}

double number(const amf0::Value &object, std::string_view name) {
  const amf0::Value *value = object.find(name);
  ck_assert(value && std::holds_alternative<double>(value->data));
  return std::get<double>(value->data);
}

std::vector<double> list(const amf0::Value &object, std::string_view name) {
  const amf0::Value *keyframes = object.find("keyframes");
  ck_assert(keyframes);
  const amf0::Value *value = keyframes->find(name);
  ck_assert(value && std::holds_alternative<amf0::NumberArray>(value->data));
  return std::get<amf0::NumberArray>(value->data).items;
}

using List = std::vector<double>;

// --- rewritten ---

START_TEST(test_rewritten) {
  for (const bool ecma : {false, true}) {
    const amf0::Value before = metadata({}, ecma);
    const amf0::Value after = rewritten(before, {2000, 5000, known()}, 300);
    ck_assert(list(after, "filepositions") == (List{300, 2300}));
    ck_assert(list(after, "times") == (List{3, 9}));
    ck_assert(number(after, "filesize") == 3300);
    ck_assert(number(after, "lastkeyframelocation") == 2300);
    ck_assert(number(after, "lastkeyframetimestamp") == 9);
    ck_assert(number(after, "duration") == 10);
    // The type is unchanged.
    ck_assert(before.data.index() == after.data.index());
    ck_assert(before.find("keyframes")->data.index() == after.find("keyframes")->data.index());
    ck_assert_uint_eq(before.members()->size(), after.members()->size());
  }
}
END_TEST

START_TEST(test_rewritten_to_a_stop) {
  const amf0::Value after = rewritten(metadata(), {1000, 4000, known()}, 100);
  ck_assert(list(after, "filepositions") == (List{100, 1100}));
  ck_assert(number(after, "filesize") == 3100);
  ck_assert(number(after, "lastkeyframelocation") == 1100);
  ck_assert(number(after, "lastkeyframetimestamp") == 3);
}
END_TEST

// Unknown values are omitted.
START_TEST(test_rewritten_unknown) {
  const amf0::Value no_end = rewritten(metadata(), {2000, {}, known()}, 300);
  ck_assert(list(no_end, "filepositions") == (List{300, 2300}));
  ck_assert(!no_end.find("filesize"));
  const amf0::Value no_index = rewritten(metadata(), {2000, 5000, {}}, 300);
  ck_assert(!no_index.find("keyframes") && !no_index.find("lastkeyframelocation"));
  ck_assert(number(no_index, "filesize") == 3300);
  const amf0::Value nothing = rewritten(metadata(), {2000, {}, {}}, 300);
  ck_assert(nothing == stripped(metadata()));
  const amf0::Value none_left = rewritten(metadata(), {4500, 5000, known()}, 300);
  ck_assert(!none_left.find("keyframes") && !none_left.find("lastkeyframelocation"));
}
END_TEST

// Members that the file does not have are not added.
START_TEST(test_rewritten_adds_nothing) {
  const amf0::Value plain{amf0::Object{{{"duration", {1.0}}}}};
  ck_assert(rewritten(plain, {2000, 5000, known()}, 300) == plain);
  const amf0::Value empty{amf0::Object{}};
  ck_assert(rewritten(empty, {2000, 5000, known()}, 300) == empty);
  // Missing lists are added; a `keyframes` member that is not an object is removed.
  const amf0::Value half{
      amf0::Object{{{"keyframes", {amf0::Object{{{"times", {amf0::StrictArray{}}}}}}}}}};
  const amf0::Value whole = rewritten(half, {2000, 5000, known()}, 300);
  ck_assert(list(whole, "filepositions") == (List{300, 2300}));
  ck_assert(list(whole, "times") == (List{3, 9}));
  // No data can follow AMF3.
  const amf0::Value closed{
      amf0::Object{{{"keyframes", {amf0::Object{{{"a", {amf0::Amf3{{1, 0, 0, 9}}}}}}}}}}};
  Buffer written;
  amf0::write(written, rewritten(closed, {2000, 5000, known()}, 300));
  Reader reader(written);
  amf0::Value back;
  ck_assert_enum_eq(amf0::read(reader, back), Status::Ok);
  ck_assert(list(back, "filepositions") == (List{300, 2300}));
  const amf0::Value odd{amf0::Object{{{"keyframes", {5.0}}, {"filesize", {true}}}}};
  const amf0::Value even = rewritten(odd, {2000, 5000, known()}, 300);
  ck_assert(!even.find("keyframes") && number(even, "filesize") == 3300);
}
END_TEST

START_TEST(test_stripped) {
  // A name may occur twice.
  const amf0::Value twice = metadata(flvtest::index_members({{7, 0}}));
  for (const amf0::Value &value : {metadata(), metadata({}, true), twice}) {
    const amf0::Value after = stripped(value);
    ck_assert(!after.find("keyframes") && !after.find("lastkeyframelocation") &&
              !after.find("filesize"));
    ck_assert(number(after, "duration") == 10 && number(after, "lastkeyframetimestamp") == 9);
  }
  const amf0::Value again = rewritten(twice, {2000, 5000, known()}, 300);
  ck_assert(list(again, "filepositions") == (List{300, 2300}));
  const auto &members = *again.members();
  ck_assert_int_eq(std::count_if(members.begin(), members.end(),
                                 [](const auto &member) { return member.name == "keyframes"; }),
                   1);
}
END_TEST

// --- live ---

START_TEST(test_live) {
  Members members{{"duration", {10.0}},     {"width", {640.0}}, {"videocodecid", {7.0}},
                  {"audiocodecid", {10.0}}, {"stereo", {true}}, {"encoder", {std::string("x")}},
                  {"framerate", {25.0}}};
  for (const char *name :
       {"filesize", "lastkeyframelocation", "totalduration", "starttime", "lasttimestamp",
        "lastkeyframetimestamp", "datasize", "videosize", "audiosize", "bytelength", "hasKeyframes",
        "canSeekToEnd", "hasCuePoints", "cuePoints", "seekpoints"})
    members.push_back({name, {1.0}});
  for (auto &member : flvtest::index_members({{1000, 0}}))
    members.push_back(std::move(member));
  members.push_back({"duration", {11.0}}); // the name occurs twice
  const auto live_of = [&](bool audio, bool video) {
    std::vector<std::string> names;
    const amf0::Value object = live({amf0::EcmaArray{members}}, audio, video);
    ck_assert(std::holds_alternative<amf0::EcmaArray>(object.data));
    for (const amf0::Member &member : *object.members())
      names.push_back(member.name);
    return names;
  };
  using Names = std::vector<std::string>;
  ck_assert(live_of(true, true) ==
            (Names{"width", "videocodecid", "audiocodecid", "stereo", "encoder", "framerate"}));
  ck_assert(live_of(true, false) == (Names{"audiocodecid", "stereo", "encoder"}));
  ck_assert(live_of(false, true) == (Names{"width", "videocodecid", "encoder", "framerate"}));
  ck_assert(live_of(false, false) == Names{"encoder"});
}
END_TEST

// All members about an absent kind are removed.
START_TEST(test_live_kinds) {
  for (const char *name : {"audiocodecid", "audiodatarate", "audiosamplerate", "audiosamplesize",
                           "audiochannels", "stereo", "audiodelay"}) {
    const amf0::Value object{amf0::Object{{{name, {1.0}}}}};
    ck_assert(live(object, true, false) == object);
    ck_assert(live(object, false, true).members()->empty());
  }
  for (const char *name : {"videocodecid", "videodatarate", "width", "height", "framerate",
                           "videoframerate", "avcprofile", "avclevel"}) {
    const amf0::Value object{amf0::Object{{{name, {1.0}}}}};
    ck_assert(live(object, false, true) == object);
    ck_assert(live(object, true, false).members()->empty());
  }
}
END_TEST

// An existing flag becomes true; no flag is added.
START_TEST(test_live_flags) {
  const auto flags = [](bool audio, bool video) {
    return amf0::Value{amf0::Object{{{"hasAudio", {audio}}, {"hasVideo", {video}}}}};
  };
  for (const bool audio : {false, true}) {
    for (const bool video : {false, true}) {
      ck_assert(live(flags(!audio, !video), audio, video) == flags(audio, video));
      ck_assert(live({amf0::Object{}}, audio, video) == amf0::Value{amf0::Object{}});
    }
  }
  // A name may occur twice.
  const amf0::Value twice{amf0::Object{{{"hasAudio", {true}}, {"x", {1.0}}, {"hasAudio", {true}}}}};
  const amf0::Value once{amf0::Object{{{"hasAudio", {false}}, {"x", {1.0}}}}};
  ck_assert(live(twice, false, true) == once);
  const amf0::Value text{amf0::Object{{{"hasVideo", {std::string("yes")}}}}};
  const amf0::Value truth{amf0::Object{{{"hasVideo", {false}}}}};
  ck_assert(live(text, true, false) == truth);
}
END_TEST

// --- The flags of the file header ---

const struct {
  const char *what;
  std::uint8_t says;
  bool audio, video; // the kinds in the stream
  bool whole;
  Members metadata;
  std::uint8_t flags;
} kFlags[] = {
    {"right", 5, true, true, false, {}, 5},
    {"right, audio", 4, true, false, false, {}, 4},
    {"nothing said", 0, true, true, false, {}, 5},
    {"audio said, video there", 4, false, true, true, {}, 1},
    {"audio said, video there, more to come", 4, false, true, false, {}, 1},
    {"both said, audio there", 5, true, false, true, {}, 4},
    {"both said, video claimed", 5, true, false, false, {{"videocodecid", {7.0}}}, 5},
    {"both said, video claimed, all seen", 5, true, false, true, {{"videocodecid", {7.0}}}, 4},
    {"both said, video denied", 5, true, false, false, {{"hasVideo", {false}}}, 4},
    {"both said, audio claimed", 5, false, true, false, {{"hasAudio", {true}}}, 5},
    {"reserved bits", 0xFA, true, true, false, {}, 0xFF},
    {"video only", 1, false, true, false, {{"hasAudio", {true}}}, 1},
};

START_TEST(test_flags) {
  const auto &row = ROW(kFlags);
  FileFacts facts;
  facts.header_bytes = flvtest::file_header();
  facts.header_bytes.at(4) = row.says;
  facts.audio_seen = row.audio;
  facts.video_seen = row.video;
  facts.extent = row.whole ? FileFacts::Extent::Whole : FileFacts::Extent::Beginning;
  facts.metadata = {amf0::EcmaArray{row.metadata}};
  Buffer expected = facts.header_bytes;
  expected.at(4) = row.flags;
  const Buffer head = write_stream_head(facts, {}, {}, {}, MetadataKeyframes::Rewrite);
  ck_assert_msg(head == expected, "%s: %d", row.what, head.at(4));
}
END_TEST

// --- The whole head ---

FileFacts facts_of(const Stream &stream) {
  FileProbe opening;
  (void)flvtest::drive(opening, stream.bytes);
  return opening.take();
}

SharedBytes shared(Bytes bytes) {
  return std::make_shared<const Buffer>(bytes.begin(), bytes.end());
}

const Stream kClip = flvtest::indexed(flvtest::media_of({.duration = 1000}));

START_TEST(test_parts) {
  const FileFacts facts = facts_of(kClip);
  const auto config = shared(kClip.at(1));
  const Bytes header = Bytes(kClip.bytes).first(13);
  const auto write = [&](const Reinsert &reinsert) {
    return write_stream_head(facts, {config}, {0, {}, {}}, reinsert, MetadataKeyframes::Original);
  };
  ck_assert(write({false, false, false}).empty());
  ck_assert(write({true, false, false}) == Buffer(header.begin(), header.end()));
  ck_assert(write({false, true, false}) == *shared(kClip.at(0)));
  ck_assert(write({false, false, true}) == *config);
  ck_assert(write({true, true, true}) == flvtest::joined({header, kClip.at(0), *config}));
}
END_TEST

// A long file header and its PreviousTagSize0 are copied from the file.
START_TEST(test_long_header) {
  Buffer bytes = flvtest::inserted(kClip.bytes, 9, flvtest::payload(11));
  store_u32(&bytes[5], 20);
  store_u32(&bytes[20], 77);
  FileProbe opening;
  (void)flvtest::drive(opening, bytes);
  const Buffer head =
      write_stream_head(opening.facts(), {}, {}, {true, false, false}, MetadataKeyframes::Rewrite);
  ck_assert(head == Buffer(bytes.begin(), bytes.begin() + 24));
}
END_TEST

// The script tag's time becomes 0, and a configuration's PreviousTagSize becomes correct.
START_TEST(test_corrected) {
  Stream stream;
  const auto index = flvtest::index_members({{100, 0}});
  stream.header().script(1234, flvtest::on_metadata(index)).configs(7).key(7).aac(7);
  Buffer bytes = flvtest::with_previous_sizes(stream, 0);
  FileProbe opening;
  (void)flvtest::drive(opening, bytes);
  const FileFacts &facts = opening.facts();
  const Bytes config = Bytes(bytes).subspan(stream.tags[1].begin, stream.at(1).size());
  for (const auto mode :
       {MetadataKeyframes::Rewrite, MetadataKeyframes::Original, MetadataKeyframes::Strip}) {
    const Buffer head =
        write_stream_head(facts, {shared(config), shared(config.first(config.size() - 4))},
                          {100, bytes.size(), KeyframeIndex{{100}, {0}}}, {}, mode);
    const auto split = flvtest::split(head);
    ck_assert_uint_eq(split.items.size(), 4);
    for (const Item &item : split.items)
      ck_assert(!item.wrong_previous_size);
    ck_assert_uint_eq(split.items[1].tag.timestamp, 0);
    ck_assert_uint_eq(split.items[2].tag.timestamp, 7);
    ck_assert(flvtest::bytes_of(split.items[2], head).size() == config.size());
  }
}
END_TEST

// Data before the object is not copied, and unreadable data is left out.
START_TEST(test_odd_metadata) {
  const Buffer set = flvtest::joined({flvtest::script("@setDataFrame", {}),
                                      flvtest::on_metadata(flvtest::index_members({{100, 0}}))});
  const Buffer amf3 = flvtest::joined({Buffer{0}, flvtest::on_metadata({{"a", {1.0}}})});
  const Buffer bad = flvtest::script("onMetaData", {{5.0}});
  for (const auto &[type, data, there] : {std::tuple(TagType::Script, set, true),
                                          {TagType::ScriptAmf3, amf3, true},
                                          {TagType::Script, bad, false}}) {
    Stream stream;
    stream.header().tag(type, 0, data).configs().key(0).aac(0);
    const FileFacts facts = facts_of(stream);
    const PartOfFile part{100, 1000, KeyframeIndex{{100}, {0}}};
    const Buffer head = write_stream_head(facts, {}, part, {}, MetadataKeyframes::Rewrite);
    const auto split = flvtest::split(head);
    ck_assert_uint_eq(split.items.size(), there ? 2 : 1);
    if (!there)
      continue;
    ck_assert_enum_eq(split.items[1].tag.type, TagType::Script);
    amf0::Value back;
    const Bytes tag = flvtest::bytes_of(split.items[1], head);
    ck_assert_enum_eq(read_on_metadata(tag.subspan(kTagHeaderSize), back), Status::Ok);
    ck_assert(back == rewritten(facts.metadata, part, head.size()));
  }
}
END_TEST

// The positions are computed with the actual size of the head.
START_TEST(test_positions) {
  const FileFacts facts = facts_of(kClip);
  const auto keys = flvtest::key_frames_of(kClip);
  KeyframeIndex index;
  for (const auto &[position, time] : keys) {
    index.positions.push_back(position);
    index.times.push_back(time);
  }
  for (const auto &[begin, time] : keys) {
    const Buffer head =
        write_stream_head(facts, {shared(kClip.at(1)), shared(kClip.at(2))},
                          {begin, kClip.bytes.size(), index}, {}, MetadataKeyframes::Rewrite);
    Buffer out = head;
    flvtest::append(out, Bytes(kClip.bytes).subspan(static_cast<std::size_t>(begin)));
    FileProbe opening;
    (void)flvtest::drive(opening, out);
    const auto positions = list(opening.facts().metadata, "filepositions");
    ck_assert(positions.at(0) == static_cast<double>(head.size()));
    for (const double position : positions)
      ck_assert_uint_eq(out.at(static_cast<std::size_t>(position)), 9);
  }
}
END_TEST

// Metadata that exceeds the maximum size of a tag is left out.
START_TEST(test_too_large) {
  FileFacts facts = facts_of(kClip);
  KeyframeIndex index;
  for (std::uint64_t i = 0; i < IndexScan::kMaxEntries; ++i) {
    index.positions.push_back(1000 + i * 15);
    index.times.push_back(static_cast<double>(i));
  }
  const Buffer head =
      write_stream_head(facts, {}, {1000, {}, index}, {}, MetadataKeyframes::Rewrite);
  for (const Item &item : flvtest::split(head).items)
    ck_assert(item.kind == Item::Kind::FileHeader || item.kind == Item::Kind::Tag);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("streamhead", {{test_rewritten},
                                     {test_rewritten_to_a_stop},
                                     {test_rewritten_unknown},
                                     {test_rewritten_adds_nothing},
                                     {test_stripped},
                                     {test_live},
                                     {test_live_kinds},
                                     {test_live_flags},
                                     {test_flags, std::size(kFlags)},
                                     {test_parts},
                                     {test_long_header},
                                     {test_corrected},
                                     {test_odd_metadata},
                                     {test_positions},
                                     {test_too_large}});
}
