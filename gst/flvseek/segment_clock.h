// SPDX-License-Identifier: LGPL-2.1-or-later
// The segments of the stream, and the time that a demuxer downstream has reached.
#pragma once

#include <atomic>
#include <optional>

#include <gst/gst.h>

#include "flv/seek/seek_planner.h"
#include "seek_request.h"

namespace flvseek {

// A TIME seek results in a TIME segment, from which a demuxer takes rate, stop and running time.
// After a BYTES segment, a demuxer starts its own segment at the first tag's timestamp, and the
// clock assumes the same. Running time continues across a seek that does not flush.
class SegmentClock {
public:
  // After a flush, running time starts at 0 again.
  void reset();
  // Records the timestamp of an audio or video tag that was sent.
  void note(std::uint32_t timestamp);

  // The segment of a SEGMENT seek was sent completely. Running time continues from its stop.
  void reach_stop() { last_ = stop_ ? stop_ : last_; }

  // The next segment. `sent`: bytes sent since the last flush.
  [[nodiscard]] GstSegment next(const Playback &playback, const flv::StreamStart &start,
                                guint64 sent);

  // The time of the last tag, on the timeline of TIME seeks; from any thread.
  [[nodiscard]] std::optional<GstClockTime> position() const;

private:
  [[nodiscard]] GstSegment timed(const Playback &playback, const flv::StreamStart &start);
  [[nodiscard]] GstClockTime running_time() const;

  static constexpr std::int64_t kUnknown = -1;

  // Times are timestamps of tags in ms. Running time is in ns.
  std::optional<std::int64_t> last_;  // of the last tag; may exceed 2^32
  std::optional<std::int64_t> start_; // of the segment; BYTES: set by its first tag
  std::optional<std::int64_t> stop_;
  double rate_ = 1.0;
  GstClockTime base_ = 0;
  std::int64_t origin_ = 0;                       // the timestamp of a tag at stream time 0
  std::atomic<std::int64_t> position_ = kUnknown; // ms of stream time
};

} // namespace flvseek
