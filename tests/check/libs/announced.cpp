// SPDX-License-Identifier: LGPL-2.1-or-later
// What clients are told of audio and video, and where they start when no key frame is left: a feed,
// a history and viewers together.
#include <algorithm>
#include <set>

#include "audience.h"
#include "checkrun.h"
#include "fanout/flv_ingest.h"

using namespace fanout;
using flv::TagType;
using flvtest::Audience;
using flvtest::Buffer;

namespace {

constexpr std::uint32_t kFrame = 40; // ms
const flvtest::Members kBoth{{"audiocodecid", {10.0}}, {"videocodecid", {7.0}}};

// A stream that goes on as the test says, and its history.
class Live {
public:
  explicit Live(std::uint64_t most = 0) : most_(most) {}

  Backlog backlog;
  std::uint32_t time = 0;

  void take(Bytes bytes) {
    const auto owner = std::make_shared<const Buffer>(bytes.begin(), bytes.end());
    std::vector<Entry> entries;
    ck_assert_enum_eq(feed_.take(owner, *owner, entries), flv::Status::Ok);
    for (Entry &entry : entries)
      backlog.append(std::move(entry));
    while (most_ > 0 && backlog.bytes_from(backlog.begin()) > most_)
      backlog.trim(backlog.begin() + 1);
  }

  void begin() {
    flvtest::Stream stream;
    stream.header().metadata(kBoth);
    take(stream.bytes);
  }
  void tag(TagType type, Bytes data) { take(flvtest::whole_tag(type, time, data)); }
  void configure(bool audio, bool video, std::uint8_t variant = 0) {
    if (video)
      tag(TagType::Video, flvtest::avc_config(variant));
    if (audio)
      tag(TagType::Audio, flvtest::aac_config(variant));
  }

  // So many ms of it; a key frame at the first frame, and each `gop` ms.
  void play(std::uint32_t ms, bool audio, bool video, std::uint32_t gop = 1000) {
    for (const std::uint32_t begin = time; time < begin + ms; time += kFrame) {
      if (video)
        tag(TagType::Video, flvtest::avc_frame(gop > 0 && (time - begin) % gop == 0, 60));
      if (audio)
        tag(TagType::Audio, flvtest::aac_frame(20));
    }
  }

private:
  FlvIngest feed_;
  std::uint64_t most_;
};

// What a client got: "A"/"V" a frame, "a"/"v" a configuration, "K" a key frame, "M" metadata; equal
// frames in a row once.
class Got {
public:
  explicit Got(const Live &live, Framing framing = Framing::Plain, CursorSettings settings = {})
      : settings_(settings), framing_(framing), audience_(framing, live.backlog) {
    read(live);
  }

  // Writes of 100 bytes, so that tags are cut.
  void read(const Live &live) { audience_.write_all(live.backlog, settings_, 100); }

  [[nodiscard]] ClientCursor &cursor() { return audience_.cursor; }

  [[nodiscard]] Buffer stream() const {
    std::vector<flvtest::Message> others;
    std::string fault;
    Buffer out = framing_ == Framing::WebSocket ? flvtest::unframed(audience_.out, others, fault)
                                                : audience_.out;
    ck_assert_msg(fault.empty(), "%s", fault.c_str());
    return out;
  }

  [[nodiscard]] std::uint8_t flags() const { return stream().at(4); }

  [[nodiscard]] std::string tags() const {
    const Buffer bytes = stream();
    std::string out;
    std::uint32_t last = 0;
    for (const flv::Item &item : flvtest::split(bytes).items) {
      if (item.kind != flv::Item::Kind::Tag)
        continue;
      const Bytes data = Bytes(bytes).subspan(item.begin + flv::kTagHeaderSize, item.tag.data_size);
      const char letter = letter_of(item.tag.type, data);
      if (out.empty() || out.back() != letter)
        out += letter;
      if (letter == 'M')
        continue;
      ck_assert_uint_ge(item.tag.timestamp + kFrame, last);
      last = item.tag.timestamp;
    }
    return out;
  }

private:
  static char letter_of(TagType type, Bytes data) {
    if (type == TagType::Script)
      return 'M';
    const bool configuration = flv::classify(type, data).role == flv::Role::DecoderConfig;
    if (type == TagType::Audio)
      return configuration ? 'a' : 'A';
    const bool key = flv::classify(type, data).role == flv::Role::KeyFrame;
    return configuration ? 'v' : key ? 'K' : 'V';
  }

  CursorSettings settings_;
  Framing framing_;
  Audience audience_;
};

void check_text(const std::string &got, const std::string &should) {
  ck_assert_msg(got == should, "%s, not %s", got.c_str(), should.c_str());
}

// A repeated "KAVA" or "VA" of a stream with both, once.
std::string shortened(std::string tags) {
  for (const char *group : {"VA", "KA"}) {
    const std::string twice = std::string(group) + group;
    for (std::size_t at = tags.find(twice); at != std::string::npos; at = tags.find(twice))
      tags.erase(at, 2);
  }
  return tags;
}

// --- What is announced ---

// The microphone goes off while video goes on: after two seconds of silence, no client that joins
// is promised sound. The frames in front of the silence are left out for it.
START_TEST(test_a_kind_that_stops) {
  const bool audio_stops = _i % 2 == 0;
  const Framing framing = _i < 2 ? Framing::Plain : Framing::WebSocket;
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(8000, true, true, 10'000);
  Got before(live, framing);
  ck_assert_uint_eq(before.flags(), 5);
  live.play(1960, !audio_stops, audio_stops, 0);
  const Got soon(live, framing);
  ck_assert_uint_eq(soon.flags(), 5);
  live.play(200, !audio_stops, audio_stops, 0);
  const Got late(live, framing);
  ck_assert_uint_eq(late.flags(), audio_stops ? 1 : 4);
  check_text(late.tags(), audio_stops ? "MvKV" : "MaA");
  // Who was there before goes on.
  const std::size_t size = before.stream().size();
  before.read(live);
  ck_assert_uint_gt(before.stream().size(), size);
}
END_TEST

// What comes back is given to those who were not told of it: metadata and configuration, then
// frames; of video from the key frame on. Whoever was told of it gets no repetition.
START_TEST(test_a_kind_that_comes_back) {
  const bool audio_stops = _i % 2 == 0;
  const Framing framing = _i < 2 ? Framing::Plain : Framing::WebSocket;
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(2000, true, true);
  Got before(live, framing);
  live.play(3000, !audio_stops, audio_stops);
  Got late(live, framing);
  const std::string alone = late.tags();
  ck_assert_uint_eq(late.flags(), audio_stops ? 1 : 4);
  if (!audio_stops) {
    live.play(400, true, true, 0); // no key frame yet
    late.read(live);
    check_text(late.tags(), alone);
  }
  live.play(800, true, true, audio_stops ? 0 : 1000);
  late.read(live);
  before.read(live);
  if (audio_stops)
    check_text(shortened(late.tags()), alone + "MaAVA");
  else
    check_text(shortened(late.tags()), alone + "MvKAVA");
  check_text(std::string(before.tags(), 0, 3), "Mva");
  ck_assert(before.tags().find('M', 1) == std::string::npos);
  ck_assert(before.tags().find(audio_stops ? 'a' : 'v', 3) == std::string::npos);
  const Got after(live, framing);
  ck_assert_uint_eq(after.flags(), 5);
}
END_TEST

// Again and again: each time anew.
START_TEST(test_comes_and_goes) {
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(1000, true, true);
  for (int round = 0; round < 3; ++round) {
    live.play(3000, false, true);
    Got late(live);
    ck_assert_uint_eq(late.flags(), 1);
    live.play(1000, true, true);
    live.play(3000, false, true);
    live.play(1000, true, true);
    late.read(live);
    // The second silence is no news to it.
    const std::string tags = late.tags();
    ck_assert_int_eq(std::count(tags.begin(), tags.end(), 'a'), 1);
    ck_assert_int_eq(std::count(tags.begin(), tags.end(), 'M'), 2);
    ck_assert_uint_eq(Got(live).flags(), 5);
  }
}
END_TEST

// One kind is not there at the start; its configuration may be.
START_TEST(test_a_kind_that_comes_later) {
  const bool audio_later = _i % 2 == 0;
  const bool configured = _i >= 2;
  Live live;
  live.begin();
  live.configure(!audio_later || configured, audio_later || configured);
  live.play(5000, !audio_later, audio_later);
  Got early(live);
  ck_assert_uint_eq(early.flags(), audio_later ? 1 : 4);
  const std::string alone = early.tags();
  check_text(alone, audio_later ? "MvKV" : "MaA");
  // Another configuration that no frame follows is none of its business.
  live.configure(audio_later, !audio_later, 1);
  live.play(500, !audio_later, audio_later, 0);
  early.read(live);
  check_text(early.tags(), alone);
  live.play(400, true, true, audio_later ? 0 : 1000);
  early.read(live);
  check_text(shortened(early.tags()), alone + (audio_later ? "MaAVA" : "MvKAVA"));
}
END_TEST

// A client that skips over the return has what it lacks in front of where it goes on.
START_TEST(test_comes_back_in_a_skipped_stretch) {
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(1000, true, true);
  live.play(3000, false, true);
  CursorSettings settings;
  settings.max_lag = 1000;
  Got late(live, Framing::Plain, settings);
  check_text(late.tags(), "MvKV");
  live.configure(true, false, 1);
  live.play(3000, true, true, 500);
  late.read(live);
  check_text(shortened(late.tags()), "MvKVMvaKAVA");
  ck_assert_uint_gt(late.cursor().skips(), 0);
}
END_TEST

// The frames that show a kind may come in front of the first key frame, and are left out then: it
// is announced all the same, and counts as silent from its last frame on.
START_TEST(test_shown_in_front_of_the_first_key_frame) {
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(400, true, false);
  live.tag(TagType::Video, flvtest::avc_frame(true, 60));
  Got client(live);
  ck_assert_uint_eq(client.flags(), 5);
  check_text(client.tags(), "MvaK");
  live.play(200, true, true, 0);
  client.read(live);
  check_text(shortened(client.tags()), "MvaKVA");

  Live silent;
  silent.begin();
  silent.configure(true, true);
  silent.play(400, true, false);
  silent.play(1960, false, true, 10'000);
  ck_assert_uint_eq(Got(silent).flags(), 5);
  silent.play(200, false, true, 0);
  Got late(silent);
  ck_assert_uint_eq(late.flags(), 1);
  check_text(late.tags(), "MvKV");
  silent.play(200, true, true, 0);
  late.read(silent);
  check_text(shortened(late.tags()), "MvKVMaAVA");
}
END_TEST

// A tag without data is no frame, wherever it is and however often it comes.
START_TEST(test_tags_without_data) {
  const bool audio = _i % 2 == 0; // what is there
  const TagType other = audio ? TagType::Video : TagType::Audio;
  for (const std::uint32_t every : {10'000U, 400U, 40U}) {
    Live live;
    live.begin();
    live.configure(true, true);
    Got early(live);
    for (std::uint32_t played = 0; played < 4000; played += 400) {
      if (played % every == 0)
        live.tag(other, {});
      live.play(400, audio, !audio);
    }
    live.tag(other, {});
    early.read(live);
    const Got late(live);
    for (const Got *client : {static_cast<const Got *>(&early), &late}) {
      ck_assert_uint_eq(client->flags(), audio ? 4 : 1);
      check_text(client->tags().substr(0, 4), audio ? "MaA" : "MvKV");
    }
  }
}
END_TEST

// Whoever joins while both are silent, or only one was ever there, is told of what there was.
START_TEST(test_a_kind_alone) {
  for (const bool audio : {false, true}) {
    Live live;
    live.begin();
    live.configure(true, true);
    live.play(10'000, audio, !audio);
    const Got late(live);
    ck_assert_uint_eq(late.flags(), audio ? 4 : 1);
    check_text(late.tags(), audio ? "MaA" : "MvKV");
  }
}
END_TEST

// With a burst, a client may begin where the kind still was.
START_TEST(test_burst_into_the_past) {
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(4000, true, true);
  live.play(3000, false, true);
  CursorSettings settings;
  settings.join = Join::Burst;
  settings.burst = 6000;
  const Got late(live, Framing::Plain, settings);
  ck_assert_uint_eq(late.flags(), 1);
  check_text(late.tags(), "MvKVKVKVKVKVKVKV");
}
END_TEST

// --- No key frame left ---

// A recovery point: AVC with lengths of four bytes, HEVC of enhanced FLV.
Buffer recovery_frame(bool hevc, bool prefixed) {
  Buffer body{0, 0, 0}; // composition time
  const auto unit = [&](Buffer bytes) {
    flv::Writer writer(body);
    writer.u32(static_cast<std::uint32_t>(bytes.size()));
    writer.bytes(bytes);
  };
  unit(hevc ? Buffer{0x46, 1, 0x50} : Buffer{9, 0xF0}); // access unit delimiter
  Buffer sei = hevc ? Buffer{0x4E, 1} : Buffer{6};
  if (prefixed) // a user data message with an emulation prevention byte
    flvtest::append(sei, Buffer{5, 6, 0, 0, 3, 1, 6, 6, 6});
  flvtest::append(sei, Buffer{6, 1, 0xC4, 0x80});
  unit(sei);
  unit(hevc ? Buffer{0x02, 1, 7, 7} : Buffer{0x41, 7, 7});
  if (hevc)
    return flvtest::ex_video(2, flvtest::Packet::CodedFrames, "hvc1", body);
  Buffer data{0x27, 1};
  flvtest::append(data, body);
  return data;
}

// 4 KB are kept: no key frame is left after that.
class Keyless : public Live {
public:
  explicit Keyless(bool hevc = false) : Live(4000) {
    begin();
    if (hevc) {
      Buffer record(23, 0);
      record[21] = 3;
      tag(TagType::Video, flvtest::ex_video(1, flvtest::Packet::SequenceStart, "hvc1", record));
      tag(TagType::Audio, flvtest::aac_config());
      tag(TagType::Video,
          flvtest::ex_video(1, flvtest::Packet::CodedFramesX, "hvc1", flvtest::payload(20)));
    } else {
      configure(true, true);
      tag(TagType::Video, flvtest::avc_frame(true, 60));
    }
    play(10'000, true, true, 0);
    ck_assert(backlog.lacks_key_frame() && !backlog.last_join());
  }
};

// A client waits for the next configuration or recovery point, and starts there.
START_TEST(test_start_without_a_key_frame) {
  const bool by_configuration = _i == 0;
  const bool hevc = _i == 2;
  Keyless live(hevc);
  for (const Join join : {Join::LatestKeyFrame, Join::Burst, Join::NextKeyFrame}) {
    CursorSettings settings;
    settings.join = join;
    settings.burst = 1000;
    Got client(live, Framing::Plain, settings);
    live.play(2000, true, true, 0);
    client.read(live);
    ck_assert(client.stream().empty());
    ck_assert(!client.cursor().start_point());
    if (by_configuration)
      live.configure(true, true, 1);
    else
      live.tag(TagType::Video, recovery_frame(hevc, join == Join::Burst));
    live.play(400, true, true, 0);
    client.read(live);
    check_text(shortened(client.tags()), "MvaVA");
    ck_assert_uint_eq(client.flags(), 5);
    ck_assert(client.cursor().start_point() ==
              (by_configuration ? StartPoint::DecoderConfig : StartPoint::RecoveryPoint));
  }
}
END_TEST

// Where nothing of that comes, a client may start at any frame.
START_TEST(test_start_at_any_frame) {
  Keyless live;
  Got client(live);
  client.cursor().accept_any_frame(live.backlog);
  client.read(live);
  ck_assert(client.stream().empty());
  live.play(80, true, false);
  client.read(live);
  ck_assert(client.stream().empty());
  live.play(400, true, true, 0);
  client.read(live);
  check_text(shortened(client.tags()), "MvaVA");
  ck_assert(client.cursor().start_point() == StartPoint::Frame);
}
END_TEST

// One that was thrown out of the history goes on at the same places.
START_TEST(test_go_on_without_a_key_frame) {
  Live live(4000);
  live.begin();
  live.configure(true, true);
  live.play(400, true, true, 0);
  live.tag(TagType::Video, flvtest::avc_frame(true, 60));
  live.play(400, true, true, 0);
  Got client(live);
  ck_assert(client.cursor().start_point() == StartPoint::KeyFrame);
  const std::string before = client.tags();
  live.play(10'000, true, true, 0);
  client.read(live);
  check_text(client.tags(), before);
  live.configure(false, true, 1);
  live.play(400, true, true, 0);
  client.read(live);
  ck_assert_uint_gt(client.tags().size(), before.size());
  ck_assert(client.cursor().start_point() == StartPoint::DecoderConfig);
  // A key frame ends it.
  live.play(400, true, true);
  ck_assert(!live.backlog.lacks_key_frame());
  ck_assert(Got(live).cursor().start_point() == StartPoint::KeyFrame);
}
END_TEST

// While there is a key frame, nobody starts elsewhere; nor in front of the first, but at a recovery
// point: such a stream may have no key frame at all.
START_TEST(test_key_frames_come_first) {
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(400, true, true);
  live.configure(true, true, 1);
  live.tag(TagType::Video, recovery_frame(false, false));
  live.play(400, true, true, 0);
  Got client(live);
  ck_assert(client.cursor().start_point() == StartPoint::KeyFrame);

  Live middle;
  middle.begin();
  middle.configure(true, true);
  middle.play(1200, true, true, 0);
  ck_assert(Got(middle).stream().empty());
  middle.tag(TagType::Video, recovery_frame(false, false));
  middle.play(400, true, true, 0);
  Got started(middle);
  ck_assert(started.cursor().start_point() == StartPoint::RecoveryPoint ||
            !started.cursor().start_point());
  ck_assert(middle.backlog.newest_head());
}
END_TEST

} // namespace

int main() {
  return flvtest::run("announced", {{test_a_kind_that_stops, 4},
                                    {test_a_kind_that_comes_back, 4},
                                    {test_comes_and_goes},
                                    {test_a_kind_that_comes_later, 4},
                                    {test_comes_back_in_a_skipped_stretch},
                                    {test_shown_in_front_of_the_first_key_frame},
                                    {test_tags_without_data, 2},
                                    {test_a_kind_alone},
                                    {test_burst_into_the_past},
                                    {test_start_without_a_key_frame, 3},
                                    {test_start_at_any_frame},
                                    {test_go_on_without_a_key_frame},
                                    {test_key_frames_come_first}});
}
