// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts caps and buffers into entries of a backlog. Used by the streaming thread.
#pragma once

#include <variant>

#include "base/gst_ptr.h"
#include "container.h"
#include "fanout/flv_ingest.h"
#include "states/transition.h"

namespace flvhttp {

//                  start point
//    AwaitStartPoint -----------------> Flowing
//        ^                            |
//        |  interruption, or          |
//        |  another header in caps    |
//        +----------------------------+
//
// These are the states of containers other than FLV. FlvIngest has those of FLV.
class Ingest {
public:
  // Buffers are dropped.
  struct AwaitStartPoint {
    static constexpr const char *kName = "AwaitStartPoint";

    // The time continues from the last entry.
    bool is_interrupted = false;
    // The next buffer is a start point, because the header before it is not a delta unit.
    bool header_joins = false;
  };
  struct Flowing {
    static constexpr const char *kName = "Flowing";
  };
  using State = std::variant<AwaitStartPoint, Flowing>;
  using Transitions = states::TransitionTable<states::Transition<AwaitStartPoint, Flowing>,
                                              states::Transition<Flowing, AwaitStartPoint>>;

  // The log of changes names `element` (borrowed).
  explicit Ingest(GstElement *element) : element_(element) {}

  // Resets all state for another stream.
  void clear();
  void set_caps(GstCaps *caps);
  void set_segment(const GstSegment &segment);
  // Notes a discontinuity: connected clients continue at the next key frame.
  void interrupt();
  // Appends the entries that the buffer completes. Malformed: the stream is not FLV.
  [[nodiscard]] flv::Status take(GstBuffer *buffer, std::vector<fanout::Entry> &out);
  void finish(std::vector<fanout::Entry> &out);

  // The type is empty while it is unknown.
  [[nodiscard]] const Container &container() const { return container_; }
  [[nodiscard]] const flv::Fault &fault() const { return flv_.fault(); }

private:
  void set_state(State next);
  [[nodiscard]] AwaitStartPoint &await_start_point();
  [[nodiscard]] bool is_flv() const;
  [[nodiscard]] flv::Status take_opaque(GstBuffer *buffer, const std::shared_ptr<const void> &owner,
                                        flv::Bytes bytes, std::vector<fanout::Entry> &out);
  [[nodiscard]] std::int64_t time_of(GstBuffer *buffer, bool is_interrupted);
  void find_out(flv::Bytes start);

  GstElement *element_;
  Container container_;
  bool has_entries_ = false; // the stream has had entries
  fanout::FlvIngest flv_;

  // For containers other than FLV.
  State state_ = AwaitStartPoint{};
  fanout::JoinHeaderPtr join_header_;
  fanout::JoinHeaderPtr sent_join_header_;       // of the last entry
  std::vector<std::vector<std::uint8_t>> parts_; // the buffers of the stream header
  GstSegment segment_{};
  std::int64_t time_ = 0; // ms: the time of the last entry
  std::int64_t shift_ = 0;
};

} // namespace flvhttp
