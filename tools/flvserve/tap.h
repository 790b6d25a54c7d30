// SPDX-License-Identifier: LGPL-2.1-or-later
// Passes the stream of a mount on to the mounts that have it as their source.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "base/gst_ptr.h"

namespace flvserve {

class Tap {
public:
  Tap() = default;
  Tap(const Tap &) = delete;
  Tap &operator=(const Tap &) = delete;
  ~Tap() = default;

  // `pad`: the sink pad of the mount's last element. The tap must exist as long as the pad.
  void attach(GstPad *pad);
  // `pad`: the sink pad of an element that does not block, such as a leaky queue. It gets the
  // stream header and then the stream from the next key frame.
  void add(GstPad *pad);
  void remove(GstPad *pad);
  // Ends the stream of all pads: its source restarts.
  void end();

private:
  //   Waiting -> (AtNext ->) Flowing -> Waiting
  // AtNext: a header without DELTA_UNIT has passed, so that the next buffer is a start point, as in
  // the streams of mpegtsmux.
  enum class State : std::uint8_t { Waiting, AtNext, Flowing };

  struct Reader {
    gstflv::PadPtr pad;
    State state = State::Waiting;
  };

  static GstPadProbeReturn on_data(GstPad *pad, GstPadProbeInfo *info, gpointer self);
  void pass(GstPad *from, GstBuffer *buffer);
  void pass(GstEvent *event);
  static void begin_at(GstBuffer *buffer, GstPad *from, Reader &reader);
  static void send_header(GstPad *from, const Reader &reader);

  std::mutex mutex_;
  std::vector<Reader> readers_; // guarded by mutex_
};

} // namespace flvserve
