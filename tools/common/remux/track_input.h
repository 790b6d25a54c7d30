// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts the buffers of one elementary stream to packets.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "dts_restorer.h"
#include "packet.h"

namespace remux {

class TrackInput {
public:
  // What the timestamps of buffers are relative to.
  enum class Times {
    Segment,
    Source, // all tracks have the source's times: matroskademux sends a wrong first segment
  };

  // `shift`: ns, added to all times.
  TrackInput(std::size_t index, Times times, std::int64_t shift)
      : index_(index), times_(times), shift_(shift) {
    gst_segment_init(&segment_, GST_FORMAT_TIME);
  }

  // Returns false if the caps are not those of a codec that is known.
  [[nodiscard]] bool set_caps(GstCaps *caps);
  void set_segment(const GstSegment &segment);
  // Appends the packets that are complete. Video before the first key frame is dropped.
  void take(gstflv::BufferPtr buffer, std::vector<Packet> &out);
  void finish(std::vector<Packet> &out);
  // The running time of a gap's start. nullopt: unknown.
  [[nodiscard]] std::optional<std::int64_t> time_of_gap(GstEvent *gap) const;
  void flush();

  // nullopt: the caps, or what the first packet adds to them, are not there yet.
  [[nodiscard]] const std::optional<Track> &track() const { return track_; }
  // ns: added to the demuxer's times.
  [[nodiscard]] std::int64_t shift() const { return shift_; }
  // The position of the first packet, in ns. nullopt: there is none.
  [[nodiscard]] const std::optional<std::int64_t> &first_position() const {
    return first_position_;
  }
  [[nodiscard]] bool is_complete() const { return track_ && has_packet_; }

private:
  [[nodiscard]] std::int64_t running_time(GstClockTime time) const;
  void hold_first(Packet packet, std::vector<Packet> &out);
  void restore(Packet packet, std::vector<Packet> &out);
  void release(const std::vector<std::int64_t> &dts, std::vector<Packet> &out);

  std::size_t index_;
  Times times_;
  std::int64_t shift_;
  GstSegment segment_{};
  std::optional<Track> track_;
  std::shared_ptr<const Track> change_;
  bool has_packet_ = false;
  std::optional<std::int64_t> first_position_;
  bool has_second_packet_ = false;      // of Opus
  std::optional<DtsRestorer> restorer_; // of video without decoding times
  std::deque<Packet> waiting_;          // for the restorer, or the first packet of Opus
  std::int64_t next_ = 0;               // ns: the expected time of a buffer without a time
};

} // namespace remux
