// SPDX-License-Identifier: LGPL-2.1-or-later
// The segments of the stream, and the time that a demuxer behind it has reached.
#pragma once

#include <atomic>
#include <optional>

#include <gst/gst.h>

#include "flv/seek/seek_planner.h"
#include "seek_request.h"

namespace flvseek {

// A TIME seek gets a TIME segment, from which a demuxer takes rate, stop and running time. After a
// BYTES segment a demuxer starts a segment of its own at the first tag's timestamp; the clock
// assumes the same. Running time continues across a seek that does not flush.
class SegmentClock {
public:
  // After a flush, running time starts at 0 again.
  void reset();
  // An audio or video tag was sent.
  void note(std::uint32_t timestamp);

  // All of a SEGMENT seek's segment was sent: running time goes on from its stop.
  void reach_stop() { last_ = stop_ ? stop_ : last_; }

  // The segment that the stream goes on with. `sent`: bytes sent since the last flush.
  [[nodiscard]] GstSegment next(const Playback &playback, const flv::StreamStart &start,
                                guint64 sent);

  // The time of the last tag, counted like the times of seeks; from any thread.
  [[nodiscard]] std::optional<GstClockTime> position() const;

private:
  [[nodiscard]] GstSegment timed(const Playback &playback, const flv::StreamStart &start);
  [[nodiscard]] GstClockTime running_time() const;

  static constexpr std::int64_t kUnknown = -1;

  // Times in ms, as tags have them; running time in ns.
  std::optional<std::int64_t> last_;  // of the last tag, past 2^32
  std::optional<std::int64_t> start_; // of the segment; nothing before its first tag
  std::optional<std::int64_t> stop_;
  double rate_ = 1.0;
  GstClockTime base_ = 0;
  std::int64_t origin_ = 0;                       // a tag's timestamp at the stream time 0
  std::atomic<std::int64_t> position_ = kUnknown; // ms of stream time
};

} // namespace flvseek
