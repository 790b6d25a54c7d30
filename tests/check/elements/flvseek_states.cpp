// SPDX-License-Identifier: LGPL-2.1-or-later
// Stops and restarts in all states of the element.
#include <atomic>
#include <thread>

#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

const std::string kOriginal = "metadata-keyframes=original ";

} // namespace

GST_START_TEST(starts_again_at_another_point) {
  const Access access = kAccesses[__i__];
  const Stream stream = clip();
  Seek seek({.bytes = stream.bytes, .access = access}, kOriginal + "start-time=400");
  seek.run();
  assert_bytes(seek.take(), started(stream, 1));
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL}) {
    for (const std::size_t key : {5U, 0U, 3U}) {
      seek.set_state(state);
      (void)seek.order();
      (void)seek.take();
      (void)seek.starts();
      seek.set("start-time", guint64{0});
      seek.set("offset", position(stream, key));
      const std::size_t ends = seek.count_events(GST_EVENT_EOS);
      seek.set_state(GST_STATE_PLAYING);
      Seek::wait_for([&] { return seek.count_events(GST_EVENT_EOS) > ends; });
      assert_text(seek.order(), "stream-start caps segment B eos");
      assert_bytes(seek.take(), started(stream, key));
      assert_equals_uint64(seek.starts().size(), 1);
    }
  }
}
GST_END_TEST

GST_START_TEST(starts_again_after_an_error) {
  const Access access = kAccesses[__i__];
  const Stream stream = clip();
  Seek seek({.bytes = stream.bytes, .access = access}, kOriginal + "start-time=90000");
  assert_fails(seek, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK, "90000");
  seek.set_state(GST_STATE_NULL);
  seek.set("start-time", guint64{800});
  seek.set_state(GST_STATE_PLAYING);
  Seek::wait_for([&] { return seek.size() == started(stream, 2).size(); });
  assert_bytes(seek.take(), started(stream, 2));
}
GST_END_TEST

GST_START_TEST(stops_while_the_sink_blocks) {
  const Stream stream = clip(300);
  for (const std::size_t index : {0U, 1U, 3U}) {
    for (const GstState state : {GST_STATE_READY, GST_STATE_NULL}) {
      Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__]}, kOriginal + "start-time=400",
                GST_STATE_READY);
      seek.block(index);
      seek.set_state(GST_STATE_PLAYING);
      seek.wait_until_blocked();
      fail_if(seek.set_state(state) == GST_STATE_CHANGE_FAILURE);
      seek.release();
    }
  }
}
GST_END_TEST

GST_START_TEST(stops_at_any_moment) {
  const Stream stream = clip(20, key_frames_of, false);
  for (const char *index : {"metadata", "scan"}) {
    Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__], .chunk = 64},
              kOriginal + "start-time=2400 index=" + index, GST_STATE_READY);
    for (gulong turn = 0; turn < 40; ++turn) {
      seek.set_state(turn % 2 == 0 ? GST_STATE_PLAYING : GST_STATE_PAUSED);
      g_usleep(turn * 25);
      if (turn % 5 == 0)
        (void)seek.seek_time(400);
      seek.set_state(turn % 3 == 0 ? GST_STATE_NULL : GST_STATE_READY);
    }
    (void)seek.take();
    const std::size_t ends = seek.count_events(GST_EVENT_EOS);
    seek.set_state(GST_STATE_PLAYING);
    Seek::wait_for([&] { return seek.count_events(GST_EVENT_EOS) > ends; });
    assert_bytes(seek.take(), started(stream, 6));
  }
}
GST_END_TEST

GST_START_TEST(pauses_and_plays) {
  const Stream stream = clip(300);
  Seek seek({.bytes = stream.bytes, .access = kAccesses[__i__]}, kOriginal + "start-time=400",
            GST_STATE_PAUSED);
  for (int turn = 0; turn < 10; ++turn)
    seek.set_state(turn % 2 == 0 ? GST_STATE_PLAYING : GST_STATE_PAUSED);
  seek.run();
  assert_bytes(seek.take(), started(stream, 1));
}
GST_END_TEST

GST_START_TEST(nothing_upstream) {
  GstElement *element = gst_element_factory_make("flvseek", nullptr);
  for (const GstState state :
       {GST_STATE_PLAYING, GST_STATE_NULL, GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL})
    fail_if(gst_element_set_state(element, state) == GST_STATE_CHANGE_FAILURE);
  gst_object_unref(element);
}
GST_END_TEST

// The sink returns EOS.
GST_START_TEST(nothing_downstream) {
  const Stream stream = clip();
  for (const Access access : kAccesses) {
    Seek seek({.bytes = stream.bytes, .access = access}, "start-time=400", GST_STATE_READY);
    const gstflv::PadPtr peer(gst_pad_get_peer(seek.source_pad()));
    gst_pad_unlink(seek.source_pad(), peer.get());
    seek.set_state(GST_STATE_PLAYING);
    if (access == Access::Pull) {
      seek.run();
      fail_unless(seek.problem().error);
    }
    g_usleep(1000);
    seek.set_state(GST_STATE_NULL);
    while (seek.problem().found) {
    }
  }
}
GST_END_TEST

GST_START_TEST(file_and_queues) {
  const Stream stream = clip(20);
  const TemporaryFile temporary(stream.bytes);
  const TemporaryFile part(Buffer{});
  for (const char *middle : {"", "queue !", "queue2 !", "identity !", "typefind !"}) {
    const std::string line = "filesrc location=" + temporary.path() + " ! " + middle +
                             " flvseek start-time=2000 " + kOriginal +
                             " ! queue ! filesink location=" + part.path();
    GstElement *pipeline = gst_parse_launch(line.c_str(), nullptr);
    GstBus *bus = gst_element_get_bus(pipeline);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus, 10 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    fail_unless(message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS, "%s", line.c_str());
    gst_message_unref(message);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
    gst_object_unref(pipeline);
    gchar *contents = nullptr;
    gsize size = 0;
    fail_unless(g_file_get_contents(part.path().c_str(), &contents, &size, nullptr));
    const Buffer out(contents, contents + size);
    g_free(contents);
    assert_bytes(out, started(stream, 5));
  }
}
GST_END_TEST

// Two flushing seeks at the same time. The end of the first flush also ends the other one. The sink
// blocks all threads except those that flush it.
GST_START_TEST(two_flushes_at_once) {
  struct Flushes {
    Seek &seek;
    std::atomic<int> upstream = 0;
    std::atomic<int> downstream = 0;
    std::atomic<int> returned = 0;
  };
  const Stream stream = clip(300);
  Seek seek({.bytes = stream.bytes}, kOriginal + "start-time=400", GST_STATE_READY);
  seek.block(1);
  seek.set_state(GST_STATE_PLAYING);
  seek.wait_until_blocked();
  Flushes flushes{.seek = seek};
  const auto see_upstream = [](GstPad *, GstPadProbeInfo *info, gpointer data) {
    auto &self = *static_cast<Flushes *>(data);
    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_FLUSH_START) {
      ++self.upstream;
      Seek::wait_for([&] { return self.upstream >= 2; });
    }
    return GST_PAD_PROBE_OK;
  };
  const auto see_downstream = [](GstPad *, GstPadProbeInfo *info, gpointer data) {
    auto &self = *static_cast<Flushes *>(data);
    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_FLUSH_START)
      return GST_PAD_PROBE_OK;
    const int number = ++self.downstream;
    Seek::wait_for([&] { return self.downstream >= 2; });
    if (number == 2) {
      Seek::wait_for([&] { return self.returned == 1; });
      self.seek.wait_until_blocked();
    }
    return GST_PAD_PROBE_OK;
  };
  gst_pad_add_probe(seek.sink_pad(), GST_PAD_PROBE_TYPE_EVENT_FLUSH, see_upstream, &flushes,
                    nullptr);
  gst_pad_add_probe(seek.source_pad(), GST_PAD_PROBE_TYPE_EVENT_FLUSH, see_downstream, &flushes,
                    nullptr);
  const auto go = [&](guint64 from, guint64 to) {
    fail_unless(
        seek.send(gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                                     static_cast<gint64>(from * GST_MSECOND), GST_SEEK_TYPE_SET,
                                     static_cast<gint64>(to * GST_MSECOND))));
    ++flushes.returned;
  };
  std::thread first(go, 800, 2000);
  Seek::wait_for([&] { return flushes.upstream == 1; });
  std::thread second(go, 0, 2000); // needs no read
  Seek::wait_for([&] { return flushes.returned == 2; });
  first.join();
  second.join();
  seek.release();
  seek.run();
  Buffer should = seek.get("actual-time") > 0 ? started(stream, 2) : stream.bytes;
  should.resize(should.size() - (stream.bytes.size() - position(stream, 5)));
  assert_bytes(seek.take(), should);
}
GST_END_TEST

static Suite *flvseek_states_suite() {
  Suite *suite = suite_create("flvseek_states");
  TCase *tcase = tcase_create("states");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, starts_again_at_another_point, 0, 3);
  tcase_add_loop_test(tcase, starts_again_after_an_error, 0, 3);
  tcase_add_loop_test(tcase, stops_while_the_sink_blocks, 0, 3);
  tcase_add_loop_test(tcase, stops_at_any_moment, 0, 3);
  tcase_add_loop_test(tcase, pauses_and_plays, 0, 3);
  tcase_add_test(tcase, nothing_upstream);
  tcase_add_test(tcase, nothing_downstream);
  tcase_add_test(tcase, file_and_queues);
  tcase_add_test(tcase, two_flushes_at_once);
  return suite;
}

GST_CHECK_MAIN(flvseek_states);
