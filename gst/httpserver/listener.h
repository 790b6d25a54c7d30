// SPDX-License-Identifier: LGPL-2.1-or-later
// Listens on one address and port for all elements of the process that use them. Handles HTTP
// requests and WebSocket handshakes, and owns the writer thread that serves the clients.
#pragma once

#include <atomic>
#include <list>
#include <map>
#include <utility>

#include <libsoup/soup.h>

#include "request_reader.h"
#include "stats_pages.h"
#include "writer_thread.h"

namespace flvhttp {

// The resource at a path.
struct Route {
  std::shared_ptr<Broadcast> broadcast;
  // nullptr: the path serves the stream. Otherwise it serves this report with the content type
  // `type`.
  std::shared_ptr<Report> report;
  std::string type;
};

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
  SourcePtr timeout;    // shuts the connection down
  Line *line = nullptr; // set while the request waits for its body
  Line::iterator place;
};
inline constexpr const char *kPending = "flvhttp-pending";

struct FreeAddresses {
  void operator()(GList *addresses) const { g_resolver_free_addresses(addresses); }
};

struct ListenAddress {
  std::string address;     // a host name or a numeric address
  guint16 port = 0;        // 0: any free port; the listener is not shared
  std::string certificate; // a PEM file; empty: plain HTTP
  std::string key;

  bool operator==(const ListenAddress &) const = default;
};

class Listener {
public:
  // Returns the existing listener at `place`, or a new one. If an earlier listener at the port is
  // being destroyed, waits for that. nullptr: `error` is set.
  [[nodiscard]] static std::shared_ptr<Listener> at(const ListenAddress &place, GError **error);

  ~Listener();
  Listener(const Listener &) = delete;
  Listener &operator=(const Listener &) = delete;

  [[nodiscard]] guint16 port() const { return port_; }

  // Adds all routes, or none. Requests are answered from the first call on. Returns the path that
  // is already in use; nullopt: the routes are added. `request_timeout`: the time in ms in which a
  // request must arrive; replaces the value of the previous call.
  [[nodiscard]] std::optional<std::string>
  add(const std::vector<std::pair<std::string, Route>> &routes, guint request_timeout);
  void remove(const Broadcast *broadcast);
  [[nodiscard]] WriterThread &writer_thread() { return writer_thread_; }
  // Queues `work` for the listener's thread.
  void run_soon(std::function<void()> work);
  // Waits until all work that is queued now is done.
  void finish_work();

private:
  explicit Listener(const ListenAddress &place);

  [[nodiscard]] static std::shared_ptr<Listener> find_shared(const ListenAddress &place);
  [[nodiscard]] static std::shared_ptr<Listener> share(std::shared_ptr<Listener> listener,
                                                       const ListenAddress &place, GError **error);
  [[nodiscard]] bool prepare(GError **error);
  [[nodiscard]] bool bind(GError **error);
  [[nodiscard]] bool has_routes() const;
  [[nodiscard]] std::string common_origin() const;
  [[nodiscard]] std::optional<Route> find(const std::string &path) const;
  void run();
  void work();
  void accept();
  [[nodiscard]] bool make_room();
  [[nodiscard]] std::shared_ptr<const TlsCredentials> credentials();
  void warn(const Broadcast::Warning &warning) const;
  void accept_later();
  void accepted(GAsyncResult *result);
  void admit(Admitted admitted);
  void begin_answer(SoupServerMessage *message) const;
  void answer(SoupServerMessage *message);
  void answer_report(SoupServerMessage *message, const Route &route);
  void answer_stream(SoupServerMessage *message, const std::shared_ptr<Broadcast> &broadcast);
  void upgrade(SoupServerMessage *message, const std::shared_ptr<Broadcast> &broadcast);
  static void hand_over(SoupServerMessage *message, Broadcast &broadcast, fanout::Framing framing);

  ListenAddress place_;
  guint16 port_ = 0;
  std::optional<TlsFiles> tls_; // nullopt: plain HTTP
  std::unique_ptr<GList, FreeAddresses> addresses_;
  std::atomic<guint> request_timeout_ = 5000;

  mutable std::mutex routes_mutex_;
  std::map<std::string, Route> routes_; // by normalized path

  std::mutex work_mutex_;
  std::vector<std::function<void()>> work_; // queued by run_soon()

  WriterThread writer_thread_;
  GMainContext *context_;
  GMainLoop *loop_;
  gstflv::ObjectPtr<GSocketListener> socket_;
  gstflv::ObjectPtr<GCancellable> stop_;
  Pending::Line bodies_; // connections that wait for a request body, the oldest first
  gstflv::ObjectPtr<SoupServer> server_;
  std::unique_ptr<RequestReader> request_reader_;
  std::unique_ptr<Reports> reports_;
  std::thread thread_;
};

} // namespace flvhttp
