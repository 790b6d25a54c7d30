// SPDX-License-Identifier: LGPL-2.1-or-later
// Timestamps that jump, wrap and restart: how the schedule closes the gap, and how the timestamps
// in the tags change.
#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// The pacing of `data`, the timestamps in its tags, and the number of discontinuities.
void assert_closed(Bytes data, const std::string &properties, const std::string &due,
                   const std::string &carried, guint64 discontinuities) {
  Pace pace(properties);
  pace.push(data);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), due);
  assert_text(arrival_times(arrivals), due);
  assert_text(timestamps(arrivals), carried);
  assert_equals_uint64(pace.stat("discontinuities"), discontinuities);
}

// The same tag with a different timestamp.
Buffer with_timestamp(Bytes tag, std::uint32_t timestamp) {
  Buffer copy(tag.begin(), tag.end());
  flv::store_timestamp(copy.data(), timestamp);
  return copy;
}

} // namespace

GST_START_TEST(step_forward) {
  assert_closed(video_at({0, 40, 10040, 10080}).bytes, "", "0 0 40 10040 10080",
                "h 0 40 10040 10080", 0);
  assert_closed(video_at({0, 40, 10041, 10081}).bytes, "", "0 0 40 80 120", "h 0 40 80 120", 1);
  assert_closed(video_at({0, 40, 541, 581}).bytes, "max-gap=500", "0 0 40 80 120", "h 0 40 80 120",
                1);
  assert_closed(video_at({0, 40, 540, 580}).bytes, "max-gap=500", "0 0 40 540 580",
                "h 0 40 540 580", 0);
}
GST_END_TEST

GST_START_TEST(any_step_forward_if_max_gap_is_0) {
  assert_closed(video_at({0, 40, 3600000, 3600040}).bytes, "max-gap=0", "0 0 40 3600000 3600040",
                "h 0 40 3600000 3600040", 0);
}
GST_END_TEST

GST_START_TEST(step_back) {
  assert_closed(video_at({0, 40, 80, 2000, 1000, 2040}).bytes, "", "0 0 40 80 2000 2000 2040",
                "h 0 40 80 2000 1000 2040", 0);
  assert_closed(video_at({0, 40, 80, 2000, 999, 1039}).bytes, "", "0 0 40 80 2000 2040 2080",
                "h 0 40 80 2000 2040 2080", 1);
}
GST_END_TEST

// The usual step is the median of the last 5 forward steps.
GST_START_TEST(usual_step) {
  assert_closed(video_at({0, 900, 930, 970, 1020, 1050, 1090, 90000}).bytes, "",
                "0 0 900 930 970 1020 1050 1090 1130", "h 0 900 930 970 1020 1050 1090 1130", 1);
}
GST_END_TEST

GST_START_TEST(audio_and_video_stay_in_step) {
  Stream stream;
  stream.header().key(0).aac(0).inter(40).aac(30).inter(80).aac(60);
  stream.inter(7200000).aac(7199990).inter(7200040).aac(7200020);
  assert_closed(stream.bytes, "", "0 0 0 40 40 80 80 120 120 160 160",
                "h 0 0 40 30 80 60 120 110 160 140", 1);
}
GST_END_TEST

// One kind jumps before the other.
GST_START_TEST(kinds_jump_one_after_the_other) {
  Stream stream;
  stream.header().key(0).aac(0).inter(40).aac(30).inter(80).aac(60);
  stream.inter(7200000).aac(90).aac(120).aac(7200030).inter(7200040);
  assert_closed(stream.bytes, "", "0 0 0 40 40 80 80 120 120 120 150 160",
                "h 0 0 40 30 80 60 120 90 120 150 160", 1);
}
GST_END_TEST

GST_START_TEST(late_audio_is_not_a_discontinuity) {
  Stream stream;
  stream.header().key(0).inter(2500).inter(5000).aac(0).aac(23).inter(5040).aac(46);
  assert_closed(stream.bytes, "", "0 0 2500 5000 5000 5000 5040 5040", "h 0 2500 5000 0 23 5040 46",
                0);
}
GST_END_TEST

GST_START_TEST(wrap) {
  const Stream stream = video_at({4294967216U, 4294967256U, 0, 40});
  assert_closed(stream.bytes, "", "0 0 40 80 120", "h 4294967216 4294967256 0 40", 0);
  const Arrivals arrivals = passed(stream.bytes);
  assert_text(stream_times(arrivals), "4294967216 4294967216 4294967256 4294967296 4294967336");
  assert_bytes(bytes(arrivals), stream.bytes);
}
GST_END_TEST

GST_START_TEST(zero_does_not_wrap) {
  const Stream stream = video_at({4294967256U, 0, 40});
  assert_closed(stream.bytes, "retimestamp=zero", "0 0 40 80", "h 0 40 80", 0);
}
GST_END_TEST

GST_START_TEST(closing_changes_timestamps_only) {
  Stream stream = video_at({0, 40, 80});
  stream.inter(100000).script(100010, payload(20)).inter(100040);
  stream.script(0, on_metadata({{"again", {true}}}));
  const Arrivals arrivals = passed(stream.bytes);
  assert_equals_uint64(arrivals.size(), 8);
  const std::size_t clean = stream.tags[3].begin;
  assert_bytes(Bytes(bytes(arrivals)).first(clean), Bytes(stream.bytes).first(clean));
  assert_bytes(arrivals[4].bytes, with_timestamp(stream.at(3), 120));
  assert_bytes(arrivals[5].bytes, with_timestamp(stream.at(4), 130));
  assert_bytes(arrivals[6].bytes, with_timestamp(stream.at(5), 160));
  assert_bytes(arrivals[7].bytes, stream.at(6)); // 0 stays 0
}
GST_END_TEST

GST_START_TEST(closing_shares_the_payload) {
  Stream stream = video_at({0, 40});
  stream.inter(100000, 2000);
  const BufferPtr input(gst_buffer_new_memdup(stream.bytes.data(), stream.bytes.size()));
  Pace pace("sync=false");
  pace.push_buffer(gst_buffer_ref(input.get()));
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  GstBuffer *changed = arrivals.back().buffer.get();
  fail_unless(gst_buffer_n_memory(changed) > 1);
  GstMapInfo payload;
  fail_unless(gst_memory_map(gst_buffer_peek_memory(changed, gst_buffer_n_memory(changed) - 1),
                             &payload, GST_MAP_READ));
  const gstflv::MappedBuffer whole(input.get());
  fail_unless(payload.data + payload.size == whole.bytes().data() + whole.bytes().size());
  fail_unless(payload.size >= stream.at(2).size() - flv::kTagHeaderSize);
  gst_memory_unmap(payload.memory, &payload);
  // The input is unchanged.
  assert_bytes(whole.bytes(), stream.bytes);
}
GST_END_TEST

// filesink of GStreamer 1.22 cannot write many buffers with several memories each.
GST_START_TEST(small_rewritten_tags_have_one_memory) {
  constexpr std::size_t kRest = 11 + 5 + 4; // of a tag, in addition to its payload
  Stream stream = video_at({5000});
  stream.inter(5040, 20).inter(5080, 1024 - kRest).inter(5120, 1025 - kRest).aac(5120, 1);
  const Arrivals arrivals = passed(stream.bytes, "sync=false retimestamp=zero");
  std::string memories;
  for (const Arrival &arrival : arrivals)
    memories += " " + std::to_string(gst_buffer_n_memory(arrival.buffer.get()));
  assert_text(memories, " 1 1 1 1 2 1");
  assert_text(timestamps(arrivals), "h 0 40 80 120 120");
  assert_bytes(arrivals[3].bytes, with_timestamp(stream.at(2), 80));
}
GST_END_TEST

// The other kind confirms the time: all bytes and all times are unchanged.
GST_START_TEST(muted_microphone) {
  Stream stream;
  stream.header().key(0).aac(0);
  for (std::uint32_t time = 40; time <= 20'000; time += 40) {
    stream.inter(time);
    if (time <= 5000 || time > 17'000)
      stream.aac(time + 5);
  }
  Pace pace;
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_bytes(bytes(arrivals), stream.bytes);
  assert_text(arrival_times(arrivals), due_times(arrivals));
  fail_unless(arrivals.back().running == 20'005 * GST_MSECOND);
  assert_text(pace.element_messages(), "");
}
GST_END_TEST

GST_START_TEST(picture_every_15_seconds) {
  const Stream stream = video_at({0, 15'000, 30'000, 45'000});
  assert_closed(stream.bytes, "", "0 0 15000 30000 45000", "h 0 15000 30000 45000", 0);
}
GST_END_TEST

GST_START_TEST(discontinuities_are_posted) {
  Stream stream = video_at({0, 40});
  stream.inter(90'000).inter(90'040).header(false, true).key(0);
  Pace pace("sync=false");
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  const auto message = [&stream](std::size_t tag, const char *old_new) {
    return "flvpace-discontinuity byte=" + std::to_string(stream.tags[tag].begin) + old_new;
  };
  assert_text(pace.element_messages(), message(2, " old-timestamp=90000 new-timestamp=80") + "; " +
                                           message(4, " old-timestamp=0 new-timestamp=160"));
}
GST_END_TEST

GST_START_TEST(zero_starts_at_zero) {
  Stream stream;
  stream.header().metadata().configs(5000).key(5000).aac(5010).script(5020, payload(9));
  stream.inter(5040).script(0, payload(9)).inter(90000).aac(89990);
  assert_closed(stream.bytes, "retimestamp=zero", "0 0 0 0 0 10 20 40 40 80 80",
                "h 0 0 0 0 10 20 40 0 80 70", 1);
  const Arrivals arrivals = passed(stream.bytes, "sync=false retimestamp=zero");
  assert_bytes(arrivals[4].bytes, with_timestamp(stream.at(3), 0));
}
GST_END_TEST

// The lower limit is 0, if the second tag is before the first one.
GST_START_TEST(zero_is_the_lowest_timestamp) {
  Stream stream;
  stream.header().key(500).aac(470).inter(540).aac(493).aac(516);
  assert_closed(stream.bytes, "retimestamp=zero", "0 0 0 40 40 40", "h 0 0 40 0 16", 0);
}
GST_END_TEST

GST_START_TEST(none_keeps_all_bytes) {
  Stream stream;
  stream.header().metadata().configs(5000).key(5000).aac(5000).inter(5040).inter(90000).inter(10);
  const Arrivals arrivals = passed(stream.bytes, "retimestamp=none");
  assert_bytes(bytes(arrivals), stream.bytes);
  assert_text(due_times(arrivals), "0 0 0 0 0 0 40 80 120");
}
GST_END_TEST

GST_START_TEST(second_file_header) {
  const Stream once = video_at({0, 40, 80});
  const Buffer twice = joined({once.bytes, once.bytes});
  assert_closed(twice, "", "0 0 40 80 120 160 200", "h 0 40 80 120 160 200", 1);
  assert_closed(twice, "retimestamp=none", "0 0 40 80 120 160 200", "h 0 40 80 0 40 80", 1);
  assert_closed(twice, "burst=50", "0 0 0 30 70 110 150", "h 0 40 80 120 160 200", 1);
}
GST_END_TEST

GST_START_TEST(only_the_header_is_dropped) {
  const Stream once = file();
  const Arrivals arrivals = passed(joined({once.bytes, once.bytes}), "sync=false retimestamp=none");
  assert_bytes(bytes(arrivals), joined({once.bytes, Bytes(once.bytes).subspan(13)}));
}
GST_END_TEST

GST_START_TEST(many_loops) {
  const Stream once = file({.duration = 400, .start = 9000, .audio = false});
  Pace pace;
  Buffer loops;
  for (int i = 0; i < 20; ++i)
    append(loops, once.bytes);
  pace.push(loops, 333);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  // 10 frames of 40 ms in each loop.
  assert_equals_uint64(arrivals.back().running, (20 * 400 - 40) * GST_MSECOND);
  assert_equals_uint64(arrivals.back().clock, (20 * 400 - 40) * GST_MSECOND);
  assert_equals_uint64(pace.stat("discontinuities"), 19);
  assert_text(timestamps(arrivals).substr(timestamps(arrivals).size() - 6), " 16960");
}
GST_END_TEST

// A new file starts one step after the last tag of the kind of its first tag. If the other kind is
// longer, it starts after the end of that kind.
GST_START_TEST(second_file_comes_after_the_first) {
  Stream stream;
  stream.header().key(0).inter(40).inter(80).aac(0).aac(100).aac(200);
  stream.header().key(0).aac(0).inter(40).aac(23);
  assert_closed(stream.bytes, "", "0 0 40 80 80 100 200 300 300 340 340",
                "h 0 40 80 0 100 200 300 300 340 323", 1);
}
GST_END_TEST

// Metadata and configurations of the second file come before its first media tag.
GST_START_TEST(second_file_with_configurations) {
  Stream stream;
  stream.header(false, true).metadata().video(0, avc_config()).key(0).inter(40).inter(80);
  stream.header(false, true).metadata().video(0, avc_config(1)).key(0).inter(40);
  assert_closed(stream.bytes, "", "0 0 0 0 40 80 80 80 120 160", "h 0 0 0 40 80 0 80 120 160", 1);
}
GST_END_TEST

static Suite *flvpace_timeline_suite() {
  Suite *suite = suite_create("flvpace_timeline");
  TCase *tcase = tcase_create("timeline");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, step_forward);
  tcase_add_test(tcase, any_step_forward_if_max_gap_is_0);
  tcase_add_test(tcase, step_back);
  tcase_add_test(tcase, usual_step);
  tcase_add_test(tcase, audio_and_video_stay_in_step);
  tcase_add_test(tcase, kinds_jump_one_after_the_other);
  tcase_add_test(tcase, late_audio_is_not_a_discontinuity);
  tcase_add_test(tcase, wrap);
  tcase_add_test(tcase, zero_does_not_wrap);
  tcase_add_test(tcase, closing_changes_timestamps_only);
  tcase_add_test(tcase, closing_shares_the_payload);
  tcase_add_test(tcase, small_rewritten_tags_have_one_memory);
  tcase_add_test(tcase, muted_microphone);
  tcase_add_test(tcase, picture_every_15_seconds);
  tcase_add_test(tcase, discontinuities_are_posted);
  tcase_add_test(tcase, zero_starts_at_zero);
  tcase_add_test(tcase, zero_is_the_lowest_timestamp);
  tcase_add_test(tcase, none_keeps_all_bytes);
  tcase_add_test(tcase, second_file_header);
  tcase_add_test(tcase, only_the_header_is_dropped);
  tcase_add_test(tcase, many_loops);
  tcase_add_test(tcase, second_file_comes_after_the_first);
  tcase_add_test(tcase, second_file_with_configurations);
  return suite;
}

GST_CHECK_MAIN(flvpace_timeline);
