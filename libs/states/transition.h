// SPDX-License-Identifier: LGPL-2.1-or-later
// Checked state changes. A class keeps its state in one std::variant, lists the changes that are
// allowed, and changes the state through change_state() only, or resets the whole object.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

namespace states {

template <typename From, typename To> struct Transition {};

template <typename... Transitions> struct TransitionTable;

template <typename... From, typename... To> struct TransitionTable<Transition<From, To>...> {
  template <typename A, typename B>
  static constexpr bool kAllows = (... || (std::is_same_v<A, From> && std::is_same_v<B, To>));

  template <typename State> static constexpr bool allows(const State &state, const State &next) {
    return (... || (std::holds_alternative<From>(state) && std::holds_alternative<To>(next)));
  }
};

// Prints the class and the two states to stderr, and aborts.
[[noreturn]] void fail_transition(const char *name, const char *from, const char *to);

template <typename State> const char *name_of(const State &state) {
  return std::visit([](const auto &each) { return each.kName; }, state);
}

// Aborts if `Table` does not list the change, in release builds too: a wrong state would send
// damaged data. `name` is the class.
template <typename Table, typename State>
void change_state(const char *name, State &state, State next) {
  if (!Table::allows(state, next))
    fail_transition(name, name_of(state), name_of(next));
  state = std::move(next);
}

} // namespace states
