// SPDX-License-Identifier: LGPL-2.1-or-later
#include "poller.h"

#include <algorithm>

#include <sys/eventfd.h>
#include <unistd.h>

namespace flvhttp {

namespace {

// Rounds up, so that the deadline has passed when epoll_wait() returns.
int milliseconds_until(std::optional<Clock::time_point> deadline) {
  constexpr std::int64_t kLongest = 60'000;
  if (!deadline)
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kLongest));
}

} // namespace

Poller::Poller()
    : poll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      events_(kAtOnce) {
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(poll_, EPOLL_CTL_ADD, wake_, &event);
}

Poller::~Poller() {
  close(wake_);
  close(poll_);
}

bool Poller::add(int descriptor, void *owner) const {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = owner;
  return epoll_ctl(poll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::remove(int descriptor) const {
  epoll_ctl(poll_, EPOLL_CTL_DEL, descriptor, nullptr);
}

const std::vector<Poller::Ready> &Poller::wait(std::optional<Clock::time_point> deadline) {
  ready_.clear();
  const int count = epoll_wait(poll_, events_.data(), static_cast<int>(events_.size()),
                               milliseconds_until(deadline));
  for (int i = 0; i < count; i++) {
    const epoll_event &event = events_[static_cast<std::size_t>(i)];
    if (!event.data.ptr) {
      std::uint64_t times = 0;
      [[maybe_unused]] const ssize_t size = read(wake_, &times, sizeof times);
      continue;
    }
    ready_.push_back({event.data.ptr, Readiness(event.events)});
  }
  return ready_;
}

void Poller::wake() const {
  const std::uint64_t once = 1;
  [[maybe_unused]] const ssize_t size = write(wake_, &once, sizeof once);
}

} // namespace flvhttp
