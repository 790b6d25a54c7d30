// SPDX-License-Identifier: LGPL-2.1-or-later
// Regressions between the element and its neighbours: starts, seeks, ends.
#include "pacetest.h"

#include <glib/gstdio.h>

using namespace flvtest;
using namespace pacetest;

namespace {

// A stream in a file that exists during the test.
class File {
public:
  explicit File(Bytes bytes) {
    const int descriptor = g_file_open_tmp("flvpace-XXXXXX.flv", &path_, nullptr);
    fail_unless(descriptor >= 0);
    g_close(descriptor, nullptr);
    fail_unless(g_file_set_contents(path_, reinterpret_cast<const char *>(bytes.data()),
                                    static_cast<gssize>(bytes.size()), nullptr));
  }
  ~File() {
    g_unlink(path_);
    g_free(path_);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;

  [[nodiscard]] std::string source() const { return std::string("filesrc location=") + path_; }

private:
  gchar *path_ = nullptr;
};

GstElement *launch(const std::string &line) {
  GstElement *pipeline = gst_parse_launch(line.c_str(), nullptr);
  fail_unless(pipeline != nullptr);
  return pipeline;
}

void stop(GstElement *pipeline) {
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

// Waits for the next message of these types.
GstMessageType wait_for(GstElement *pipeline, int types) {
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message =
      gst_bus_timed_pop_filtered(bus, 30 * GST_SECOND, static_cast<GstMessageType>(types));
  gst_object_unref(bus);
  fail_unless(message != nullptr);
  const GstMessageType type = GST_MESSAGE_TYPE(message);
  gst_message_unref(message);
  return type;
}

} // namespace

// An element between the source and flvpace may wait for its own state change. The file is longer
// than a block: for a shorter file, which queue2 has as a whole, queue2 fails the read.
GST_START_TEST(starts_behind_a_pulled_queue) {
  const File file(steady(200'000).bytes);
  gchar *spill = g_build_filename(g_get_tmp_dir(), "flvpace-queue-XXXXXX", nullptr);
  GstElement *pipeline = launch(file.source() + " ! queue2 temp-template=" + spill +
                                " ! flvpace sync=false ! fakesink");
  g_free(spill);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  assert_equals_int(wait_for(pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR), GST_MESSAGE_EOS);
  stop(pipeline);
}
GST_END_TEST

// An element that joins a pipeline after an hour is not late by an hour.
GST_START_TEST(joins_a_pipeline_that_plays) {
  Pace pace("burst=200", GST_STATE_READY);
  pace.set_state(GST_STATE_PAUSED);
  const GstSegment segment = bytes_segment();
  pace.push_event(gst_event_new_stream_start("joins"));
  pace.push_event(gst_event_new_segment(&segment));
  pace.push(steady(1000).bytes);
  pace.wait_for([&pace] { return pace.count() == 4; }); // header and burst, in PAUSED
  pace.advance(3600000);
  pace.set_state(GST_STATE_PLAYING);
  pace.run_until(3600350);
  const Arrivals arrivals = pace.take();
  assert_text(arrival_times(arrivals), "0 0 0 0 3600100 3600200 3600300");
  assert_text(due_times(arrivals), "0 0 0 0 3600100 3600200 3600300");
}
GST_END_TEST

// A seek before the file header is read waits until the header is read.
GST_START_TEST(seeks_at_once) {
  const Stream stream = steady(1000);
  const File file(stream.bytes);
  for (int i = 0; i < 20; ++i) {
    GstElement *pipeline = launch(file.source() + " ! flvpace sync=false ! fakesink");
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    (void)gst_element_seek_simple(pipeline, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
                                  static_cast<gint64>(stream.tags[5].begin));
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    assert_equals_int(wait_for(pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR), GST_MESSAGE_EOS);
    stop(pipeline);
  }
}
GST_END_TEST

// Data that downstream refuses with EOS does not count as damage.
GST_START_TEST(downstream_ends_early) {
  const File file(steady(1000).bytes);
  for (const std::string middle : {"flvpace", "queue ! flvpace"}) {
    GstElement *pipeline =
        launch(file.source() + " ! " + middle + " sync=false ! identity eos-after=5 ! fakesink");
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    assert_equals_int(wait_for(pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING),
                      GST_MESSAGE_EOS);
    stop(pipeline);
  }
}
GST_END_TEST

// An unchanged part of the stream header keeps its buffer when another part changes.
GST_START_TEST(unchanged_header_parts_are_shared) {
  Stream stream;
  stream.header(false, true).metadata().video(0, avc_config(1)).key(0);
  const std::size_t half = stream.bytes.size();
  stream.video(40, avc_config(2)).key(40);
  Pace pace("sync=false");
  pace.push(Bytes(stream.bytes).first(half));
  pace.settle();
  const EventPtr before = pace.last_event(GST_EVENT_CAPS);
  pace.push(Bytes(stream.bytes).subspan(half));
  pace.end();
  pace.run();
  const EventPtr after = pace.last_event(GST_EVENT_CAPS);
  const auto part = [](const EventPtr &event, guint index) {
    GstCaps *caps = nullptr;
    gst_event_parse_caps(event.get(), &caps);
    const GValue *header = gst_structure_get_value(gst_caps_get_structure(caps, 0), "streamheader");
    return gst_value_get_buffer(gst_value_array_get_value(header, index));
  };
  fail_unless(part(before, 0) == part(after, 0));
  fail_unless(part(before, 1) == part(after, 1));
  fail_if(part(before, 2) == part(after, 2));
}
GST_END_TEST

// The number of pieces of the tag exceeds the number of buffers that can share a memory.
GST_START_TEST(splits_into_many_buffers) {
  constexpr std::size_t kSize = 200'000;
  Stream stream;
  stream.header(false, true).key(0, kSize);
  Pace pace("sync=false mtu=2");
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  fail_unless(pace.count() > kSize / 2);
  assert_bytes(bytes(pace.take()), stream.bytes);
}
GST_END_TEST

static Suite *flvpace_corners_suite() {
  Suite *suite = suite_create("flvpace_corners");
  TCase *tcase = tcase_create("corners");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, starts_behind_a_pulled_queue);
  tcase_add_test(tcase, joins_a_pipeline_that_plays);
  tcase_add_test(tcase, seeks_at_once);
  tcase_add_test(tcase, downstream_ends_early);
  tcase_add_test(tcase, unchanged_header_parts_are_shared);
  tcase_add_test(tcase, splits_into_many_buffers);
  return suite;
}

GST_CHECK_MAIN(flvpace_corners);
