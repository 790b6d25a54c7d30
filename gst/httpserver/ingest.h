// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts caps and buffers into entries of a backlog. Used by the streaming thread.
#pragma once

#include <string>

#include "base/gst_ptr.h"
#include "fanout/flv_ingest.h"

namespace flvhttp {

class Ingest {
public:
  // Resets all state for another stream.
  void clear();
  void set_caps(GstCaps *caps);
  void set_segment(const GstSegment &segment);
  // Notes a discontinuity: connected clients continue at the next key frame.
  void interrupt();
  // Appends the entries that the buffer completes. Malformed: the stream is not FLV.
  [[nodiscard]] flv::Status take(GstBuffer *buffer, std::vector<fanout::Entry> &out);
  void finish(std::vector<fanout::Entry> &out);

  // The content type of responses; empty while it is unknown.
  [[nodiscard]] const std::string &content_type() const { return type_; }
  // Whether the caps have the stream header.
  [[nodiscard]] bool has_header() const { return has_header_; }
  // Whether the stream can be read only from its start: the container needs a header, and the caps
  // do not have it.
  [[nodiscard]] bool needs_start() const;
  [[nodiscard]] const flv::Fault &fault() const { return flv_.fault(); }

private:
  [[nodiscard]] flv::Status take_opaque(GstBuffer *buffer, const std::shared_ptr<const void> &owner,
                                        flv::Bytes bytes, std::vector<fanout::Entry> &out);
  [[nodiscard]] std::int64_t time_of(GstBuffer *buffer);
  void find_out(flv::Bytes start);

  std::string type_;
  bool is_flv_ = false;
  bool has_header_ = false;
  fanout::FlvIngest flv_;

  // For containers other than FLV.
  fanout::JoinHeaderPtr head_;
  std::vector<std::vector<std::uint8_t>> parts_; // the buffers of the stream header
  GstSegment segment_{};
  std::int64_t time_ = 0; // ms: the time of the last entry
  std::int64_t shift_ = 0;
  bool waiting_ = true; // for a start point
  bool flowing_ = false;
  bool interrupted_ = false;
  bool head_changed_ = false;
  // The next buffer is a start point, because the header before it is not a delta unit.
  bool header_joins_ = false;
};

} // namespace flvhttp
