// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether a stream can be sent to clients: its container is known, it has a start point, it has
// ended.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include <gst/gst.h>

#include "container.h"
#include "states/transition.h"

namespace flvhttp {

//            type known           start point, or             end
//                                 header in the caps
//    NoType -----------> Typed -----------------------> Ready -----> Ended
//     |  ^                 |                              ^            |
//     |  | resumes         | end                          +------------+
//     |  |                 v                                 resumes
//     |  +----------- EndedEmpty
//     |                    ^
//     +--------------------+
//              end
//
//    all of them -----> Closing
//
// A stream that resumes in EndedEmpty with a known type continues to Typed, or to Ready if the caps
// have the header. Clients get the stream in Ready and Ended.
class StreamState {
public:
  struct NoType {
    static constexpr const char *kName = "NoType";
  };
  struct Typed {
    static constexpr const char *kName = "Typed";

    Container container;
  };
  struct Ready {
    static constexpr const char *kName = "Ready";

    Container container;
  };
  struct Ended {
    static constexpr const char *kName = "Ended";

    Container container;
  };
  // The stream has ended, and no client could start.
  struct EndedEmpty {
    static constexpr const char *kName = "EndedEmpty";

    std::optional<Container> container; // nullopt: the type is not known
  };
  // All clients are being closed.
  struct Closing {
    static constexpr const char *kName = "Closing";
  };
  using State = std::variant<NoType, Typed, Ready, Ended, EndedEmpty, Closing>;
  using Transitions = states::TransitionTable<
      states::Transition<NoType, Typed>, states::Transition<Typed, Ready>,
      states::Transition<Ready, Ended>, states::Transition<Ended, Ready>,
      states::Transition<NoType, EndedEmpty>, states::Transition<Typed, EndedEmpty>,
      states::Transition<EndedEmpty, NoType>, states::Transition<NoType, Closing>,
      states::Transition<Typed, Closing>, states::Transition<Ready, Closing>,
      states::Transition<Ended, Closing>, states::Transition<EndedEmpty, Closing>>;

  // The log of changes names `element` (borrowed).
  explicit StreamState(GstElement *element = nullptr) : element_(element) {}

  // The container is known, or has changed.
  void set_container(Container container);
  // The stream has had a start point.
  void note_start_point();
  // Does nothing if the stream has ended already.
  void end();
  // The stream continues. Does nothing if it has not ended.
  void resume();
  // Does nothing in Closing.
  void close();

  [[nodiscard]] bool awaits_start_point() const { return std::holds_alternative<Typed>(state_); }
  [[nodiscard]] bool can_be_sent() const {
    return std::holds_alternative<Ready>(state_) || std::holds_alternative<Ended>(state_);
  }
  [[nodiscard]] bool has_ended() const {
    return std::holds_alternative<Ended>(state_) || std::holds_alternative<EndedEmpty>(state_);
  }
  [[nodiscard]] bool is_closing() const { return std::holds_alternative<Closing>(state_); }
  [[nodiscard]] bool is_same_state(const StreamState &other) const {
    return state_.index() == other.state_.index();
  }

  // Empty if the type is not known, and in Closing.
  [[nodiscard]] const std::string &type() const;
  // Whether the stream can be read only from its start.
  [[nodiscard]] bool is_readable_only_from_start() const;
  // false: the stream has begun, and can be read only from its start.
  [[nodiscard]] bool can_be_joined() const {
    return !(std::holds_alternative<Ready>(state_) && is_readable_only_from_start());
  }

private:
  void set_state(State next);
  [[nodiscard]] const Container *container() const;

  GstElement *element_;
  State state_;
};

} // namespace flvhttp
