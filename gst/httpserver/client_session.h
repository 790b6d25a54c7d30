// SPDX-License-Identifier: LGPL-2.1-or-later
// One client: its connection, its cursor, and the state of its response.
#pragma once

#include <limits>
#include <optional>
#include <string_view>
#include <variant>

#include "client.h"
#include "fanout/websocket.h"
#include "session_context.h"

namespace flvhttp {

//                 stream is ready               close begins
//    AwaitStream ------------------> Streaming ------------------> Closing
//      |   |                             |                          ^  |
//      |   |           close begins      |                          |  |  all sent, timeout,
//      |   +-----------------------------|--------------------------+  |  connection lost
//      |  timeout,                       |  timeout,                   |
//      |  connection lost                |  connection lost            |
//      v                                 v                             v
//    Closed <----------------------------+-----------------------------+
//
// Guarded by Broadcast::mutex_. The writer thread uses it. The streaming thread closes it when the
// drain timeout expires. Statistics read it in the application's thread and the statistics thread.
// The timeout that leads to Closed without Closing is client-timeout. Too much data, a stop and a
// system error lead to Closed from every state.
class ClientSession {
public:
  // Whether the client may wait for the stream. It is known when the client connects.
  enum class Admission : std::uint8_t {
    Allowed,
    StreamHasEnded, // the stream had ended
    StreamHasBegun, // the stream had begun, and can be read only from its start
  };
  // The stream is not ready for this client.
  struct AwaitStream {
    static constexpr const char *kName = "AwaitStream";

    Admission admission = Admission::Allowed;
  };
  struct Streaming {
    static constexpr const char *kName = "Streaming";
  };
  // The client gets the queued bytes.
  struct Closing {
    static constexpr const char *kName = "Closing";

    Reason reason = Reason::Closed;
    Clock::time_point deadline; // moves each time that the socket accepts data
  };
  // The end of the turn removes the client.
  struct Closed {
    static constexpr const char *kName = "Closed";

    Reason reason = Reason::Closed;
  };
  using State = std::variant<AwaitStream, Streaming, Closing, Closed>;
  using Transitions = states::TransitionTable<
      states::Transition<AwaitStream, Streaming>, states::Transition<AwaitStream, Closing>,
      states::Transition<Streaming, Closing>, states::Transition<AwaitStream, Closed>,
      states::Transition<Streaming, Closed>, states::Transition<Closing, Closed>>;

  // What the turn does with the client.
  enum class Work : std::uint8_t { Nothing, Write, ReadAndWrite };

  // `context` and `broadcast` outlive the session.
  ClientSession(guint64 id, Arrival arrival, Admission admission, SessionContext &context,
                class Broadcast &broadcast);

  [[nodiscard]] guint64 id() const { return id_; }
  [[nodiscard]] Broadcast &broadcast() const { return broadcast_; }
  [[nodiscard]] const Transport &transport() const { return *transport_; }
  [[nodiscard]] const fanout::ClientCursor &cursor() const { return cursor_; }
  [[nodiscard]] ClientStats stats() const;
  // Writes the request to the log, if there is one. The client is closed.
  void log() const;
  // nullopt: the client is not closed.
  [[nodiscard]] std::optional<Reason> close_reason() const;

  // Adds the client to the clients that the current or the next turn serves.
  void add_to_turn(Work work = Work::Write);
  // The poller has reported the socket.
  void note_readiness(Readiness readiness);
  // A turn of the client.
  void serve();
  void check_timeouts();
  // Queues the last bytes. A WebSocket client gets a close frame. An HTTP client without a response
  // gets `response`, or 503 if `response` is empty. Does nothing in Closing and Closed.
  void begin_close(Reason reason, fanout::websocket::CloseCode code, std::string_view text,
                   std::string_view response = {});
  // The end of the turn removes the client, with or without its queued bytes. Does nothing in
  // Closed.
  void close(Reason reason);

private:
  template <typename Each> [[nodiscard]] bool is_in() const {
    return std::holds_alternative<Each>(state_);
  }
  void set_state(State next);
  [[nodiscard]] bool is_websocket() const { return visitor_.framing == fanout::Framing::WebSocket; }

  void answer();
  void queue_response(std::string_view response);
  void prepare_write();
  void write();
  void finish();
  void read();
  void read_frames(flv::Bytes bytes);
  void note_half_close();
  void note_received(std::size_t size);
  void note_acknowledged();
  [[nodiscard]] bool is_too_slow() const;
  [[nodiscard]] bool has_left_early() const;

  SessionContext &context_;
  Broadcast &broadcast_;
  guint64 id_;
  Visitor visitor_;
  std::unique_ptr<Transport> transport_;
  fanout::ClientCursor cursor_;
  fanout::websocket::Receiver receiver_;
  State state_;
  Work work_ = Work::Nothing;
  bool is_blocked_ = false; // the socket accepts no data

  unsigned status_ = kNoResponse; // of the response
  std::size_t head_size_ = 0;     // bytes of the response head; 0: not queued, or sent by libsoup
  gint64 since_;                  // µs since 1970
  Clock::time_point arrival_;
  // The last time that the client acknowledged data, or had acknowledged all data.
  Clock::time_point progress_;
  Clock::time_point last_sent_; // the last time that data was written or acknowledged
  Clock::time_point
      next_acknowledged_check_; // the next time that note_acknowledged() checks the client
  // When the client closed its side of the connection.
  std::optional<Clock::time_point> half_closed_;
  // Bytes that the client had acknowledged at the last check.
  std::int64_t acknowledged_ = std::numeric_limits<std::int64_t>::min();
  // Bytes received after the request. For a WebSocket, each call of check_timeouts()
  // subtracts kAllowance.
  std::size_t received_ = 0;
};

} // namespace flvhttp
