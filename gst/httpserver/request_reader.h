// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the request head of an accepted connection. libsoup gets the connection when the head is
// complete and valid. The size and the time of a head are limited, so slow and endless requests do
// not reach libsoup. A connection has one request.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include <gio/gio.h>

#include "base/gst_ptr.h"
#include "tls.h"
#include "transport.h"

namespace flvhttp {

struct DestroySource {
  void operator()(GSource *source) const {
    g_source_destroy(source);
    g_source_unref(source);
  }
};
using SourcePtr = std::unique_ptr<GSource, DestroySource>;

// A connection with a complete request head.
struct Admitted {
  IoStreamPtr stream; // the connection, or TLS over it
  GSocket *socket = nullptr;
  gstflv::ObjectPtr<GSocketConnection> connection;
  std::string head; // all bytes that were read
};

// A request that got an error response before its head was admitted.
struct Refusal {
  const Admitted &connection; // with the part of the head that was read
  gint64 since = 0;           // µs since 1970
  gint64 arrival = 0;         // µs, monotonic
  unsigned status = 0;
  std::size_t bytes = 0; // of the response's body
};

// All functions are called from the thread of the main context.
class RequestReader {
public:
  // Bytes: the maximum size of a request head.
  static constexpr std::size_t kMaxHead = 8 << 10;
  // The maximum number of connections without a complete head. Half of the descriptors that the
  // process may have is a second limit.
  static constexpr std::size_t kMaxWaiting = 4096;

  // `refused` is called after each error response. `fields`: returns the CORS lines of an error
  // response.
  RequestReader(GMainContext *context, std::function<void(Admitted)> admit,
                std::function<void(const Refusal &)> refused, std::function<std::string()> fields);
  ~RequestReader();
  RequestReader(const RequestReader &) = delete;
  RequestReader &operator=(const RequestReader &) = delete;

  // Adds a connection. Without credentials, it is plain HTTP. `timeout` is in ms. If there are too
  // many connections, refuses the oldest one.
  void enter(GSocketConnection *connection, std::shared_ptr<const TlsCredentials> credentials,
             guint timeout);
  // Refuses the connection that has waited longest. false: no connection waits.
  bool refuse_oldest();

private:
  struct Waiting;
  using Line = std::list<std::unique_ptr<Waiting>>;

  void read(Waiting &waiting);
  void watch(Waiting &waiting);
  void take_head(Waiting &waiting);
  void refuse(Waiting &waiting, unsigned status, const std::string &text = "");
  void leave(const Waiting &waiting);

  GMainContext *context_;
  std::function<void(Admitted)> admit_;
  std::function<void(const Refusal &)> refused_;
  std::function<std::string()> fields_;
  Line waiting_; // the oldest first
};

} // namespace flvhttp
