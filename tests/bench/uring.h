// SPDX-License-Identifier: LGPL-2.1-or-later
// Many sendmsg at once, through io_uring.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <span>

enum class RingKind : std::uint8_t {
  Plain,
  Sqpoll, // a thread of the kernel's takes the requests
  Async,  // and others carry them out
};

class Ring {
public:
  static constexpr std::size_t kBatch = 256;
  static constexpr bool kBuilt = HAVE_LIBURING;

  struct Write {
    unsigned socket = 0; // its place among those of adopt()
    msghdr message{};    // what it points to stays until submit() returns
    int sent = 0;        // bytes, or -errno
  };

  Ring();
  ~Ring();
  Ring(const Ring &) = delete;
  Ring &operator=(const Ring &) = delete;

  // false: there is none, and errno says why: ENOSYS unless kBuilt.
  [[nodiscard]] bool open(RingKind kind);
  [[nodiscard]] bool adopt(std::span<const int> sockets);
  void forget(unsigned socket);

  // At most kBatch, and all are done when it returns. Nothing waits for room, as with MSG_DONTWAIT.
  [[nodiscard]] bool submit(std::span<Write> writes);

private:
  struct State;
  std::unique_ptr<State> state_;
};
