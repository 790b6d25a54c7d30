// SPDX-License-Identifier: LGPL-2.1-or-later
// The file header of the output, and the stream header in its caps.
#pragma once

#include <variant>
#include <vector>

#include "base/gst_ptr.h"
#include "flv/stream/stream_header.h"
#include "states/transition.h"

namespace flvpace {

// The output has one file header per start from READY. It is the input's first file header. If the
// input is joined in its middle, a file header is created for it.
//
//               receive()               mark_sent()
//    Missing --------------> Unsent -----------------> Sent
//       |                      ^
//       | create()             | announce()
//       +--> Provisional ------+
//
// clear() leads from each state to Missing. A flush does not change the state.
class OutputHeader {
public:
  struct Missing {
    static constexpr const char *kName = "Missing";

    bool joins = false;                       // the input may start in its middle
    std::vector<gstflv::BufferPtr> from_caps; // `streamheader` of the input's caps
  };
  // The kinds of the stream are not known yet.
  struct Provisional {
    static constexpr const char *kName = "Provisional";
  };
  struct Unsent {
    static constexpr const char *kName = "Unsent";

    gstflv::BufferPtr buffer;
  };
  struct Sent {
    static constexpr const char *kName = "Sent";
  };
  using State = std::variant<Missing, Provisional, Unsent, Sent>;
  using Transitions = states::TransitionTable<
      states::Transition<Missing, Unsent>, states::Transition<Missing, Provisional>,
      states::Transition<Provisional, Unsent>, states::Transition<Unsent, Sent>,
      states::Transition<Provisional, Missing>, states::Transition<Unsent, Missing>,
      states::Transition<Sent, Missing>>;

  explicit OutputHeader(GstElement *element) : element_(element), state_(Missing{}) {} // borrowed

  void clear();

  [[nodiscard]] bool is_missing() const { return std::holds_alternative<Missing>(state_); }
  [[nodiscard]] bool is_provisional() const { return std::holds_alternative<Provisional>(state_); }
  [[nodiscard]] bool is_sent() const { return std::holds_alternative<Sent>(state_); }

  // Only in Missing: set_joining() has no effect in the other states, and set_caps_header() throws.
  void set_joining(bool joins);
  void set_caps_header(std::vector<gstflv::BufferPtr> header);
  // Whether an input with this start does not start with a file header, but may be joined in its
  // middle.
  [[nodiscard]] bool can_join(flv::Bytes start) const;
  // Creates a file header, which announces all kinds until announce(). Returns the `streamheader`
  // of the input's caps.
  [[nodiscard]] std::vector<gstflv::BufferPtr> create();
  // Sets the kinds of a created file header.
  void announce(bool has_audio, bool has_video);
  // The input has a file header.
  void receive(const flv::FileHeader &header, gstflv::BufferPtr buffer);
  // nullptr: the file header is not known, or sent.
  [[nodiscard]] GstBuffer *unsent() const;
  void mark_sent() { set_state(Sent{}); }

  // The kinds that the file header announces.
  [[nodiscard]] const flv::FileHeader &announced() const { return announced_; }

  // Adds a tag to the stream header, as StreamHeader::note().
  flv::StreamHeader::Change note(const flv::TagHeader &header, const flv::TagInfo &info,
                                 flv::Bytes tag) {
    return stream_header_.note(header, info, tag);
  }
  [[nodiscard]] std::vector<flv::SharedBytes> parts() const { return stream_header_.parts(); }

private:
  void set_state(State next);
  void set_unsent(const flv::FileHeader &header, gstflv::BufferPtr buffer);

  GstElement *element_;
  State state_;
  flv::FileHeader announced_;
  flv::StreamHeader stream_header_;
};

} // namespace flvpace
