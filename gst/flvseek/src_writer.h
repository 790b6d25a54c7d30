// SPDX-License-Identifier: LGPL-2.1-or-later
// The source pad's side: a stream of bytes that begins with a head and goes on with a part of the
// file.
#pragma once

#include <atomic>
#include <optional>

#include "base/gst_ptr.h"
#include "flv/stream/splitter.h"
#include "segment_clock.h"

namespace flvseek {

class SrcWriter {
public:
  explicit SrcWriter(GstPad *pad) : pad_(pad) {} // borrowed

  [[nodiscard]] GstPad *pad() const { return pad_; }

  // Forgets everything.
  void clear();
  // Bytes and running time count from 0 again.
  void flush();

  // Sends the caps, unless they went out before, a segment and the head. What comes next is the
  // file from start.position on, as far as that says.
  [[nodiscard]] GstFlowReturn begin(const flv::StreamStart &start, const Playback &playback,
                                    guint32 seqnum);
  [[nodiscard]] bool has_begun() const { return begun_; }
  // The file's next bytes. EOS: the stop was reached, and the bytes in front of it were sent.
  [[nodiscard]] GstFlowReturn send(gstflv::BufferPtr buffer);

  // What was sent ends a SEGMENT seek's segment.
  void end_segment() { clock_.reach_stop(); }

  // The file's byte that is sent next; from any thread.
  [[nodiscard]] guint64 position() const { return position_; }
  // The time of the last tag sent; from any thread.
  [[nodiscard]] std::optional<GstClockTime> time() const { return clock_.position(); }

private:
  [[nodiscard]] GstFlowReturn push(gstflv::BufferPtr buffer, std::optional<guint64> offset);
  [[nodiscard]] gsize look_at_tags(GstBuffer *buffer);

  GstPad *pad_;
  bool has_caps_ = false;
  bool begun_ = false;
  bool discont_ = false;
  guint64 sent_ = 0; // bytes of the segment
  std::atomic<guint64> position_ = 0;
  guint64 stop_ = 0;
  SegmentClock clock_;
  flv::Splitter cutter_; // finds the tags
  std::vector<flv::Item> items_;
};

} // namespace flvseek
