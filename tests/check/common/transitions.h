// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks of transition tables.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>

#include "states/transition.h"

namespace flvtest {

// The changes from one state to each of the states, in their order.
template <typename Table, typename From, typename... To>
constexpr std::array<bool, sizeof...(To)> changes_from(const std::variant<To...> *) {
  return {Table::template kAllows<From, To>...};
}

// Whether the changes from state `From` are those in `expected`: one character for each state of
// the variant `State`, in its order; 'x': the change is allowed.
template <typename Table, typename State, typename From>
constexpr bool allows(std::string_view expected) {
  const auto changes = changes_from<Table, From>(static_cast<const State *>(nullptr));
  if (expected.size() != changes.size())
    return false;
  for (std::size_t to = 0; to < changes.size(); ++to) {
    if (changes[to] != (expected[to] == 'x'))
      return false;
  }
  return true;
}

// The same for a class with the usual names.
template <typename Class, typename From> constexpr bool allows(std::string_view expected) {
  return allows<typename Class::Transitions, typename Class::State, From>(expected);
}

// Performs the change, which aborts if the table lacks it.
template <typename Table, typename State> void change_by_table(State from, State to) {
  states::change_state<Table, State>("test", from, std::move(to));
}

template <typename Class> void change(typename Class::State from, typename Class::State to) {
  change_by_table<typename Class::Transitions>(std::move(from), std::move(to));
}

} // namespace flvtest
