// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes to the source pad: caps with the stream header, segments, events and buffers, in the order
// that downstream requires.
#pragma once

#include <variant>
#include <vector>

#include "base/gst_ptr.h"
#include "clock_wait.h"
#include "flv/stream/stream_header.h"
#include "states/transition.h"

namespace flvpace {

//               send_segment()           outdate_segment()
//    NoSegment ----------------> Current -------------------> Outdated
//                                   ^                            |
//                                   |       send_segment()       |
//                                   +----------------------------+
//
// send_segment() in Current replaces the segment. flush() leads from each state to NoSegment.
class SrcWriter {
public:
  struct NoSegment {
    static constexpr const char *kName = "NoSegment";
  };
  struct Current {
    static constexpr const char *kName = "Current";
  };
  // The current segment is out of date.
  struct Outdated {
    static constexpr const char *kName = "Outdated";
  };
  using State = std::variant<NoSegment, Current, Outdated>;
  using Transitions = states::TransitionTable<
      states::Transition<NoSegment, Current>, states::Transition<Current, Current>,
      states::Transition<Current, Outdated>, states::Transition<Outdated, Current>,
      states::Transition<Current, NoSegment>, states::Transition<Outdated, NoSegment>>;

  explicit SrcWriter(GstPad *pad) : pad_(pad) {} // borrowed

  void clear();
  // Drops the gathered buffers. The next buffer needs a new segment.
  void flush();

  // The seqnum of the next segments, taken from upstream's segment or from a seek.
  void set_seqnum(guint32 seqnum) { seqnum_ = seqnum; }
  // The maximum size of a buffer (bytes); 0: whole tags.
  void set_mtu(guint mtu) { mtu_ = mtu; }

  // Sends caps whose streamheader is `parts`.
  [[nodiscard]] GstFlowReturn send_caps(const std::vector<flv::SharedBytes> &parts);
  // Sends a segment that maps media time `departure.media` to running time `departure.due`. It
  // starts `departure.reach` earlier. Then sends the events that waited for the first segment.
  [[nodiscard]] GstFlowReturn send_segment(const Departure &departure);
  [[nodiscard]] bool has_segment() const { return !std::holds_alternative<NoSegment>(state_); }
  // The next tag needs a new segment.
  void outdate_segment();
  [[nodiscard]] bool is_segment_current() const { return std::holds_alternative<Current>(state_); }
  [[nodiscard]] double speed() const { return segment_.applied_rate; }

  // Sends a GAP event, so that waiting sinks can preroll.
  void send_gap();
  // Sends a serialized event. Before the first segment, queues it: caps and segment must come
  // first.
  gboolean send_event(gstflv::EventPtr event);

  // Gathers a buffer: sets its timestamps from the due time, and splits it by the mtu. The first
  // part has the flag DELTA_UNIT if the buffer has it. All other parts have DELTA_UNIT.
  [[nodiscard]] GstFlowReturn queue(gstflv::BufferPtr buffer, flv::Nanoseconds due);
  // Sends the gathered buffers.
  [[nodiscard]] GstFlowReturn send();

private:
  // A part of the stream header, and its buffers.
  struct HeaderPart {
    flv::SharedBytes bytes;
    std::vector<gstflv::BufferPtr> buffers;
  };

  void set_state(State next);
  [[nodiscard]] HeaderPart header_part(const flv::SharedBytes &bytes);
  [[nodiscard]] gstflv::BufferPtr piece(GstBuffer *buffer, gsize offset) const;
  [[nodiscard]] GstFlowReturn append(gstflv::BufferPtr buffer);

  GstPad *pad_;
  guint mtu_ = 0;
  guint32 seqnum_ = GST_SEQNUM_INVALID;
  GstSegment segment_{};
  State state_;
  std::vector<HeaderPart> header_; // of the last caps; unchanged parts are reused
  std::vector<gstflv::EventPtr> waiting_;
  gstflv::BufferPtr single_; // gathered: one buffer; two or more are in list_
  gstflv::BufferListPtr list_;
  GstClockTime last_stamp_ = 0;
};

} // namespace flvpace
