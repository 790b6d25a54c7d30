// SPDX-License-Identifier: LGPL-2.1-or-later
// Events in both directions.
#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

GstEvent *custom(const char *name) {
  return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty(name));
}

} // namespace

GST_START_TEST(order_at_the_start) {
  Pace pace("sync=false", GST_STATE_READY);
  pace.set_state(GST_STATE_PLAYING);
  const GstSegment segment = bytes_segment();
  pace.push_event(gst_event_new_stream_start("a stream"));
  pace.push_event(gst_event_new_segment(&segment));
  pace.push(file().bytes, 100);
  pace.end();
  pace.run();
  assert_text(pace.order(), "stream-start caps segment B eos");
  const EventPtr start = pace.last_event(GST_EVENT_STREAM_START);
  const gchar *id = nullptr;
  gst_event_parse_stream_start(start.get(), &id);
  assert_text(id, "a stream");
}
GST_END_TEST

// Upstream may send a TIME segment.
GST_START_TEST(time_segment_of_upstream) {
  Pace pace("", GST_STATE_READY);
  pace.set_state(GST_STATE_PLAYING);
  GstSegment segment{};
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 20 * GST_SECOND;
  pace.push_event(gst_event_new_stream_start("in time"));
  pace.push_event(gst_event_new_segment(&segment));
  Stream stream;
  stream.header(false, true).key(7000).inter(7040);
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  assert_equals_uint64(pace.count_events(GST_EVENT_SEGMENT), 1);
  const Arrivals arrivals = pace.take();
  assert_text(due_times(arrivals), "0 0 40");
  assert_text(stream_times(arrivals), "7000 7000 7040");
}
GST_END_TEST

GST_START_TEST(serialized_events_keep_their_order) {
  const Stream stream = file();
  const std::size_t cut = stream.tags[10].begin;
  Pace pace("sync=false");
  pace.push_event(custom("first")); // before caps and segment
  pace.push(Bytes(stream.bytes).first(cut));
  pace.push_event(custom("second"));
  pace.push_event(gst_event_new_gap(0, GST_CLOCK_TIME_NONE));
  pace.push(Bytes(stream.bytes).subspan(cut));
  pace.push_event(custom("third"));
  pace.end();
  pace.run();
  std::string order = pace.order();
  // The first event may come before or after the file header.
  const std::string early = "custom-downstream B";
  const std::size_t at = order.find("B " + early);
  if (at != std::string::npos && at < order.find("gap"))
    order.erase(at, 2);
  assert_text(order, "caps segment custom-downstream B custom-downstream gap B custom-downstream "
                     "eos");
}
GST_END_TEST

GST_START_TEST(tag_events_pass) {
  Pace pace("sync=false");
  GstTagList *tags = gst_tag_list_new(GST_TAG_TITLE, "a title", nullptr);
  pace.push_event(gst_event_new_tag(tags));
  pace.push(file().bytes);
  pace.settle();
  assert_equals_uint64(pace.count_events(GST_EVENT_TAG), 1);
  const EventPtr event = pace.last_event(GST_EVENT_TAG);
  GstTagList *list = nullptr;
  gst_event_parse_tag(event.get(), &list);
  gchar *title = nullptr;
  fail_unless(gst_tag_list_get_string(list, GST_TAG_TITLE, &title));
  assert_text(title, "a title");
  g_free(title);
}
GST_END_TEST

namespace {

// The tags from onMetaData; "" if there is no tag event.
std::string tags_of(Members members) {
  Stream stream;
  stream.header(false, true).metadata(std::move(members)).key(0).inter(40);
  Pace pace("sync=false");
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  const EventPtr event = pace.last_event(GST_EVENT_TAG);
  if (!event)
    return "";
  assert_equals_uint64(pace.count_events(GST_EVENT_TAG), 1);
  GstTagList *list = nullptr;
  gst_event_parse_tag(event.get(), &list);
  std::string text;
  for (const char *name : {GST_TAG_ENCODER, GST_TAG_VIDEO_CODEC, GST_TAG_AUDIO_CODEC}) {
    gchar *value = nullptr;
    if (gst_tag_list_get_string(list, name, &value))
      text += std::string(name) + "=" + value + " ";
    g_free(value);
  }
  guint bitrate = 0;
  if (gst_tag_list_get_uint(list, GST_TAG_BITRATE, &bitrate))
    text += "bitrate=" + std::to_string(bitrate);
  fail_if(gst_tag_list_get_tag_size(list, GST_TAG_DURATION) > 0);
  return text;
}

} // namespace

GST_START_TEST(tags_of_on_metadata) {
  assert_text(tags_of({{"duration", {10.0}},
                       {"videodatarate", {1000.0}},
                       {"audiodatarate", {128.0}},
                       {"videocodecid", {7.0}},
                       {"audiocodecid", {10.0}},
                       {"encoder", {std::string("Lavf60")}}}),
              "encoder=Lavf60 video-codec=H.264 audio-codec=AAC bitrate=1128000");
  assert_text(tags_of({{"audiodatarate", {62.5}}}), "bitrate=62500");
  assert_text(tags_of({{"videocodecid", {static_cast<double>(flv::fourcc("hvc1"))}}}),
              "video-codec=H.265 ");
  assert_text(tags_of({{"duration", {10.0}}, {"width", {320.0}}}), "");
}
GST_END_TEST

GST_START_TEST(tags_of_changed_metadata) {
  const Members first{{"encoder", {std::string("one")}}};
  const Members second{{"encoder", {std::string("two")}}};
  Stream stream;
  stream.header(false, true).metadata(first).key(0).metadata(first).inter(40).metadata(second);
  stream.inter(80);
  Pace pace("sync=false");
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  assert_equals_uint64(pace.count_events(GST_EVENT_TAG), 2);
}
GST_END_TEST

GST_START_TEST(upstream_events_pass) {
  Pace pace("sync=false");
  pace.push(file().bytes);
  pace.settle();
  gst_pad_push_event(pace.downstream(), gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 0.5, 7, 8));
  fail_unless(pace.upstream_event(GST_EVENT_QOS) != nullptr);
  gst_pad_push_event(pace.downstream(), gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                                             gst_structure_new_empty("up")));
  fail_unless(pace.upstream_event(GST_EVENT_CUSTOM_UPSTREAM) != nullptr);
}
GST_END_TEST

// In push mode, upstream handles all seeks.
GST_START_TEST(seeks_go_upstream) {
  Pace pace("sync=false");
  pace.push(file().bytes);
  pace.settle();
  for (const GstFormat format : {GST_FORMAT_TIME, GST_FORMAT_BYTES}) {
    fail_unless(gst_pad_push_event(
        pace.downstream(), gst_event_new_seek(1.0, format, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                                              5000, GST_SEEK_TYPE_NONE, -1)));
    const EventPtr event = pace.upstream_event(GST_EVENT_SEEK);
    fail_unless(event != nullptr);
    GstFormat asked = GST_FORMAT_UNDEFINED;
    gint64 start = 0;
    gst_event_parse_seek(event.get(), nullptr, &asked, nullptr, nullptr, &start, nullptr, nullptr);
    fail_unless(asked == format && start == 5000);
  }
}
GST_END_TEST

static Suite *flvpace_events_suite() {
  Suite *suite = suite_create("flvpace_events");
  TCase *tcase = tcase_create("events");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, order_at_the_start);
  tcase_add_test(tcase, time_segment_of_upstream);
  tcase_add_test(tcase, serialized_events_keep_their_order);
  tcase_add_test(tcase, tag_events_pass);
  tcase_add_test(tcase, tags_of_on_metadata);
  tcase_add_test(tcase, tags_of_changed_metadata);
  tcase_add_test(tcase, upstream_events_pass);
  tcase_add_test(tcase, seeks_go_upstream);
  return suite;
}

GST_CHECK_MAIN(flvpace_events);
