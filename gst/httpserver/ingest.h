// SPDX-License-Identifier: LGPL-2.1-or-later
// The streaming thread's work: caps and buffers in, entries of a history out.
#pragma once

#include <string>

#include "base/gst_ptr.h"
#include "fanout/flv_ingest.h"

namespace flvhttp {

class Ingest {
public:
  // Forgets everything: another stream begins.
  void clear();
  void set_caps(GstCaps *caps);
  void set_segment(const GstSegment &segment);
  // What comes does not follow what was: those who are there go on at the next key frame.
  void interrupt();
  // Appends what the buffer completes. Malformed: it is not what the caps say.
  [[nodiscard]] flv::Status take(GstBuffer *buffer, std::vector<fanout::Entry> &out);
  void finish(std::vector<fanout::Entry> &out);

  // The type for clients; empty before it is known.
  [[nodiscard]] const std::string &content_type() const { return type_; }
  // Whether the caps have told how the stream begins.
  [[nodiscard]] bool has_header() const { return has_header_; }
  // Whether the stream can be read from its start only: a container whose header is not in the
  // caps.
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

  // Of all else.
  fanout::JoinHeaderPtr head_;
  std::vector<std::vector<std::uint8_t>> parts_; // the head's buffers
  GstSegment segment_{};
  std::int64_t time_ = 0; // ms: the last one
  std::int64_t shift_ = 0;
  bool waiting_ = true; // for a place to join
  bool flowing_ = false;
  bool interrupted_ = false;
  bool head_changed_ = false;
  bool header_joins_ = false; // in front of what comes next stood a header that can be joined at
};

} // namespace flvhttp
