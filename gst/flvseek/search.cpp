// SPDX-License-Identifier: LGPL-2.1-or-later
#include "search.h"

#include <utility>

#include "base/state_change.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_seek_debug);
#define GST_CAT_DEFAULT gst_flv_seek_debug

namespace flvseek {

void Search::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, element_, "Search", state_, std::move(next));
}

Search::State Search::begin(const Request &request, guint32 seqnum) {
  const std::lock_guard lock(mutex_);
  State before = state_;
  set_state(Searching{request, seqnum});
  return before;
}

void Search::begin_again() {
  const std::lock_guard lock(mutex_);
  if (!std::holds_alternative<Searching>(state_))
    set_state(Searching{last_request(), GST_SEQNUM_INVALID});
}

void Search::cancel(guint32 seqnum, State before) {
  const std::lock_guard lock(mutex_);
  const auto *searching = std::get_if<Searching>(&state_);
  if (searching && searching->seqnum == seqnum)
    set_state(std::move(before));
}

void Search::found(Decision decision) {
  const std::lock_guard lock(mutex_);
  set_state(Found{std::move(decision)});
}

void Search::fail() {
  const std::lock_guard lock(mutex_);
  if (std::holds_alternative<Searching>(state_))
    set_state(Idle{last_request()});
}

std::optional<Decision> Search::take() {
  const std::lock_guard lock(mutex_);
  auto *found = std::get_if<Found>(&state_);
  if (!found)
    return std::nullopt;
  Decision decision = std::move(found->decision);
  set_state(Sending{decision.request});
  return decision;
}

Request Search::request() const {
  const std::lock_guard lock(mutex_);
  return last_request();
}

const Request &Search::last_request() const {
  return std::visit(
      [](const auto &state) -> const Request & {
        if constexpr (requires { state.decision; })
          return state.decision.request;
        else
          return state.request;
      },
      state_);
}

guint32 Search::seqnum() const {
  const std::lock_guard lock(mutex_);
  const auto *searching = std::get_if<Searching>(&state_);
  return searching ? searching->seqnum : GST_SEQNUM_INVALID;
}

} // namespace flvseek
