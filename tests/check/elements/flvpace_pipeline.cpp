// SPDX-License-Identifier: LGPL-2.1-or-later
// flvpace in a real pipeline with a real source and a sink with sync=true, on a test clock: states,
// seeks, and that no buffer is delayed twice.
#include <cstdlib>
#include <mutex>

#include <glib/gstdio.h>

#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

class TemporaryFile {
public:
  explicit TemporaryFile(Bytes bytes) {
    const int descriptor = g_file_open_tmp("flvpaceXXXXXX.flv", &path_, nullptr);
    fail_unless(descriptor >= 0);
    g_close(descriptor, nullptr);
    fail_unless(g_file_set_contents(path_, reinterpret_cast<const char *>(bytes.data()),
                                    static_cast<gssize>(bytes.size()), nullptr));
  }
  ~TemporaryFile() {
    g_unlink(path_);
    g_free(path_);
  }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  [[nodiscard]] std::string path() const { return path_; }

private:
  gchar *path_ = nullptr;
};

// filesrc, the elements in `middle`, and a fakesink with sync=true.
class Pipeline {
public:
  Pipeline(const Stream &stream, const std::string &middle) : file_(stream.bytes) {
    const std::string line = "filesrc location=" + file_.path() + " ! " + middle +
                             " ! fakesink name=sink sync=true signal-handoffs=true";
    pipeline_ = gst_parse_launch(line.c_str(), nullptr);
    fail_unless(pipeline_ != nullptr);
    clock_ = GST_TEST_CLOCK(gst_test_clock_new());
    gst_pipeline_use_clock(GST_PIPELINE(pipeline_), GST_CLOCK(clock_));
    bus_ = gst_element_get_bus(pipeline_);
    sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_), "sink"));
    g_signal_connect(sink_.get(), "handoff", G_CALLBACK(handoff), this);
  }

  ~Pipeline() {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(bus_);
    gst_object_unref(clock_);
    gst_object_unref(pipeline_);
  }
  Pipeline(const Pipeline &) = delete;
  Pipeline &operator=(const Pipeline &) = delete;

  // Waits until the state is reached and the sink has prerolled.
  void set_state(GstState state) {
    gst_element_set_state(pipeline_, state);
    const auto get = [this] {
      return gst_element_get_state(sink_.get(), nullptr, nullptr, kPatience);
    };
    GstStateChangeReturn result = get();
    // If a pipeline needs no preroll, the bin may set the sink's state from another thread.
    while (result == GST_STATE_CHANGE_FAILURE)
      result = get();
    fail_unless(result == GST_STATE_CHANGE_SUCCESS, "to %s: %s", gst_element_state_get_name(state),
                gst_element_state_change_return_get_name(result));
  }

  // Advances the clock until EOS, or until the next wait is after `ms`.
  void run_until(guint64 ms) {
    const gint64 start = g_get_monotonic_time();
    for (GstClockTime time = 0; !ended();) {
      if (next_wait(clock_, time)) {
        if (time > ms * GST_MSECOND)
          break;
        gst_test_clock_set_time(clock_, time);
      }
      fail_if(g_get_monotonic_time() - start > static_cast<gint64>(kPatience / 1000),
              "nothing moves");
      g_usleep(50);
    }
    if (ms * GST_MSECOND > now())
      gst_test_clock_set_time(clock_, ms * GST_MSECOND);
  }

  void advance(guint64 ms) {
    gst_test_clock_advance_time(clock_, static_cast<GstClockTimeDiff>(ms * GST_MSECOND));
  }

  [[nodiscard]] bool seek(GstFormat format, std::size_t start) {
    ended_ = false;
    return gst_element_seek(pipeline_, 1.0, format, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                            static_cast<gint64>(start), GST_SEEK_TYPE_NONE, -1);
  }

  [[nodiscard]] bool ended() {
    GstMessage *message = gst_bus_pop_filtered(
        bus_, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    if (message) {
      fail_unless(GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS, "an error on the bus");
      gst_message_unref(message);
      ended_ = true;
    }
    return ended_;
  }

  // The buffers that the sink has rendered since the last call, as "timestamp@time".
  std::string rendered() {
    const std::lock_guard lock(mutex_);
    return std::exchange(rendered_, {});
  }

  [[nodiscard]] GstClockTime now() const { return gst_clock_get_time(GST_CLOCK(clock_)); }

private:
  static constexpr GstClockTime kPatience = 60 * GST_SECOND;

  static void handoff(GstElement *, GstBuffer *buffer, GstPad *, gpointer pipeline) {
    auto &self = *static_cast<Pipeline *>(pipeline);
    const gstflv::MappedBuffer mapped(buffer);
    flv::TagHeader header;
    const bool tag =
        mapped.bytes().size() > flv::kFileHeaderSize + flv::kPreviousTagSizeSize &&
        flv::read_tag_header(mapped.bytes().data(), flv::kMaxDataSize, header) == flv::Fault();
    const std::lock_guard lock(self.mutex_);
    self.rendered_ += (self.rendered_.empty() ? "" : " ") +
                      (tag ? std::to_string(header.timestamp) : "h") + "@" +
                      milliseconds(self.now());
  }

  TemporaryFile file_;
  GstElement *pipeline_ = nullptr;
  gstflv::ElementPtr sink_;
  GstTestClock *clock_ = nullptr;
  GstBus *bus_ = nullptr;
  bool ended_ = false;
  std::mutex mutex_;
  std::string rendered_;
};

// Pull mode, and push mode.
constexpr const char *kMiddles[] = {"flvpace", "queue ! flvpace"};

} // namespace

GST_START_TEST(plays_to_the_end) {
  Pipeline pipeline(steady(500), kMiddles[__i__]);
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(10000);
  fail_unless(pipeline.ended());
  assert_text(pipeline.rendered(), "h@0 0@0 100@100 200@200 300@300 400@400 500@500");
}
GST_END_TEST

GST_START_TEST(synced_sink_keeps_the_burst) {
  Pipeline pipeline(steady(500), std::string(kMiddles[__i__]) + " burst=250");
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(60);
  assert_text(pipeline.rendered(), "h@0 0@0 100@0 200@0 300@50");
  pipeline.run_until(10000);
  assert_text(pipeline.rendered(), "400@150 500@250");
}
GST_END_TEST

GST_START_TEST(prerolls_in_paused) {
  Pipeline pipeline(steady(500), kMiddles[__i__]);
  pipeline.set_state(GST_STATE_PAUSED);
  pipeline.advance(700);
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(950);
  assert_text(pipeline.rendered(), "h@700 0@700 100@800 200@900");
}
GST_END_TEST

GST_START_TEST(pauses_and_continues) {
  Pipeline pipeline(steady(500), kMiddles[__i__]);
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(250);
  pipeline.set_state(GST_STATE_PAUSED);
  pipeline.advance(2000);
  assert_text(pipeline.rendered(), "h@0 0@0 100@100 200@200");
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(10000);
  assert_text(pipeline.rendered(), "300@2300 400@2400 500@2500");
}
GST_END_TEST

GST_START_TEST(pauses_before_the_end) {
  Pipeline pipeline(steady(500), kMiddles[__i__]);
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(550);
  pipeline.set_state(GST_STATE_PAUSED);
  pipeline.advance(2000);
  fail_if(pipeline.ended());
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(2599);
  fail_if(pipeline.ended());
  pipeline.run_until(2700);
  fail_unless(pipeline.ended());
}
GST_END_TEST

GST_START_TEST(plays_again_after_ready) {
  Pipeline pipeline(steady(500), kMiddles[__i__]);
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(250);
  pipeline.set_state(GST_STATE_READY);
  (void)pipeline.rendered();
  pipeline.advance(750);
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(1250);
  assert_text(pipeline.rendered(), "h@1000 0@1000 100@1100 200@1200");
}
GST_END_TEST

GST_START_TEST(seeks_while_it_waits) {
  const Stream stream = steady(1000);
  Pipeline pipeline(stream, std::string(kMiddles[__i__]) + " burst=200");
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(50);
  (void)pipeline.rendered();
  fail_unless(pipeline.seek(GST_FORMAT_BYTES, stream.tags[5].begin));
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(10000);
  // There is a new burst.
  assert_text(pipeline.rendered(), "500@50 600@50 700@50 800@150 900@250 1000@350");
  fail_unless(pipeline.ended());
}
GST_END_TEST

GST_START_TEST(seeks_in_paused) {
  const Stream stream = steady(1000);
  Pipeline pipeline(stream, kMiddles[__i__]);
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(250);
  pipeline.set_state(GST_STATE_PAUSED);
  (void)pipeline.rendered();
  for (const std::size_t tag : {7U, 3U, 9U}) {
    fail_unless(pipeline.seek(GST_FORMAT_BYTES, stream.tags[tag].begin));
    pipeline.set_state(GST_STATE_PAUSED); // prerolls again
  }
  pipeline.advance(1000);
  assert_text(pipeline.rendered(), "");
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(10000);
  assert_text(pipeline.rendered(), "900@1250 1000@1350");
}
GST_END_TEST

GST_START_TEST(seeks_after_the_end) {
  const Stream stream = steady(500);
  Pipeline pipeline(stream, kMiddles[__i__]);
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(10000);
  (void)pipeline.rendered();
  fail_unless(pipeline.seek(GST_FORMAT_BYTES, stream.tags[4].begin));
  pipeline.set_state(GST_STATE_PLAYING);
  pipeline.run_until(20000);
  assert_text(pipeline.rendered(), "400@10000 500@10100");
  fail_unless(pipeline.ended());
}
GST_END_TEST

static Suite *flvpace_pipeline_suite() {
  Suite *suite = suite_create("flvpace_pipeline");
  TCase *tcase = tcase_create("pipeline");
  constexpr int kCount = static_cast<int>(std::size(kMiddles));
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, plays_to_the_end, 0, kCount);
  tcase_add_loop_test(tcase, synced_sink_keeps_the_burst, 0, kCount);
  tcase_add_loop_test(tcase, prerolls_in_paused, 0, kCount);
  tcase_add_loop_test(tcase, pauses_and_continues, 0, kCount);
  tcase_add_loop_test(tcase, pauses_before_the_end, 0, kCount);
  tcase_add_loop_test(tcase, plays_again_after_ready, 0, kCount);
  tcase_add_loop_test(tcase, seeks_while_it_waits, 0, kCount);
  tcase_add_loop_test(tcase, seeks_in_paused, 0, kCount);
  tcase_add_loop_test(tcase, seeks_after_the_end, 0, kCount);
  return suite;
}

GST_CHECK_MAIN(flvpace_pipeline);
