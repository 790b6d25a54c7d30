// SPDX-License-Identifier: LGPL-2.1-or-later
// The order of packets in the remux bin, and its start.
#include <string>
#include <utility>
#include <vector>

#include "checkrun.h"
#include "common/remux/interleaver.h"
#include "common/remux/start_gate.h"
#include "without_plugins.h"

using namespace remux;

namespace {

constexpr auto kMs = static_cast<std::int64_t>(GST_MSECOND);
constexpr Interleaver::Limits kLimits{1000 * kMs, 1 << 20};

Packet packet(std::size_t track, std::int64_t ms, bool key = false) {
  Packet made;
  made.buffer.reset(gst_buffer_new_allocate(nullptr, 10, nullptr));
  made.track = track;
  made.pts = ms * kMs;
  made.dts = ms * kMs;
  made.position = ms * kMs;
  made.is_picture = track == 0;
  made.key = key || track == 1;
  return made;
}

void check_text(const std::string &text, const char *expected) {
  ck_assert_str_eq(text.c_str(), expected);
}

std::string name_of(const Packet &one) {
  return (one.track == 0 ? "v" : "a") + std::to_string(one.dts / kMs) + " ";
}

std::string popped(Interleaver &interleaver) {
  std::string text;
  while (const auto next = interleaver.pop())
    text += name_of(*next);
  return text;
}

START_TEST(test_order_of_decoding) {
  Interleaver interleaver(kLimits);
  for (int i = 0; i < 2; ++i)
    (void)interleaver.add_track();
  interleaver.push(packet(0, 0));
  interleaver.push(packet(0, 40));
  check_text(popped(interleaver), "");
  interleaver.push(packet(1, 10));
  interleaver.push(packet(1, 60));
  check_text(popped(interleaver), "v0 a10 v40 ");
  interleaver.finish(0);
  check_text(popped(interleaver), "a60 ");
  interleaver.finish(1);
  ck_assert(interleaver.is_finished());
}
END_TEST

START_TEST(test_a_silent_track_is_not_waited_for) {
  Interleaver interleaver(kLimits);
  for (int i = 0; i < 2; ++i)
    (void)interleaver.add_track();
  for (int time = 0; time <= 1040; time += 40)
    interleaver.push(packet(0, time));
  check_text(popped(interleaver), "v0 ");
  interleaver.note_gap(1, 500 * kMs);
  const std::string text = popped(interleaver);
  ck_assert(text.starts_with("v40 ") && text.ends_with("v480 "));
}
END_TEST

// Both tracks continue with the same shift.
START_TEST(test_a_source_that_starts_again) {
  Interleaver interleaver(kLimits);
  for (int i = 0; i < 2; ++i)
    (void)interleaver.add_track();
  interleaver.push(packet(0, 5000));
  interleaver.push(packet(1, 5010));
  interleaver.push(packet(0, 0));
  interleaver.push(packet(1, 7));
  interleaver.finish_all();
  check_text(popped(interleaver), "v5000 a5010 v5050 a5057 ");
}
END_TEST

std::string gated(StartGate &gate, std::vector<Packet> packets, bool ends = false) {
  std::vector<Packet> out;
  for (Packet &one : packets)
    gate.push(std::move(one), out);
  if (ends)
    gate.finish(out);
  std::string text;
  for (const Packet &one : out)
    text += name_of(one);
  return text;
}

template <typename... Packets> std::vector<Packet> list(Packets... packets) {
  std::vector<Packet> all;
  (all.push_back(std::move(packets)), ...);
  return all;
}

START_TEST(test_the_start_is_the_key_frame_before) {
  StartGate gate(100 * kMs, true);
  const std::string text =
      gated(gate, list(packet(0, 0, true), packet(1, 5), packet(0, 40), packet(1, 75),
                       packet(0, 80, true), packet(1, 85), packet(0, 120), packet(1, 125)));
  check_text(text, "v80 a85 v120 a125 ");
}
END_TEST

START_TEST(test_the_start_is_the_last_key_frame) {
  StartGate gate(9000 * kMs, true);
  const std::string text =
      gated(gate, list(packet(0, 0, true), packet(0, 80, true), packet(0, 120)), true);
  check_text(text, "v80 v120 ");
}
END_TEST

START_TEST(test_the_start_of_sound) {
  StartGate gate(50 * kMs, false);
  const std::string text =
      gated(gate, list(packet(1, 0), packet(1, 20), packet(1, 40), packet(1, 60)));
  check_text(text, "a40 a60 ");
}
END_TEST

} // namespace

int main(int argc, char **argv) {
  flvtest::init_without_plugins(&argc, &argv);
  return flvtest::run("remux_order", {{test_order_of_decoding},
                                      {test_a_silent_track_is_not_waited_for},
                                      {test_a_source_that_starts_again},
                                      {test_the_start_is_the_key_frame_before},
                                      {test_the_start_is_the_last_key_frame},
                                      {test_the_start_of_sound}});
}
