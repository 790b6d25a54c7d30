// SPDX-License-Identifier: LGPL-2.1-or-later
// Repeated starts and stops leak no thread, descriptor or memory.
#include <algorithm>

#include "holdings.h"
#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

// How a cycle ends: the streaming threads are starting, waiting, or done.
enum class Ending { AtOnce, InMidWait, WithTheStream, InMidWaitAgain };
constexpr unsigned kEndings = 4;

// A pipeline with a clock that never advances: all media after the burst waits.
class Line {
public:
  Line(const std::string &text, const Buffer &bytes) : bytes_(bytes) {
    pipeline_ = gst_parse_launch(text.c_str(), nullptr);
    fail_unless(pipeline_ != nullptr, "%s", text.c_str());
    clock_ = GST_TEST_CLOCK(gst_test_clock_new());
    gst_pipeline_use_clock(GST_PIPELINE(pipeline_), GST_CLOCK(clock_));
    source_ = gst_bin_get_by_name(GST_BIN(pipeline_), "source");
    pace_ = gst_bin_get_by_name(GST_BIN(pipeline_), "pace");
    bus_ = gst_element_get_bus(pipeline_);
  }
  ~Line() {
    gst_object_unref(bus_);
    gst_object_unref(pace_);
    gst_object_unref(source_);
    gst_object_unref(clock_);
    gst_object_unref(pipeline_);
  }
  Line(const Line &) = delete;
  Line &operator=(const Line &) = delete;

  void cycle(Ending ending) {
    constexpr guint kBurst = 1000;
    const bool whole = ending == Ending::WithTheStream;
    g_object_set(pace_, "burst", whole ? G_MAXUINT : kBurst, nullptr);
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    feed();
    if (whole)
      wait_for_end();
    else if (ending != Ending::AtOnce)
      wait_for_wait();
    fail_unless(gst_element_set_state(pipeline_, GST_STATE_NULL) == GST_STATE_CHANGE_SUCCESS);
  }

private:
  // Feeds the appsrc, if the pipeline has one.
  void feed() {
    if (g_signal_lookup("push-buffer", G_OBJECT_TYPE(source_)) == 0)
      return;
    constexpr std::size_t kPiece = 1000;
    GstFlowReturn flow = GST_FLOW_OK;
    for (std::size_t at = 0; at < bytes_.size(); at += kPiece) {
      const std::size_t size = std::min(kPiece, bytes_.size() - at);
      const BufferPtr buffer(gst_buffer_new_memdup(bytes_.data() + at, size));
      g_signal_emit_by_name(source_, "push-buffer", buffer.get(), &flow);
      assert_equals_int(flow, GST_FLOW_OK);
    }
    g_signal_emit_by_name(source_, "end-of-stream", &flow);
  }

  void wait_for_wait() {
    GstClockTime time = 0;
    Seek::wait_for([&] { return pacetest::next_wait(clock_, time); });
    assert_equals_uint64(time, 40 * GST_MSECOND); // the first frame after the burst
  }

  void wait_for_end() {
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus_, 60 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    fail_unless(message != nullptr && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS, "no end");
    gst_message_unref(message);
  }

  const Buffer &bytes_;
  GstElement *pipeline_ = nullptr;
  GstElement *source_ = nullptr;
  GstElement *pace_ = nullptr;
  GstBus *bus_ = nullptr;
  GstTestClock *clock_ = nullptr;
};

// A pipeline runs ten cycles; then a new pipeline is built.
void run_cycles(const std::string &line, const Buffer &bytes, unsigned count) {
  constexpr unsigned kStarts = 10;
  for (unsigned done = 0; done < count; done += kStarts) {
    Line cycles(line, bytes);
    for (unsigned start = 0; start < kStarts; ++start)
      cycles.cycle(static_cast<Ending>((done + start) % kEndings));
  }
}

void assert_nothing_left(const std::string &source, unsigned count) {
  constexpr unsigned kFirst = 50;
  const Stream stream = clip();
  const TemporaryFile file(stream.bytes);
  const std::string from = source == "filesrc" ? " location=" + file.path() : "";
  const std::string line = source + " name=source" + from +
                           " ! flvseek offset=" + std::to_string(position(stream, 1)) +
                           " ! flvpace name=pace ! fakesink sync=false";
  // Threads end as soon as they are unused. The number of unused threads that GLib keeps, and for
  // how long, depends on its version.
  g_thread_pool_set_max_unused_threads(0);
  run_cycles(line, stream.bytes, kFirst);
  const Holdings before = holdings();
  run_cycles(line, stream.bytes, is_watched() ? kFirst : count - kFirst);
  assert_no_more_than(before);
}

} // namespace

GST_START_TEST(a_thousand_of_a_file) {
  assert_nothing_left("filesrc", 1000);
}
GST_END_TEST

// Third-party plugins are not available under a sanitizer.
GST_START_TEST(two_hundred_of_pushed_bytes) {
  if (const gstflv::ElementPtr found(gst_element_factory_make("appsrc", nullptr)); found)
    assert_nothing_left("appsrc", 200);
}
GST_END_TEST

static Suite *cycles_suite() {
  Suite *suite = suite_create("cycles");
  TCase *tcase = tcase_create("cycles");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, a_thousand_of_a_file);
  tcase_add_test(tcase, two_hundred_of_pushed_bytes);
  return suite;
}

GST_CHECK_MAIN(cycles);
