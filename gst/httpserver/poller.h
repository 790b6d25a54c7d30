// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells which of many sockets have something to read or can be written to again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include <sys/epoll.h>

namespace flvhttp {

using Clock = std::chrono::steady_clock;

class Poller {
public:
  struct Ready {
    void *owner = nullptr;
    bool readable = false;
    bool writable = false;
    bool broken = false; // it can be neither read nor written any more
  };

  Poller();
  ~Poller();
  Poller(const Poller &) = delete;
  Poller &operator=(const Poller &) = delete;

  // Tells of each change once. false: the system has no room for more.
  [[nodiscard]] bool add(int descriptor, void *owner) const;
  void remove(int descriptor) const;

  // Until something is ready, `deadline` has come or wake() was called. Good until the next call.
  [[nodiscard]] const std::vector<Ready> &wait(std::optional<Clock::time_point> deadline);
  // From any thread.
  void wake() const;

private:
  static constexpr std::size_t kAtOnce = 256;

  int poll_ = -1;
  int wake_ = -1;
  std::vector<epoll_event> events_;
  std::vector<Ready> ready_;
};

} // namespace flvhttp
