// SPDX-License-Identifier: LGPL-2.1-or-later
// flvpace between two pads, with a clock that only the test advances. A separate thread pushes, so
// that the test can inspect an element that waits.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>

#include "base/gst_ptr.h"
#include "flvbuild.h"

namespace pacetest {

using flvtest::Buffer;
using flvtest::Bytes;
using gstflv::BufferPtr;
using gstflv::CapsPtr;
using gstflv::EventPtr;

// An output buffer.
struct Arrival {
  BufferPtr buffer;
  Buffer bytes;
  GstClockTime running = GST_CLOCK_TIME_NONE; // of its PTS
  GstClockTime stream = GST_CLOCK_TIME_NONE;
  GstClockTime clock = 0; // the clock time of its arrival
  GstState state = GST_STATE_VOID_PENDING;
  bool first = false;   // since construction
  std::size_t caps = 0; // the number of caps before it

  [[nodiscard]] bool has(GstBufferFlags flag) const {
    return GST_BUFFER_FLAG_IS_SET(buffer.get(), flag);
  }
};

using Arrivals = std::vector<Arrival>;

// Arrivals as text, one word a buffer. Times are in milliseconds; "!" means that DTS and PTS
// differ.
[[nodiscard]] std::string due_times(const Arrivals &arrivals);
[[nodiscard]] std::string stream_times(const Arrivals &arrivals);
[[nodiscard]] std::string arrival_times(const Arrivals &arrivals);
[[nodiscard]] std::string sizes(const Arrivals &arrivals);
// The timestamps in the tags; "h" for a file header.
[[nodiscard]] std::string timestamps(const Arrivals &arrivals);
// H: HEADER, D: DELTA_UNIT, X: DISCONT, -: none of them. DISCONT of the first buffer after the
// start is optional, and not shown.
[[nodiscard]] std::string flags(const Arrivals &arrivals);
// The number of caps before each buffer.
[[nodiscard]] std::string caps_before(const Arrivals &arrivals);
[[nodiscard]] Buffer bytes(const Arrivals &arrivals);
// Bytes, times and flags for comparison, one line a buffer.
[[nodiscard]] std::string everything(const Arrivals &arrivals);

// The output of timestamps() for a stream of tags.
[[nodiscard]] std::string timestamps_of(const flvtest::Stream &stream);

[[nodiscard]] std::string milliseconds(GstClockTime time);

// A warning or an error on the bus.
struct Problem {
  bool found = false;
  bool error = false;
  GQuark domain = 0;
  int code = 0;
  std::string text;

  [[nodiscard]] bool says(const std::string &words) const {
    return text.find(words) != std::string::npos;
  }
};

class Pusher;
class SinkLog;

// Called in the streaming thread for buffer number `index` since the start, before the buffer
// counts as arrived. The element receives the returned flow.
using Sink = std::function<GstFlowReturn(std::size_t index)>;

class Pace {
public:
  // `properties` as in a launch line. `state`: READY, PAUSED or PLAYING.
  explicit Pace(const std::string &properties = "", GstState state = GST_STATE_PLAYING);
  // Fails the test if the bus has an unexpected warning or error.
  virtual ~Pace();
  Pace(const Pace &) = delete;
  Pace &operator=(const Pace &) = delete;

  [[nodiscard]] GstHarness *harness() const { return harness_; }
  [[nodiscard]] GstElement *element() const { return harness_->element; }
  [[nodiscard]] GstPad *upstream() const { return harness_->srcpad; }
  [[nodiscard]] GstPad *downstream() const { return harness_->sinkpad; }

  // --- Upstream. The calls return at once; buffers after a failed push are dropped. ---
  void push(Bytes data, std::size_t chunk = 0); // cut into chunks; 0: in one piece
  void push_buffer(GstBuffer *buffer);          // takes ownership
  void push_event(GstEvent *event);             // takes ownership; in order with the buffers
  void end() { push_event(gst_event_new_eos()); }
  // The flow of the last pushed buffer.
  [[nodiscard]] GstFlowReturn flow();
  // The last upstream event of a type since the last call, or nullptr. Events of other types are
  // dropped.
  [[nodiscard]] EventPtr upstream_event(GstEventType type);

  // Not serialized with the buffers, as upstream sends them: flush start; then flush stop and the
  // next segment. Running time restarts at 0.
  void flush_start();
  void flush_stop(const GstSegment *segment = nullptr);
  void flush() {
    flush_start();
    flush_stop();
  }

  // --- Time ---
  // Waits until the element has nothing left to do at this time: it has taken everything, or it
  // waits for a later time.
  void settle();
  // Advances the clock to `ms` and stops at each due time.
  void run_until(guint64 ms);
  // Advances the clock until all pushed data is output.
  void run();
  // The clock time (ms) for which the element waits; "" if it does not wait.
  [[nodiscard]] std::string waits_until();
  // Waits until another thread makes the condition true.
  void wait_for(const std::function<bool()> &condition);
  // Gives a thread that should be blocked enough time to show that it is not.
  [[nodiscard]] bool stays_blocked();
  void advance(guint64 ms);
  [[nodiscard]] GstClockTime now() const;

  // --- State ---
  void set_state(GstState state);
  // PLAYING after PAUSED: running time continues from its value at the pause.
  void pause();
  void resume();
  template <typename T> void set(const char *property, T value) {
    g_object_set(element(), property, value, nullptr);
  }
  [[nodiscard]] guint64 stat(const char *field) const;
  [[nodiscard]] gint64 lead() const;

  // --- Downstream ---
  // The buffers since the last call.
  [[nodiscard]] Arrivals take();
  [[nodiscard]] std::size_t count() const; // the number of buffers for take()
  // The output since the start or the last call, with buffers as "B" and repeats as one: "caps
  // segment B eos".
  [[nodiscard]] std::string order();
  // The last event of a type, or nullptr; the number of events.
  [[nodiscard]] EventPtr last_event(GstEventType type) const;
  [[nodiscard]] std::size_t count_events(GstEventType type) const;
  void set_sink(Sink sink);
  // Blocks the sink for `ms` at buffer number `index`.
  void block_sink(std::size_t index, guint64 ms);

  // --- Messages ---
  [[nodiscard]] Problem problem(); // the next one
  // The element messages so far, as text without the types. Drops earlier warnings and errors.
  [[nodiscard]] std::string element_messages();

protected:
  struct Unlinked {};
  Pace(const std::string &properties, Unlinked);
  // Whether the streaming thread has nothing left to do.
  [[nodiscard]] virtual bool idle();

private:
  void build(const std::string &properties, const char *sink_pad);
  [[nodiscard]] bool settled();

  GstHarness *harness_ = nullptr;
  GstTestClock *clock_ = nullptr;
  GstBus *bus_ = nullptr;
  GstClockTime paused_at_ = 0;
  std::unique_ptr<SinkLog> log_;
  std::unique_ptr<Pusher> pusher_;
};

// Whether $FLV_TEST_SHORT is set: fewer repetitions, for tools that slow tests down many times.
[[nodiscard]] bool is_short();
// The buffers of the streamheader in the last caps. All of them have the HEADER flag.
[[nodiscard]] std::vector<Buffer> stream_header(const Pace &pace);
// "": no difference.
[[nodiscard]] std::string difference(Bytes is, Bytes should);
// Whether a thread waits for a future time, and for which. A wait that is already due is ended
// instead.
[[nodiscard]] bool next_wait(GstTestClock *clock, GstClockTime &time);
// A BYTES segment that starts at `start`.
[[nodiscard]] GstSegment bytes_segment(guint64 start = 0);
// Video only: a keyframe and inter frames at these times.
[[nodiscard]] flvtest::Stream video_at(std::initializer_list<std::uint32_t> times);
// The same, every 100 ms from 0 to `last`.
[[nodiscard]] flvtest::Stream steady(std::uint32_t last = 1000);
// The complete output for a stream that is pushed in one piece, with `properties`.
[[nodiscard]] Arrivals passed(Bytes data, const std::string &properties = "sync=false",
                              std::size_t chunk = 0);

} // namespace pacetest

// Compares text, and prints both on failure.
#define assert_text(is, should)                                                                    \
  do {                                                                                             \
    const std::string is_(is), should_(should);                                                    \
    fail_unless(is_ == should_, "%s\n is  \"%s\"\n not \"%s\"", #is, is_.c_str(),                  \
                should_.c_str());                                                                  \
  } while (0)

// Compares bytes, and prints the first difference.
#define assert_bytes(is, should)                                                                   \
  do {                                                                                             \
    const std::string difference_ = pacetest::difference(is, should);                              \
    fail_unless(difference_.empty(), "%s and %s: %s", #is, #should, difference_.c_str());          \
  } while (0)

// The next problem on the bus is of this type, and its text contains these words.
#define assert_problem(pace, is_error, in_domain, with_code, words)                                \
  do {                                                                                             \
    const pacetest::Problem problem_ = (pace).problem();                                           \
    fail_unless(problem_.found, "no message on the bus");                                          \
    fail_unless(problem_.error == (is_error) && problem_.domain == (in_domain) &&                  \
                    problem_.code == (with_code),                                                  \
                "%s: %s %d: %s", problem_.error ? "error" : "warning",                             \
                g_quark_to_string(problem_.domain), problem_.code, problem_.text.c_str());         \
    fail_unless(problem_.says(words), "\"%s\" does not say \"%s\"", problem_.text.c_str(),         \
                std::string(words).c_str());                                                       \
  } while (0)

#define assert_damage(pace, words)                                                                 \
  assert_problem(pace, false, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, words)
