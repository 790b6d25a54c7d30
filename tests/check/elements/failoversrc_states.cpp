// SPDX-License-Identifier: LGPL-2.1-or-later
// Starts, stops, demand, and sources that hang.
#include "failovertest.h"

#include "holdings.h"
#include "watched.h"

using namespace flvtest;
using namespace failovertest;

namespace {

Fake &a() {
  return Fake::named("a");
}
Fake &b() {
  return Fake::named("b");
}

const Live kA(0);
const Live kB(1);

double seconds_of(const std::function<void()> &work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

GstEvent *demand(bool is_wanted) {
  return gst_event_new_custom(
      GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new("failoversrc-demand", "wanted", G_TYPE_BOOLEAN, is_wanted, nullptr));
}

} // namespace

GST_START_TEST(is_a_live_source) {
  a().set_mode(Fake::Mode::HangsInStart);
  Line line("uris=fake://a", GST_STATE_NULL);
  assert_equals_int(line.set_state(GST_STATE_PAUSED), GST_STATE_CHANGE_NO_PREROLL);
  assert_equals_uint64(a().starts(), 0); // like other live sources, it works in PLAYING
  assert_equals_int(line.set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  GstQuery *query = gst_query_new_latency();
  fail_unless(gst_element_query(line.element(), query));
  gboolean is_live = FALSE;
  gst_query_parse_latency(query, &is_live, nullptr, nullptr);
  gst_query_unref(query);
  fail_unless(is_live);
  query = gst_query_new_seeking(GST_FORMAT_BYTES);
  gboolean is_seekable = TRUE;
  if (gst_element_query(line.element(), query))
    gst_query_parse_seeking(query, nullptr, &is_seekable, nullptr, nullptr);
  gst_query_unref(query);
  fail_if(is_seekable);
  wait_for([] { return a().starts() == 1; });
  a().release();
}
GST_END_TEST

GST_START_TEST(without_uris) {
  for (const char *uris : {"uris=\"\"", "uris=\" ; ;\""}) {
    Line line(uris, GST_STATE_NULL);
    assert_equals_int(line.set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    assert_same(line.error(), "No source: the property uris is empty.");
  }
}
GST_END_TEST

GST_START_TEST(starts_again) {
  a().set_opening(joined({kA.header(), kA.frame(0)}));
  Line line("uris=fake://a", GST_STATE_NULL);
  const GstState stops[] = {GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL};
  std::size_t starts = 0;
  for (const GstState stop : stops) {
    line.set_state(GST_STATE_PLAYING);
    starts++;
    line.wait_for_size(starts * joined({kA.header(), kA.frame(0)}).size());
    line.set_state(stop);
    wait_for([] { return a().running() == 0; });
    assert_equals_uint64(a().starts(), starts);
  }
  for (const Buffer &part : line.parts())
    assert_bytes(part, joined({kA.header(), kA.frame(0)}));
}
GST_END_TEST

// In each phase of a start: before the source runs, while it is silent, while it sends, and after
// it is lost.
GST_START_TEST(a_thousand_starts) {
  g_thread_pool_set_max_unused_threads(0);
  const int count = pacetest::is_short() || is_watched() ? 40 : 1000;
  a().set_opening(joined({kA.header(), kA.frames(0, 10)}));
  b().set_mode(Fake::Mode::Refuses);
  flvtest::Holdings before{};
  for (int start = 0; start < count; ++start) {
    if (start == count / 10)
      before = holdings();
    Line line(start % 5 == 4 ? "uris=fake://b;fake://a" : "uris=fake://a;fake://b", GST_STATE_NULL);
    line.set_state(GST_STATE_PLAYING);
    if (start % 5 == 1)
      wait_for([] { return a().running() > 0; });
    else if (start % 5 >= 2)
      wait_for([&] { return !line.arrivals().empty(); });
    if (start % 5 == 3)
      line.advance(6000);
    line.set_state(GST_STATE_NULL);
    assert_equals_uint64(a().running(), 0); // a source that does not hang has ended
  }
  assert_no_more_than(before);
}
GST_END_TEST

// A source that hangs delays neither the switch nor the end.
GST_START_TEST(a_source_hangs) {
  const Fake::Mode modes[] = {Fake::Mode::HangsInStart, Fake::Mode::IgnoresUnlock};
  a().set_mode(modes[__i__]);
  b().set_opening(joined({kB.header(), kB.frame(0)}));
  Line line("uris=fake://a;fake://b");
  wait_for([] { return a().starts() == 1; });
  line.advance(5000);
  line.wait_for_message("switched 1 start");
  const double seconds = seconds_of([&] { line.set_state(GST_STATE_NULL); });
  fail_unless(seconds < 5, "the end took %g s", seconds);
  a().release();
  wait_for([] { return a().running() == 0; });
}
GST_END_TEST

// The number of attempts that hang is limited.
GST_START_TEST(attempts_that_hang) {
  a().set_mode(Fake::Mode::HangsInStart);
  Line line("uris=fake://a timeout=1000 retry-min=100 retry-max=100");
  for (std::size_t attempt = 1; attempt <= 4; ++attempt) {
    wait_for([&] { return a().starts() == attempt; });
    line.advance(1100); // it is lost, and started again
  }
  line.advance(60'000);
  assert_equals_uint64(a().starts(), 4);
  assert_same(line.source_stat(0, "last-text"), "earlier attempts still hang");
  a().release();
  wait_for([&] { return line.source_stat(0, "ending") == "0"; });
  a().set_mode(Fake::Mode::Works);
  a().set_opening(joined({kA.header(), kA.frame(0)}));
  line.run_to_next_attempt(a(), 0, 200);
  line.wait_for_message("switched 0 start");
}
GST_END_TEST

GST_START_TEST(on_demand) {
  a().set_opening(joined({kA.header(), kA.frame(0)}));
  Line line("uris=fake://a on-demand=true idle-timeout=3000");
  line.advance(20'000);
  assert_equals_uint64(a().starts(), 0);
  fail_unless(gst_pad_push_event(line.pad(), demand(true)));
  line.wait_for_message("switched 0 start");
  line.play(a(), kA, 1, 10);
  fail_unless(gst_element_send_event(line.element(), demand(false)));
  line.play(a(), kA, 10, 20); // it runs on
  fail_unless(gst_element_send_event(line.element(), demand(true)));
  line.play(a(), kA, 20, 120);
  fail_unless(gst_element_send_event(line.element(), demand(false)));
  line.play(a(), kA, 120, 194); // 2960 ms
  assert_equals_uint64(a().running(), 1);
  line.advance(40);
  wait_for([] { return a().running() == 0; });
  line.advance(20'000);
  assert_equals_uint64(a().starts(), 1);
  fail_unless(gst_pad_push_event(line.pad(), demand(true)));
  wait_for([&] { return line.parts().size() == 2; });
  assert_bytes(line.parts()[0], joined({kA.header(), kA.frames(0, 194)}));
  assert_same(line.messages(), "switched 0 start, switched 0 start");
}
GST_END_TEST

GST_START_TEST(demand_without_on_demand) {
  Line line("uris=fake://a idle-timeout=1000");
  a().send(kA.header());
  line.play(a(), kA, 0, 5);
  fail_unless(gst_pad_push_event(line.pad(), demand(false)));
  line.play(a(), kA, 5, 100);
  assert_equals_uint64(a().running(), 1);
}
GST_END_TEST

// `gst-launch-1.0 -e` ends the stream so.
GST_START_TEST(end_of_stream) {
  Line line("uris=fake://a");
  gst_element_send_event(line.element(), gst_event_new_eos());
  wait_for([&] { return line.ends() == 1; });
}
GST_END_TEST

GST_START_TEST(source_setup) {
  Line line("uris=fake://a", GST_STATE_NULL);
  std::string name;
  g_signal_connect(line.element(), "source-setup",
                   G_CALLBACK(+[](GstElement *, GstElement *source, std::string *text) {
                     *text = G_OBJECT_TYPE_NAME(source);
                   }),
                   &name);
  line.set_state(GST_STATE_PLAYING);
  wait_for([] { return a().running() == 1; });
  line.set_state(GST_STATE_NULL);
  assert_same(name, "FakeSrc");
}
GST_END_TEST

// Signals and messages tell the same.
GST_START_TEST(signals) {
  std::string told;
  const auto add = [](std::string &text, const std::string &more) {
    text.append(text.empty() ? "" : ", ").append(more);
  };
  static const auto kAdd = add;
  a().set_mode(Fake::Mode::Refuses);
  b().set_opening(joined({kB.header(), kB.frame(0)}));
  Line line("uris=fake://a;fake://b retry-max=500", GST_STATE_NULL);
  g_signal_connect(line.element(), "source-lost",
                   G_CALLBACK(+[](GstElement *, guint index, const char *uri, const char *reason,
                                  std::string *text) {
                     kAdd(*text, "lost " + std::to_string(index) + " " + uri + " " + reason);
                   }),
                   &told);
  g_signal_connect(line.element(), "source-switched",
                   G_CALLBACK(+[](GstElement *, guint index, const char *uri, const char *reason,
                                  std::string *text) {
                     kAdd(*text, "switched " + std::to_string(index) + " " + uri + " " + reason);
                   }),
                   &told);
  g_signal_connect(line.element(), "source-back",
                   G_CALLBACK(+[](GstElement *, guint index, const char *uri, std::string *text) {
                     kAdd(*text, "back " + std::to_string(index) + " " + uri);
                   }),
                   &told);
  line.set_state(GST_STATE_PLAYING);
  line.wait_for_message("switched 1 start");
  a().set_mode(Fake::Mode::Works);
  a().set_opening(joined({kA.header(), kA.frame(0)}));
  line.run_to_next_attempt(a(), 0, 500);
  line.wait_for_message("back 0");
  line.set_state(GST_STATE_NULL);
  assert_same(told, "lost 0 fake://a error, switched 1 fake://b start, back 0 fake://a");
  const StructurePtr lost = line.fields_of("lost 0 error");
  gboolean in_use = TRUE;
  guint retry = 0;
  fail_unless(gst_structure_get_boolean(lost.get(), "in-use", &in_use) && !in_use);
  fail_unless(gst_structure_get_uint(lost.get(), "retry-in", &retry) && retry >= 375 &&
              retry <= 500);
  const StructurePtr switched = line.fields_of("switched 1 start");
  gint previous = 0;
  fail_unless(gst_structure_get_int(switched.get(), "previous-index", &previous));
  assert_equals_int(previous, -1);
}
GST_END_TEST

static Suite *failoversrc_states_suite() {
  Suite *suite = suite_create("failoversrc_states");
  TCase *tcase = tcase_create("states");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, is_a_live_source);
  tcase_add_test(tcase, without_uris);
  tcase_add_test(tcase, starts_again);
  tcase_add_test(tcase, a_thousand_starts);
  tcase_add_loop_test(tcase, a_source_hangs, 0, 2);
  tcase_add_test(tcase, attempts_that_hang);
  tcase_add_test(tcase, on_demand);
  tcase_add_test(tcase, demand_without_on_demand);
  tcase_add_test(tcase, end_of_stream);
  tcase_add_test(tcase, source_setup);
  tcase_add_test(tcase, signals);
  return suite;
}

GST_CHECK_MAIN(failoversrc_states);
