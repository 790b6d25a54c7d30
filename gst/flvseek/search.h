// SPDX-License-Identifier: LGPL-2.1-or-later
// The search for a start, from its request until its stream begins.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "seek_request.h"
#include "states/transition.h"

namespace flvseek {

// A start that was found, and its request.
struct Decision {
  Request request;
  flv::StreamStart start;
  std::vector<std::uint64_t> rejected;
  std::vector<std::string> notes;
};

//           begin()              found()            take()
//    Idle -----------> Searching ----------> Found ----------> Sending
//      ^                |  ^  ^               | ^                | |
//      |     fail()     |  |  |    begin()    | |    found()     | |
//      +----------------+  |  +---------------+ +----------------+ |
//                          |               begin()                 |
//                          +---------------------------------------+
//
// begin() also replaces a search by another one. cancel() leads from Searching to the state before
// begin(). In pull mode, found() also leads from Idle to Found, and replaces a start that has not
// begun. All functions can be called from any thread.
class Search {
public:
  // The start for the request was not found, or there was no request.
  struct Idle {
    static constexpr const char *kName = "Idle";
    Request request;
  };
  // The streaming thread has to search for a start.
  struct Searching {
    static constexpr const char *kName = "Searching";
    Request request;
    guint32 seqnum = GST_SEQNUM_INVALID; // of the seek; INVALID: that of the stream before
  };
  struct Found {
    static constexpr const char *kName = "Found";
    Decision decision;
  };
  // The stream has begun.
  struct Sending {
    static constexpr const char *kName = "Sending";
    Request request;
  };
  using State = std::variant<Idle, Searching, Found, Sending>;
  using Transitions = states::TransitionTable<
      states::Transition<Idle, Searching>, states::Transition<Idle, Found>,
      states::Transition<Searching, Searching>, states::Transition<Searching, Found>,
      states::Transition<Searching, Idle>, states::Transition<Searching, Sending>,
      states::Transition<Found, Sending>, states::Transition<Found, Searching>,
      states::Transition<Found, Found>, states::Transition<Sending, Searching>,
      states::Transition<Sending, Found>>;

  explicit Search(GstElement *element) : element_(element) {} // borrowed

  // Returns the state before.
  State begin(const Request &request, guint32 seqnum);
  // Searches for the last request again.
  void begin_again();
  // The seek with this seqnum is not possible. Does nothing if its start is already found.
  void cancel(guint32 seqnum, State before);
  void found(Decision decision);
  // Does nothing if no search is under way.
  void fail();
  // The stream of the start begins. nullopt: there is no start, or another search has replaced it.
  [[nodiscard]] std::optional<Decision> take();

  [[nodiscard]] bool is_searching() const { return is<Searching>(); }
  [[nodiscard]] bool has_found() const { return is<Found>(); }
  // The last request.
  [[nodiscard]] Request request() const;
  // Searching: the seqnum of its seek. INVALID in the other states.
  [[nodiscard]] guint32 seqnum() const;

private:
  void set_state(State next); // with mutex_
  [[nodiscard]] const Request &last_request() const;
  template <typename Each> [[nodiscard]] bool is() const {
    const std::lock_guard lock(mutex_);
    return std::holds_alternative<Each>(state_);
  }

  GstElement *element_;
  mutable std::mutex mutex_; // guards the state
  State state_;
};

} // namespace flvseek
