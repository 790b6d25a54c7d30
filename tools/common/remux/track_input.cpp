// SPDX-License-Identifier: LGPL-2.1-or-later
#include "track_input.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "audio_frames.h"
#include "caps_track.h"
#include "nal.h"

namespace remux {

bool TrackInput::set_caps(GstCaps *caps) {
  auto track = track_of(caps);
  if (!track)
    return false;
  // A configuration that comes from the packets, and not from the caps, stays.
  if (track_ && has_packet_) {
    if (track->config.empty())
      track->config = track_->config;
    if (track->config != track_->config)
      change_ = std::make_shared<const Track>(*track);
  }
  track_ = std::move(track);
  return true;
}

void TrackInput::set_segment(const GstSegment &segment) {
  if (times_ == Times::Segment)
    segment_ = segment;
}

std::int64_t TrackInput::running_time(GstClockTime time) const {
  guint64 running = 0;
  const int sign = gst_segment_to_running_time_full(&segment_, GST_FORMAT_TIME, time, &running);
  return sign * static_cast<std::int64_t>(running) + shift_;
}

std::optional<std::int64_t> TrackInput::time_of_gap(GstEvent *gap) const {
  GstClockTime start = GST_CLOCK_TIME_NONE;
  GstClockTime duration = GST_CLOCK_TIME_NONE;
  gst_event_parse_gap(gap, &start, &duration);
  if (!GST_CLOCK_TIME_IS_VALID(start))
    return std::nullopt;
  if (GST_CLOCK_TIME_IS_VALID(duration))
    start += duration;
  return running_time(start);
}

void TrackInput::take(gstflv::BufferPtr buffer, std::vector<Packet> &out) {
  if (!track_)
    return;
  Packet packet;
  packet.track = index_;
  packet.is_picture = is_video(track_->codec);
  packet.key =
      !packet.is_picture || !GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  {
    const gstflv::MappedBuffer mapped(buffer.get());
    if (mapped.bytes().empty() || is_header(track_->codec, mapped.bytes()))
      return;
    if (!has_packet_ && packet.key)
      complete(*track_, mapped.bytes());
  }
  if (!has_packet_ && !packet.key)
    return;
  has_packet_ = true;
  const GstClockTime pts = GST_BUFFER_PTS(buffer.get());
  const GstClockTime dts = GST_BUFFER_DTS(buffer.get());
  const bool has_dts = GST_CLOCK_TIME_IS_VALID(dts);
  const GstClockTime shown = GST_CLOCK_TIME_IS_VALID(pts) ? pts : dts;
  packet.pts = GST_CLOCK_TIME_IS_VALID(shown) ? running_time(shown) : next_;
  packet.dts = has_dts ? running_time(dts) : packet.pts;
  guint64 position = 0;
  const int sign =
      GST_CLOCK_TIME_IS_VALID(shown)
          ? gst_segment_to_stream_time_full(&segment_, GST_FORMAT_TIME, shown, &position)
          : 0;
  packet.position = sign * static_cast<std::int64_t>(position) + shift_;
  if (!first_position_)
    first_position_ = packet.position;
  const GstClockTime duration = GST_BUFFER_DURATION(buffer.get());
  next_ =
      packet.pts + (GST_CLOCK_TIME_IS_VALID(duration) ? static_cast<std::int64_t>(duration) : 0);
  packet.change = std::exchange(change_, nullptr);
  packet.buffer = std::move(buffer);
  const bool reorders = track_->codec == Codec::H264 || track_->codec == Codec::Hevc;
  if (restorer_ || (reorders && !has_dts)) {
    restore(std::move(packet), out);
    return;
  }
  packet.dts = std::min(packet.dts, packet.pts);
  if (track_->codec == Codec::Opus && !has_second_packet_)
    hold_first(std::move(packet), out);
  else
    out.push_back(std::move(packet));
}

// The first packets have samples to skip, and so times before 0, for which matroskademux and
// oggdemux give 0. The next packet has the right time.
void TrackInput::hold_first(Packet packet, std::vector<Packet> &out) {
  if (waiting_.empty()) {
    waiting_.push_back(std::move(packet));
    return;
  }
  constexpr std::int64_t kRate = 48'000;
  const gstflv::MappedBuffer mapped(waiting_.front().buffer.get());
  const auto samples = static_cast<std::int64_t>(samples_of_opus(mapped.bytes()));
  has_second_packet_ = true;
  Packet first = std::move(waiting_.front());
  waiting_.pop_front();
  std::int64_t time = packet.pts - samples * static_cast<std::int64_t>(GST_SECOND) / kRate;
  // Times in Matroska are rounded to ms, and the first one is usually 0.
  const std::int64_t usual = -codec_delay(*track_);
  if (times_ == Times::Source &&
      std::abs(time - usual) < 2 * static_cast<std::int64_t>(GST_MSECOND))
    time = usual;
  if (time < first.pts) {
    first.pts = time;
    first.dts = time;
  }
  out.push_back(std::move(first));
  out.push_back(std::move(packet));
}

void TrackInput::restore(Packet packet, std::vector<Packet> &out) {
  if (!restorer_) {
    const auto sequence = read_sequence(track_->codec, track_->config);
    restorer_.emplace(sequence ? sequence->reorder : std::nullopt, track_->frame_duration);
  }
  const std::int64_t pts = packet.pts;
  waiting_.push_back(std::move(packet));
  std::vector<std::int64_t> dts;
  restorer_->push(pts, dts);
  release(dts, out);
}

void TrackInput::release(const std::vector<std::int64_t> &dts, std::vector<Packet> &out) {
  for (const std::int64_t time : dts) {
    waiting_.front().dts = time;
    out.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void TrackInput::finish(std::vector<Packet> &out) {
  if (!restorer_) {
    std::ranges::move(waiting_, std::back_inserter(out));
    waiting_.clear();
    return;
  }
  std::vector<std::int64_t> dts;
  restorer_->finish(dts);
  release(dts, out);
}

void TrackInput::flush() {
  restorer_.reset();
  waiting_.clear();
  has_packet_ = false;
  first_position_.reset();
  has_second_packet_ = false;
  change_.reset();
  next_ = 0;
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

} // namespace remux
