// SPDX-License-Identifier: LGPL-2.1-or-later
// Which source is in use, and the bytes around a switch.
#include <iterator>

#include "failovertest.h"

using namespace flvtest;
using namespace failovertest;

namespace {

Fake &a() {
  return Fake::named("a");
}
Fake &b() {
  return Fake::named("b");
}
Fake &c() {
  return Fake::named("c");
}

const Live kA(0);
const Live kB(1);
const Live kC(2);

// b is in use: a was not reachable.
void use_second(Line &line) {
  b().send(kB.header());
  line.play(b(), kB, 0, 5);
  line.wait_for_message("switched 1 start");
}

} // namespace

// The first source is good for fail-back ms, and the output switches at its next key frame.
GST_START_TEST(fails_back) {
  a().set_mode(Fake::Mode::Refuses);
  Line line("uris=fake://a;fake://b fail-back=1000 retry-max=500");
  use_second(line);
  a().set_mode(Fake::Mode::Works);
  line.run_until([] { return a().running() == 1; }, line.now() + 1000);
  wait_for([] { return a().running() == 1; });
  a().send(kA.header());
  const guint64 begin = line.now();
  // The first key frame is number 10. 25 frames are 1000 ms. The next key frame is number 40.
  line.play({{&a(), kA}, {&b(), kB}}, 5, 41);
  line.wait_for_message("switched 0 fail-back");
  assert_same(line.messages(), "lost 0 error, switched 1 start, back 0, switched 0 fail-back");
  fail_unless(line.time_of("switched 0 fail-back") - begin == 1400, "%d ms",
              static_cast<int>(line.time_of("switched 0 fail-back") - begin));
  // b is the preferred one no longer, and ends.
  wait_for([] { return b().running() == 0; });
  line.play(a(), kA, 41, 45);
  const Buffer first = joined({kB.header(), kB.frames(0, 40)});
  const Buffer second = joined({kA.header(), kA.frames(40, 45)});
  line.wait_for_size(first.size() + second.size());
  const auto parts = line.parts();
  assert_equals_uint64(parts.size(), 2);
  assert_bytes(parts[0], first);
  assert_bytes(parts[1], second);
}
GST_END_TEST

// A better source that is lost again before the time is not used.
GST_START_TEST(fail_back_needs_the_whole_time) {
  a().set_mode(Fake::Mode::Refuses);
  Line line("uris=fake://a;fake://b fail-back=2000 retry-max=500");
  use_second(line);
  a().set_mode(Fake::Mode::Works);
  std::uint32_t frame = 5;
  for (int turn = 0; turn < 3; ++turn) {
    line.run_until([] { return a().running() == 1; }, line.now() + 1000);
    wait_for([] { return a().running() == 1; });
    a().send(kA.header());
    line.play({{&a(), kA}, {&b(), kB}}, frame, frame + 40);
    frame += 40;
    a().reset();
    wait_for([] { return a().running() == 0; });
  }
  assert_equals_uint64(line.parts().size(), 1);
  fail_if(line.has("switched 0 fail-back"));
}
GST_END_TEST

GST_START_TEST(never_fails_back) {
  a().set_mode(Fake::Mode::Refuses);
  Line line("uris=fake://a;fake://b fail-back=0");
  use_second(line);
  a().set_mode(Fake::Mode::Works);
  line.play(b(), kB, 5, 500);
  assert_equals_uint64(a().starts(), 1);
  // But the first source is tried when the second one is lost.
  a().set_opening(joined({kA.header(), kA.frame(0)}));
  b().reset();
  line.wait_for_message("lost 1 error");
  line.wait_for_message("switched 0 lost");
}
GST_END_TEST

// While the probed first source works, its loss-free presence replaces the second one at once.
GST_START_TEST(a_probed_source_takes_over) {
  a().set_mode(Fake::Mode::Refuses);
  Line line("uris=fake://a;fake://b;fake://c fail-back=60000 retry-max=500");
  use_second(line);
  a().set_mode(Fake::Mode::Works);
  line.run_until([] { return a().running() == 1; }, line.now() + 1000);
  wait_for([] { return a().running() == 1; });
  a().send(kA.header());
  line.play({{&a(), kA}, {&b(), kB}}, 5, 15);
  b().reset();
  line.wait_for_message("lost 1 error");
  line.play(a(), kA, 15, 25);
  line.wait_for_message("switched 0 lost");
  assert_equals_uint64(c().starts(), 0);
  const Buffer expected = joined({kA.header(), kA.frames(20, 25)});
  wait_for([&] { return line.parts().size() == 2 && line.parts()[1].size() >= expected.size(); });
  assert_bytes(line.parts()[1], expected);
}
GST_END_TEST

// Only as many sources run as are necessary.
GST_START_TEST(sources_start_in_order) {
  b().set_mode(Fake::Mode::Refuses);
  Line line("uris=fake://a;fake://b;fake://c");
  wait_for([] { return a().running() == 1; });
  line.advance(4999);
  assert_equals_uint64(b().starts() + c().starts(), 0);
  line.advance(1); // a is lost, then b
  wait_for([] { return c().running() == 1; });
  assert_equals_uint64(b().starts(), 1);
  c().send(joined({kC.header(), kC.frame(0)}));
  line.wait_for_message("switched 2 start");
  assert_same(line.messages(), "lost 0 no-data, lost 1 error, switched 2 start");
}
GST_END_TEST

GST_START_TEST(a_request) {
  Line line("uris=fake://a;fake://b fail-back=1000");
  a().send(kA.header());
  line.play(a(), kA, 0, 5);
  line.wait_for_message("switched 0 start");
  gboolean done = FALSE;
  g_signal_emit_by_name(line.element(), "switch", 2U, &done);
  fail_if(done, "there is no third source");
  g_signal_emit_by_name(line.element(), "switch", 1U, &done);
  fail_unless(done);
  wait_for([] { return b().running() == 1; });
  b().send(kB.header());
  line.play({{&a(), kA}, {&b(), kB}}, 5, 15);
  line.wait_for_message("switched 1 request");
  // It stays there, although the first source works.
  line.play(b(), kB, 15, 80);
  assert_same(line.messages(), "switched 0 start, switched 1 request");
  assert_equals_uint64(a().running(), 0);
  const Buffer expected = joined({kB.header(), kB.frames(10, 80)});
  wait_for([&] { return line.parts().back().size() >= expected.size(); });
  assert_bytes(line.parts()[1], expected);
  // The first source returns to the normal order.
  g_signal_emit_by_name(line.element(), "switch", 0U, &done);
  fail_unless(done);
  wait_for([] { return a().running() == 1; });
  a().send(kA.header());
  line.play({{&a(), kA}, {&b(), kB}}, 80, 85);
  line.wait_for_message("switched 0 request");
}
GST_END_TEST

GST_START_TEST(a_request_that_fails) {
  b().set_mode(Fake::Mode::Refuses);
  Line line("uris=fake://a;fake://b");
  a().send(kA.header());
  line.play(a(), kA, 0, 5);
  gboolean done = FALSE;
  g_signal_emit_by_name(line.element(), "switch", 1U, &done);
  fail_unless(done);
  line.wait_for_message("lost 1 error");
  line.play(a(), kA, 5, 30);
  assert_same(line.messages(), "switched 0 start, lost 1 error");
  line.wait_for_size(joined({kA.header(), kA.frames(0, 30)}).size());
  assert_bytes(line.output(), joined({kA.header(), kA.frames(0, 30)}));
}
GST_END_TEST

GST_START_TEST(current_uri) {
  Line line("uris=fake://a;fake://b");
  int notices = 0;
  g_signal_connect(line.element(), "notify::current-uri",
                   G_CALLBACK(+[](GObject *, GParamSpec *, int *count) { ++*count; }), &notices);
  const auto current = [&line] {
    gchar *uri = nullptr;
    g_object_get(line.element(), "current-uri", &uri, nullptr);
    const gstflv::StringPtr owned(uri);
    return std::string(uri ? uri : "none");
  };
  assert_same(current(), "none");
  a().send(kA.header());
  line.play(a(), kA, 0, 5);
  line.wait_for_message("switched 0 start");
  assert_same(current(), "fake://a");
  a().end();
  line.wait_for_message("lost 0 ended");
  assert_same(current(), "none");
  b().send(joined({kB.header(), kB.frame(0)}));
  line.wait_for_message("switched 1 lost");
  assert_same(current(), "fake://b");
  assert_equals_int(notices, 2);
}
GST_END_TEST

// A file repeats in real time. Its loss is none.
GST_START_TEST(a_file_repeats) {
  a().set_finite(true);
  a().set_opening(joined({kA.header(), kA.frames(0, 25)}));
  Line line("uris=fake://a;fake://b");
  a().end();
  const Buffer once = joined({kA.header(), kA.frames(0, 25)});
  line.wait_for_message("switched 0 start");
  for (std::uint32_t frame = 0; frame < 25; ++frame) {
    const Buffer sent = joined({kA.header(), kA.frames(0, frame + 1)});
    line.wait_for_size(sent.size());
    if (frame == 24) // the second repetition begins at once
      break;
    assert_bytes(line.output(), sent);
    line.advance(40);
  }
  // It starts again when its last frame has left, at 960 ms.
  wait_for([] { return a().starts() == 2; });
  assert_equals_uint64(line.now(), 960);
  for (std::uint32_t frame = 0; frame < 25; ++frame) {
    line.wait_for_size(once.size() + joined({kA.header(), kA.frames(0, frame + 1)}).size());
    line.advance(40);
  }
  assert_bytes(line.parts()[0], once);
  assert_bytes(line.parts()[1], once);
  assert_same(line.messages(), "switched 0 start");
  assert_same(line.source_stat(0, "repeats"), "1");
}
GST_END_TEST

// A probed file waits at its start and is not read through.
GST_START_TEST(a_probed_file_waits) {
  a().set_mode(Fake::Mode::Refuses);
  a().set_finite(true);
  Line line("uris=fake://a;fake://b fail-back=1000 retry-max=500");
  use_second(line);
  a().set_mode(Fake::Mode::Works);
  a().set_opening(joined({kA.header(), kA.frames(0, 100)}));
  line.run_until([] { return a().running() == 1; }, line.now() + 1000);
  line.wait_for_message("back 0");
  line.play(b(), kB, 5, 35);
  line.wait_for_message("switched 0 fail-back");
  line.advance(4000);
  const Buffer expected = joined({kA.header(), kA.frames(0, 100)});
  wait_for([&] { return line.parts().size() == 2 && line.parts()[1].size() == expected.size(); });
  assert_bytes(line.parts()[1], expected);
}
GST_END_TEST

namespace {

// --- Other containers ---

Buffer ts_packet(unsigned pid, bool starts, Bytes payload, bool random_access = false,
                 std::optional<std::uint64_t> clock = std::nullopt) {
  Buffer packet = {0x47, static_cast<std::uint8_t>((starts ? 0x40 : 0) | pid >> 8),
                   static_cast<std::uint8_t>(pid), 0x30};
  const std::size_t adaptation = 183 - payload.size();
  packet.push_back(static_cast<std::uint8_t>(adaptation));
  Buffer field(adaptation, 0xFF);
  if (adaptation > 0)
    field[0] = static_cast<std::uint8_t>((random_access ? 0x40 : 0) | (clock ? 0x10 : 0));
  if (clock) {
    flv::store_u32(&field[1], static_cast<std::uint32_t>(*clock >> 1));
    field[5] = static_cast<std::uint8_t>((*clock & 1) << 7 | 0x7E);
    field[6] = 0;
  }
  append(packet, field);
  append(packet, payload);
  return packet;
}

constexpr unsigned kMapPid = 0x100;
constexpr unsigned kVideoPid = 0x101;

Buffer ts_tables(std::uint8_t variant) {
  const Buffer pat = {0, 0, 0xB0, 13, 0, variant, 0xC1, 0, 0, 0, 1, 0xE1, 0, 0, 0, 0, 0};
  const Buffer pmt = {0,    2, 0xB0, 18,   0, 1,    0xC1, 0, 0, 0xE1, 1,
                      0xF0, 0, 0x1B, 0xE1, 1, 0xF0, 0,    0, 0, 0,    0};
  return joined({ts_packet(0, true, pat), ts_packet(kMapPid, true, pmt)});
}

// One frame of one packet.
Buffer ts_frame(std::uint32_t number, std::uint8_t variant) {
  const bool key = number % 10 == 0;
  Buffer pes = {0, 0, 1, 0xE0, 0, 0, 0x80, 0, 0, variant, static_cast<std::uint8_t>(number)};
  pes.resize(100, 0x55);
  return ts_packet(kVideoPid, true, pes, key, std::uint64_t{number} * 3600);
}

Buffer ts_frames(std::uint32_t first, std::uint32_t end, std::uint8_t variant) {
  Buffer bytes;
  for (std::uint32_t number = first; number < end; ++number)
    append(bytes, ts_frame(number, variant));
  return bytes;
}

} // namespace

GST_START_TEST(transport_streams) {
  Line line("uris=fake://a;fake://b");
  // It is joined in the middle of a packet and of a group of frames.
  const Buffer tail = ts_frame(4, 7);
  a().send(Bytes(tail).subspan(100));
  a().send(joined({ts_frames(5, 8, 7), ts_tables(7), ts_frames(8, 25, 7)}));
  a().send(Bytes(ts_frame(25, 7)).first(50));
  line.wait_for_message("switched 0 start");
  wait_for([] { return a().is_drained(); });
  a().reset();
  b().send(joined({ts_tables(9), ts_frames(0, 10, 9)}));
  line.wait_for_message("switched 1 lost");
  const Buffer first = joined({ts_tables(7), ts_frames(10, 25, 7)});
  const Buffer second = joined({ts_tables(9), ts_frames(0, 10, 9)});
  line.wait_for_size(first.size() + second.size());
  const auto parts = line.parts();
  assert_equals_uint64(parts.size(), 2);
  assert_bytes(parts[0], first);
  assert_bytes(parts[1], second);
  assert_same(line.arrivals().front().caps, "video/mpegts");
}
GST_END_TEST

namespace {

Buffer element(std::uint32_t id, Bytes content) {
  Buffer bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (const auto byte = static_cast<std::uint8_t>(id >> shift); byte != 0 || !bytes.empty())
      bytes.push_back(byte);
  }
  bytes.push_back(0x10);
  flv::Writer(bytes).u24(static_cast<std::uint32_t>(content.size()));
  append(bytes, content);
  return bytes;
}

Buffer unknown(std::uint32_t id) {
  Buffer bytes = element(id, {});
  std::fill(bytes.end() - 3, bytes.end(), std::uint8_t{0xFF});
  bytes[bytes.size() - 4] = 0x1F;
  return bytes;
}

Buffer mkv_header(std::uint8_t variant) {
  const std::string type = "webm";
  return joined(
      {element(0x1A45DFA3, element(0x4282, Buffer(type.begin(), type.end()))), unknown(0x18538067),
       element(0x1549A966, element(0x2AD7B1, Buffer{0x0F, 0x42, 0x40})),
       element(0x1654AE6B, element(0xAE, joined({element(0xD7, Buffer{1}), element(0x83, Buffer{1}),
                                                 element(0x86, Buffer{variant})})))});
}

Buffer mkv_block(std::uint16_t offset, bool key, std::uint8_t variant) {
  return element(0xA3, Buffer{0x81, static_cast<std::uint8_t>(offset >> 8),
                              static_cast<std::uint8_t>(offset),
                              static_cast<std::uint8_t>(key ? 0x80 : 0), variant, 1, 2, 3});
}

// 10 frames of 40 ms.
Buffer mkv_cluster(std::uint8_t number, std::uint8_t variant) {
  const std::uint32_t time = number * 400U;
  Buffer bytes =
      joined({unknown(0x1F43B675), element(0xE7, Buffer{static_cast<std::uint8_t>(time >> 8),
                                                        static_cast<std::uint8_t>(time)})});
  for (std::uint16_t frame = 0; frame < 10; ++frame)
    append(bytes, mkv_block(static_cast<std::uint16_t>(frame * 40), frame == 0, variant));
  return bytes;
}

} // namespace

GST_START_TEST(matroska) {
  Line line("uris=fake://a;fake://b");
  a().send(joined({mkv_header(7), mkv_cluster(0, 7), mkv_cluster(1, 7)}));
  a().send(Bytes(mkv_cluster(2, 7)).first(20)); // in the middle of the first block
  line.wait_for_message("switched 0 start");
  wait_for([] { return a().is_drained(); });
  a().end();
  b().send(joined({mkv_header(9), mkv_cluster(0, 9)}));
  line.wait_for_message("switched 1 lost");
  const Buffer first = joined({mkv_header(7), mkv_cluster(0, 7), mkv_cluster(1, 7)});
  const Buffer second = joined({mkv_header(9), mkv_cluster(0, 9)});
  line.wait_for_size(first.size() + second.size());
  const auto parts = line.parts();
  assert_equals_uint64(parts.size(), 2);
  assert_bytes(parts[0], first);
  assert_bytes(parts[1], second);
  assert_same(line.arrivals().front().caps, "video/webm");
}
GST_END_TEST

// The first stream decides on the container.
GST_START_TEST(another_container) {
  Line line("uris=fake://a;fake://b;fake://c");
  a().send(joined({kA.header(), kA.frame(0)}));
  line.wait_for_message("switched 0 start");
  b().set_opening(joined({ts_tables(9), ts_frames(0, 10, 9)}));
  c().set_opening(joined({kC.header(), kC.frame(0)}));
  a().reset();
  line.wait_for_message("switched 2 lost");
  assert_same(line.messages(),
              "switched 0 start, lost 0 error, lost 1 wrong-type, switched 2 lost");
  const StructurePtr fields = line.fields_of("lost 1 wrong-type");
  assert_equals_string(gst_structure_get_string(fields.get(), "text"),
                       "the source sends MPEG-TS, not FLV");
}
GST_END_TEST

// What comes after the element decides on the container.
GST_START_TEST(downstream_decides_on_the_container) {
  a().set_opening(joined({kA.header(), kA.frame(0)}));
  b().set_opening(joined({ts_tables(9), ts_frames(0, 10, 9)}));
  Line line("uris=fake://a;fake://b", GST_STATE_PLAYING, "video/mpegts");
  line.wait_for_message("switched 1 start");
  assert_same(line.messages(), "lost 0 wrong-type, switched 1 start");
}
GST_END_TEST

// Key frames have no DELTA_UNIT, and headers have HEADER.
GST_START_TEST(flags) {
  Line line("uris=fake://a");
  a().send(kA.header());
  line.play(a(), kA, 0, 12);
  line.wait_for_size(joined({kA.header(), kA.frames(0, 12)}).size());
  std::string flags;
  for (const Arrival &arrival : line.arrivals()) {
    flags += (arrival.flags & GST_BUFFER_FLAG_HEADER) != 0 ? "H" : "";
    flags += arrival.is_discont() ? "X" : "";
    flags += (arrival.flags & GST_BUFFER_FLAG_DELTA_UNIT) != 0 ? "D " : "- ";
  }
  assert_same(flags, "HX- - D D D D D D D D D - D ");
}
GST_END_TEST

// An audio stream starts at any tag.
GST_START_TEST(audio_only) {
  Stream stream;
  stream.header(true, false).metadata().audio(0, aac_config());
  stream.aac(0).aac(23).aac(46);
  Line line("uris=fake://a");
  a().send(stream.bytes);
  line.wait_for_size(stream.bytes.size());
  assert_bytes(line.output(), stream.bytes);
}
GST_END_TEST

static Suite *failoversrc_switches_suite() {
  Suite *suite = suite_create("failoversrc_switches");
  TCase *tcase = tcase_create("switches");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, fails_back);
  tcase_add_test(tcase, fail_back_needs_the_whole_time);
  tcase_add_test(tcase, never_fails_back);
  tcase_add_test(tcase, a_probed_source_takes_over);
  tcase_add_test(tcase, sources_start_in_order);
  tcase_add_test(tcase, a_request);
  tcase_add_test(tcase, a_request_that_fails);
  tcase_add_test(tcase, current_uri);
  tcase_add_test(tcase, a_file_repeats);
  tcase_add_test(tcase, a_probed_file_waits);
  tcase_add_test(tcase, transport_streams);
  tcase_add_test(tcase, matroska);
  tcase_add_test(tcase, another_container);
  tcase_add_test(tcase, downstream_decides_on_the_container);
  tcase_add_test(tcase, flags);
  tcase_add_test(tcase, audio_only);
  return suite;
}

GST_CHECK_MAIN(failoversrc_switches);
