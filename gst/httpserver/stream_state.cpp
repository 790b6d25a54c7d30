// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream_state.h"

#include <utility>

#include "base/state_change.h"
#include "categories.h"

#define GST_CAT_DEFAULT gst_http_server_stream_debug

namespace flvhttp {

void StreamState::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, element_, "stream", state_, std::move(next));
}

const Container *StreamState::container() const {
  if (const auto *typed = std::get_if<Typed>(&state_))
    return &typed->container;
  if (const auto *ready = std::get_if<Ready>(&state_))
    return &ready->container;
  if (const auto *ended = std::get_if<Ended>(&state_))
    return &ended->container;
  const auto *empty = std::get_if<EndedEmpty>(&state_);
  return empty && empty->container ? &*empty->container : nullptr;
}

void StreamState::set_container(Container container) {
  if (auto *ready = std::get_if<Ready>(&state_)) {
    ready->container = std::move(container);
  } else if (auto *ended = std::get_if<Ended>(&state_)) {
    ended->container = std::move(container);
  } else if (auto *empty = std::get_if<EndedEmpty>(&state_)) {
    empty->container = std::move(container);
  } else if (!is_closing()) {
    const bool is_startable = container.header == ContainerHeader::InCaps;
    if (auto *typed = std::get_if<Typed>(&state_))
      typed->container = std::move(container);
    else
      set_state(Typed{std::move(container)});
    if (is_startable)
      note_start_point();
  }
}

void StreamState::note_start_point() {
  if (auto *typed = std::get_if<Typed>(&state_))
    set_state(Ready{std::move(typed->container)});
}

void StreamState::end() {
  if (auto *ready = std::get_if<Ready>(&state_))
    set_state(Ended{std::move(ready->container)});
  else if (auto *typed = std::get_if<Typed>(&state_))
    set_state(EndedEmpty{std::move(typed->container)});
  else if (std::holds_alternative<NoType>(state_))
    set_state(EndedEmpty{});
}

void StreamState::resume() {
  if (auto *ended = std::get_if<Ended>(&state_)) {
    set_state(Ready{std::move(ended->container)});
  } else if (auto *empty = std::get_if<EndedEmpty>(&state_)) {
    const std::optional<Container> known = std::move(empty->container);
    set_state(NoType{});
    if (known)
      set_container(*known);
  }
}

void StreamState::close() {
  if (!is_closing())
    set_state(Closing{});
}

const std::string &StreamState::type() const {
  static const std::string unknown;
  const Container *known = container();
  return known ? known->type : unknown;
}

bool StreamState::is_readable_only_from_start() const {
  const Container *known = container();
  return known && known->header == ContainerHeader::AtStart;
}

} // namespace flvhttp
