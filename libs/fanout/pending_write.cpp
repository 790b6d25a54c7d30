// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pending_write.h"

#include <utility>

namespace fanout {

std::vector<std::uint8_t> PendingWrite::finish() {
  std::vector<std::uint8_t> memory = take_prefix();
  set_state(Idle{});
  memory.clear();
  return memory;
}

std::vector<std::uint8_t> PendingWrite::take_prefix() {
  if (Prepared *write = std::get_if<Prepared>(&state_))
    return std::move(write->prefix);
  if (Partial *rest = std::get_if<Partial>(&state_))
    return std::move(rest->prefix);
  return {};
}

void PendingWrite::add_written(std::size_t size) {
  if (Partial *rest = std::get_if<Partial>(&state_))
    rest->written += size;
  else
    states::fail_transition("PendingWrite", states::name_of(state_), Partial::kName);
}

void PendingWrite::discard_unstarted(std::vector<std::uint8_t> &queue) {
  Prepared *write = std::get_if<Prepared>(&state_);
  if (!write)
    return;
  std::vector<std::uint8_t> queued = std::move(write->prefix);
  queued.resize(write->queued_size);
  queued.insert(queued.end(), queue.begin(), queue.end());
  queue = std::move(queued);
  set_state(Idle{});
}

Bytes PendingWrite::prefix() const {
  if (const Partial *rest = partial())
    return rest->prefix;
  if (const Prepared *write = prepared())
    return write->prefix;
  return {};
}

} // namespace fanout
