// SPDX-License-Identifier: LGPL-2.1-or-later
// failoversrc before a pad, with sources that the test controls: the URI fake://NAME is a source
// element that does what Fake::named(NAME) says. The system clock is a test clock.
#pragma once

#include <chrono> // check.h defines a macro that breaks it
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gst/check/gstcheck.h>
#include <gst/check/gsttestclock.h>

#include "base/gst_ptr.h"
#include "flvbuild.h"

namespace failovertest {

using flvtest::Buffer;
using flvtest::Bytes;
using gstflv::BufferPtr;
using gstflv::CapsPtr;
using gstflv::ElementPtr;
using gstflv::StructurePtr;

// Waits in real time until another thread makes the condition true. The test clock stands still.
void wait_for(const std::function<bool()> &condition, const char *what = "nothing happens");

// What stands behind a URI.
class Fake {
public:
  enum class Mode {
    Works,
    Refuses,       // the start fails with an error
    HangsInStart,  // until release()
    IgnoresUnlock, // a read without data blocks until release()
  };

  static Fake &named(const std::string &name);

  void set_mode(Mode mode);
  void set_finite(bool is_finite); // the source knows its length
  // Sent at the start of each connection.
  void set_opening(Buffer bytes);
  // Sent to the connection that exists, or to the next one.
  void send(Bytes bytes);
  void end();
  void reset(const std::string &text = "connection reset");
  // Ends all hanging calls. They fail.
  void release();

  [[nodiscard]] std::size_t starts();  // attempts
  [[nodiscard]] std::size_t running(); // sources that have started and not stopped
  // A source has read everything and waits for more.
  [[nodiscard]] bool is_drained();

  // --- For the element ---
  struct End {};
  struct Failure {
    std::string text;
  };
  using Item = std::variant<Buffer, End, Failure>;
  [[nodiscard]] bool start(std::string &problem);
  void stop();
  // nullopt: `is_flushing` is true.
  [[nodiscard]] std::optional<Item> next(const bool &is_flushing);
  void flush(bool &is_flushing, bool value);
  [[nodiscard]] bool is_finite();

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Mode mode_ = Mode::Works;
  Buffer opening_;
  std::deque<Item> items_;
  std::size_t starts_ = 0;
  std::size_t running_ = 0;
  std::size_t waiting_ = 0;
  std::size_t releases_ = 0;
  bool is_finite_ = false;
};

// A live FLV stream: 25 frames/s with a keyframe every `gop` frames. The configurations and the
// payload depend on `variant`.
class Live {
public:
  explicit Live(std::uint8_t variant = 0, std::uint32_t gop = 10, std::uint32_t start = 0)
      : variant_(variant), gop_(gop), start_(start) {}

  [[nodiscard]] Buffer header() const;
  [[nodiscard]] Buffer frame(std::uint32_t number) const; // a whole tag
  [[nodiscard]] bool is_key(std::uint32_t number) const { return number % gop_ == 0; }
  [[nodiscard]] Buffer frames(std::uint32_t first, std::uint32_t end) const;

private:
  std::uint8_t variant_;
  std::uint32_t gop_;
  std::uint32_t start_;
};

// An output buffer.
struct Arrival {
  Buffer bytes;
  guint flags = 0;
  std::string caps; // the media type

  [[nodiscard]] bool is_discont() const { return (flags & GST_BUFFER_FLAG_DISCONT) != 0; }
};

struct Message {
  std::string text; // "lost 0 silent", "switched 1 lost", "back 0"
  StructurePtr fields;
  guint64 time = 0; // ms since the start
};

class Line {
public:
  // `properties` as in a launch line. `caps`: what the pad after the element accepts.
  explicit Line(const std::string &properties, GstState state = GST_STATE_PLAYING,
                const std::string &caps = "ANY");
  // Fails the test if the bus has an error or a warning.
  ~Line();
  Line(const Line &) = delete;
  Line &operator=(const Line &) = delete;

  [[nodiscard]] GstElement *element() const { return element_.get(); }
  [[nodiscard]] GstPad *pad() const { return pad_; }
  GstStateChangeReturn set_state(GstState state) { return gst_element_set_state(element(), state); }
  template <typename T> void set(const char *property, T value) {
    g_object_set(element(), property, value, nullptr);
  }

  // --- Time, in ms since the start ---
  [[nodiscard]] guint64 now() const;
  void advance(guint64 ms);
  void run_due(); // deadlines that have passed
  // Advances by single deadlines until the condition is true, and at most to `limit`.
  void run_until(const std::function<bool()> &condition, guint64 limit);
  // Advances to the next attempt of a source that was lost, at most `ms` from now.
  void run_to_next_attempt(Fake &fake, std::size_t index, guint64 ms);
  // Sends frames `first` to `end` - 1 of the stream in real time, while the source runs. Advances
  // 40 ms after each.
  void play(Fake &fake, const Live &live, std::uint32_t first, std::uint32_t end);
  void play(const std::vector<std::pair<Fake *, Live>> &streams, std::uint32_t first,
            std::uint32_t end);

  // --- Messages ---
  [[nodiscard]] std::string messages(); // "lost 0 silent, switched 1 lost"
  [[nodiscard]] bool has(const std::string &message);
  void wait_for_message(const std::string &message);
  [[nodiscard]] guint64 time_of(const std::string &message);
  [[nodiscard]] StructurePtr fields_of(const std::string &message);
  [[nodiscard]] std::string error(); // the text of the next one; "": none
  [[nodiscard]] std::string warning();

  // --- Output ---
  [[nodiscard]] std::vector<Arrival> arrivals();
  [[nodiscard]] Buffer output();
  // The output from each DISCONT on.
  [[nodiscard]] std::vector<Buffer> parts();
  void wait_for_size(std::size_t size);
  // Downstream blocks, until this is called with false.
  void block(bool is_blocked);
  [[nodiscard]] StructurePtr stats() const;
  [[nodiscard]] std::string source_stat(std::size_t index, const char *field) const;
  [[nodiscard]] std::size_t ends();

private:
  static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer);
  static gboolean take_event(GstPad *pad, GstObject *parent, GstEvent *event);
  static GstBusSyncReply take_message(GstBus *bus, GstMessage *message, gpointer line);
  [[nodiscard]] GstClockID next_wait() const;
  void process_wait(GstClockID id);

  gstflv::ObjectPtr<GstTestClock> clock_;
  ElementPtr element_;
  GstBus *bus_ = nullptr;
  GstPad *pad_ = nullptr;

  std::mutex mutex_;
  std::condition_variable unblocked_;
  std::vector<Message> messages_;
  std::vector<std::string> errors_;
  std::vector<std::string> warnings_;
  std::vector<Arrival> arrivals_;
  std::string caps_;
  std::size_t ends_ = 0;
  bool is_blocked_ = false;
};

void assert_bytes(Bytes got, Bytes expected);
void assert_same(const std::string &got, const std::string &expected);

} // namespace failovertest
