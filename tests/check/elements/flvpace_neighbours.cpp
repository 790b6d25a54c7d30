// SPDX-License-Identifier: LGPL-2.1-or-later
// flvpace after GStreamer elements that drop parts of a stream, join streams, or have a latency.
#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <random>
#include <set>

#include "media.h"
#include "seektest.h"

using namespace flvtest;
using namespace pacetest;
using seektest::TemporaryFile;

namespace {

constexpr GstClockTime kPatience = 60 * GST_SECOND;

Buffer copy_of(GstBuffer *buffer) {
  const gstflv::MappedBuffer mapped(buffer);
  return {mapped.bytes().begin(), mapped.bytes().end()};
}

// A launch line with a fakesink named "sink". Keeps the buffers of the sink.
class Line {
public:
  explicit Line(const std::string &text) {
    pipeline_ =
        gst_parse_launch((text + " ! fakesink name=sink signal-handoffs=true").c_str(), nullptr);
    fail_unless(pipeline_ != nullptr, "%s", text.c_str());
    bus_ = gst_element_get_bus(pipeline_);
    const auto sink = element("sink");
    g_signal_connect(sink.get(), "handoff", G_CALLBACK(handoff), this);
    const gstflv::PadPtr pad(gst_element_get_static_pad(sink.get(), "sink"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, this, nullptr);
  }
  ~Line() {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(bus_);
    gst_object_unref(pipeline_);
  }
  Line(const Line &) = delete;
  Line &operator=(const Line &) = delete;

  [[nodiscard]] GstElement *pipeline() const { return pipeline_; }
  [[nodiscard]] gstflv::ElementPtr element(const char *name) const {
    return gstflv::ElementPtr(gst_bin_get_by_name(GST_BIN(pipeline_), name));
  }

  // Fails on a warning.
  void play_to_the_end() {
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    fail_unless(ends_within(kPatience), "no end");
  }

  // Whether the stream ends within `time`.
  [[nodiscard]] bool ends_within(GstClockTime time) {
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus_, time,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING));
    if (!message)
      return false;
    fail_unless(GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS, "%s", GST_MESSAGE_TYPE_NAME(message));
    gst_message_unref(message);
    return true;
  }

  [[nodiscard]] std::vector<Buffer> buffers() {
    const std::lock_guard lock(mutex_);
    return buffers_;
  }
  [[nodiscard]] int ends() {
    const std::lock_guard lock(mutex_);
    return ends_;
  }

  [[nodiscard]] guint64 stat(const char *field) const {
    GstStructure *raw = nullptr;
    g_object_get(element("pace").get(), "stats", &raw, nullptr);
    const gstflv::StructurePtr stats(raw);
    guint64 value = 0;
    fail_unless(gst_structure_get_uint64(stats.get(), field, &value), "%s", field);
    return value;
  }

private:
  static void handoff(GstElement *, GstBuffer *buffer, GstPad *, gpointer line) {
    auto &self = *static_cast<Line *>(line);
    const std::lock_guard lock(self.mutex_);
    self.buffers_.push_back(copy_of(buffer));
  }

  static GstPadProbeReturn on_event(GstPad *, GstPadProbeInfo *info, gpointer line) {
    auto &self = *static_cast<Line *>(line);
    const std::lock_guard lock(self.mutex_);
    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS)
      ++self.ends_;
    return GST_PAD_PROBE_OK;
  }

  GstElement *pipeline_ = nullptr;
  GstBus *bus_ = nullptr;
  std::mutex mutex_;
  std::vector<Buffer> buffers_;
  int ends_ = 0;
};

// Closes and opens a valve at random. Leaves it open at the end, because a closed valve also drops
// EOS.
class Hand {
public:
  Hand(const gstflv::ElementPtr &valve, unsigned seed) : random_(seed) {
    const gstflv::PadPtr pad(gst_element_get_static_pad(valve.get(), "sink"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, on_buffer, this, nullptr);
  }

  static constexpr unsigned kTurns = 8;

  [[nodiscard]] unsigned turns() const { return turns_; }

private:
  static GstPadProbeReturn on_buffer(GstPad *pad, GstPadProbeInfo *, gpointer hand) {
    auto &self = *static_cast<Hand *>(hand);
    if (self.turns_ == kTurns || self.left_-- > 0)
      return GST_PAD_PROBE_OK;
    self.left_ = static_cast<unsigned>(self.random_() % 40);
    const gstflv::ElementPtr valve(gst_pad_get_parent_element(pad));
    g_object_set(valve.get(), "drop", static_cast<gboolean>(++self.turns_ % 2), nullptr);
    return GST_PAD_PROBE_OK;
  }

  std::minstd_rand random_;
  unsigned left_ = 20; // includes the file header, the metadata and the configurations
  unsigned turns_ = 0;
};

// The tags of a complete file.
std::vector<Buffer> tags_of(Bytes file) {
  std::vector<Buffer> tags;
  for (std::size_t at = flv::kFileHeaderSize + flv::kPreviousTagSizeSize; at < file.size();) {
    flv::TagHeader header;
    fail_unless(flv::read_tag_header(&file[at], flv::kMaxDataSize, header) == flv::Fault());
    const std::size_t size = header.tag_size() + flv::kPreviousTagSizeSize;
    tags.emplace_back(file.begin() + static_cast<std::ptrdiff_t>(at),
                      file.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
  }
  return tags;
}

std::string sample_path() {
  const char *path = std::getenv("FLV_SAMPLE");
  fail_unless(path != nullptr, "$FLV_SAMPLE names no file");
  return path;
}

std::uint32_t timestamp_of(Bytes tag) {
  flv::TagHeader header;
  fail_unless(flv::read_tag_header(tag.data(), flv::kMaxDataSize, header) == flv::Fault());
  return header.timestamp;
}

Bytes data_of(Bytes tag) {
  return tag.subspan(flv::kTagHeaderSize,
                     tag.size() - flv::kTagHeaderSize - flv::kPreviousTagSizeSize);
}

} // namespace

// For any position of the valve's changes, the output has tags of the source in their order.
GST_START_TEST(valve) {
  const auto file = read_file(sample_path()).value_or(Buffer());
  const std::vector<Buffer> tags = tags_of(file);
  const bool live = __i__ % 2 == 1;
  std::mt19937 random(static_cast<unsigned>(__i__));
  Line line("filesrc location=" + sample_path() +
            " blocksize=" + std::to_string(50 + random() % 3000) +
            " ! valve name=valve ! flvpace name=pace sync=false live=" + (live ? "yes" : "no"));
  const Hand hand(line.element("valve"), static_cast<unsigned>(__i__));
  line.play_to_the_end();
  const std::vector<Buffer> got = line.buffers();
  assert_bytes(got.at(0), Bytes(file).first(13));
  auto next = tags.begin();
  for (std::size_t i = 1; i < got.size(); ++i) {
    next = std::find(next, tags.end(), got[i]);
    fail_unless(next != tags.end(), "buffer %zu is no tag of the source", i);
    ++next;
  }
  fail_unless(hand.turns() == Hand::kTurns && got.size() > 20 && line.stat("bytes-skipped") > 0);
}
GST_END_TEST

// The second file's header is dropped, its timestamps continue from the end of the first file, and
// there is one EOS.
GST_START_TEST(concat) {
  Stream streams[2];
  for (std::uint8_t i = 0; i < 2; ++i) {
    streams[i].header().metadata({{"width", {320.0 + i}}}).configs(0, i);
    append_media(streams[i], {.duration = i == 0 ? 2000U : 3000U, .gop = 10});
  }
  const TemporaryFile first(streams[0].bytes);
  const TemporaryFile second(streams[1].bytes);
  Line line("filesrc location=" + first.path() + " ! c.  filesrc location=" + second.path() +
            " ! c.  concat name=c ! flvpace name=pace sync=false");
  line.play_to_the_end();
  assert_equals_int(line.ends(), 1);
  const std::vector<Buffer> got = line.buffers();
  const std::size_t count = streams[0].tags.size();
  assert_equals_uint64(got.size(), 1 + count + streams[1].tags.size());
  assert_bytes(got.at(0), file_header());
  for (std::size_t i = 0; i < count; ++i)
    assert_bytes(got.at(1 + i), streams[0].at(i));
  std::set<std::uint32_t> shifts;
  for (std::size_t i = 0; i < streams[1].tags.size(); ++i) {
    const Bytes tag = got.at(1 + count + i);
    assert_bytes(data_of(tag), data_of(streams[1].at(i)));
    if (i >= 3) // the metadata and the configurations leave with the tag before them
      shifts.insert(timestamp_of(tag) - streams[1].tags[i].timestamp);
  }
  fail_unless(shifts.size() == 1 && *shifts.begin() >= 1980 && *shifts.begin() <= 2040);
  assert_equals_uint64(line.stat("bytes-skipped"), 0);
}
GST_END_TEST

namespace {

// A live appsrc on a test clock.
class Feed {
public:
  Feed(const std::string &properties, GstClockTime latency)
      : line_("appsrc name=source is-live=true format=time do-timestamp=true caps=video/x-flv " +
              properties + " ! flvpace name=pace") {
    clock_ = GST_TEST_CLOCK(gst_test_clock_new());
    gst_pipeline_use_clock(GST_PIPELINE(line_.pipeline()), GST_CLOCK(clock_));
    if (latency > 0)
      gst_pipeline_set_latency(GST_PIPELINE(line_.pipeline()), latency);
    const auto sink = line_.element("sink");
    // The sink's own processing deadline would add to the latency.
    g_object_set(sink.get(), "sync", TRUE, "processing-deadline", guint64{0}, nullptr);
    gst_element_set_state(line_.pipeline(), GST_STATE_PLAYING);
  }
  ~Feed() { gst_object_unref(clock_); }
  Feed(const Feed &) = delete;
  Feed &operator=(const Feed &) = delete;

  void push(Bytes bytes) {
    const BufferPtr buffer(gst_buffer_new_memdup(bytes.data(), bytes.size()));
    GstFlowReturn flow = GST_FLOW_OK;
    g_signal_emit_by_name(line_.element("source").get(), "push-buffer", buffer.get(), &flow);
    assert_equals_int(flow, GST_FLOW_OK);
  }

  void end() {
    GstFlowReturn flow = GST_FLOW_OK;
    g_signal_emit_by_name(line_.element("source").get(), "end-of-stream", &flow);
  }

  // Advances the clock to `time`, and stops at each time that a thread waits for.
  void run_until(GstClockTime time) {
    run(time);
    if (time > gst_clock_get_time(GST_CLOCK(clock_)))
      gst_test_clock_set_time(clock_, time);
  }

  // Advances the clock to each time that a thread waits for, up to `last`.
  void run(GstClockTime last) {
    for (GstClockTime wait = 0; next_wait(clock_, wait) && wait <= last; g_usleep(50))
      gst_test_clock_set_time(clock_, wait);
  }

  template <typename Condition> void wait_for(Condition condition) {
    const gint64 start = g_get_monotonic_time();
    while (!condition()) {
      fail_if(g_get_monotonic_time() - start > static_cast<gint64>(kPatience / 1000), "it hangs");
      g_usleep(50);
    }
  }

  [[nodiscard]] bool waits() const {
    GstClockTime time = 0;
    return next_wait(clock_, time);
  }

  Line &line() { return line_; }

private:
  Line line_;
  GstTestClock *clock_ = nullptr;
};

} // namespace

// Upstream's latency is already over when buffers arrive. The time that sinks wait for the
// pipeline's latency does not count as late.
GST_START_TEST(latency) {
  if (!gstflv::ObjectPtr<GstElementFactory>(gst_element_factory_find("appsrc"))) {
    g_print("SKIP: no appsrc\n");
    return;
  }
  const bool configured = __i__ == 1;
  const Stream stream = steady(3000);
  Feed feed(configured ? "" : "min-latency=500000000", configured ? 500 * GST_MSECOND : 0);
  std::size_t pushed = 0;
  feed.push(Bytes(stream.bytes).first(13));
  for (const Stream::Tag &tag : stream.tags) {
    feed.run_until(tag.timestamp * GST_MSECOND);
    feed.push(stream.at(pushed++));
    // A sink that waits blocks the data after it.
    feed.wait_for([&] { return feed.line().stat("video-tags") == pushed || feed.waits(); });
  }
  feed.end();
  while (!feed.line().ends_within(GST_MSECOND))
    feed.run(4000 * GST_MSECOND);
  assert_equals_uint64(feed.line().buffers().size(), 1 + pushed);
  assert_equals_uint64(feed.line().stat("late-tags"), 0);
  const guint64 latest = feed.line().stat("lateness-maximum");
  fail_unless(latest < 10 * GST_MSECOND, "%d ms", static_cast<int>(latest / GST_MSECOND));
}
GST_END_TEST

static Suite *flvpace_neighbours_suite() {
  Suite *suite = suite_create("flvpace_neighbours");
  TCase *tcase = tcase_create("neighbours");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, valve, 0, is_short() ? 4 : 40);
  tcase_add_test(tcase, concat);
  tcase_add_loop_test(tcase, latency, 0, 2);
  return suite;
}

GST_CHECK_MAIN(flvpace_neighbours);
