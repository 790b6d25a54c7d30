// SPDX-License-Identifier: LGPL-2.1-or-later
// One stream and all who get it. The streaming thread puts entries in, the listener's thread puts
// clients in, the fan-out's thread writes.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <variant>

#include "client.h"

namespace flvhttp {

struct ChannelSettings {
  fanout::CursorSettings cursor;
  guint merge = 40;             // ms
  guint wait_timeout = 5000;    // ms
  guint client_timeout = 10000; // ms
  guint drain_timeout = 5000;   // ms
  guint max_clients = 0;        // 0: any number
  std::string allow_origin = "*";
};

// Header fields of an answer that scripts of that site may read.
[[nodiscard]] std::vector<std::pair<const char *, std::string>>
origin_fields(const std::string &origin);
// The same as lines.
[[nodiscard]] std::string origin_lines(const std::string &origin);

// What a client is told that cannot read a stream of that type from its middle.
[[nodiscard]] std::string needs_start_text(const std::string &type);

struct ClientStats {
  guint64 id = 0;
  Visitor visitor;
  gint64 since = 0;    // µs since 1970
  double duration = 0; // s
  guint64 bytes = 0;
  guint64 skips = 0;
  std::optional<fanout::StartPoint> start; // nothing: it waits for one
  fanout::Lag lag;
};

struct ChannelStats {
  std::vector<ClientStats> clients;
  guint64 served = 0; // clients, ever
  guint64 bytes_in = 0;
  guint64 bytes_out = 0;
  guint64 skips = 0;
  guint64 history_bytes = 0;
  gint64 history_ms = 0;
};

class Broadcast {
public:
  // What the application is told of.
  struct Added {
    guint64 id = 0;
  };
  struct Removed {
    guint64 id = 0;
    Reason reason = Reason::Closed;
    ClientStats stats;
  };
  struct Warning { // for the bus
    GQuark domain = 0;
    int code = 0;
    std::string text;
  };
  using Event = std::variant<Added, Removed, Warning>;

  // `wake` makes the fan-out take a turn, `tell` makes somebody take the events.
  Broadcast(std::function<void()> wake, std::function<void(Broadcast &)> tell)
      : wake_(std::move(wake)), tell_(std::move(tell)) {}

  // From any thread.
  void set(const ChannelSettings &settings);
  [[nodiscard]] ChannelSettings settings() const;
  [[nodiscard]] ChannelStats stats() const;
  [[nodiscard]] std::vector<Event> take_events();
  void remove(guint64 id);
  void remove_all();
  void warn(Warning warning);

  // The streaming thread.
  // What the stream is. Clients are answered once it has shown its header: here, or by a place
  // where they can begin.
  // `needs_start`: clients that come when it has begun cannot read it.
  void set_content_type(std::string content_type, bool has_header, bool needs_start);
  void push(std::vector<fanout::Entry> entries);
  // Nothing more comes, or after all it does.
  void set_ended(bool ended);
  // Until all clients have what there is, or the time is over. false: it was interrupted, now or
  // since there were so many interrupts().
  [[nodiscard]] bool wait_until_drained(guint64 interrupts);
  [[nodiscard]] guint64 interrupts() const;
  void interrupt();
  // Nobody is served any more. Returns when all are gone.
  void close();

  // The listener's thread.
  // The stream's type; empty before it has shown itself.
  [[nodiscard]] std::string content_type() const;
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool has_ended() const;
  // Whether a client that comes now can read the stream.
  [[nodiscard]] bool can_be_joined() const;
  void add(std::unique_ptr<Client> client);

  // The fan-out's thread.
  // A client of it has something to do.
  void note(Client &client);
  // Writes what is due; when the next turn is, if nothing happens before.
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

  // What waits for the fan-out.
  mutable std::mutex inbox_mutex_;
  ChannelSettings new_settings_;
  std::string content_type_;
  bool has_header_ = false;
  bool needs_start_ = false;
  bool begun_ = false;     // there were entries
  std::string shown_type_; // once clients are answered
  std::vector<fanout::Entry> entries_;
  Clients arrivals_;
  std::size_t count_ = 0; // clients, those to come included
  std::vector<guint64> to_remove_;
  bool remove_all_ = false;
  bool settings_changed_ = true;
  bool ended_ = false;
  bool closed_ = false;
  bool fan_out_waits_ = false; // for whatever comes

  // The fan-out's, and for whoever asks how it goes.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ChannelSettings settings_;
  fanout::Backlog backlog_;
  Clients clients_;
  std::vector<Client *> turn_; // those with something to do
  fanout::WriteBatch batch_;
  std::string type_;
  bool shown_ = false;
  bool over_ = false;
  bool closing_ = false;
  guint64 interrupts_ = 0;
  bool fresh_ = false;     // there are entries that nobody has been given
  bool some_gone_ = false; // of the clients
  bool warned_ = false;    // that no key frame is left
  // A round gives all clients what there is, a slice of them after the other.
  bool in_round_ = false;
  std::size_t cursor_ = 0;
  Clock::time_point next_slice_;
  Clock::time_point now_;
  Clock::time_point round_begin_;
  Clock::time_point next_check_;
  guint64 last_id_ = 0;
  guint64 bytes_in_ = 0;
  guint64 bytes_gone_ = 0; // of clients that have left
  guint64 skips_gone_ = 0;
  std::vector<Event> events_;
};

} // namespace flvhttp
