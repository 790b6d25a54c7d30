// SPDX-License-Identifier: LGPL-2.1-or-later
// Start points of a backlog without a keyframe.
#include "live_stream.h"

namespace {

// A frame with a recovery point: AVC in classic FLV, or HEVC in enhanced FLV.
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

// The backlog has 4 KB, without a keyframe.
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

// A client starts at the next configuration or recovery point.
START_TEST(test_start_without_a_keyframe) {
  const bool by_configuration = _i == 0;
  const bool hevc = _i == 2;
  Keyless live(hevc);
  for (const Join join : {Join::LatestKeyFrame, Join::Burst, Join::NextKeyFrame}) {
    CursorSettings settings;
    settings.join = join;
    settings.burst = 1000;
    LiveClient client(live, Framing::Plain, settings);
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

// accept_any_frame() lets a client start at any frame.
START_TEST(test_start_at_any_frame) {
  Keyless live;
  LiveClient client(live);
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

// A client whose next entry is evicted resumes at the same start points.
START_TEST(test_resume_without_a_keyframe) {
  Live live(4000);
  live.begin();
  live.configure(true, true);
  live.play(400, true, true, 0);
  live.tag(TagType::Video, flvtest::avc_frame(true, 60));
  live.play(400, true, true, 0);
  LiveClient client(live);
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
  // The next keyframe is a start point again.
  live.play(400, true, true);
  ck_assert(!live.backlog.lacks_key_frame());
  ck_assert(LiveClient(live).cursor().start_point() == StartPoint::KeyFrame);
}
END_TEST

// A backlog with a keyframe has no other start points. Before the first keyframe, a recovery point
// is a start point, because a stream with intra refresh may have no keyframe.
START_TEST(test_keyframes_come_first) {
  Live live;
  live.begin();
  live.configure(true, true);
  live.play(400, true, true);
  live.configure(true, true, 1);
  live.tag(TagType::Video, recovery_frame(false, false));
  live.play(400, true, true, 0);
  LiveClient client(live);
  ck_assert(client.cursor().start_point() == StartPoint::KeyFrame);

  Live middle;
  middle.begin();
  middle.configure(true, true);
  middle.play(1200, true, true, 0);
  ck_assert(LiveClient(middle).stream().empty());
  middle.tag(TagType::Video, recovery_frame(false, false));
  middle.play(400, true, true, 0);
  LiveClient started(middle);
  ck_assert(started.cursor().start_point() == StartPoint::RecoveryPoint ||
            !started.cursor().start_point());
  ck_assert(middle.backlog.newest_header());
}
END_TEST

} // namespace

int main() {
  return flvtest::run("keyless", {{test_start_without_a_keyframe, 3},
                                  {test_start_at_any_frame},
                                  {test_resume_without_a_keyframe},
                                  {test_keyframes_come_first}});
}
