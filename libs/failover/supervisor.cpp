// SPDX-License-Identifier: LGPL-2.1-or-later
#include "supervisor.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace failover {

const char *nick_of(SwitchReason reason) {
  switch (reason) {
  case SwitchReason::Start:
    return "start";
  case SwitchReason::Lost:
    return "lost";
  case SwitchReason::FailBack:
    return "fail-back";
  case SwitchReason::Request:
    return "request";
  }
  return "";
}

Supervisor::Supervisor(std::size_t sources, const Settings &settings, double (*random)())
    : settings_(settings), random_(random), slots_(sources) {}

void Supervisor::set_source(Index index, Source next) {
  states::change_state<SourceTransitions>("Source", slots_[index].source, std::move(next));
}

void Supervisor::set_selection(Selection next) {
  states::change_state<SelectionTransitions>("Selection", selection_, next);
}

void Supervisor::set_demand_state(Demand next) {
  states::change_state<DemandTransitions>("Demand", demand_, next);
}

Health *Supervisor::health_of(Source &source) {
  if (auto *connecting = std::get_if<Connecting>(&source))
    return &connecting->health;
  auto *delivering = std::get_if<Delivering>(&source);
  return delivering ? &delivering->health : nullptr;
}

const Health *Supervisor::health_of(const Source &source) {
  return health_of(const_cast<Source &>(source)); // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

std::optional<Index> Supervisor::in_use() const {
  const auto *in_use = std::get_if<Using>(&selection_);
  return in_use ? std::optional(in_use->index) : std::nullopt;
}

std::vector<Action> Supervisor::take_actions() {
  return std::exchange(actions_, {});
}

// --- Start, demand, requests ---

void Supervisor::start(Time now) {
  if (!settings_.on_demand)
    set_demand_state(Wanted{});
  update(now);
}

void Supervisor::set_settings(const Settings &settings) {
  const bool on_demand = settings_.on_demand;
  settings_ = settings;
  settings_.on_demand = on_demand;
}

void Supervisor::set_demand(bool is_wanted, Time now) {
  if (!settings_.on_demand)
    return;
  if (is_wanted && !std::holds_alternative<Wanted>(demand_))
    set_demand_state(Wanted{});
  else if (!is_wanted && std::holds_alternative<Wanted>(demand_))
    set_demand_state(Lingering{now + settings_.idle_timeout});
  update(now);
}

bool Supervisor::request(Index index, Time now) {
  if (index >= slots_.size() || std::holds_alternative<Off>(selection_))
    return false;
  requested_ = index;
  if (auto *waiting = std::get_if<Waiting>(&slots_[index].source))
    waiting->until = now;
  update(now);
  return true;
}

void Supervisor::check_demand(Time now) {
  const auto *lingering = std::get_if<Lingering>(&demand_);
  if (lingering && now >= lingering->until)
    set_demand_state(Unwanted{});
  const bool is_off = std::holds_alternative<Off>(selection_);
  if (std::holds_alternative<Unwanted>(demand_)) {
    if (!is_off)
      set_selection(Off{});
    requested_.reset();
  } else if (is_off) {
    level_ = 0;
    previous_.reset();
    set_selection(Searching{});
  }
}

// --- Deadlines ---

void Supervisor::update(Time now) {
  check_demand(now);
  check_health(now);
  reconcile(now);
}

void Supervisor::check_health(Time now) {
  for (Index index = 0; index < slots_.size(); index++) {
    const Health *health = health_of(slots_[index].source);
    if (!health)
      continue;
    if (const auto loss = health->loss(now, settings_.timeout))
      lose(index, *loss, "", now);
    else if (const auto *delivering = std::get_if<Delivering>(&slots_[index].source);
             delivering && now - delivering->since >= settings_.timeout)
      slots_[index].failures = 0;
  }
}

std::optional<Time> Supervisor::next_deadline(Time now) const {
  std::optional<Time> next;
  const auto note = [&next](Time time) { next = next ? std::min(*next, time) : time; };
  if (const auto *lingering = std::get_if<Lingering>(&demand_))
    note(lingering->until);
  for (const Slot &slot : slots_) {
    constexpr Time kNever = std::numeric_limits<Time>::max();
    if (const Health *health = health_of(slot.source)) {
      if (const Time deadline = health->deadline(settings_.timeout); deadline != kNever)
        note(deadline);
    }
    if (const auto *waiting = std::get_if<Waiting>(&slot.source))
      note(waiting->until);
    const auto *delivering = std::get_if<Delivering>(&slot.source);
    if (delivering && settings_.fail_back > 0 && now < delivering->since + settings_.fail_back)
      note(delivering->since + settings_.fail_back);
  }
  return next;
}

// --- The sources ---

void Supervisor::note_bytes(Index index, Time now) {
  if (Health *health = health_of(slots_[index].source))
    health->note_bytes(now);
}

void Supervisor::note_media(Index index, Time now, std::int64_t time) {
  if (Health *health = health_of(slots_[index].source))
    health->note_media(now, time);
}

void Supervisor::note_untimed_media(Index index, Time now) {
  if (Health *health = health_of(slots_[index].source))
    health->note_untimed_media(now);
}

void Supervisor::note_blocked(Index index, bool is_blocked, Time now) {
  Health *health = health_of(slots_[index].source);
  if (!health)
    return;
  if (is_blocked)
    health->block(now);
  else
    health->unblock(now);
}

void Supervisor::note_start_point(Index index, Time now) {
  Slot &slot = slots_[index];
  if (const auto *connecting = std::get_if<Connecting>(&slot.source)) {
    Delivering delivering{now, connecting->health};
    delivering.health.note_start_point();
    set_source(index, delivering);
    if (std::exchange(slot.is_reported, false))
      actions_.emplace_back(ReportBack{index});
  }
}

void Supervisor::note_lost(Index index, Loss loss, const std::string &text, Time now) {
  if (is_running(slots_[index].source))
    lose(index, loss, text, now);
  update(now);
}

void Supervisor::note_repeat(Index index, Time now) {
  Slot &slot = slots_[index];
  const Health *health = health_of(slot.source);
  if (!health)
    return;
  const Time until = std::max(now, health->started() + settings_.retry.min);
  slot.counters.repeats++;
  actions_.emplace_back(StopSource{index});
  set_source(index, Waiting{until});
  update(now);
}

void Supervisor::lose(Index index, Loss loss, const std::string &text, Time now) {
  Slot &slot = slots_[index];
  if (const auto *delivering = std::get_if<Delivering>(&slot.source)) {
    slot.counters.losses++;
    if (now - delivering->since >= settings_.timeout)
      slot.failures = 0;
  }
  slot.failures++;
  slot.counters.last_loss = loss;
  slot.counters.last_text = text;
  const Time delay = retry_delay(settings_.retry, slot.failures, random_());
  const bool was_in_use = in_use() == index;
  actions_.emplace_back(StopSource{index});
  const bool is_news = !std::exchange(slot.is_reported, true);
  actions_.emplace_back(ReportLost{index, loss, text, was_in_use, is_news, delay});
  set_source(index, Waiting{now + delay});
  if (requested_ == index)
    requested_.reset();
  if (was_in_use) {
    level_ = index;
    set_selection(Searching{});
  }
}

void Supervisor::connect(Index index, Time now) {
  slots_[index].counters.attempts++;
  set_source(index, Connecting{Health(now)});
  actions_.emplace_back(StartSource{index});
}

void Supervisor::stop(Index index) {
  if (is_running(slots_[index].source))
    actions_.emplace_back(StopSource{index});
  set_source(index, Idle{});
}

// --- Which sources run ---

bool Supervisor::is_wanted(Index index) const {
  if (std::holds_alternative<Off>(selection_))
    return false;
  if (requested_ == index)
    return true;
  const auto in_use = this->in_use();
  if (!in_use)
    return index <= level_;
  return index == *in_use || (index < *in_use && settings_.fail_back > 0 && !requested_);
}

// Searching: if the source with the lowest priority that runs is lost, the next one starts too.
void Supervisor::raise_level() {
  const auto delivers = [](const Slot &slot) {
    return std::holds_alternative<Delivering>(slot.source);
  };
  if (!std::holds_alternative<Searching>(selection_) ||
      std::any_of(slots_.begin(), slots_.end(), delivers))
    return;
  while (level_ + 1 < slots_.size() && std::holds_alternative<Waiting>(slots_[level_].source))
    level_++;
}

void Supervisor::reconcile(Time now) {
  raise_level();
  for (Index index = 0; index < slots_.size(); index++) {
    const Source &source = slots_[index].source;
    const bool is_idle = std::holds_alternative<Idle>(source);
    const auto *waiting = std::get_if<Waiting>(&source);
    if (!is_wanted(index)) {
      if (!is_idle)
        stop(index);
    } else if (is_idle || (waiting && now >= waiting->until)) {
      connect(index, now);
    }
  }
}

// --- The source in use ---

bool Supervisor::is_good(Index index, Time now) const {
  const auto *delivering = std::get_if<Delivering>(&slots_[index].source);
  return delivering && now - delivering->since >= settings_.fail_back;
}

// The source to which a switch is due.
std::optional<Index> Supervisor::target(Time now) const {
  const auto in_use = this->in_use();
  if (!in_use)
    return std::nullopt;
  if (requested_)
    return requested_ != in_use ? requested_ : std::nullopt;
  if (settings_.fail_back == 0)
    return std::nullopt;
  for (Index index = 0; index < *in_use; index++) {
    if (is_good(index, now))
      return index;
  }
  return std::nullopt;
}

bool Supervisor::wants_output(Index index, Time now) const {
  if (!is_running(slots_[index].source))
    return false;
  return std::holds_alternative<Searching>(selection_) || in_use() == index || target(now) == index;
}

void Supervisor::note_output(Index index, Time now) {
  const auto before = in_use();
  if (before == index) // the source was started again
    return;
  SwitchReason reason = previous_ ? SwitchReason::Lost : SwitchReason::Start;
  if (requested_ == index)
    reason = SwitchReason::Request;
  else if (before)
    reason = SwitchReason::FailBack;
  set_selection(Using{index});
  switches_++;
  actions_.emplace_back(ReportSwitch{index, std::exchange(previous_, index), reason});
  if (index == 0)
    requested_.reset(); // the first source needs no request to stay
  update(now);
}

} // namespace failover
