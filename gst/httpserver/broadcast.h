// SPDX-License-Identifier: LGPL-2.1-or-later
// One stream and its clients. The streaming thread adds entries, the listener's thread adds
// clients, and the writer thread writes.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <variant>

#include "client.h"

namespace flvhttp {

struct BroadcastSettings {
  fanout::CursorSettings cursor;
  guint merge = 40;             // ms
  guint wait_timeout = 5000;    // ms
  guint client_timeout = 10000; // ms
  guint drain_timeout = 5000;   // ms
  guint max_clients = 0;        // 0: any number
  std::string allow_origin = "*";
};

// The CORS header fields of a response: scripts of `origin` may read it. Empty `origin`: no fields.
[[nodiscard]] std::vector<std::pair<const char *, std::string>>
origin_fields(const std::string &origin);
// The same fields as lines of a response head.
[[nodiscard]] std::string origin_lines(const std::string &origin);

// The text of the 406 response: a stream of this type can be read only from its start.
[[nodiscard]] std::string needs_start_text(const std::string &type);

struct ClientStats {
  guint64 id = 0;
  Visitor visitor;
  gint64 since = 0;    // µs since 1970
  double duration = 0; // s
  guint64 bytes = 0;
  guint64 skips = 0;
  std::optional<fanout::StartPoint> start; // nullopt: the client has not started
  fanout::Lag lag;
};

struct BroadcastStats {
  std::vector<ClientStats> clients;
  guint64 served = 0; // clients since the start
  guint64 bytes_in = 0;
  guint64 bytes_out = 0;
  guint64 skips = 0;
  guint64 history_bytes = 0;
  gint64 history_ms = 0;
};

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

  // `wake` wakes the writer thread. `tell` schedules a call of take_events().
  Broadcast(std::function<void()> wake, std::function<void(Broadcast &)> tell)
      : wake_(std::move(wake)), tell_(std::move(tell)) {}

  // Called from any thread.
  void set(const BroadcastSettings &settings);
  [[nodiscard]] BroadcastSettings settings() const;
  [[nodiscard]] BroadcastStats stats() const;
  [[nodiscard]] std::vector<Event> take_events();
  void remove(guint64 id);
  void remove_all();
  void warn(Warning warning);

  // Called from the streaming thread.

  // Clients get a response when `has_header` is set, or when the stream has a start point.
  // `needs_start`: the stream can be read only from its start.
  void set_content_type(std::string content_type, bool has_header, bool needs_start);
  void push(std::vector<fanout::Entry> entries);
  // true: the stream has ended. false: it continues.
  void set_ended(bool ended);
  // Waits until all clients are removed. Removes the remaining clients after the drain timeout.
  // Returns false if interrupt() was called since interrupts() returned `interrupts`.
  [[nodiscard]] bool wait_until_drained(guint64 interrupts);
  [[nodiscard]] guint64 interrupts() const;
  void interrupt();
  // Closes all clients. Returns when all are removed.
  void close();

  // Called from the listener's thread.

  // Empty until clients get responses.
  [[nodiscard]] std::string content_type() const;
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool has_ended() const;
  // Whether a client that connects now can read the stream.
  [[nodiscard]] bool can_be_joined() const;
  void add(std::unique_ptr<Client> client);

  // Called from the writer thread.

  // Adds a client of this stream to the next turn.
  void note(Client &client);
  // Serves the clients that are due. Returns when the next turn is due, if no event comes first.
  [[nodiscard]] std::optional<Clock::time_point> turn(const Poller &poller);

private:
  using Clients = std::vector<std::unique_ptr<Client>>;

  void take_inbox(const Poller &poller);
  void serve(Client &client);
  void queue_response_head(Client &client);
  void prepare_write(Client &client);
  void write(Client &client);
  void settle(Client &client);
  void listen(Client &client);
  void listen_frames(Client &client, flv::Bytes bytes);
  void begin_close(Client &client, Reason reason, fanout::websocket::CloseCode code,
                   std::string_view text, std::string_view answer = {});
  void drop(Client &client, Reason reason);
  void note_heard(Client &client, std::size_t size);
  void note_taken(Client &client);
  [[nodiscard]] bool is_too_slow(const Client &client) const;
  [[nodiscard]] bool has_left_early(const Client &client) const;
  void list_slice();
  [[nodiscard]] std::size_t slices() const;
  void check_timeouts();
  void end_turn(const Poller &poller);
  void trim();
  void warn_of_no_key_frame();
  [[nodiscard]] std::optional<Clock::time_point> next_turn();
  void list(Client &client);
  [[nodiscard]] ClientStats stats_of(const Client &client) const;
  [[nodiscard]] bool is_drained() const;

  std::function<void()> wake_;
  std::function<void(Broadcast &)> tell_;

  // Input for the writer thread, guarded by inbox_mutex_. Lock order: mutex_, inbox_mutex_.
  mutable std::mutex inbox_mutex_;
  BroadcastSettings new_settings_;
  std::string content_type_;
  bool has_header_ = false;
  bool needs_start_ = false;
  bool begun_ = false;     // the stream has had entries
  std::string shown_type_; // set when clients get responses
  std::vector<fanout::Entry> entries_;
  Clients arrivals_;
  std::size_t count_ = 0; // clients, including arrivals_
  std::vector<guint64> to_remove_;
  bool remove_all_ = false;
  bool settings_changed_ = true;
  bool ended_ = false;
  bool closed_ = false;
  bool writer_waits_ = false; // push() must wake the writer thread

  // The writer thread's state, guarded by mutex_, because other threads use it, too.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  BroadcastSettings settings_;
  fanout::Backlog backlog_;
  Clients clients_;
  std::vector<Client *> turn_; // clients to serve in the next turn
  fanout::WriteBatch batch_;
  std::string type_;
  bool shown_ = false;
  bool over_ = false;
  bool closing_ = false;
  guint64 interrupts_ = 0;
  bool fresh_ = false;     // entries wait for the next round
  bool some_gone_ = false; // end_turn() must remove clients
  bool warned_ = false;    // warn_of_no_key_frame() has added its warning
  // A round writes the new entries to all clients, one slice of the clients after another.
  bool in_round_ = false;
  std::size_t cursor_ = 0;
  Clock::time_point next_slice_;
  Clock::time_point now_;
  Clock::time_point round_begin_;
  Clock::time_point next_check_;
  guint64 last_id_ = 0;
  guint64 bytes_in_ = 0;
  guint64 bytes_gone_ = 0; // bytes sent to removed clients
  guint64 skips_gone_ = 0;
  std::vector<Event> events_;
};

} // namespace flvhttp
