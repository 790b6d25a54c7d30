// SPDX-License-Identifier: LGPL-2.1-or-later
// flvpace between two pads, on a clock that only the test moves. A thread of its own pushes, so
// that the test can look at an element that waits.
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

// A buffer as it came out.
struct Arrival {
  BufferPtr buffer;
  Buffer bytes;
  GstClockTime running = GST_CLOCK_TIME_NONE; // by its PTS
  GstClockTime stream = GST_CLOCK_TIME_NONE;
  GstClockTime clock = 0; // what the clock said when it came
  GstState state = GST_STATE_VOID_PENDING;
  bool first = false;   // since the element was built
  std::size_t caps = 0; // how many caps came before it

  [[nodiscard]] bool has(GstBufferFlags flag) const {
    return GST_BUFFER_FLAG_IS_SET(buffer.get(), flag);
  }
};

using Arrivals = std::vector<Arrival>;

// Arrivals as text, one word a buffer. Times are milliseconds, with a "!" where DTS is not PTS.
[[nodiscard]] std::string due_times(const Arrivals &arrivals);
[[nodiscard]] std::string stream_times(const Arrivals &arrivals);
[[nodiscard]] std::string arrival_times(const Arrivals &arrivals);
[[nodiscard]] std::string sizes(const Arrivals &arrivals);
// The timestamps that the tags themselves carry; "h" for a file header.
[[nodiscard]] std::string timestamps(const Arrivals &arrivals);
// H header, D delta unit, X discont, - none of them. The first buffer after the start may or may
// not be a DISCONT: that one is not shown.
[[nodiscard]] std::string flags(const Arrivals &arrivals);
// How many caps had come before each.
[[nodiscard]] std::string caps_before(const Arrivals &arrivals);
[[nodiscard]] Buffer bytes(const Arrivals &arrivals);
// All there is to compare: bytes, times and flags, a line a buffer.
[[nodiscard]] std::string everything(const Arrivals &arrivals);

// What a stream of tags looks like in timestamps().
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

// Called in the streaming thread for buffer number `index` since the start, before it counts as
// arrived; what it returns is what the element gets.
using Sink = std::function<GstFlowReturn(std::size_t index)>;

class Pace {
public:
  // `properties` as in a launch line. `state`: READY, PAUSED or PLAYING.
  explicit Pace(const std::string &properties = "", GstState state = GST_STATE_PLAYING);
  // Fails the test if there is a problem on the bus that nobody asked for.
  virtual ~Pace();
  Pace(const Pace &) = delete;
  Pace &operator=(const Pace &) = delete;

  [[nodiscard]] GstHarness *harness() const { return harness_; }
  [[nodiscard]] GstElement *element() const { return harness_->element; }
  [[nodiscard]] GstPad *upstream() const { return harness_->srcpad; }
  [[nodiscard]] GstPad *downstream() const { return harness_->sinkpad; }

  // --- Upstream. The calls return at once; what a failed push leaves behind is dropped. ---
  void push(Bytes data, std::size_t chunk = 0); // cut into chunks; 0: in one piece
  void push_buffer(GstBuffer *buffer);          // takes it
  void push_event(GstEvent *event);             // takes it; in order with the buffers
  void end() { push_event(gst_event_new_eos()); }
  // What became of the buffer that was pushed last.
  [[nodiscard]] GstFlowReturn flow();
  // The last event of a type that came up since the last call, or nullptr. The others are dropped.
  [[nodiscard]] EventPtr upstream_event(GstEventType type);

  // Out of order with the buffers, as upstream does it: flush start; flush stop, and the segment
  // that follows. Running time starts anew.
  void flush_start();
  void flush_stop(const GstSegment *segment = nullptr);
  void flush() {
    flush_start();
    flush_stop();
  }

  // --- Time ---
  // Waits until there is nothing more to do at this time: all was taken, or the element waits for
  // a later time.
  void settle();
  // Moves the clock to `ms`, and everything that is due on the way.
  void run_until(guint64 ms);
  // Moves the clock until all that was pushed has come out.
  void run();
  // The time on the clock (ms) for which the element waits; "" if it does not.
  [[nodiscard]] std::string waits_until();
  // Waits for a condition that some thread will make true.
  void wait_for(const std::function<bool()> &condition);
  // Lets a thread that should be blocked the time to show that it is not.
  [[nodiscard]] bool stays_blocked();
  void advance(guint64 ms);
  [[nodiscard]] GstClockTime now() const;

  // --- State ---
  void set_state(GstState state);
  // PLAYING after PAUSED: running time goes on where it stopped.
  void pause();
  void resume();
  template <typename T> void set(const char *property, T value) {
    g_object_set(element(), property, value, nullptr);
  }
  [[nodiscard]] guint64 stat(const char *field) const;
  [[nodiscard]] gint64 lead() const;

  // --- Downstream ---
  // The buffers that came since the last call.
  [[nodiscard]] Arrivals take();
  [[nodiscard]] std::size_t count() const; // how many there are to take
  // What came since the start or the last call, buffers as "B", repeated ones once: "caps segment
  // B eos".
  [[nodiscard]] std::string order();
  // The last event of a type, or nullptr; how many there were.
  [[nodiscard]] EventPtr last_event(GstEventType type) const;
  [[nodiscard]] std::size_t count_events(GstEventType type) const;
  void set_sink(Sink sink);
  // A sink that takes `ms` for buffer number `index`.
  void block_sink(std::size_t index, guint64 ms);

  // --- Messages ---
  [[nodiscard]] Problem problem(); // the next one
  // The element messages so far, as text without the types. Problems that came before are dropped.
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

// Whether $FLV_TEST_SHORT is set: fewer repetitions, for tools under which tests are many times
// slower.
[[nodiscard]] bool is_short();
// The buffers of the streamheader in the last caps. All of them are HEADER buffers.
[[nodiscard]] std::vector<Buffer> stream_header(const Pace &pace);
// "" if there is none.
[[nodiscard]] std::string difference(Bytes is, Bytes should);
// Whether somebody waits for a time to come, and for which. A wait that is due is ended instead.
[[nodiscard]] bool next_wait(GstTestClock *clock, GstClockTime &time);
// A BYTES segment from `start` on.
[[nodiscard]] GstSegment bytes_segment(guint64 start = 0);
// Video only, a key frame and inter frames at these times.
[[nodiscard]] flvtest::Stream video_at(std::initializer_list<std::uint32_t> times);
// The same, every 100 ms from 0 to `last`.
[[nodiscard]] flvtest::Stream steady(std::uint32_t last = 1000);
// Everything that comes out of a stream that is pushed whole, unwatched.
[[nodiscard]] Arrivals passed(Bytes data, const std::string &properties = "sync=false",
                              std::size_t chunk = 0);

} // namespace pacetest

// Compares text, and shows both.
#define assert_text(is, should)                                                                    \
  do {                                                                                             \
    const std::string is_(is), should_(should);                                                    \
    fail_unless(is_ == should_, "%s\n is  \"%s\"\n not \"%s\"", #is, is_.c_str(),                  \
                should_.c_str());                                                                  \
  } while (0)

// Compares bytes, and says where they part.
#define assert_bytes(is, should)                                                                   \
  do {                                                                                             \
    const std::string difference_ = pacetest::difference(is, should);                              \
    fail_unless(difference_.empty(), "%s and %s: %s", #is, #should, difference_.c_str());          \
  } while (0)

// The next problem on the bus is of this kind, and its text holds these words.
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
