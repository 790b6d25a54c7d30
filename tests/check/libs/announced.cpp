// SPDX-License-Identifier: LGPL-2.1-or-later
// The kinds that a client's header announces, and kinds that appear later.
#include <algorithm>

#include "live_stream.h"

namespace {

// One kind stops and the other continues. After two seconds, the header for a new client does not
// announce the absent kind, and the client does not receive its earlier frames.
START_TEST(test_a_kind_that_stops) {
  const bool audio_stops = _i % 2 == 0;
  const Framing framing = _i < 2 ? Framing::Plain : Framing::WebSocket;
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(8000, true, true, 10'000);
  LiveClient before(live, framing);
  ck_assert_uint_eq(before.flags(), 5);
  live.play(1960, !audio_stops, audio_stops, 0);
  const LiveClient soon(live, framing);
  ck_assert_uint_eq(soon.flags(), 5);
  live.play(200, !audio_stops, audio_stops, 0);
  const LiveClient late(live, framing);
  ck_assert_uint_eq(late.flags(), audio_stops ? 1 : 4);
  check_text(late.tags(), audio_stops ? "MvKV" : "MaA");
  // A client that joined before continues.
  const std::size_t size = before.stream().size();
  before.read(live);
  ck_assert_uint_gt(before.stream().size(), size);
}
END_TEST

// A kind returns. Clients whose header does not announce it receive metadata, the configuration,
// and then frames, for video from a keyframe on. The other clients receive no repetition.
START_TEST(test_a_kind_that_comes_back) {
  const bool audio_stops = _i % 2 == 0;
  const Framing framing = _i < 2 ? Framing::Plain : Framing::WebSocket;
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(2000, true, true);
  LiveClient before(live, framing);
  live.play(3000, !audio_stops, audio_stops);
  LiveClient late(live, framing);
  const std::string alone = late.tags();
  ck_assert_uint_eq(late.flags(), audio_stops ? 1 : 4);
  if (!audio_stops) {
    live.play(400, true, true, 0); // no keyframe yet
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
  const LiveClient after(live, framing);
  ck_assert_uint_eq(after.flags(), 5);
}
END_TEST

// A kind stops and returns several times.
START_TEST(test_comes_and_goes) {
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(1000, true, true);
  for (int round = 0; round < 3; ++round) {
    live.play(3000, false, true);
    LiveClient late(live);
    ck_assert_uint_eq(late.flags(), 1);
    live.play(1000, true, true);
    live.play(3000, false, true);
    live.play(1000, true, true);
    late.read(live);
    // The second absence does not repeat the setup.
    const std::string tags = late.tags();
    ck_assert_int_eq(std::count(tags.begin(), tags.end(), 'a'), 1);
    ck_assert_int_eq(std::count(tags.begin(), tags.end(), 'M'), 2);
    ck_assert_uint_eq(LiveClient(live).flags(), 5);
  }
}
END_TEST

// One kind is absent at the start. The stream may have its configuration.
START_TEST(test_a_kind_that_comes_later) {
  const bool audio_later = _i % 2 == 0;
  const bool configured = _i >= 2;
  Live live;
  live.begin();
  live.configure(!audio_later || configured, audio_later || configured);
  live.play(5000, !audio_later, audio_later);
  LiveClient early(live);
  ck_assert_uint_eq(early.flags(), audio_later ? 1 : 4);
  const std::string alone = early.tags();
  check_text(alone, audio_later ? "MvKV" : "MaA");
  // The client does not receive a configuration without frames.
  live.configure(audio_later, !audio_later, 1);
  live.play(500, !audio_later, audio_later, 0);
  early.read(live);
  check_text(early.tags(), alone);
  live.play(400, true, true, audio_later ? 0 : 1000);
  early.read(live);
  check_text(shortened(early.tags()), alone + (audio_later ? "MaAVA" : "MvKAVA"));
}
END_TEST

// A client that skips past the return of a kind receives the setup before the next entry.
START_TEST(test_comes_back_during_a_skip) {
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(1000, true, true);
  live.play(3000, false, true);
  CursorSettings settings;
  settings.max_lag = 1000;
  LiveClient late(live, Framing::Plain, settings);
  check_text(late.tags(), "MvKV");
  live.configure(true, false, 1);
  live.play(3000, true, true, 500);
  late.read(live);
  check_text(shortened(late.tags()), "MvKVMvaKAVA");
  ck_assert_uint_gt(late.cursor().skips(), 0);
}
END_TEST

// All frames of a kind may come before the first keyframe, where they are dropped. The header
// announces the kind, and its absence starts at its last frame.
START_TEST(test_frames_before_the_first_keyframe) {
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(400, true, false);
  live.tag(TagType::Video, flvtest::avc_frame(true, 60));
  LiveClient client(live);
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
  ck_assert_uint_eq(LiveClient(silent).flags(), 5);
  silent.play(200, false, true, 0);
  LiveClient late(silent);
  ck_assert_uint_eq(late.flags(), 1);
  check_text(late.tags(), "MvKV");
  silent.play(200, true, true, 0);
  late.read(silent);
  check_text(shortened(late.tags()), "MvKVMaAVA");
}
END_TEST

// A tag without data does not count as a frame.
START_TEST(test_tags_without_data) {
  const bool audio = _i % 2 == 0; // the kind with frames
  const TagType other = audio ? TagType::Video : TagType::Audio;
  for (const std::uint32_t every : {10'000U, 400U, 40U}) {
    Live live;
    live.begin();
    live.configure(true, true);
    LiveClient early(live);
    for (std::uint32_t played = 0; played < 4000; played += 400) {
      if (played % every == 0)
        live.tag(other, {});
      live.play(400, audio, !audio);
    }
    live.tag(other, {});
    early.read(live);
    const LiveClient late(live);
    for (const LiveClient *client : {static_cast<const LiveClient *>(&early), &late}) {
      ck_assert_uint_eq(client->flags(), audio ? 4 : 1);
      check_text(client->tags().substr(0, 4), audio ? "MaA" : "MvKV");
    }
  }
}
END_TEST

// The header announces the only kind of the stream.
START_TEST(test_a_kind_alone) {
  for (const bool audio : {false, true}) {
    Live live;
    live.begin();
    live.configure(true, true);
    live.play(10'000, audio, !audio);
    const LiveClient late(live);
    ck_assert_uint_eq(late.flags(), audio ? 4 : 1);
    check_text(late.tags(), audio ? "MaA" : "MvKV");
  }
}
END_TEST

// The burst may start before a kind became absent.
START_TEST(test_burst_from_before_the_absence) {
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(4000, true, true);
  live.play(3000, false, true);
  CursorSettings settings;
  settings.join = Join::Burst;
  settings.burst = 6000;
  const LiveClient late(live, Framing::Plain, settings);
  ck_assert_uint_eq(late.flags(), 1);
  check_text(late.tags(), "MvKVKVKVKVKVKVKV");
}
END_TEST

} // namespace

int main() {
  return flvtest::run("announced", {{test_a_kind_that_stops, 4},
                                    {test_a_kind_that_comes_back, 4},
                                    {test_comes_and_goes},
                                    {test_a_kind_that_comes_later, 4},
                                    {test_comes_back_during_a_skip},
                                    {test_frames_before_the_first_keyframe},
                                    {test_tags_without_data, 2},
                                    {test_a_kind_alone},
                                    {test_burst_from_before_the_absence}});
}
