// SPDX-License-Identifier: LGPL-2.1-or-later
// One stream and its clients. The streaming thread adds entries, the listener's thread adds
// clients, and the writer thread writes.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <variant>

#include "client_session.h"

namespace flvhttp {

struct BroadcastStats {
  std::vector<ClientStats> clients;
  guint64 served = 0; // clients since the start
  guint64 bytes_in = 0;
  guint64 bytes_out = 0;
  guint64 skips = 0;
  guint64 history_bytes = 0;
  gint64 history_ms = 0;
};

// Locks, in the order in which a thread takes them:
//
// 1. mutex_: the backlog and the clients. The writer thread holds it during a turn.
// 2. inbox_mutex_: the state of the stream, and the input for the next turn.
//
// The streaming thread and the listener's thread add their input with inbox_mutex_ only, so they do
// not wait for a turn. A turn takes the input at its start. wake_() and tell_() are called without
// these locks.
class Broadcast {
public:
  // Reported to the application.
  struct Added {
    guint64 id = 0;
  };
  struct Removed {
    guint64 id = 0;
    Reason reason = Reason::Closed;
    ClientStats stats;
  };
  struct Warning { // posted on the bus
    GQuark domain = 0;
    int code = 0;
    std::string text;
  };
  using Event = std::variant<Added, Removed, Warning>;

  // `wake` wakes the writer thread. `tell` schedules a call of take_events(). The log names
  // `element` (borrowed).
  Broadcast(std::function<void()> wake, std::function<void(Broadcast &)> tell,
            GstElement *element = nullptr)
      : wake_(std::move(wake)), tell_(std::move(tell)), stream_(element), context_(element) {}

  // Called from any thread.
  void set(const BroadcastSettings &settings);
  // `max_lag` includes the burst.
  [[nodiscard]] SettingsPtr settings() const;
  [[nodiscard]] BroadcastStats stats() const;
  [[nodiscard]] std::vector<Event> take_events();
  void remove(guint64 id);
  void remove_all();
  void warn(Warning warning);

  // Called from the streaming thread.

  // Called before the first entries. Clients get the stream when the caps have the header, or when
  // the stream has a start point.
  void set_container(Container container);
  // Not called after set_ended(true).
  void push(std::vector<fanout::Entry> entries);
  // true: the stream has ended. false: it continues.
  void set_ended(bool ended);
  // Waits until all clients are removed. Removes the remaining clients after the drain timeout.
  // Returns false if interrupt() was called since interrupts() returned `interrupts`.
  [[nodiscard]] bool wait_until_drained(guint64 interrupts);
  [[nodiscard]] guint64 interrupts() const;
  // Called from the thread that flushes, pauses or stops the element.
  void interrupt();
  // Closes all clients. Returns when all are removed.
  void close();

  // Called from the listener's thread.

  // Empty until clients get responses.
  [[nodiscard]] std::string content_type() const;
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] std::size_t client_count() const;
  [[nodiscard]] bool has_ended() const;
  // false: the stream has begun, and can be read only from its start.
  [[nodiscard]] bool can_be_joined() const;
  void add(Arrival arrival);

  // Called from the writer thread.

  // The poller has reported the socket of a client of this stream.
  void note_readiness(ClientSession &client, Readiness readiness);
  // Serves the clients that are due. Returns when the next turn is due, if no event comes first.
  [[nodiscard]] std::optional<Clock::time_point> turn(const Poller &poller);

private:
  using Clients = std::vector<std::unique_ptr<ClientSession>>;

  // A round writes the new entries to all clients, one slice of the clients after another.
  struct Round {
    std::size_t next_client = 0;
    Clock::time_point next_slice;
  };

  void take_inbox(const Poller &poller);
  void take_arrivals(const Poller &poller, bool had_ended);
  void take_removals();
  [[nodiscard]] bool has_new_entries() const { return context_.backlog.end() > round_entries_end_; }
  void begin_round();
  void list_slice();
  [[nodiscard]] std::size_t slices() const;
  void check_timeouts();
  void end_turn(const Poller &poller);
  void trim();
  void warn_of_no_key_frame();
  [[nodiscard]] std::optional<Clock::time_point> next_turn();
  [[nodiscard]] bool is_drained() const;

  std::function<void()> wake_;
  std::function<void(Broadcast &)> tell_;

  // Guarded by inbox_mutex_.
  mutable std::mutex inbox_mutex_;
  SettingsPtr settings_ = std::make_shared<const BroadcastSettings>();
  StreamState stream_;
  std::vector<fanout::Entry> entries_;
  std::vector<Arrival> arrivals_;
  // All clients, including arrivals_; mutex_ guards clients_.
  std::size_t count_ = 0;
  std::vector<std::optional<guint64>> to_remove_; // ids; nullopt: all clients
  bool writer_waits_ = false;                     // push() must wake the writer thread

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  SessionContext context_;
  Clients clients_;
  std::optional<Round> round_;   // empty: no round is in progress
  Clock::time_point round_time_; // of the last round
  fanout::Backlog::Number round_entries_end_ =
      0; // the end of the backlog when the last round began
  Clock::time_point next_check_;
  guint64 interrupts_ = 0;
  guint64 last_id_ = 0;
  guint64 bytes_in_ = 0;
  guint64 bytes_gone_ = 0; // bytes sent to removed clients
  guint64 skips_gone_ = 0;
  bool warned_ = false; // warn_of_no_key_frame() has added its warning
  std::vector<Event> events_;
};

} // namespace flvhttp
