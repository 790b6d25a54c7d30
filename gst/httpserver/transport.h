// SPDX-License-Identifier: LGPL-2.1-or-later
// A client's connection as the fan-out writes to it: never waiting, plain or through TLS.
#pragma once

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
    std::size_t size = 0; // Done
  };

  // `connection` is what was accepted, or TLS over it; `socket` belongs to it.
  static std::unique_ptr<Transport> over(IoStreamPtr connection, GSocket *socket);

  virtual ~Transport() = default;
  Transport(const Transport &) = delete;
  Transport &operator=(const Transport &) = delete;

  // As much as goes at once. Done with less than there is: Blocked comes next.
  [[nodiscard]] virtual Result send(std::span<iovec> parts) = 0;
  // Ended: nothing more will come, but the other side may still listen.
  [[nodiscard]] virtual Result receive(std::span<std::uint8_t> bytes) = 0;
  // Whether all that was taken is on its way.
  [[nodiscard]] virtual bool flush() { return true; }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Notices a peer that has vanished while nothing is sent within about so many ms.
  void watch_peer(guint timeout) const;
  // Bytes that the system has, and of which the peer has acknowledged nothing.
  [[nodiscard]] std::size_t unacknowledged() const;
  // Ends the stream in order. The connection closes when the object goes, without waiting.
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
