// SPDX-License-Identifier: LGPL-2.1-or-later
// Decides which sources run, and which of them is in use. Sources are numbered by priority: 0 is
// the preferred one. The supervisor has no clock, no thread and no I/O: the caller tells the time
// in ms and what the sources do, and performs the actions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "health.h"
#include "states/transition.h"

namespace failover {

using Index = std::size_t;

struct Settings {
  Time timeout = 5000;
  RetryLimits retry;
  Time fail_back = 10000; // 0: never
  bool on_demand = false;
  Time idle_timeout = 10000;
};

// Why the output begins with another source.
enum class SwitchReason : std::uint8_t { Start, Lost, FailBack, Request };
[[nodiscard]] const char *nick_of(SwitchReason reason);

// Start an attempt.
struct StartSource {
  Index index = 0;
};
// End the attempt. The source may already have ended by itself.
struct StopSource {
  Index index = 0;
};
// Reports to the application. A source that is lost is reported once until it is back: then only
// the log tells of failed attempts.
struct ReportLost {
  Index index = 0;
  Loss loss = Loss::Error;
  std::string text;    // can be empty
  bool in_use = false; // the source was in use
  bool is_news = true; // the source was not lost before
  Time retry_in = 0;   // ms
};
struct ReportBack {
  Index index = 0;
};
struct ReportSwitch {
  Index index = 0;
  std::optional<Index> previous;
  SwitchReason reason = SwitchReason::Start;
};
using Action = std::variant<StartSource, StopSource, ReportLost, ReportBack, ReportSwitch>;

class Supervisor {
public:
  // --- A source ---
  //
  //             started               start point
  //    Idle ------------> Connecting ------------> Delivering
  //    ^  ^               |  |    ^                 |   |
  //    |  +-- stopped ----+  |    | retry           |   |
  //    |                lost v    |                 |   |
  //    +-- stopped ------- Waiting <-------- lost --+   |
  //    +------------------------------------ stopped ---+
  struct Idle {
    static constexpr const char *kName = "Idle";
  };
  struct Connecting {
    static constexpr const char *kName = "Connecting";
    Health health;
  };
  struct Delivering {
    static constexpr const char *kName = "Delivering";
    Time since = 0;
    Health health;
  };
  // For the next attempt.
  struct Waiting {
    static constexpr const char *kName = "Waiting";
    Time until = 0;
  };
  using Source = std::variant<Idle, Connecting, Delivering, Waiting>;
  using SourceTransitions = states::TransitionTable<
      states::Transition<Idle, Connecting>, states::Transition<Connecting, Delivering>,
      states::Transition<Connecting, Waiting>, states::Transition<Connecting, Idle>,
      states::Transition<Delivering, Waiting>, states::Transition<Delivering, Idle>,
      states::Transition<Waiting, Connecting>, states::Transition<Waiting, Idle>>;

  // --- The source in use ---
  //
  //           wanted              start point
  //    Off ------------> Searching ----------> Using
  //     ^                 |    ^                | | ^
  //     |    not wanted   |    |      lost      | | |  start point of a better
  //     +-----------------+    +----------------+ +-+  or a requested source
  //     +---------------------------- not wanted -+
  struct Off {
    static constexpr const char *kName = "Off";
  };
  struct Searching {
    static constexpr const char *kName = "Searching";
  };
  struct Using {
    static constexpr const char *kName = "Using";
    Index index = 0;
  };
  using Selection = std::variant<Off, Searching, Using>;
  using SelectionTransitions =
      states::TransitionTable<states::Transition<Off, Searching>,
                              states::Transition<Searching, Using>,
                              states::Transition<Searching, Off>, states::Transition<Using, Using>,
                              states::Transition<Using, Searching>, states::Transition<Using, Off>>;

  // --- Demand ---
  //
  //    Unwanted ---> Wanted <---> Lingering
  //        ^                          |
  //        +------ idle timeout ------+
  struct Unwanted {
    static constexpr const char *kName = "Unwanted";
  };
  struct Wanted {
    static constexpr const char *kName = "Wanted";
  };
  struct Lingering {
    static constexpr const char *kName = "Lingering";
    Time until = 0;
  };
  using Demand = std::variant<Unwanted, Wanted, Lingering>;
  using DemandTransitions = states::TransitionTable<
      states::Transition<Unwanted, Wanted>, states::Transition<Wanted, Lingering>,
      states::Transition<Lingering, Wanted>, states::Transition<Lingering, Unwanted>>;

  // What one source has done.
  struct Counters {
    std::uint64_t attempts = 0;
    std::uint64_t losses = 0; // of a source that delivered
    std::uint64_t repeats = 0;
    std::optional<Loss> last_loss;
    std::string last_text;
  };

  // `random` returns numbers from 0 to 1, for the jitter of retries.
  Supervisor(std::size_t sources, const Settings &settings, double (*random)());

  // Begins, unless the sources run on demand. Nothing happens before this call.
  void start(Time now);
  // Keeps on_demand, which is read only at the start.
  void set_settings(const Settings &settings);
  void set_demand(bool is_wanted, Time now);
  // Switches to a source as soon as it can, and stays there until it is lost. Returns false if
  // there is no such source, or nothing runs.
  [[nodiscard]] bool request(Index index, Time now);
  // Checks all deadlines.
  void update(Time now);
  // The time of the next deadline. nullopt: there is none.
  [[nodiscard]] std::optional<Time> next_deadline(Time now) const;
  // The actions since the last call, in order.
  [[nodiscard]] std::vector<Action> take_actions();

  // --- What the running source `index` does ---
  void note_bytes(Index index, Time now);
  void note_media(Index index, Time now, std::int64_t time);
  void note_untimed_media(Index index, Time now);
  void note_start_point(Index index, Time now);
  void note_blocked(Index index, bool is_blocked, Time now);
  void note_lost(Index index, Loss loss, const std::string &text, Time now);
  // A source of limited length has ended, and is started again.
  void note_repeat(Index index, Time now);

  // Whether the output should continue with the source at its start point.
  [[nodiscard]] bool wants_output(Index index, Time now) const;
  // The output continues with the source.
  void note_output(Index index, Time now);

  [[nodiscard]] const Source &source(Index index) const { return slots_[index].source; }
  // Downstream blocks the source.
  [[nodiscard]] bool is_blocked(Index index) const {
    const Health *health = health_of(slots_[index].source);
    return health && health->is_blocked();
  }
  [[nodiscard]] const Counters &counters(Index index) const { return slots_[index].counters; }
  [[nodiscard]] std::optional<Index> in_use() const;
  [[nodiscard]] const Demand &demand() const { return demand_; }
  [[nodiscard]] std::uint64_t switches() const { return switches_; }

private:
  struct Slot {
    Source source;
    unsigned failures = 0;    // in a row
    bool is_reported = false; // as lost
    Counters counters;
  };

  void set_source(Index index, Source next);
  void set_selection(Selection next);
  void set_demand_state(Demand next);
  [[nodiscard]] static Health *health_of(Source &source);
  [[nodiscard]] static const Health *health_of(const Source &source);
  [[nodiscard]] static bool is_running(const Source &source) {
    return health_of(source) != nullptr;
  }
  [[nodiscard]] bool is_wanted(Index index) const;
  [[nodiscard]] bool is_good(Index index, Time now) const;
  [[nodiscard]] std::optional<Index> target(Time now) const;
  void check_health(Time now);
  void check_demand(Time now);
  void raise_level();
  void reconcile(Time now);
  void lose(Index index, Loss loss, const std::string &text, Time now);
  void connect(Index index, Time now);
  void stop(Index index);

  Settings settings_;
  double (*random_)();
  std::vector<Slot> slots_;
  Selection selection_;
  Demand demand_;
  std::optional<Index> requested_;
  std::optional<Index> previous_; // the last source in use
  Index level_ = 0;               // Searching: the sources up to this one run
  std::uint64_t switches_ = 0;
  std::vector<Action> actions_;
};

} // namespace failover
