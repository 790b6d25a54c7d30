// SPDX-License-Identifier: LGPL-2.1-or-later
// Reports which sockets have become readable or writable.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include <sys/epoll.h>

namespace flvhttp {

using Clock = std::chrono::steady_clock;

// What the poller reports of a socket.
class Readiness {
public:
  explicit Readiness(std::uint32_t events) : events_(events) {}

  [[nodiscard]] bool readable() const { return (events_ & (EPOLLIN | EPOLLRDHUP)) != 0; }
  [[nodiscard]] bool writable() const { return (events_ & EPOLLOUT) != 0; }
  // The socket is closed in both directions, or has failed.
  [[nodiscard]] bool broken() const { return (events_ & (EPOLLHUP | EPOLLERR)) != 0; }

private:
  std::uint32_t events_; // of epoll
};

class Poller {
public:
  struct Ready {
    void *owner = nullptr;
    Readiness readiness{0};
  };

  Poller();
  ~Poller();
  Poller(const Poller &) = delete;
  Poller &operator=(const Poller &) = delete;

  // Each change is reported once (edge-triggered). false: the system refused the descriptor.
  [[nodiscard]] bool add(int descriptor, void *owner) const;
  void remove(int descriptor) const;

  // Waits until a socket is ready, the deadline passes, or wake() is called. The result is valid
  // until the next call.
  [[nodiscard]] const std::vector<Ready> &wait(std::optional<Clock::time_point> deadline);
  // Called from any thread.
  void wake() const;

private:
  static constexpr std::size_t kAtOnce = 256;

  int poll_ = -1;
  int wake_ = -1;
  std::vector<epoll_event> events_;
  std::vector<Ready> ready_;
};

} // namespace flvhttp
