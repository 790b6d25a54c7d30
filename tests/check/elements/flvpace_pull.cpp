// SPDX-License-Identifier: LGPL-2.1-or-later
// Pull mode: the element reads by itself, with the same output.
#include <thread>

#include "pulltest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// Plays up to the wait for the tag at 300.
void play_to_wait(Pull &pull) {
  pull.run_until(250);
  assert_text(pull.waits_until(), "300");
  assert_text(arrival_times(pull.take()), "0 0 100 200");
}

// A stream of several reads.
Stream large() {
  Stream stream;
  stream.header(false, true).metadata().video(0, avc_config()).key(0, 3000);
  for (std::uint32_t frame = 1; frame < 300; ++frame)
    stream.inter(frame * 40, 3000);
  return stream;
}

// The tag, with the timestamp that it has after a seek.
Buffer with_timestamp_of(const Arrival &arrival, Bytes tag) {
  Buffer copy(tag.begin(), tag.end());
  flv::TagHeader header;
  (void)flv::read_tag_header(arrival.bytes.data(), flv::kMaxDataSize, header);
  flv::store_timestamp(copy.data(), header.timestamp);
  return copy;
}

// Drops the warnings and errors that a seek into the middle of a tag may cause.
void forget_problems(Pull &pull) {
  while (pull.problem().found) {
  }
}

} // namespace

GST_START_TEST(same_as_push) {
  Stream odd = file({.duration = 2000, .start = 500});
  odd.raw(payload(300)).key(90000).inter(10).header().metadata().configs(0, 2).key(0).aac(0);
  const Buffer cut_off(odd.bytes.begin(), odd.bytes.end() - 10);
  for (const char *properties :
       {"", "burst=700", "sync=false mtu=100", "retimestamp=zero speed=3", "retimestamp=none"}) {
    Pace push(properties);
    push.push(cut_off, 4096);
    push.end();
    push.run();
    Pull pull({cut_off}, properties);
    pull.run();
    const Arrivals pushed = push.take();
    const Arrivals pulled = pull.take();
    assert_text(everything(pulled), everything(pushed));
    assert_text(arrival_times(pulled), arrival_times(pushed));
    for (Problem problem = push.problem(); problem.found; problem = push.problem())
      assert_text(pull.problem().text, problem.text);
    assert_equals_uint64(pull.stat("bytes-skipped"), push.stat("bytes-skipped"));
    assert_equals_uint64(pull.count_events(GST_EVENT_EOS), 1);
  }
}
GST_END_TEST

GST_START_TEST(order_of_events) {
  Pull pull({file().bytes}, "sync=false");
  pull.run();
  assert_text(pull.order(), "stream-start caps segment B eos");
}
GST_END_TEST

GST_START_TEST(reads_large_blocks_once) {
  const Stream stream = large();
  Pull pull({stream.bytes}, "sync=false");
  pull.run();
  assert_bytes(bytes(pull.take()), stream.bytes);
  std::vector<Pull::Read> reads = pull.reads();
  // The file header may be read first, separately.
  if (reads.at(0).size <= 13)
    reads.erase(reads.begin());
  guint64 next = 0;
  for (const Pull::Read &read : reads) {
    assert_equals_uint64(read.offset, next);
    assert_equals_int(read.size, next == 0 ? 65536 : 262144);
    next = std::min<guint64>(read.offset + read.size, stream.bytes.size());
  }
  assert_equals_uint64(next, stream.bytes.size());
}
GST_END_TEST

// The element reads the next block only after it has sent the previous one, except when a tag spans
// both.
GST_START_TEST(reads_only_what_it_sends) {
  constexpr guint64 kTag = 3100;
  Pull pull({large().bytes});
  for (guint64 time = 0; time < 8000; time += 100) {
    pull.run_until(time);
    fail_unless(pull.reads().back().offset <= pull.stat("bytes-out") + kTag);
    fail_unless(pull.reads().back().size <= 65536);
  }
  fail_unless(pull.reads().size() > 3);
}
GST_END_TEST

GST_START_TEST(pushes_without_random_access) {
  Pull pull({.bytes = file().bytes, .seekable = false});
  assert_equals_int(GST_PAD_MODE(pull.element_sink()), GST_PAD_MODE_PUSH);
  Pull seekable({.bytes = file().bytes});
  assert_equals_int(GST_PAD_MODE(seekable.element_sink()), GST_PAD_MODE_PULL);
}
GST_END_TEST

GST_START_TEST(pause_and_resume) {
  Pull pull({steady().bytes});
  play_to_wait(pull);
  pull.pause();
  fail_unless(pull.stays_blocked());
  pull.advance(2000);
  pull.resume();
  assert_text(pull.waits_until(), "2300");
  pull.run();
  assert_text(due_times(pull.take()), "300 400 500 600 700 800 900 1000");
}
GST_END_TEST

GST_START_TEST(first_tags_pass_in_paused) {
  Pull pull({steady().bytes}, "burst=500", GST_STATE_PAUSED);
  pull.wait_for([&] { return pull.count() == 7; });
  fail_unless(pull.stays_blocked());
  pull.set_state(GST_STATE_PLAYING);
  pull.settle();
  assert_text(due_times(pull.take()), "0 0 0 0 0 0 0");
  pull.run();
  assert_text(due_times(pull.take()), "100 200 300 400 500");
}
GST_END_TEST

GST_START_TEST(stop_and_start_again) {
  const Stream stream = steady();
  Pull pull({stream.bytes});
  play_to_wait(pull);
  pull.set_state(GST_STATE_READY);
  assert_equals_uint64(pull.count(), 0);
  (void)pull.order();
  gst_element_set_base_time(pull.element(), pull.now());
  pull.set_state(GST_STATE_PLAYING);
  pull.run();
  const Arrivals arrivals = pull.take();
  assert_bytes(bytes(arrivals), stream.bytes);
  assert_text(due_times(arrivals), "0 0 100 200 300 400 500 600 700 800 900 1000");
  assert_text(pull.order(), "stream-start caps segment B eos");
}
GST_END_TEST

GST_START_TEST(flushing_seek_while_waiting) {
  const Stream stream = steady();
  Pull pull({stream.bytes}, "burst=200");
  pull.run_until(50);
  (void)pull.take();
  (void)pull.order();
  const std::size_t place = stream.tags[6].begin;
  fail_unless(pull.seek(GST_FORMAT_BYTES, static_cast<gint64>(place)));
  pull.run();
  const Arrivals arrivals = pull.take();
  assert_bytes(bytes(arrivals), Bytes(stream.bytes).subspan(place));
  assert_text(timestamps(arrivals), "600 700 800 900 1000");
  assert_text(due_times(arrivals), "0 0 0 100 200");
  assert_text(stream_times(arrivals), "600 600 600 700 800");
  assert_text(arrival_times(arrivals), "50 50 50 150 250");
  assert_text(flags(arrivals), "DX D D D D");
  std::string order = pull.order();
  if (const std::size_t caps = order.find("caps "); caps != std::string::npos)
    order.erase(caps, 5);
  assert_text(order, "flush-start flush-stop segment gap B eos");
}
GST_END_TEST

// A flushing seek in the streaming thread, from within a push, as a demuxer or a pad probe sends
// it.
struct NestedSeek {
  gint64 place;
  int left; // the number of buffers before the seek
};

GstPadProbeReturn seek_in_a_push(GstPad *pad, GstPadProbeInfo *, gpointer data) {
  auto &nested = *static_cast<NestedSeek *>(data);
  if (nested.left-- != 0)
    return GST_PAD_PROBE_OK;
  fail_unless(gst_pad_send_event(pad, gst_event_new_seek(1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
                                                         GST_SEEK_TYPE_SET, nested.place,
                                                         GST_SEEK_TYPE_NONE, -1)));
  return GST_PAD_PROBE_DROP;
}

GST_START_TEST(flushing_seek_in_a_push) {
  const Stream stream = steady();
  const std::size_t place = stream.tags[6].begin;
  for (const char *properties : {"sync=false", "burst=0", "burst=200"}) {
    NestedSeek nested{.place = static_cast<gint64>(place), .left = __i__};
    Pull pull({stream.bytes}, properties, GST_STATE_READY);
    const gstflv::PadPtr pad(gst_element_get_static_pad(pull.element(), "src"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, seek_in_a_push, &nested, nullptr);
    pull.set_state(GST_STATE_PLAYING);
    pull.run();
    const Buffer all = bytes(pull.take());
    const Bytes expected = Bytes(stream.bytes).subspan(place);
    fail_unless(all.size() >= expected.size(), "%zu bytes", all.size());
    assert_bytes(Bytes(all).last(expected.size()), expected);
    assert_equals_uint64(pull.count_events(GST_EVENT_EOS), 1);
  }
}
GST_END_TEST

GST_START_TEST(seeks_in_every_state) {
  const Stream stream = steady();
  const auto place = static_cast<gint64>(stream.tags[9].begin);
  Pull pull({stream.bytes});
  pull.run(); // to the end
  assert_equals_uint64(pull.count_events(GST_EVENT_EOS), 1);
  fail_unless(pull.seek(GST_FORMAT_BYTES, place));
  pull.settle();
  fail_unless(pull.seek(GST_FORMAT_BYTES, place)); // during a wait
  pull.run_until(pull.now() / GST_MSECOND + 150);
  fail_unless(pull.seek(GST_FORMAT_BYTES, place)); // during the wait before EOS
  pull.settle();
  pull.pause();
  (void)pull.take();
  fail_unless(pull.seek(GST_FORMAT_BYTES, place)); // in PAUSED
  pull.wait_for([&] { return pull.count() == 1; });
  fail_unless(pull.last_event(GST_EVENT_GAP) != nullptr);
  gst_element_set_base_time(pull.element(), pull.now());
  pull.set_state(GST_STATE_PLAYING);
  pull.run();
  assert_text(due_times(pull.take()), "0 100");
  assert_equals_uint64(pull.count_events(GST_EVENT_EOS), 2);
}
GST_END_TEST

// No seek leaves the stream flushing or the other seek blocked.
GST_START_TEST(seeks_from_two_threads) {
  const Stream stream = steady();
  const auto place = static_cast<gint64>(stream.tags[9].begin);
  const int rounds = is_short() ? 200 : 2000;
  for (const GstState state : {GST_STATE_PAUSED, GST_STATE_PLAYING}) {
    for (const bool flushing : {true, false}) {
      Pull pull({stream.bytes}, "", state);
      const auto work = [&](int step) {
        for (int turn = 0; turn < rounds; ++turn) {
          const bool flush = flushing || turn % 2 == 0;
          // A pad that the other seek flushes takes no event.
          (void)gst_pad_push_event(
              pull.downstream(),
              gst_event_new_seek(1.0, GST_FORMAT_BYTES,
                                 flush ? GST_SEEK_FLAG_FLUSH : GST_SEEK_FLAG_NONE,
                                 GST_SEEK_TYPE_SET, turn * step % place, GST_SEEK_TYPE_NONE, -1));
        }
      };
      std::thread first(work, 31);
      std::thread second(work, 47);
      first.join();
      second.join();
      fail_unless(pull.seek(GST_FORMAT_BYTES, place));
      gst_element_set_base_time(pull.element(), pull.now());
      pull.set_state(GST_STATE_PLAYING);
      pull.run();
      const Buffer all = bytes(pull.take());
      const Bytes tail = Bytes(stream.bytes).subspan(stream.tags[9].begin);
      assert_bytes(Bytes(all).last(tail.size()), tail);
    }
  }
}
GST_END_TEST

// A pipeline with two sinks sends its seek to both.
GST_START_TEST(one_seek_from_two_sinks) {
  const Stream stream = steady();
  Pull pull({stream.bytes});
  play_to_wait(pull);
  GstEvent *event = gst_event_new_seek(1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
                                       GST_SEEK_TYPE_SET, 500, GST_SEEK_TYPE_NONE, -1);
  for (int sink = 0; sink < 2; ++sink)
    fail_unless(gst_pad_push_event(pull.downstream(), gst_event_ref(event)));
  gst_event_unref(event);
  pull.run();
  assert_equals_uint64(pull.count_events(GST_EVENT_FLUSH_STOP), 1);
}
GST_END_TEST

GST_START_TEST(seek_into_a_tag) {
  const Stream stream = steady();
  Pull pull({stream.bytes}, "sync=false");
  pull.run();
  (void)pull.take();
  fail_unless(pull.seek(GST_FORMAT_BYTES, static_cast<gint64>(stream.tags[6].begin + 30)));
  pull.run();
  assert_bytes(bytes(pull.take()), Bytes(stream.bytes).subspan(stream.tags[7].begin));
  forget_problems(pull);
}
GST_END_TEST

GST_START_TEST(seek_to_the_start) {
  const Stream stream = steady();
  Pull pull({stream.bytes}, "sync=false");
  pull.run();
  (void)pull.take();
  fail_unless(pull.seek(GST_FORMAT_BYTES, 0));
  pull.run();
  // The file header is already sent.
  assert_bytes(bytes(pull.take()), Bytes(stream.bytes).subspan(13));
}
GST_END_TEST

// Before the first read, or after the initial burst: the file header is sent in both cases.
GST_START_TEST(seek_at_the_start) {
  const Stream stream = file();
  const std::size_t place = stream.tags[40].begin;
  const Bytes tail = Bytes(stream.bytes).subspan(place);
  for (int turn = 0; turn < 10; ++turn) {
    Pull pull({stream.bytes}, "", GST_STATE_PAUSED);
    fail_unless(pull.seek(GST_FORMAT_BYTES, static_cast<gint64>(place)));
    pull.set_state(GST_STATE_PLAYING);
    pull.run();
    const Buffer all = bytes(pull.take());
    fail_unless(all.size() >= file_header().size() + tail.size());
    const std::size_t before = all.size() - tail.size();
    assert_bytes(Bytes(all).first(before), Bytes(stream.bytes).first(before));
    assert_bytes(Bytes(all).subspan(before), tail);
  }
}
GST_END_TEST

GST_START_TEST(seek_that_does_not_flush) {
  const Stream stream = steady();
  Pull pull({stream.bytes});
  play_to_wait(pull);
  (void)pull.order();
  fail_unless(
      pull.seek(GST_FORMAT_BYTES, static_cast<gint64>(stream.tags[8].begin), GST_SEEK_FLAG_NONE));
  pull.run();
  // The timeline continues after the tag that was waiting.
  const Arrivals arrivals = pull.take();
  assert_text(timestamps(arrivals), "400 500 600");
  assert_text(arrival_times(arrivals), "400 500 600");
  assert_text(pull.order().substr(0, 9), "segment B");
}
GST_END_TEST

// A tag that a seek leaves partly read does not count as damage.
GST_START_TEST(seek_discards_a_waiting_tag) {
  const Stream stream = large();
  const std::size_t place = stream.tags[200].begin;
  Pull pull({stream.bytes});
  pull.run_until(1000);
  (void)pull.take();
  fail_unless(pull.seek(GST_FORMAT_BYTES, static_cast<gint64>(place), GST_SEEK_FLAG_NONE));
  pull.run();
  const Arrivals arrivals = pull.take();
  assert_bytes(arrivals.at(0).bytes, with_timestamp_of(arrivals[0], stream.at(200)));
  assert_equals_uint64(arrivals.size(), stream.tags.size() - 200);
}
GST_END_TEST

GST_START_TEST(seeks_that_are_not_possible) {
  const Stream stream = steady();
  Pull pull({stream.bytes});
  play_to_wait(pull);
  fail_if(pull.seek(GST_FORMAT_TIME, 500 * GST_MSECOND));
  assert_equals_int(pull.refused_seeks(), 1); // upstream received the seek
  fail_if(pull.seek(GST_FORMAT_BYTES, 13, GST_SEEK_FLAG_FLUSH, -1.0));
  fail_if(pull.seek(GST_FORMAT_BYTES, 13, GST_SEEK_FLAG_FLUSH, 2.0)); // the speed is a property
  fail_if(pull.seek(GST_FORMAT_TIME, 13, GST_SEEK_FLAG_FLUSH, 2.0));
  pull.run();
  assert_text(due_times(pull.take()), "300 400 500 600 700 800 900 1000");
}
GST_END_TEST

// The end of the segment is not EOS: the stream continues with the next seek.
GST_START_TEST(segment_seek) {
  const Stream stream = steady();
  const auto place = static_cast<gint64>(stream.tags[6].begin);
  const Bytes tail = Bytes(stream.bytes).subspan(stream.tags[6].begin);
  Pull pull({stream.bytes}, "retimestamp=none");
  pull.run();
  (void)pull.take();
  (void)pull.order();
  constexpr auto kFlush = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_SEGMENT);
  fail_unless(pull.seek(GST_FORMAT_BYTES, place, kFlush));
  pull.run();
  assert_text(pull.order(), "flush-start flush-stop caps segment gap B segment-done");
  assert_bytes(bytes(pull.take()), tail);
  for (int turn = 0; turn < 2; ++turn) {
    fail_unless(pull.seek(GST_FORMAT_BYTES, place, GST_SEEK_FLAG_SEGMENT));
    pull.run();
    assert_text(pull.order(), "segment B segment-done");
    assert_bytes(bytes(pull.take()), tail);
  }
  GstFormat format = GST_FORMAT_UNDEFINED;
  gint64 position = 0;
  gst_event_parse_segment_done(pull.last_event(GST_EVENT_SEGMENT_DONE).get(), &format, &position);
  assert_equals_int(format, GST_FORMAT_BYTES);
  assert_equals_int64(position, static_cast<gint64>(stream.bytes.size()));
  fail_unless(pull.seek(GST_FORMAT_BYTES, place, GST_SEEK_FLAG_NONE));
  pull.run();
  assert_text(pull.order(), "segment B eos");
}
GST_END_TEST

GST_START_TEST(seqnum_of_the_seek) {
  Pull pull({steady().bytes}, "sync=false");
  pull.run();
  GstEvent *seek = gst_event_new_seek(1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                                      13, GST_SEEK_TYPE_NONE, -1);
  const guint32 seqnum = gst_event_get_seqnum(seek);
  fail_unless(gst_pad_push_event(pull.downstream(), seek));
  pull.run();
  for (const GstEventType type :
       {GST_EVENT_FLUSH_START, GST_EVENT_FLUSH_STOP, GST_EVENT_SEGMENT, GST_EVENT_EOS}) {
    const EventPtr event = pull.last_event(type);
    fail_unless(gst_event_get_seqnum(event.get()) == seqnum, "%s", gst_event_type_get_name(type));
  }
  // After a restart, the segment seek has no effect.
  pull.set_state(GST_STATE_READY);
  pull.set_state(GST_STATE_PLAYING);
  pull.run();
  for (const GstEventType type : {GST_EVENT_SEGMENT, GST_EVENT_EOS})
    fail_if(gst_event_get_seqnum(pull.last_event(type).get()) == seqnum, "%s",
            gst_event_type_get_name(type));
}
GST_END_TEST

GST_START_TEST(read_error) {
  // Upstream posts the error; the stream must still end.
  const Stream stream = large();
  Pull pull({.bytes = stream.bytes, .fails_at = 100000}, "sync=false");
  pull.run();
  const Buffer sent = bytes(pull.take());
  fail_unless(sent.size() > 60000);
  assert_bytes(sent, Bytes(stream.bytes).first(sent.size()));
  assert_equals_uint64(pull.count_events(GST_EVENT_EOS), 1);
  forget_problems(pull);
}
GST_END_TEST

GST_START_TEST(downstream_decides) {
  for (const GstFlowReturn flow : {GST_FLOW_EOS, GST_FLOW_NOT_LINKED, GST_FLOW_FLUSHING}) {
    Pull pull({large().bytes}, "sync=false", GST_STATE_READY);
    pull.set_sink([flow](std::size_t index) { return index == 5 ? flow : GST_FLOW_OK; });
    pull.set_state(GST_STATE_PLAYING);
    pull.run();
    assert_equals_uint64(pull.count(), 5);
    const Problem problem = pull.problem();
    assert_equals_int(problem.found && problem.error, flow == GST_FLOW_NOT_LINKED);
  }
}
GST_END_TEST

// The state change itself may fail.
GST_START_TEST(not_flv) {
  for (const Buffer &data : {payload(200000), Buffer(), Buffer{'F', 'L', 'V', 1, 5}}) {
    Pull pull({data}, "sync=false", GST_STATE_READY);
    if (gst_element_set_state(pull.element(), GST_STATE_PLAYING) == GST_STATE_CHANGE_SUCCESS)
      pull.run();
    assert_problem(pull, true, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, "");
    assert_equals_uint64(pull.count(), 0);
  }
}
GST_END_TEST

GST_START_TEST(fail_on_damage) {
  const Stream stream = steady();
  Pull pull({inserted(stream.bytes, stream.tags[5].begin, payload(100))},
            "sync=false on-corrupt=fail");
  pull.run();
  assert_problem(pull, true, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
                 std::to_string(stream.tags[5].begin));
  assert_bytes(bytes(pull.take()), Bytes(stream.bytes).first(stream.tags[5].begin));
}
GST_END_TEST

GST_START_TEST(bytes_queries_go_upstream) {
  const Stream stream = steady();
  Pull pull({stream.bytes});
  play_to_wait(pull);
  gint64 size = 0;
  fail_unless(gst_pad_peer_query_duration(pull.downstream(), GST_FORMAT_BYTES, &size));
  assert_equals_uint64(static_cast<guint64>(size), stream.bytes.size());
  GstQuery *query = gst_query_new_seeking(GST_FORMAT_BYTES);
  fail_unless(gst_pad_peer_query(pull.downstream(), query));
  gboolean seekable = FALSE;
  gst_query_parse_seeking(query, nullptr, &seekable, nullptr, nullptr);
  fail_unless(seekable);
  gst_query_unref(query);
}
GST_END_TEST

static Suite *flvpace_pull_suite() {
  Suite *suite = suite_create("flvpace_pull");
  TCase *tcase = tcase_create("pull");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, same_as_push);
  tcase_add_test(tcase, order_of_events);
  tcase_add_test(tcase, reads_large_blocks_once);
  tcase_add_test(tcase, reads_only_what_it_sends);
  tcase_add_test(tcase, pushes_without_random_access);
  tcase_add_test(tcase, pause_and_resume);
  tcase_add_test(tcase, first_tags_pass_in_paused);
  tcase_add_test(tcase, stop_and_start_again);
  tcase_add_test(tcase, flushing_seek_while_waiting);
  tcase_add_loop_test(tcase, flushing_seek_in_a_push, 0, 6);
  tcase_add_test(tcase, seeks_in_every_state);
  tcase_add_test(tcase, seeks_from_two_threads);
  tcase_add_test(tcase, one_seek_from_two_sinks);
  tcase_add_test(tcase, seek_into_a_tag);
  tcase_add_test(tcase, seek_to_the_start);
  tcase_add_test(tcase, seek_at_the_start);
  tcase_add_test(tcase, seek_that_does_not_flush);
  tcase_add_test(tcase, seek_discards_a_waiting_tag);
  tcase_add_test(tcase, seeks_that_are_not_possible);
  tcase_add_test(tcase, segment_seek);
  tcase_add_test(tcase, seqnum_of_the_seek);
  tcase_add_test(tcase, read_error);
  tcase_add_test(tcase, downstream_decides);
  tcase_add_test(tcase, not_flv);
  tcase_add_test(tcase, fail_on_damage);
  tcase_add_test(tcase, bytes_queries_go_upstream);
  return suite;
}

GST_CHECK_MAIN(flvpace_pull);
