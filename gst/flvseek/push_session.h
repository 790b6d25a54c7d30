// SPDX-License-Identifier: LGPL-2.1-or-later
// Push mode: whether upstream sends bytes, and the seeks of the session to upstream.
#pragma once

#include <mutex>
#include <optional>
#include <variant>

#include <gst/gst.h>

#include "states/transition.h"

namespace flvseek {

//             start()              begin_jump()
//    Unknown ---------> Flowing ----------------> Jumping --+
//                        ^  |  ^                   |  | ^   | begin_jump()
//                        |  |  |   finish_jump(),  |  | +---+
//                        |  |  |   fail_jump()     |  |
//                        |  |  +-------------------+  |
//               resume() |  | end()                   | end()
//                        |  v                         |
//                       Ended <-----------------------+
//
// reset() leads from each state to Unknown. begin_jump() also leads from Ended to Jumping. All
// functions can be called from any thread. start() is for Unknown only; begin_jump() and end() are
// not for Unknown.
class PushSession {
public:
  // No bytes have arrived, and it is not known how upstream can be read.
  struct Unknown {
    static constexpr const char *kName = "Unknown";
  };
  struct Flowing {
    static constexpr const char *kName = "Flowing";
  };
  // The session has sent a seek, and upstream has not flushed.
  struct Jumping {
    static constexpr const char *kName = "Jumping";
    guint64 position = 0; // the offset of the first byte after the flush
  };
  // Upstream sends nothing more until it receives a seek.
  struct Ended {
    static constexpr const char *kName = "Ended";
  };
  using State = std::variant<Unknown, Flowing, Jumping, Ended>;
  using Transitions = states::TransitionTable<
      states::Transition<Unknown, Flowing>, states::Transition<Flowing, Jumping>,
      states::Transition<Flowing, Ended>, states::Transition<Flowing, Unknown>,
      states::Transition<Jumping, Jumping>, states::Transition<Jumping, Flowing>,
      states::Transition<Jumping, Ended>, states::Transition<Jumping, Unknown>,
      states::Transition<Ended, Jumping>, states::Transition<Ended, Flowing>,
      states::Transition<Ended, Unknown>>;

  explicit PushSession(GstElement *element) : element_(element) {} // borrowed

  // A new stream.
  void reset();
  // It is known how upstream can be read.
  void start();
  [[nodiscard]] bool is_unknown() const { return is<Unknown>(); }

  // A seek to `position` is to be sent to upstream. Returns its seqnum.
  [[nodiscard]] guint32 begin_jump(guint64 position);
  // Upstream refuses the seek.
  void fail_jump();
  // Upstream has flushed. Returns the position; nullopt: no answer is awaited.
  [[nodiscard]] std::optional<guint64> finish_jump();
  // Whether the seqnum is that of the last jump.
  [[nodiscard]] bool is_own(guint32 seqnum) const;

  // EOS has arrived, or an error stops upstream.
  void end();
  // After a flush or a seek, upstream sends bytes again.
  void resume();
  [[nodiscard]] bool has_ended() const { return is<Ended>(); }

private:
  void set_state(State next); // with mutex_
  template <typename Each> [[nodiscard]] bool is() const {
    const std::lock_guard lock(mutex_);
    return std::holds_alternative<Each>(state_);
  }

  GstElement *element_;
  mutable std::mutex mutex_; // guards the members below
  State state_;
  guint32 seqnum_ = GST_SEQNUM_INVALID; // of the last jump, in all states
};

} // namespace flvseek
