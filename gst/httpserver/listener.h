// SPDX-License-Identifier: LGPL-2.1-or-later
// Listens at one or several addresses for all elements and sites that use them. Handles HTTP
// requests and WebSocket handshakes, and owns the threads that serve the clients.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <libsoup/soup.h>

#include "download_thread.h"
#include "endpoint.h"
#include "request_log.h"
#include "request_reader.h"
#include "routes.h"
#include "writer_thread.h"

namespace flvhttp {

// A connection that libsoup handles. It is attached to the object of the connection's remote
// address.
struct Pending {
  using Line = std::list<Pending *>;

  explicit Pending(Admitted connection) : admitted(std::move(connection)) {}
  ~Pending() { leave_line(); }
  Pending(const Pending &) = delete;
  Pending &operator=(const Pending &) = delete;

  void enter_line(Line &others) {
    line = &others;
    place = others.insert(others.end(), this);
  }
  void leave_line() {
    if (line)
      std::exchange(line, nullptr)->erase(place);
  }

  Admitted admitted;
  gint64 since = g_get_real_time();        // µs since 1970
  gint64 arrival = g_get_monotonic_time(); // µs
  SourcePtr timeout;                       // shuts the connection down
  Line *line = nullptr;                    // set while the request waits for its body
  Line::iterator place;
};
inline constexpr const char *kPending = "flvhttp-pending";

class Listener {
public:
  enum class Start : std::uint8_t { AtFirstRoute, Explicit };

  // Returns the existing listener at `place`, or a new one. If an earlier listener at the port is
  // being destroyed, waits for that. nullptr: `error` is set.
  [[nodiscard]] static std::shared_ptr<Listener> at(const ListenAddress &place, GError **error);
  // Returns a new listener at several addresses. at() does not find it. `inherited_sockets`:
  // sockets that listen already, such as those of systemd; the listener owns them, also if this
  // function fails. A socket that has the port of a place stands for this place, which is not bound
  // then. The other sockets use the certificate of the first place. Accepts connections from the
  // first route or site on, or from start() on. nullptr: `error` is set.
  [[nodiscard]] static std::shared_ptr<Listener> open(const std::vector<ListenAddress> &places,
                                                      const std::vector<int> &inherited_sockets,
                                                      GError **error,
                                                      Start start = Start::AtFirstRoute);

  ~Listener();
  Listener(const Listener &) = delete;
  Listener &operator=(const Listener &) = delete;

  // The port of the first address.
  [[nodiscard]] guint16 port() const { return endpoints_.front()->port(); }
  // The ports of the places, in their order, then those of the other inherited sockets.
  [[nodiscard]] std::vector<guint16> ports() const;
  [[nodiscard]] std::vector<ListenAddress> places() const; // with the actual ports
  // The clients of streams, and downloads, including requests that wait for a site's response.
  [[nodiscard]] guint64 clients() const;

  // The maximum number of clients(); 0: any number. Further clients get 503.
  void set_max_clients(guint count) { max_clients_ = count; }
  // ms: a download whose client acknowledges nothing for this long is closed; 0: never.
  void set_download_timeout(guint timeout) { downloads_.set_timeout(timeout); }
  // ms in which a request must arrive. add() replaces it.
  void set_request_timeout(guint timeout) { request_timeout_ = timeout; }
  void set_log(std::shared_ptr<RequestLog> log);

  // Adds all routes, or none. Requests are answered from the first call on. Returns the path that
  // is already in use; nullopt: the routes are added. `request_timeout`: the time in ms in which a
  // request must arrive; replaces the value of the previous call.
  [[nodiscard]] std::optional<std::string> add(const NamedRoutes &routes, guint request_timeout);
  void remove(const Broadcast *broadcast);
  // Adds a site for the path `prefix` and all paths below it. A stream at one of these paths wins,
  // and the site with the longest prefix wins over others. Returns the prefix if it is already in
  // use; nullopt: the site is added.
  [[nodiscard]] std::optional<std::string> add_site(const std::string &prefix,
                                                    std::shared_ptr<Site> site);
  // When it returns, no answer() is running, unless this is called from answer(). Downloads
  // continue.
  void remove_site(const Site *site);
  // Begins to accept connections, if this has not begun.
  void start();
  // Closes the listening sockets. Clients, downloads and accepted connections continue.
  void stop_accepting();

  [[nodiscard]] WriterThread &writer_thread() { return writer_thread_; }
  // Queues `work` for the listener's thread.
  void run_soon(std::function<void()> work);
  // Waits until all work that is queued now is done.
  void finish_work();

private:
  explicit Listener(const std::vector<ListenAddress> &places);

  [[nodiscard]] static std::shared_ptr<Listener> find_shared(const ListenAddress &place);
  [[nodiscard]] static std::shared_ptr<Listener> share(std::shared_ptr<Listener> listener,
                                                       const ListenAddress &place, GError **error);
  void leave_registry() const;
  [[nodiscard]] bool prepare(GError **error);
  [[nodiscard]] bool bind(const std::vector<int> &inherited_sockets, GError **error);
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool is_running();
  void run();
  void work();
  void accept();
  [[nodiscard]] bool make_room();
  [[nodiscard]] std::shared_ptr<const TlsCredentials> credentials(Endpoint &endpoint) const;
  void accept_later();
  void accepted(GAsyncResult *result);
  void admit(Admitted admitted);
  void begin_answer(SoupServerMessage *message) const;
  void answer(SoupServerMessage *message);
  void answer_report(SoupServerMessage *message, const Route &route);
  void answer_stream(SoupServerMessage *message, const std::shared_ptr<Broadcast> &broadcast);
  void upgrade(SoupServerMessage *message, const std::shared_ptr<Broadcast> &broadcast);
  [[nodiscard]] static Admitted take_connection(SoupServerMessage *message);
  void answer_site(SoupServerMessage *message, Site &site);
  void hand_over(SoupServerMessage *message, Broadcast &broadcast, fanout::Framing framing);
  [[nodiscard]] std::shared_ptr<RequestLog> log() const;
  [[nodiscard]] LogEntryPtr log_entry(SoupServerMessage *message) const;
  void log_answer(SoupServerMessage *message, unsigned status, Reason reason) const;
  void log_refusal(const Refusal &refusal) const;

  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::atomic<guint> request_timeout_ = 5000;
  std::atomic<guint> max_clients_ = 0;
  mutable std::mutex log_mutex_;
  std::shared_ptr<RequestLog> log_; // guarded by log_mutex_
  Start start_ = Start::AtFirstRoute;
  Routes routes_;

  std::mutex work_mutex_;
  std::vector<std::function<void()>> work_; // queued by run_soon()

  WriterThread writer_thread_;
  DownloadThread downloads_;
  GMainContext *context_;
  GMainLoop *loop_;
  gstflv::ObjectPtr<GSocketListener> socket_;
  gstflv::ObjectPtr<GCancellable> stop_;
  Pending::Line bodies_; // connections that wait for a request body, the oldest first
  gstflv::ObjectPtr<SoupServer> server_;
  std::unique_ptr<RequestReader> request_reader_;
  std::unique_ptr<Reports> reports_;
  std::mutex thread_mutex_; // guards the start of `thread_`
  std::thread thread_;
};

} // namespace flvhttp
