// SPDX-License-Identifier: LGPL-2.1-or-later
// A client's connection for the writer thread: non-blocking, plain or over TLS.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <gio/gio.h>
#include <sys/uio.h>

#include "base/gst_ptr.h"

namespace flvhttp {

using IoStreamPtr = gstflv::ObjectPtr<GIOStream>;

class Transport {
public:
  struct Result {
    enum class Kind : std::uint8_t { Done, Blocked, Ended, Gone };
    Kind kind = Kind::Done;
    std::size_t size = 0; // valid with Done
  };

  // `connection`: the accepted connection, or TLS over it. `socket`: its socket, borrowed.
  static std::unique_ptr<Transport> over(IoStreamPtr connection, GSocket *socket);

  virtual ~Transport() = default;
  Transport(const Transport &) = delete;
  Transport &operator=(const Transport &) = delete;

  // More: more data follows at once, so that the system can send it in the same packet.
  enum class Next : std::uint8_t { Nothing, More };

  // Writes as much as possible without blocking. If that is less than all parts, the next call
  // returns Blocked.
  [[nodiscard]] virtual Result send(std::span<iovec> parts, Next next) = 0;
  [[nodiscard]] Result send(std::span<iovec> parts) { return send(parts, Next::Nothing); }
  // Writes up to `size` bytes of a file without blocking, from `offset` on. Blocked: the socket is
  // full. After Done with less than `size`, the socket need not be full. Ended: the file has no
  // byte at `offset`, or cannot be read.
  [[nodiscard]] virtual Result send_file(int file, std::uint64_t offset, std::size_t size);
  // Ended: the peer has closed its side, but may still read.
  [[nodiscard]] virtual Result receive(std::span<std::uint8_t> bytes) = 0;
  // Writes data that send() has stored. Returns whether all of it is written.
  [[nodiscard]] virtual bool flush() { return true; }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Detects a vanished peer within about `timeout` ms while no data is sent.
  void watch_peer(guint timeout) const;
  // Lets the system's send buffer grow. For data that is not skipped.
  void allow_long_queue() const;
  // Bytes in the system's send buffer that the peer has not acknowledged.
  [[nodiscard]] std::size_t unacknowledged() const;
  // Ends the stream in an orderly way. The destructor closes the connection without waiting.
  void end() const;
  [[nodiscard]] GIOStream *connection() const { return connection_.get(); }

protected:
  Transport(IoStreamPtr connection, GSocket *socket)
      : connection_(std::move(connection)), descriptor_(g_socket_get_fd(socket)) {}

private:
  IoStreamPtr connection_;
  int descriptor_;
};

} // namespace flvhttp
