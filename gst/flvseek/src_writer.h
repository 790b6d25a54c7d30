// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes to the source pad: a stream header, then a part of the file.
#pragma once

#include <atomic>
#include <optional>
#include <variant>

#include "base/gst_ptr.h"
#include "flv/stream/splitter.h"
#include "segment_clock.h"
#include "states/transition.h"

namespace flvseek {

//            begin()           first buffer
//    Closed --------> Begun ----------------> Sending
//      ^              | ^                     |   |
//      |   flush()    | |       begin()       |   |
//      +--------------+ +---------------------+   |
//      |                 flush()                  |
//      +------------------------------------------+
//
// begin() also leads from Begun to Begun.
class SrcWriter {
public:
  struct Closed {
    static constexpr const char *kName = "Closed";
  };
  // begin() was called. The next buffer gets the flag DISCONT.
  struct Begun {
    static constexpr const char *kName = "Begun";
  };
  struct Sending {
    static constexpr const char *kName = "Sending";
  };
  using State = std::variant<Closed, Begun, Sending>;
  using Transitions =
      states::TransitionTable<states::Transition<Closed, Begun>, states::Transition<Begun, Begun>,
                              states::Transition<Begun, Sending>, states::Transition<Begun, Closed>,
                              states::Transition<Sending, Begun>,
                              states::Transition<Sending, Closed>>;

  explicit SrcWriter(GstPad *pad) : pad_(pad) {} // borrowed

  [[nodiscard]] GstPad *pad() const { return pad_; }

  // Resets everything.
  void clear();
  // Bytes and running time count from 0 again.
  void flush();

  // Sends the caps if they were not sent before, then a segment and start.head. The next bytes are
  // those of the file from start.position to start.stop.
  [[nodiscard]] GstFlowReturn begin(const flv::StreamStart &start, const Playback &playback,
                                    guint32 seqnum);
  [[nodiscard]] bool has_begun() const { return !std::holds_alternative<Closed>(state_); }
  // Sends the next bytes of the file. EOS: the stop is reached, and the bytes before it were sent.
  [[nodiscard]] GstFlowReturn send(gstflv::BufferPtr buffer);

  // The segment of a SEGMENT seek was sent completely.
  void end_segment() { clock_.reach_stop(); }

  // The offset in the file of the next byte to send; from any thread.
  [[nodiscard]] guint64 position() const { return position_; }
  // The time of the last tag sent; from any thread.
  [[nodiscard]] std::optional<GstClockTime> time() const { return clock_.position(); }

private:
  void set_state(State next);
  [[nodiscard]] GstFlowReturn push(gstflv::BufferPtr buffer, std::optional<guint64> offset);
  [[nodiscard]] gsize look_at_tags(GstBuffer *buffer);

  GstPad *pad_;
  State state_;
  bool has_caps_ = false;
  guint64 sent_ = 0; // bytes since the last flush
  std::atomic<guint64> position_ = 0;
  guint64 stop_ = 0;
  SegmentClock clock_;
  flv::Splitter cutter_; // finds the tags
  std::vector<flv::Item> items_;
};

} // namespace flvseek
