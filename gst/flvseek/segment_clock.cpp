// SPDX-License-Identifier: LGPL-2.1-or-later
#include "segment_clock.h"

#include <algorithm>

namespace flvseek {

namespace {

constexpr auto kMillisecond = static_cast<std::int64_t>(GST_MSECOND);

guint64 nanoseconds(std::int64_t ns) {
  return static_cast<guint64>(std::max<std::int64_t>(ns, 0));
}

} // namespace

void SegmentClock::reset() {
  last_.reset();
  start_.reset();
  stop_.reset();
  rate_ = 1.0;
  base_ = 0;
}

void SegmentClock::note(std::uint32_t timestamp) {
  if (last_)
    last_ = *last_ + static_cast<std::int32_t>(timestamp - static_cast<std::uint32_t>(*last_));
  else
    last_ = timestamp;
  if (!start_)
    start_ = last_;
  position_ = std::max<std::int64_t>(*last_ - origin_, 0);
}

std::optional<GstClockTime> SegmentClock::position() const {
  const std::int64_t position = position_;
  return position == kUnknown ? std::nullopt
                              : std::optional(static_cast<GstClockTime>(position) * GST_MSECOND);
}

// The running time of the last tag. The stream continues after a stop, up to the next key frame,
// but a demuxer's output ends at the stop.
GstClockTime SegmentClock::running_time() const {
  if (!start_ || !last_)
    return base_;
  const std::int64_t end = stop_ ? std::min(*last_, *stop_) : *last_;
  const auto elapsed = static_cast<double>(std::max<std::int64_t>(end - *start_, 0) * kMillisecond);
  return base_ + static_cast<GstClockTime>(elapsed / rate_);
}

GstSegment SegmentClock::next(const Playback &playback, const flv::StreamStart &start,
                              guint64 sent) {
  origin_ = start.origin;
  position_ = static_cast<std::int64_t>(start.time);
  if (playback.format == GST_FORMAT_TIME)
    return timed(playback, start);
  last_.reset();
  start_.reset();
  stop_.reset();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  segment.rate = playback.rate;
  segment.flags = playback.flags;
  segment.start = sent;
  segment.time = sent;
  segment.position = sent;
  return segment;
}

GstSegment SegmentClock::timed(const Playback &playback, const flv::StreamStart &start) {
  base_ = running_time();
  const std::int64_t origin = start.origin * kMillisecond;
  const GstClockTime time =
      playback.at_key_frame ? start.time * GST_MSECOND : static_cast<GstClockTime>(playback.start);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.rate = playback.rate;
  segment.flags = playback.flags;
  segment.base = base_;
  segment.start = nanoseconds(static_cast<std::int64_t>(time) + origin);
  segment.time = time;
  segment.position = segment.start;
  stop_.reset();
  if (playback.stop) {
    segment.stop = nanoseconds(static_cast<std::int64_t>(*playback.stop) + origin);
    stop_ = static_cast<std::int64_t>(segment.stop) / kMillisecond;
  }
  last_.reset();
  start_ = static_cast<std::int64_t>(segment.start) / kMillisecond;
  rate_ = playback.rate;
  return segment;
}

} // namespace flvseek
