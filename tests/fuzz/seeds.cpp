// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes the hand-made seeds into the corpus, as opposed to the inputs that a fuzzer found: seeds
// FOLDER
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "drive.h"
#include "frames.h"

using namespace flvtest;

namespace {

std::string g_folder;

void save(const std::string &target, const std::string &name, Bytes bytes) {
  const std::string folder = g_folder + "/" + target;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::FILE *file = std::fopen((folder + "/" + name).c_str(), "wb");
  if (!file || std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size())
    std::perror(name.c_str());
  if (file)
    std::fclose(file);
}

// --- splitter: a stream and its settings ---

constexpr std::uint8_t kFile = 0;
constexpr std::uint8_t kMiddle = 1;
constexpr std::uint8_t kUpTo1000 = 2;

void save_stream(const std::string &name, Bytes stream, std::uint8_t settings = kFile) {
  save("splitter", name, joined({stream, Buffer{settings, 1, 2, 3}}));
}

void save_streams() {
  const Stream whole = file({.duration = 200});
  const Buffer &bytes = whole.bytes;
  const std::size_t place = whole.tags[5].begin;
  save_stream("whole", bytes);
  save_stream("video-only", file({.duration = 200, .audio = false}).bytes);
  save_stream("over-the-wrap", file({.duration = 200, .start = 0xFFFFFFB0}).bytes);
  save_stream("wrong-sizes", with_previous_sizes(whole, 0));
  save_stream("sizes-like-a-file-header", with_previous_sizes(whole, 0x464C5601));
  save_stream("last-size-missing", Bytes(bytes).first(bytes.size() - 4));
  save_stream("cut-off", Bytes(bytes).first(bytes.size() - 30));
  save_stream("header-cut-off", Bytes(bytes).first(11));
  save_stream("second-header", joined({bytes, bytes}));
  save_stream("second-header-size-missing", joined({Bytes(bytes).first(bytes.size() - 4), bytes}));
  save_stream("bad-type", overwritten(bytes, place, Buffer{0x55}));
  save_stream("bad-stream-id", overwritten(bytes, place + 8, Buffer{1}));
  save_stream("too-large", overwritten(bytes, place + 1, Buffer{1}), kUpTo1000);
  save_stream("bytes-inserted", inserted(bytes, place, payload(50)));
  save_stream("bytes-missing", erased(bytes, place + 20, 9));
  save_stream("zeros", overwritten(bytes, place, Buffer(300)));
  save_stream("bogus-header", inserted(bytes, place, joined({Buffer{0}, tag_header(9, 0xFFFFF0)})));
  save_stream("header-inside-damage", joined({Bytes(bytes).first(place), payload(30), bytes}));
  save_stream("middle", Bytes(bytes).subspan(place + 7), kMiddle);
  save_stream("middle-after-a-size", Bytes(bytes).subspan(whole.tags[2].begin - 1), kMiddle);
  save_stream("not-flv", payload(64));

  Buffer long_header = file_header();
  flv::store_u32(&long_header[5], 20);
  save_stream("long-header", joined({inserted(long_header, 9, payload(11)),
                                     Bytes(bytes).subspan(whole.tags[0].begin)}));
  Stream empty;
  empty.header().video(0, {}).audio(0, {}).script(0, {});
  save_stream("tags-without-data", empty.bytes);
  Buffer candidates = joined({file_header(), Buffer{0}});
  for (std::uint32_t i = 0; i < 200; ++i)
    append(candidates, tag_header(9, 3000 - 15 * i));
  save_stream("candidates", joined({candidates, bytes}));
  Stream enhanced;
  enhanced.header()
      .video(0, ex_video(1, Packet::SequenceStart, "hvc1", payload(20)))
      .video(0, with_modex(ex_video(1, Packet::CodedFrames, "hvc1", payload(50)), nanoseconds(5)))
      .audio(0, ex_audio(Packet::CodedFrames, "Opus", payload(20)));
  save_stream("enhanced", enhanced.bytes);
}

// --- tag: headers and data ---

void save_tags() {
  const std::vector<Track> tracks{{1, "hvc1", payload(9)}, {2, "av01", payload(5)}};
  const std::pair<const char *, Buffer> seeds[] = {
      {"file-header", file_header()},
      {"file-header-version-4", {'F', 'L', 'V', 4, 1, 0, 0, 4, 0}},
      {"tag-header-audio", tag_header(8, 5, 7)},
      {"tag-header-filtered", tag_header(0x29, 5, 0xFEDCBA98)},
      {"tag-header-bad-type", tag_header(10, 5)},
      {"tag-header-stream-id", tag_header(18, 5, 7, 9)},
      {"avc-config", avc_config()},
      {"avc-key", avc_frame(true, 20)},
      {"avc-end", avc_end()},
      {"avc-cut-off", {0x17}},
      {"command", {0x57, 0}},
      {"h263-inter", h263_frame(false, 9)},
      {"aac-config", aac_config()},
      {"aac", aac_frame(9)},
      {"mp3", mp3_frame(9)},
      {"metadata", on_metadata({{"duration", {1.0}}})},
      {"ex-start", ex_video(1, Packet::SequenceStart, "hvc1", payload(9))},
      {"ex-key", ex_video(1, Packet::CodedFrames, "av01", payload(9))},
      {"ex-end", ex_video(1, Packet::SequenceEnd, "vp09", {})},
      {"ex-metadata", ex_video(5, Packet::Metadata, "hvc1", payload(9))},
      {"ex-command", ex_command(1)},
      {"ex-audio-start", ex_audio(Packet::SequenceStart, "Opus", payload(9))},
      {"ex-multichannel", ex_audio(Packet::MultichannelConfig, "Opus", Buffer{1, 2, 0, 0, 0, 3})},
      {"modex", with_modex(ex_video(1, Packet::CodedFramesX, "avc1", payload(9)), nanoseconds(9))},
      {"modex-twice",
       with_modex(with_modex(ex_audio(Packet::CodedFrames, "fLaC", payload(9)), nanoseconds(1)),
                  payload(5), 3)},
      {"modex-256", with_modex(ex_video(2, Packet::CodedFrames, "vvc1", payload(9)), payload(256))},
      {"one-track", multitrack(1, Packet::SequenceStart, Multitrack::OneTrack, tracks)},
      {"many-tracks", multitrack(2, Packet::CodedFrames, Multitrack::ManyTracks, tracks)},
      {"many-codecs", multitrack(1, Packet::CodedFrames, Multitrack::ManyTracksManyCodecs, tracks)},
      {"many-audio-tracks", multitrack(0, Packet::SequenceStart, Multitrack::ManyTracks, tracks)},
      {"modex-many-tracks",
       with_modex(multitrack(1, Packet::Metadata, Multitrack::ManyTracks, tracks), payload(2))},
  };
  for (const auto &[name, bytes] : seeds)
    save("tag", name, bytes);
}

// --- amf0: data of script tags ---

flv::amf0::Value list(std::vector<double> numbers) {
  return {flv::amf0::NumberArray{std::move(numbers)}};
}

Members index_of(flv::amf0::Value positions, flv::amf0::Value times) {
  return {{"keyframes",
           {flv::amf0::Object{
               {{"filepositions", std::move(positions)}, {"times", std::move(times)}}}}}};
}

void save_amf0() {
  using namespace flv::amf0;
  const auto good = index_of(list({500, 2000, 9000}), list({0, 1, 2.5}));
  const Buffer metadata = on_metadata(good);
  const std::pair<const char *, Buffer> seeds[] = {
      {"index", metadata},
      {"index-cut-off", Buffer(metadata.begin(), metadata.end() - 30)},
      {"no-end-marker", Buffer(metadata.begin(), metadata.end() - 3)},
      {"one-end-marker-more", joined({metadata, Buffer{0, 0, 9}})},
      {"index-empty", on_metadata(index_of({StrictArray{}}, {StrictArray{}}))},
      {"index-lengths", on_metadata(index_of(list({1, 2}), list({1})))},
      {"index-nan", on_metadata(index_of(list({1, std::nan("")}), list({1, 2})))},
      {"index-infinite", on_metadata(index_of(list({1, HUGE_VAL}), list({1, 2})))},
      {"index-descending", on_metadata(index_of(list({2, 1}), list({1, 2})))},
      {"index-fractions", on_metadata(index_of(list({1.25, 1.75}), list({1, 2})))},
      {"index-mixed",
       on_metadata(index_of({StrictArray{{{1.0}, {std::string("x")}}}}, list({1, 2})))},
      {"index-ecma",
       on_metadata(index_of({EcmaArray{{{"0", {1.0}}}}}, {EcmaArray{{{"0", {0.0}}}}}))},
      {"summary", on_metadata({{"duration", {5.0}},
                               {"encoder", {std::string("Lavf")}},
                               {"videocodecid", {std::string("hvc1")}},
                               {"audiodatarate", {128.0}}})},
      {"set-data-frame", joined({script("@setDataFrame", {}), metadata})},
      {"amf3-script-tag", joined({Buffer{0}, metadata})},
      {"cue-point", script("onCuePoint", {{Object{{{"time", {1.0}}}}}})},
      {"all-types", script("x", {{Null{}},
                                 {1.0},
                                 {true},
                                 {std::string("s")},
                                 {Object{}},
                                 {EcmaArray{}},
                                 {StrictArray{}},
                                 list({1}),
                                 {Undefined{}},
                                 {Reference{3}},
                                 {Date{1e12, 60}},
                                 {Unsupported{}},
                                 {Xml{"<x/>"}},
                                 {TypedObject{"C", {{"m", {false}}}}}})},
      {"amf3", script("x", {{Object{{{"a", {Amf3{{1, 2, 3}}}}}}}})},
      {"long-string", {12, 0, 0, 0, 3, 'a', 'b', 'c'}},
      {"name-padded",
       joined({Buffer{2, 0, 12}, Buffer{'o', 'n', 'M', 'e', 't', 'a', 'D', 'a', 't', 'a', 0, 0},
               Buffer{8, 0, 0, 0, 0, 0, 0, 9}})},
      {"count-4g", {10, 255, 255, 255, 255, 5, 5, 5}},
      {"ecma-count-4g", {8, 255, 255, 255, 255, 0, 1, 'a', 5, 0, 0, 9}},
      {"string-4g", {12, 255, 255, 255, 255, 'a'}},
  };
  for (const auto &[name, bytes] : seeds)
    save("amf0", name, bytes);
  const std::pair<const char *, Buffer> nests[] = {{"deep-objects", {3, 0, 1, 'a'}},
                                                   {"deep-arrays", {10, 0, 0, 0, 1}},
                                                   {"deep-ecma", {8, 0, 0, 0, 1, 0, 1, 'a'}}};
  for (const auto &[name, nest] : nests) {
    Buffer bytes;
    for (int i = 0; i < 200; ++i)
      append(bytes, nest);
    save("amf0", name, bytes);
  }
}

// --- schedule: steps ---

struct Step {
  enum What : std::uint8_t { Video = 0, Audio = 2, Other = 4, Splice, Gap, Speed, Burst, CatchUp };
  What what;
  std::uint32_t number = 0;
};

void save_steps(const std::string &name, const std::vector<Step> &steps) {
  Buffer bytes;
  flv::Writer writer(bytes);
  for (const Step &step : steps) {
    writer.u8(step.what);
    writer.u32(step.number);
  }
  save("schedule", name, bytes);
}

std::vector<Step> clip(std::uint32_t start, std::vector<Step> steps = {}) {
  for (std::uint32_t i = 0; i < 8; ++i) {
    steps.push_back({Step::Video, start + 40 * i});
    steps.push_back({Step::Audio, start + 40 * i + 13});
  }
  return steps;
}

std::vector<Step> joined_steps(std::initializer_list<std::vector<Step>> parts) {
  std::vector<Step> steps;
  for (const auto &part : parts)
    steps.insert(steps.end(), part.begin(), part.end());
  return steps;
}

void save_schedules() {
  constexpr std::uint32_t kHour = 3'600'000;
  using S = Step;
  save_steps("clean", clip(0));
  save_steps("from-an-hour", clip(kHour, {{S::Other, 0}}));
  save_steps("over-the-wrap", clip(0xFFFFFFB0));
  save_steps("burst", clip(0, {{S::Burst, 3000}}));
  save_steps("double-speed", clip(0, {{S::Speed, 2'000'000}}));
  save_steps("slowest", clip(0, {{S::Speed, 10'000}, {S::CatchUp, 1'000'000}}));
  save_steps("jump", joined_steps({clip(0), clip(kHour)}));
  save_steps("jump-back", joined_steps({clip(kHour), clip(0)}));
  save_steps("jump-uncapped",
             joined_steps({{{S::Gap, 0}}, clip(0), clip(kHour), clip(0x7FFFFFFF)}));
  save_steps("half-the-range", joined_steps({{{S::Gap, 0}}, clip(0), clip(0x80000000), clip(0)}));
  save_steps("splice", joined_steps({clip(0), {{S::Splice}}, clip(0)}));
  save_steps("splice-to-an-hour", joined_steps({clip(0), {{S::Splice}, {S::Splice}}, clip(kHour)}));
  save_steps("one-wrong", joined_steps({clip(0), {{S::Video, kHour}}, clip(320)}));
  save_steps("script", joined_steps({clip(0), {{S::Other, 0}, {S::Other, kHour}}, clip(320)}));
  save_steps("script-after-a-jump", joined_steps({clip(0), clip(kHour), {{S::Other, 0}}}));
  save_steps("audio-ahead", {{S::Video, 0}, {S::Audio, kHour}, {S::Video, 40}});
  save_steps("audio-behind", {{S::Video, kHour}, {S::Audio, 0}, {S::Video, kHour + 40}});
  save_steps("two-jumps", {{S::Video, 0},
                           {S::Audio, 0},
                           {S::Video, kHour},
                           {S::Video, 2 * kHour},
                           {S::Audio, 23},
                           {S::Audio, kHour},
                           {S::Audio, 2 * kHour}});
  save_steps("burst-while-waiting",
             joined_steps({clip(0), {{S::Burst, 500}}, clip(320), {{S::Burst, 100}}, clip(640)}));
  save_steps("speed-while-waiting",
             joined_steps(
                 {clip(0), {{S::Speed, 2'000'000}}, clip(320), {{S::Speed, 500'000}}, clip(640)}));
  save_steps(
      "late",
      joined_steps({{{S::CatchUp, 2'000'000}}, clip(0), {{S::Video, 1'600'000}}, clip(1'600'000)}));
}

// --- start: settings and a file ---

struct Settings {
  std::uint8_t where = 0; // access, snap, source, measure; see fuzz_start.cpp
  std::uint8_t what = 0;
  std::uint32_t value = 0;
  std::uint32_t stop = 0;
};

void save_start(const std::string &name, Bytes file, const Settings &settings) {
  Buffer bytes;
  flv::Writer writer(bytes);
  writer.u8(settings.where);
  writer.u8(settings.what);
  writer.u24(settings.value);
  writer.u24(settings.stop);
  writer.bytes(file);
  save("start", name, bytes);
}

void save_starts() {
  const flvtest::Append media = [](Stream &stream) {
    stream.configs();
    for (std::uint32_t gop = 0; gop < 4; ++gop)
      stream.key(gop * 100, 60).aac(gop * 100 + 20, 20).inter(gop * 100 + 40, 20);
    stream.configs(400, 1).key(400, 60).video(440, avc_end());
  };
  const Stream whole = indexed(media, key_frames_of, {{"filesize", {1.0}}});
  const Entries keys = key_frames_of(whole);
  const auto at = [&keys](std::size_t key) { return static_cast<std::uint32_t>(keys[key].first); };
  for (std::uint8_t where = 0; where < 48; ++where) {
    const std::string name = std::to_string(where);
    save_start("offset-" + name, whole.bytes, {where, 0x27, at(2) + where % 2, 0});
    save_start("time-" + name, whole.bytes,
               {static_cast<std::uint8_t>(where | 0x40), 0x27, 200, where % 2 ? at(4) : 0});
  }
  for (std::uint8_t what = 0; what < 0x40; what += 5)
    save_start("what-" + std::to_string(what), whole.bytes, {0, what, at(1), at(4) + 1});
  const Stream to_the_end = indexed(
      media,
      [](const Stream &stream) {
        return roles_of(stream,
                        {flv::Role::DecoderConfig, flv::Role::KeyFrame, flv::Role::EndOfSequence});
      },
      {}, true);
  save_start("config-to-end", to_the_end.bytes, {0, 0x27, 90, 0});
  const Stream mostly_audio =
      indexed(media, [](const Stream &stream) { return roles_of(stream, {flv::Role::Media}); });
  save_start("mostly-audio", mostly_audio.bytes, {0, 0x27, 300, 0});
  const Stream sound =
      indexed(media_of({.duration = 200, .video = false}),
              [](const Stream &stream) { return roles_of(stream, {flv::Role::Media}); });
  save_start("audio-only", sound.bytes, {0, 0x27, 300, 0});
  const Buffer damaged = inserted(whole.bytes, whole.tags[6].begin, payload(70));
  save_start("damaged", damaged, {0x10, 0x27, at(3), 0});
  save_start("cut-off", Bytes(whole.bytes).first(whole.bytes.size() - 40), {0x10, 0x27, at(3), 0});
  save_start("no-index", file({.duration = 200}).bytes, {0x20, 0x27, 500, 0});
  // Timestamps that do not start at 0, and that restart; wrong metadata and indexes.
  save_start("negative", file({.duration = 200, .start = 0xFFFFFFDF}).bytes, {0x54, 0x27, 100, 0});
  const Stream hour = indexed([](Stream &stream) {
    stream.configs();
    append_media(stream, {.duration = 200, .start = 3'600'000, .gop = 2});
  });
  save_start("from-an-hour", hour.bytes, {0x44, 0x27, 100, 0});
  const Stream once = file({.duration = 100, .gop = 2});
  save_start("again", joined({once.bytes, once.bytes}), {0x54, 0x27, 150, 0});
  save_start("cut-and-again", joined({Bytes(once.bytes).first(once.bytes.size() - 50), once.bytes}),
             {0x54, 0x27, 150, 0});
  Stream unreadable;
  unreadable.header().script(0, script("onMetaData", {})).configs().key(0).aac(0).video(0, {});
  save_start("unreadable-metadata", unreadable.bytes, {0x64, 0x27, 0, 0});
  const Stream lying = indexed(media, [](const Stream &stream) {
    Entries entries = key_frames_of(stream);
    for (auto &[position, time] : entries)
      position += 3;
    return entries;
  });
  save_start("wrong-index", lying.bytes, {0x64, 0x27, 300, 0});
  save_start("another-format", joined({Buffer{0, 0, 0, 8, 'f', 't', 'y', 'p'}, payload(600)}),
             {0, 0x27, 100, 0});
}

// --- websocket: a client's data, and a number ---

void save_frames(const std::string &name, Bytes bytes) {
  save("websocket", name, joined({bytes, Buffer{9, 8, 7, 6}}));
}

void save_websocket() {
  const Buffer ping = client_frame(Opcode::Ping, payload(5));
  save_frames("ping", ping);
  save_frames("ping-empty", client_frame(Opcode::Ping, {}));
  save_frames("pong-125", client_frame(Opcode::Pong, payload(125)));
  save_frames("close", client_frame(Opcode::Close, Buffer{3, 0xE8, 'b', 'y', 'e'}));
  save_frames("after-close", joined({client_frame(Opcode::Close, {}), ping}));
  save_frames("text", joined({client_frame(Opcode::Text, payload(30)), ping}));
  save_frames("binary-126", joined({client_frame(Opcode::Binary, payload(126)), ping}));
  save_frames("size-64", joined({frame_header({0x82, 3, 8}), payload(3), ping}));
  save_frames("fragments", joined({client_frame(0x01, payload(9)), ping, client_frame(0x00, {}),
                                   client_frame(0x80, payload(2)), ping}));
  save_frames("too-big", joined({frame_header({0x82, 65537, 8}), payload(9)}));
  save_frames("too-big-in-parts",
              joined({client_frame(0x02, payload(9)), frame_header({0x80, 65530, 2})}));
  save_frames("size-overflow",
              joined({client_frame(0x02, payload(9)), frame_header({0x80, UINT64_MAX, 8})}));
  save_frames("unmasked", frame_header({0x82, 5, 0, {}}));
  save_frames("reserved", frame_header({0xC2, 5}));
  save_frames("opcode", frame_header({0x83, 5}));
  save_frames("control-126", frame_header({0x89, 126, 2}));
  save_frames("control-fragment", frame_header({0x09, 1}));
  save_frames("continuation", frame_header({0x80, 1}));
  save_frames("message-in-message", joined({client_frame(0x01, {}), frame_header({0x81, 1})}));
}

// --- fanout: a stream, settings and a number ---

struct ClientSettings {
  std::uint8_t flags = 0; // see fuzz_fanout.cpp
  std::uint8_t header_size = 0;
  std::uint8_t burst = 0; // all in units of 16 ms or bytes
  std::uint8_t lag = 0;
  std::uint8_t lag_bytes = 0;
  std::uint8_t message = 30;
};

void save_clients(const std::string &name, Bytes stream, const ClientSettings &settings = {},
                  std::uint8_t seed = 1) {
  save("fanout", name,
       joined({stream, Buffer{settings.flags, settings.header_size, settings.burst, settings.lag,
                              settings.lag_bytes, settings.message, 0, 0, 7, seed}}));
}

void save_fanout() {
  constexpr std::uint8_t kBurst = 1;
  constexpr std::uint8_t kNext = 2;
  constexpr std::uint8_t kRaw = 0x10;
  constexpr std::uint8_t kInterrupts = 0x20;
  constexpr std::uint8_t kCaps = 0x40;
  const Stream whole = file({.duration = 600, .gop = 4});
  const Bytes bytes = whole.bytes;
  save_clients("whole", bytes);
  save_clients("burst", bytes, {.flags = kBurst, .burst = 20});
  save_clients("next", bytes, {.flags = kNext});
  save_clients("raw", bytes, {.flags = kRaw | kBurst, .burst = 20});
  save_clients("late", bytes, {.lag = 10, .message = 10});
  save_clients("late-bytes", bytes, {.flags = kBurst, .burst = 99, .lag_bytes = 40}, 3);
  save_clients("interrupts", bytes, {.flags = kInterrupts}, 5);
  save_clients("caps", bytes,
               {.flags = kCaps, .header_size = static_cast<std::uint8_t>(whole.tags[3].begin)});
  save_clients("audio-only", file({.duration = 600, .video = false}).bytes);
  save_clients("video-only", file({.duration = 600, .audio = false}).bytes);
  save_clients("from-an-hour", file({.duration = 300, .start = 3'600'000}).bytes);
  save_clients("over-the-wrap", file({.duration = 300, .start = 0xFFFFFFB0}).bytes);
  save_clients("no-video-comes", joined({file_header(), file({.video = false}).bytes}));
  save_clients("wrong-sizes", with_previous_sizes(whole, 0));
  save_clients("damage", inserted(whole.bytes, whole.tags[12].begin, payload(70)));
  save_clients("not-flv", payload(64));
  const Stream other = file({.duration = 300, .gop = 3, .audio = false});
  save_clients("second-file", joined({bytes, other.bytes, bytes}), {.lag = 10});
  save_clients("size-missing", joined({bytes.first(bytes.size() - 4), other.bytes}));
  Stream changes;
  changes.header().metadata({{"width", {1.0}}}).configs();
  for (std::uint8_t i = 0; i < 6; ++i) {
    const std::uint32_t time = i * 80U;
    changes.configs(time, i / 2).key(time, 60).aac(time, 20).inter(time + 40, 30);
    changes.script(time, script("onCuePoint", {}));
    changes.metadata({{"width", {i / 2.0}}, {"hasAudio", {false}}}).aac(time + 50, 20);
  }
  save_clients("changes", changes.bytes, {.lag = 5, .message = 6}, 9);
}

// --- indexed: settings and a file ---

void save_indexed(const std::string &name, Bytes file, std::uint8_t settings = 0) {
  save("indexed", name, joined({Buffer{settings}, file}));
}

void save_indexed_files() {
  const Stream plain = file({.duration = 200, .gop = 2});
  save_indexed("no-index", plain.bytes);
  save_indexed("no-index-stored", plain.bytes, 1);
  save_indexed("from-an-hour", file({.duration = 200, .start = 3'600'000, .gop = 2}).bytes);
  save_indexed("audio-only", file({.duration = 200, .video = false}).bytes);
  save_indexed("twice", joined({plain.bytes, plain.bytes}));
  save_indexed("damaged", erased(plain.bytes, plain.tags[5].begin + 3, 40));
  save_indexed("cut-off", Bytes(plain.bytes).first(plain.bytes.size() - 40));
  Stream late;
  late.header().configs().key(0, 60).metadata({{"duration", {9.0}}}).inter(40, 30).key(80, 60);
  save_indexed("late-metadata", late.bytes);
  Stream none;
  none.header().configs().key(0, 60).inter(40, 30).key(80, 60);
  save_indexed("no-metadata", none.bytes);
  Stream unreadable;
  unreadable.header().script(0, script("onMetaData", {})).configs().key(0, 60).key(80, 60);
  save_indexed("unreadable-metadata", unreadable.bytes);
  const auto media = [](Stream &stream) {
    append_media(stream.configs(), {.duration = 200, .gop = 2});
    stream.video(200, avc_end());
  };
  save_indexed("index", indexed(media).bytes);
  save_indexed("index-of-everything", indexed(media, [](const Stream &stream) {
                                        return entries_of(stream, [](std::size_t) { return true; });
                                      }).bytes);
  save_indexed("index-with-ends", indexed(media, [](const Stream &stream) {
                                    return roles_of(stream,
                                                    {flv::Role::KeyFrame, flv::Role::DecoderConfig,
                                                     flv::Role::EndOfSequence});
                                  }).bytes);
  save_indexed("another-format", payload(100));
}

// --- http: the value of a header field or a query, and a number ---

void save_text(const std::string &name, const std::string &text, std::uint64_t number = 1000) {
  Buffer bytes(text.begin(), text.end());
  for (unsigned shift = 64; shift > 0; shift -= 8)
    bytes.push_back(static_cast<std::uint8_t>(number >> (shift - 8)));
  save("http", name, bytes);
}

void save_http() {
  constexpr std::uint64_t kHuge = UINT64_MAX;
  constexpr std::uint64_t kDate = std::uint64_t{784111777} << 32U;
  save_text("range", "bytes=10-19");
  save_text("range-open", "bytes=10-");
  save_text("range-suffix", "bytes=-500");
  save_text("range-several", "bytes=0-1, 5-6");
  save_text("range-huge", "bytes=0-99999999999999999999999999", kHuge);
  save_text("range-last", "bytes=18446744073709551614-", kHuge);
  save_text("range-empty-elements", "bytes=,,1-2 ,");
  save_text("range-unsatisfiable", "bytes=99999999999999999999-");
  save_text("range-of-nothing", "bytes=-1", 0);
  save_text("date-fix", "Sun, 06 Nov 1994 08:49:37 GMT", kDate);
  save_text("date-850", "Sunday, 06-Nov-94 08:49:37 GMT", kDate);
  save_text("date-850-long-ago", "Sunday, 06-Nov-94 08:49:37 GMT", std::uint64_t{1} << 63U);
  save_text("date-asctime", "Sun Nov  6 08:49:37 1994", kDate);
  save_text("date-year-0", "Sat, 01 Jan 0000 00:00:00 GMT");
  save_text("date-last", "Fri, 31 Dec 9999 23:59:60 GMT");
  save_text("date-cut", "Sun, 06 Nov 1994 08:4");
  save_text("tag", "\"tag\"", kDate);
  save_text("tag-weak", "W/\"tag\"", kDate);
  save_text("tags", "\"a\", W/\"b\" ,\"tag\"", kDate);
  save_text("tag-any", "*", kDate);
  save_text("tag-open", "\"tag", kDate);
  save_text("query", "start=5&end=7&t=12.5");
  save_text("query-escapes", "a%20b=%41+c&%zz=%&=&&x");
  save_text("query-numbers", "a=18446744073709551615&b=18446744073709551.616&c=.5&d=-1");
  std::string many = "a=0";
  for (int i = 1; i < 200; ++i)
    many += "&a=" + std::to_string(i);
  save_text("query-many", many);
  save("http", "empty", {});
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  g_folder = argv[1];
  save_streams();
  save_tags();
  save_amf0();
  save_schedules();
  save_starts();
  save_indexed_files();
  save_websocket();
  save_fanout();
  save_http();
  return 0;
}
