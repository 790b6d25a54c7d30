// SPDX-License-Identifier: LGPL-2.1-or-later
// What a flush discards, and how the stream continues after it.
#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// Equal caps may be sent again.
std::string order_but_caps(Pace &pace) {
  std::string order = pace.order();
  for (std::size_t at = order.find("caps "); at != std::string::npos; at = order.find("caps "))
    order.erase(at, 5);
  return order;
}

Stream rest_of_a_file() {
  Stream stream;
  stream.key(7000).aac(7000).inter(7040);
  return stream;
}

void play_and_flush(Pace &pace) {
  pace.push(file().bytes);
  pace.settle();
  (void)pace.take();
  (void)pace.order();
  pace.flush();
}

GstEvent *custom(const char *name) {
  return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty(name));
}

} // namespace

GST_START_TEST(flush_passes_and_starts_a_segment) {
  Pace pace("sync=false");
  play_and_flush(pace);
  assert_text(pace.order(), "flush-start flush-stop");
  pace.push(rest_of_a_file().bytes);
  pace.end();
  pace.run();
  assert_text(order_but_caps(pace), "segment gap B eos");
  const EventPtr event = pace.last_event(GST_EVENT_SEGMENT);
  const GstSegment *segment = nullptr;
  gst_event_parse_segment(event.get(), &segment);
  assert_equals_uint64(segment->start, 7000 * GST_MSECOND);
  assert_equals_uint64(segment->time, 7000 * GST_MSECOND);
  assert_equals_uint64(segment->base, 0);
}
GST_END_TEST

GST_START_TEST(header_is_not_repeated) {
  const Stream rest = rest_of_a_file();
  Pace pace("sync=false");
  play_and_flush(pace);
  pace.push(rest.bytes);
  pace.settle();
  assert_bytes(bytes(pace.take()), rest.bytes);
  // An event that arrives after a flush is dropped.
  pace.flush();
  pace.push(joined({file_header(), rest.bytes}));
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  assert_bytes(bytes(arrivals), rest.bytes);
  assert_text(flags(arrivals), "X D D");
}
GST_END_TEST

// The caps are complete since the start.
GST_START_TEST(no_wait_for_kinds_after_a_flush) {
  Pace pace("sync=false");
  play_and_flush(pace);
  Stream rest;
  rest.key(7000);
  pace.push(rest.bytes);
  pace.settle();
  assert_bytes(bytes(pace.take()), rest.bytes);
}
GST_END_TEST

GST_START_TEST(sinks_preroll_after_a_flush) {
  Pace pace;
  play_and_flush(pace);
  (void)pace.order();
  pace.pause();
  const Stream rest = rest_of_a_file();
  pace.push(rest.bytes);
  pace.wait_for([&] { return pace.count() == 2; }); // the start of the stream
  fail_unless(pace.stays_blocked());
  assert_text(order_but_caps(pace), "segment gap B gap");
  pace.resume();
  pace.run();
  assert_bytes(bytes(pace.take()), rest.bytes);
}
GST_END_TEST

// A flush discards data that is partly read, partly sent or held.
GST_START_TEST(flush_discards_a_partial_tag) {
  const Stream stream = file();
  const Stream rest = rest_of_a_file();
  for (const std::size_t cut : {stream.tags[9].begin + 5, stream.tags[9].begin + 40}) {
    Pace pace("sync=false");
    pace.push(Bytes(stream.bytes).first(cut));
    pace.settle();
    (void)pace.take();
    pace.flush();
    pace.push(rest.bytes);
    pace.end();
    pace.run();
    assert_bytes(bytes(pace.take()), rest.bytes);
    assert_equals_uint64(pace.stat("bytes-skipped"), 0);
  }
}
GST_END_TEST

GST_START_TEST(flush_before_the_file_header) {
  const Stream stream = file();
  for (const std::size_t cut : {5UL, 12UL}) {
    Pace pace("sync=false");
    pace.push(Bytes(stream.bytes).first(cut));
    pace.settle();
    pace.flush();
    pace.push(stream.bytes);
    pace.end();
    pace.run();
    assert_bytes(bytes(pace.take()), stream.bytes);
  }
}
GST_END_TEST

// The start of the stream is held, so the file header is not sent yet.
GST_START_TEST(flush_while_waiting_for_kinds) {
  Stream stream;
  stream.header().metadata().video(0, avc_config()).key(0);
  Pace pace("sync=false");
  pace.push(stream.bytes);
  pace.settle();
  assert_equals_uint64(pace.count(), 0);
  pace.flush();
  const Stream rest = rest_of_a_file();
  pace.push(rest.bytes);
  pace.end();
  pace.run();
  assert_bytes(bytes(pace.take()), joined({file_header(), rest.bytes}));
}
GST_END_TEST

GST_START_TEST(serialized_events_after_a_flush) {
  Pace pace("sync=false");
  play_and_flush(pace);
  (void)pace.order();
  pace.push_event(custom("no-segment-yet"));
  pace.push(rest_of_a_file().bytes);
  pace.end();
  pace.run();
  const std::string order = order_but_caps(pace);
  fail_unless(order == "segment gap custom-downstream B eos" ||
                  order == "segment custom-downstream gap B eos",
              "%s", order.c_str());
}
GST_END_TEST

// Events that wait for the first segment are dropped, too.
GST_START_TEST(waiting_events_are_dropped) {
  for (const bool flush : {false, true}) {
    Pace pace("sync=false");
    pace.push_event(custom("too-early"));
    pace.settle();
    if (flush) {
      pace.flush();
    } else {
      const GstSegment segment = bytes_segment();
      pace.set_state(GST_STATE_READY);
      pace.set_state(GST_STATE_PLAYING);
      pace.push_event(gst_event_new_stream_start("again"));
      pace.push_event(gst_event_new_segment(&segment));
    }
    pace.push(file().bytes);
    pace.end();
    pace.run();
    fail_unless(pace.count_events(GST_EVENT_CUSTOM_DOWNSTREAM) == 0, "%s",
                flush ? "by a flush" : "by READY");
  }
}
GST_END_TEST

GST_START_TEST(seqnum_of_upstream) {
  Pace pace("sync=false");
  pace.push(file().bytes);
  pace.settle();
  const guint32 seqnum = gst_util_seqnum_next();
  const GstSegment segment = bytes_segment(5000);
  GstEvent *events[] = {gst_event_new_flush_start(), gst_event_new_flush_stop(TRUE),
                        gst_event_new_segment(&segment), gst_event_new_eos()};
  for (GstEvent *event : events)
    gst_event_set_seqnum(event, seqnum);
  gst_pad_push_event(pace.upstream(), events[0]);
  gst_pad_push_event(pace.upstream(), events[1]);
  pace.push_event(events[2]);
  pace.push(rest_of_a_file().bytes);
  pace.push_event(events[3]);
  pace.run();
  for (const GstEventType type : {GST_EVENT_FLUSH_STOP, GST_EVENT_SEGMENT, GST_EVENT_EOS}) {
    const EventPtr event = pace.last_event(type);
    fail_unless(gst_event_get_seqnum(event.get()) == seqnum, "%s", gst_event_type_get_name(type));
  }
}
GST_END_TEST

static Suite *flvpace_flush_suite() {
  Suite *suite = suite_create("flvpace_flush");
  TCase *tcase = tcase_create("flush");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, flush_passes_and_starts_a_segment);
  tcase_add_test(tcase, header_is_not_repeated);
  tcase_add_test(tcase, no_wait_for_kinds_after_a_flush);
  tcase_add_test(tcase, sinks_preroll_after_a_flush);
  tcase_add_test(tcase, flush_discards_a_partial_tag);
  tcase_add_test(tcase, flush_before_the_file_header);
  tcase_add_test(tcase, flush_while_waiting_for_kinds);
  tcase_add_test(tcase, serialized_events_after_a_flush);
  tcase_add_test(tcase, waiting_events_are_dropped);
  tcase_add_test(tcase, seqnum_of_upstream);
  return suite;
}

GST_CHECK_MAIN(flvpace_flush);
