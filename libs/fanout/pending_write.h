// SPDX-License-Identifier: LGPL-2.1-or-later
// The data that one client receives next: its queued bytes, then entries of the backlog.
#pragma once

#include <algorithm>
#include <variant>
#include <vector>

#include "backlog.h"
#include "states/transition.h"

namespace fanout {

// A write that has not started can be discarded and prepared again. A write that has started must
// be completed. It keeps its entries, because the backlog may evict them.
//
//           prepare()              retain()
//    Idle ------------> Prepared ------------> Partial
//     ^                    |                      |
//     |      finish(),     |                      |
//     | discard_unstarted()|       finish()       |
//     +--------------------+----------------------+
class PendingWrite {
public:
  using Number = Backlog::Number;

  struct Idle {
    static constexpr const char *kName = "Idle";
  };
  struct Prepared {
    static constexpr const char *kName = "Prepared";

    std::vector<std::uint8_t> prefix; // queued bytes, then the header of a WebSocket message
    std::size_t queued_size = 0;      // bytes of the prefix that go back to the queue if discarded
    Number begin = 0;                 // the range of entries
    Number end = 0;
  };
  struct Partial {
    static constexpr const char *kName = "Partial";

    std::vector<std::uint8_t> prefix;
    std::vector<Entry> retained;
    std::size_t written = 0; // bytes of the prefix and the entries
  };
  using State = std::variant<Idle, Prepared, Partial>;
  using Transitions = states::TransitionTable<
      states::Transition<Idle, Prepared>, states::Transition<Prepared, Partial>,
      states::Transition<Prepared, Idle>, states::Transition<Partial, Idle>>;

  [[nodiscard]] bool is_idle() const { return std::holds_alternative<Idle>(state_); }
  [[nodiscard]] const Prepared *prepared() const { return std::get_if<Prepared>(&state_); }
  [[nodiscard]] const Partial *partial() const { return std::get_if<Partial>(&state_); }

  void prepare(Prepared write) { set_state(std::move(write)); }
  // Part of the prepared write is written. `rest` is the whole write, or the entry that is partly
  // written.
  void retain(Partial rest) { set_state(std::move(rest)); }
  // `size` more bytes of the partial write are written.
  void add_written(std::size_t size);
  // Returns the memory of the prefix, so that the next write can use it.
  std::vector<std::uint8_t> finish();
  // Moves the queued bytes of a prepared write back to the front of `queue`. Does nothing in the
  // other states.
  void discard_unstarted(std::vector<std::uint8_t> &queue);

  [[nodiscard]] Bytes prefix() const;
  [[nodiscard]] std::vector<std::uint8_t> take_prefix();
  // Bytes of the partial write that are written; 0 in the other states.
  [[nodiscard]] std::size_t written() const { return partial() ? partial()->written : 0; }
  template <typename Visit> void each_entry(const Backlog &backlog, Visit visit) const;

private:
  void set_state(State next) {
    states::change_state<Transitions>("PendingWrite", state_, std::move(next));
  }

  State state_;
};

template <typename Visit> void PendingWrite::each_entry(const Backlog &backlog, Visit visit) const {
  if (const Partial *rest = partial()) {
    std::for_each(rest->retained.begin(), rest->retained.end(), visit);
  } else if (const Prepared *write = prepared()) {
    for (Number number = write->begin; number < write->end; number++)
      visit(backlog.at(number));
  }
}

} // namespace fanout
