// SPDX-License-Identifier: LGPL-2.1-or-later
// Between accept() and the HTTP library: reads the head of a connection's only request, within a
// size and a time, so that nobody who is slow or endless gets further.
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

// A connection that has shown a whole request head.
struct Admitted {
  IoStreamPtr stream; // the socket's, or TLS over it
  GSocket *socket = nullptr;
  gstflv::ObjectPtr<GSocketConnection> connection;
  std::string head; // what was read
};

// All of it belongs to the thread whose main context it is.
class RequestReader {
public:
  // Bytes of a request head.
  static constexpr std::size_t kMaxHead = 8 << 10;
  // Connections that have not shown theirs yet: so many, and no more than half of the descriptors
  // that the process may have.
  static constexpr std::size_t kMaxWaiting = 4096;

  // `fields`: lines of the answer to who is refused.
  RequestReader(GMainContext *context, std::function<void(Admitted)> admit,
                std::function<std::string()> fields);
  ~RequestReader();
  RequestReader(const RequestReader &) = delete;
  RequestReader &operator=(const RequestReader &) = delete;

  // Without credentials it is plain HTTP. `timeout` in ms. Where there are too many, the oldest
  // goes.
  void enter(GSocketConnection *connection, std::shared_ptr<const TlsCredentials> credentials,
             guint timeout);
  // Refuses the connection that waits for the longest time. false: there is none.
  bool refuse_oldest();

private:
  struct Waiting;
  using Line = std::list<std::unique_ptr<Waiting>>;

  void read(Waiting &waiting);
  void watch(Waiting &waiting);
  void refuse(Waiting &waiting, const char *status);
  void leave(const Waiting &waiting);

  GMainContext *context_;
  std::function<void(Admitted)> admit_;
  std::function<std::string()> fields_;
  Line waiting_; // the oldest first
};

} // namespace flvhttp
