// SPDX-License-Identifier: LGPL-2.1-or-later
// The queries that the source pad answers, and the queries that it forwards upstream.
#include <limits>

#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// Answers queries in place of upstream, in TIME and BYTES, during its lifetime.
class Answers {
public:
  explicit Answers(Pace &pace) : pad_(pace.upstream()) {
    probe_ = gst_pad_add_probe(
        pad_, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM,
        [](GstPad *, GstPadProbeInfo *info, gpointer) {
          return answer(GST_PAD_PROBE_INFO_QUERY(info)) ? GST_PAD_PROBE_HANDLED : GST_PAD_PROBE_OK;
        },
        nullptr, nullptr);
  }
  ~Answers() { gst_pad_remove_probe(pad_, probe_); }
  Answers(const Answers &) = delete;
  Answers &operator=(const Answers &) = delete;

  static constexpr gint64 kPosition = 11, kDuration = 22, kSeekableEnd = 33;

private:
  static bool answer(GstQuery *query) {
    GstFormat format = GST_FORMAT_UNDEFINED;
    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_POSITION:
      gst_query_parse_position(query, &format, nullptr);
      gst_query_set_position(query, format, kPosition);
      return true;
    case GST_QUERY_DURATION:
      gst_query_parse_duration(query, &format, nullptr);
      gst_query_set_duration(query, format, kDuration);
      return true;
    case GST_QUERY_SEEKING:
      gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
      gst_query_set_seeking(query, format, format == GST_FORMAT_TIME, 0, kSeekableEnd);
      return true;
    default:
      return false;
    }
  }

  GstPad *pad_;
  gulong probe_;
};

gint64 position(Pace &pace, GstFormat format = GST_FORMAT_TIME) {
  gint64 value = -1;
  return gst_pad_peer_query_position(pace.downstream(), format, &value) ? value : -1;
}

gint64 duration(Pace &pace, GstFormat format = GST_FORMAT_TIME) {
  gint64 value = -1;
  return gst_pad_peer_query_duration(pace.downstream(), format, &value) ? value : -1;
}

void feed(Pace &pace, Members metadata) {
  Stream stream;
  stream.header(false, true).metadata(std::move(metadata)).key(0).inter(40);
  pace.push(stream.bytes);
  pace.settle();
}

constexpr gint64 kMs = GST_MSECOND;

} // namespace

GST_START_TEST(position_is_media_time) {
  Stream stream;
  stream.header(false, true).video(0, avc_config()).key(5000).inter(5040).inter(5080);
  Pace pace;
  assert_equals_int64(position(pace), -1);
  pace.push(stream.bytes);
  pace.settle();
  assert_equals_int64(position(pace), 5000 * kMs);
  pace.run_until(39);
  assert_equals_int64(position(pace), 5000 * kMs);
  pace.run_until(45);
  assert_equals_int64(position(pace), 5040 * kMs);
  pace.run_until(80);
  assert_equals_int64(position(pace), 5080 * kMs);
}
GST_END_TEST

GST_START_TEST(position_after_a_flush) {
  Pace pace("sync=false");
  pace.push(steady(900).bytes);
  pace.settle();
  for (const std::uint32_t time : {90000U, 100U}) {
    pace.flush();
    assert_equals_int64(position(pace), -1);
    Stream rest;
    rest.key(time);
    pace.push(rest.bytes);
    pace.settle();
    assert_equals_int64(position(pace), time * kMs);
  }
}
GST_END_TEST

GST_START_TEST(duration_of_the_metadata) {
  Pace pace("sync=false");
  const Answers answers(pace);
  feed(pace, {{"duration", {12.5}}});
  assert_equals_int64(duration(pace), 12500 * kMs);
}
GST_END_TEST

GST_START_TEST(duration_of_another_file) {
  Pace pace("sync=false");
  feed(pace, {{"duration", {12.5}}});
  pace.set_state(GST_STATE_READY);
  pace.set_state(GST_STATE_PLAYING);
  assert_equals_int64(duration(pace), -1);
}
GST_END_TEST

GST_START_TEST(duration_of_upstream) {
  Pace pace("sync=false");
  feed(pace, {});
  assert_equals_int64(duration(pace), -1);
  const Answers answers(pace);
  assert_equals_int64(duration(pace), Answers::kDuration);
}
GST_END_TEST

GST_START_TEST(impossible_durations) {
  using Limits = std::numeric_limits<double>;
  for (const double seconds : {-1.0, Limits::quiet_NaN(), Limits::infinity(), 1e300}) {
    Pace pace("sync=false");
    const Answers answers(pace);
    feed(pace, {{"duration", {seconds}}});
    assert_equals_int64(duration(pace), Answers::kDuration);
  }
}
GST_END_TEST

GST_START_TEST(bytes_queries_go_upstream) {
  Pace pace("sync=false");
  const Answers answers(pace);
  feed(pace, {{"duration", {12.5}}});
  assert_equals_int64(position(pace, GST_FORMAT_BYTES), Answers::kPosition);
  assert_equals_int64(duration(pace, GST_FORMAT_BYTES), Answers::kDuration);
}
GST_END_TEST

GST_START_TEST(seeking_queries_go_upstream) {
  Pace pace("sync=false");
  feed(pace, {});
  const Answers answers(pace);
  for (const GstFormat format : {GST_FORMAT_TIME, GST_FORMAT_BYTES}) {
    GstQuery *query = gst_query_new_seeking(format);
    fail_unless(gst_pad_peer_query(pace.downstream(), query));
    gboolean seekable = FALSE;
    gint64 end = 0;
    gst_query_parse_seeking(query, nullptr, &seekable, nullptr, &end);
    assert_equals_int(seekable, format == GST_FORMAT_TIME);
    assert_equals_int64(end, Answers::kSeekableEnd);
    gst_query_unref(query);
  }
}
GST_END_TEST

// Tags get timestamps when they leave: upstream's latency is over by then.
GST_START_TEST(no_latency) {
  for (const bool live : {false, true}) {
    for (const char *properties : {"", "burst=3000"}) {
      Pace pace(properties);
      gst_harness_set_live(pace.harness(), live);
      gst_harness_set_upstream_latency(pace.harness(), 33 * GST_MSECOND);
      GstQuery *query = gst_query_new_latency();
      fail_unless(gst_pad_peer_query(pace.downstream(), query));
      gboolean is_live = FALSE;
      GstClockTime minimum = 0;
      gst_query_parse_latency(query, &is_live, &minimum, nullptr);
      assert_equals_int(is_live, live);
      assert_equals_uint64(minimum, 0);
      gst_query_unref(query);
    }
  }
}
GST_END_TEST

GST_START_TEST(downstream_cannot_pull) {
  Pace pace;
  GstQuery *query = gst_query_new_scheduling();
  if (gst_pad_peer_query(pace.downstream(), query))
    fail_if(gst_query_has_scheduling_mode(query, GST_PAD_MODE_PULL));
  gst_query_unref(query);
}
GST_END_TEST

GST_START_TEST(sink_accepts_flv) {
  Pace pace;
  const CapsPtr flv(gst_caps_new_empty_simple("video/x-flv"));
  const CapsPtr raw(gst_caps_new_empty_simple("video/x-raw"));
  fail_unless(gst_pad_peer_query_accept_caps(pace.upstream(), flv.get()));
  fail_if(gst_pad_peer_query_accept_caps(pace.upstream(), raw.get()));
}
GST_END_TEST

static Suite *flvpace_queries_suite() {
  Suite *suite = suite_create("flvpace_queries");
  TCase *tcase = tcase_create("queries");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, position_is_media_time);
  tcase_add_test(tcase, position_after_a_flush);
  tcase_add_test(tcase, duration_of_the_metadata);
  tcase_add_test(tcase, duration_of_another_file);
  tcase_add_test(tcase, duration_of_upstream);
  tcase_add_test(tcase, impossible_durations);
  tcase_add_test(tcase, bytes_queries_go_upstream);
  tcase_add_test(tcase, seeking_queries_go_upstream);
  tcase_add_test(tcase, no_latency);
  tcase_add_test(tcase, downstream_cannot_pull);
  tcase_add_test(tcase, sink_accepts_flv);
  return suite;
}

GST_CHECK_MAIN(flvpace_queries);
