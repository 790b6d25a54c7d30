// SPDX-License-Identifier: LGPL-2.1-or-later
// Many sendmsg at once, through io_uring.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <span>

enum class RingKind : std::uint8_t {
  Plain,
  Sqpoll, // a kernel thread takes the requests
  Async,  // other kernel threads execute the requests
};

class Ring {
public:
  static constexpr std::size_t kBatch = 256;
  static constexpr bool kBuilt = HAVE_LIBURING;

  struct Write {
    unsigned socket = 0; // index in adopt()
    msghdr message{};    // the caller keeps its data until submit() returns
    int sent = 0;        // bytes, or -errno
  };

  Ring();
  ~Ring();
  Ring(const Ring &) = delete;
  Ring &operator=(const Ring &) = delete;

  // false: not available; errno has the reason: ENOSYS unless kBuilt.
  [[nodiscard]] bool open(RingKind kind);
  [[nodiscard]] bool adopt(std::span<const int> sockets);
  void forget(unsigned socket);

  // Takes at most kBatch writes, and returns when all are done. They do not wait for buffer space,
  // as with MSG_DONTWAIT.
  [[nodiscard]] bool submit(std::span<Write> writes);

private:
  struct State;
  std::unique_ptr<State> state_;
};
