// SPDX-License-Identifier: LGPL-2.1-or-later
// The client of a site: it waits for the response, and then gets it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client.h"
#include "download_body.h"
#include "file_watch.h"
#include "poller.h"
#include "request_log.h"
#include "site.h"
#include "states/transition.h"
#include "timers.h"

namespace flvhttp {

// A client whose request a site answers.
struct DownloadClient {
  Request request;
  std::string origin; // of the site
  std::unique_ptr<Transport> transport;
  LogEntryPtr log; // nullptr: the request is not logged
};

// What the sessions of a thread share.
struct DownloadContext {
  Clock::time_point now;
  guint timeout = 0;                        // ms; 0: none
  std::vector<class DownloadSession *> due; // by their timers; served before the others
  std::vector<DownloadSession *> to_serve;
  std::vector<DownloadSession *> closed; // the end of the turn removes them
  Timers<DownloadSession> timers;
};

//                     response              all is sent
//    AwaitResponse ------------> Sending ----------------> Closing
//         |                      |  ^ |                       |
//         |        not due yet,  |  | | error,                | the client has closed,
//         |        socket full   v  | | client gone           | or has all and stays
//         |                Waiting, | |                       |
//         |                Blocked  | |                       |
//         v                   v       v                       v
//       Closed <--------------+-------+-----------------------+
//
// Used by the download thread only.
class DownloadSession {
public:
  // The site has not responded.
  struct AwaitResponse {
    static constexpr const char *kName = "AwaitResponse";
  };
  // The session writes in this turn or in the next one.
  struct Sending {
    static constexpr const char *kName = "Sending";
  };
  // The next bytes are not due.
  struct Waiting {
    static constexpr const char *kName = "Waiting";

    Clock::time_point until;
  };
  // The socket accepts no data.
  struct Blocked {
    static constexpr const char *kName = "Blocked";
  };
  // All is written. If the connection were closed now, data from the client would make the system
  // drop what the client has not read.
  struct Closing {
    static constexpr const char *kName = "Closing";

    Clock::time_point since;
  };
  // The end of the turn removes the session.
  struct Closed {
    static constexpr const char *kName = "Closed";

    Reason reason = Reason::Closed;
  };
  using State = std::variant<AwaitResponse, Sending, Waiting, Blocked, Closing, Closed>;
  using Transitions = states::TransitionTable<
      states::Transition<AwaitResponse, Sending>, states::Transition<Sending, Waiting>,
      states::Transition<Waiting, Sending>, states::Transition<Sending, Blocked>,
      states::Transition<Blocked, Sending>, states::Transition<Sending, Closing>,
      states::Transition<AwaitResponse, Closed>, states::Transition<Sending, Closed>,
      states::Transition<Waiting, Closed>, states::Transition<Blocked, Closed>,
      states::Transition<Closing, Closed>>;

  // What is written ahead of the schedule with one call. Longer takes less CPU time.
  static constexpr std::chrono::milliseconds kAhead{400};

  // `context` outlives the session.
  DownloadSession(std::uint64_t id, DownloadClient client, DownloadContext &context);
  ~DownloadSession();
  DownloadSession(const DownloadSession &) = delete;
  DownloadSession &operator=(const DownloadSession &) = delete;

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] bool is_closed() const { return is_in<Closed>(); }
  [[nodiscard]] const Transport &transport() const { return *client_.transport; }
  void set_exchange(std::weak_ptr<Exchange> exchange) { exchange_ = std::move(exchange); }

  // The site has responded.
  void respond(Response response);
  // The poller has reported the socket.
  void note_readiness(Readiness readiness);
  // The timer has fired.
  void on_timer();
  // A turn of the session.
  void serve();
  // Does nothing in Closed.
  void close(Reason reason);

private:
  template <typename Each> [[nodiscard]] bool is_in() const {
    return std::holds_alternative<Each>(state_);
  }
  void set_state(State next);
  void add_to_turn();
  void read();
  void write();
  void finish();
  [[nodiscard]] bool is_unchanged();
  [[nodiscard]] std::uint64_t bytes_due() const;
  [[nodiscard]] Clock::time_point next_write() const;
  void check_progress();
  void arm_timer();

  DownloadContext &context_;
  std::uint64_t id_;
  DownloadClient client_;
  std::weak_ptr<Exchange> exchange_; // until the response
  State state_ = AwaitResponse{};
  bool is_in_turn_ = false; // in context_.due or context_.to_serve
  bool is_readable_ = false;
  Timers<DownloadSession>::Timer timer_;

  unsigned status_ = 499; // of the response; 499: none
  DownloadBody body_;
  std::optional<fanout::ByteSchedule> schedule_;
  std::optional<FileWatch> watch_; // nullopt: the response has no version, or no file

  Clock::time_point arrival_;
  Clock::time_point start_; // of the schedule
  // The last time that the client acknowledged data, or had acknowledged all data.
  Clock::time_point progress_;
  Clock::time_point next_check_;
  std::uint64_t acknowledged_ = 0;
  std::optional<Clock::time_point> half_closed_; // when the client closed its side
  std::size_t received_ = 0;                     // bytes after the request
};

} // namespace flvhttp
