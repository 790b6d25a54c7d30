// SPDX-License-Identifier: LGPL-2.1-or-later
// The source pad's side: caps with their stream header, segment, events and buffers, in the order
// in which downstream has to see them.
#pragma once

#include <vector>

#include "base/gst_ptr.h"
#include "clock_wait.h"
#include "flv/stream/stream_header.h"

namespace flvpace {

class SrcWriter {
public:
  explicit SrcWriter(GstPad *pad) : pad_(pad) {} // borrowed

  void clear();
  // What was gathered goes nowhere, and a segment has to come anew.
  void flush();

  // Of the segments to come: that of what upstream does.
  void set_seqnum(guint32 seqnum) { seqnum_ = seqnum; }
  // The largest buffer (bytes); 0: as large as a tag.
  void set_mtu(guint mtu) { mtu_ = mtu; }

  // Sends caps whose streamheader is `parts`.
  [[nodiscard]] GstFlowReturn send_caps(const std::vector<flv::SharedBytes> &parts);
  // Sends a segment that maps media time `departure.media` to running time `departure.due` and
  // begins `departure.reach` before that, then the events that waited for the first segment.
  [[nodiscard]] GstFlowReturn send_segment(const Departure &departure);
  [[nodiscard]] bool has_segment() const { return has_segment_; }
  [[nodiscard]] double speed() const { return segment_.applied_rate; }

  // Gives sinks that wait for data something to preroll on.
  void send_gap();
  // Takes a serialized event; it waits for the first segment, since caps and segment come first.
  gboolean send_event(gstflv::EventPtr event);

  // Gathers a buffer, stamped with its due time and cut to the mtu. One that is no key frame stays
  // a delta unit in all of its parts, one that is, in all but the first.
  [[nodiscard]] GstFlowReturn gather(gstflv::BufferPtr buffer, flv::Nanoseconds due);
  // Sends what was gathered.
  [[nodiscard]] GstFlowReturn send();

private:
  // A part of the stream header, as the buffers that show it.
  struct HeaderPart {
    flv::SharedBytes bytes;
    std::vector<gstflv::BufferPtr> buffers;
  };

  [[nodiscard]] HeaderPart header_part(const flv::SharedBytes &bytes);
  [[nodiscard]] gstflv::BufferPtr piece(GstBuffer *buffer, gsize offset) const;
  [[nodiscard]] GstFlowReturn append(gstflv::BufferPtr buffer);

  GstPad *pad_;
  guint mtu_ = 0;
  guint32 seqnum_ = GST_SEQNUM_INVALID;
  GstSegment segment_{};
  bool has_segment_ = false;
  std::vector<HeaderPart> header_; // of the last caps: what stays is not made anew
  std::vector<gstflv::EventPtr> waiting_;
  gstflv::BufferPtr single_; // gathered: one buffer, or a list once there are two
  gstflv::BufferListPtr list_;
  GstClockTime last_stamp_ = 0;
};

} // namespace flvpace
