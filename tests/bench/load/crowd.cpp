// SPDX-License-Identifier: LGPL-2.1-or-later
#include "crowd.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "input.h" // for monotonic_now()

namespace load {

namespace {

constexpr std::size_t kScratch = 256 << 10;
constexpr std::size_t kEvents = 256;
constexpr Nanoseconds kMillisecond = 1'000'000;

Nanoseconds from_ms(double ms) {
  return static_cast<Nanoseconds>(ms * kMillisecond);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval &time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

} // namespace

Crowd::Crowd(const Plan &plan, const Address &address)
    : plan_(plan), address_(address), epoll_(epoll_create1(EPOLL_CLOEXEC)), clients_(plan.clients),
      scratch_(kScratch) {}

Crowd::~Crowd() {
  if (epoll_ >= 0)
    close(epoll_);
}

bool Crowd::run(void (*announce)(const Crowd &)) {
  begin_ = bench::monotonic_now();
  const Nanoseconds from = begin_ + from_ms(plan_.ramp_ms + plan_.settle_ms);
  const Nanoseconds to = from + from_ms(plan_.seconds * 1000);
  if (!serve(from))
    return false;
  first_ = read();
  for (Client &client : clients_)
    client.begin_measuring(first_.time);
  announce(*this);
  if (!serve(to))
    return false;
  last_ = read();
  for (Client &client : clients_)
    client.finish(last_.time);
  return true;
}

bool Crowd::serve(Nanoseconds until) {
  std::array<epoll_event, kEvents> events{};
  for (Nanoseconds now = bench::monotonic_now(); now < until;) {
    connect_due(now);
    Nanoseconds wake = until;
    if (next_ < clients_.size())
      wake = std::min(wake, start_of(next_));
    now = bench::monotonic_now();
    const Nanoseconds nap = std::max<Nanoseconds>(wake - now, 0);
    const auto ms = static_cast<int>((nap + kMillisecond - 1) / kMillisecond);
    const int count = epoll_wait(epoll_, events.data(), kEvents, ms);
    if (count < 0 && errno != EINTR) {
      std::fprintf(stderr, "load: waiting: %s\n", std::strerror(errno));
      return false;
    }
    const Nanoseconds woken = bench::monotonic_now();
    for (int i = 0; i < count; ++i) {
      auto *client = static_cast<Client *>(events[static_cast<std::size_t>(i)].data.ptr);
      const std::uint32_t before = client->events();
      client->on_ready(plan_, scratch_);
      follow(*client, before, true);
    }
    now = bench::monotonic_now();
    longest_round_ = std::max(longest_round_, now - woken);
  }
  return true;
}

void Crowd::connect_due(Nanoseconds now) {
  for (; next_ < clients_.size() && start_of(next_) <= now; ++next_) {
    Client &client = clients_[next_];
    client.connect(plan_, plan_.paths[next_ % plan_.paths.size()], address_, is_stalled(next_));
    follow(client, 0, false);
  }
}

// A closed socket is no longer in epoll.
void Crowd::follow(Client &client, std::uint32_t before, bool known) {
  const std::uint32_t wanted = client.events();
  if (client.fd() < 0 || wanted == before)
    return;
  epoll_event event{};
  event.events = wanted;
  event.data.ptr = &client;
  epoll_ctl(epoll_, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, client.fd(), &event);
}

Nanoseconds Crowd::start_of(std::size_t index) const {
  return begin_ +
         from_ms(plan_.ramp_ms * static_cast<double>(index) / static_cast<double>(clients_.size()));
}

// The stalled clients are spread over all clients.
bool Crowd::is_stalled(std::size_t index) const {
  const std::size_t count = clients_.size();
  return (index + 1) * plan_.stalled / count != index * plan_.stalled / count;
}

Crowd::Reading Crowd::read() const {
  Reading reading{.time = bench::monotonic_now(), .bytes = 0, .cpu_seconds = cpu_seconds()};
  for (const Client &client : clients_)
    reading.bytes += client.sight().bytes;
  return reading;
}

std::size_t Crowd::connected() const {
  return static_cast<std::size_t>(
      std::count_if(clients_.begin(), clients_.end(),
                    [](const Client &client) { return client.was_accepted(); }));
}

double Crowd::mbit_per_client() const {
  const auto readers = static_cast<double>(clients_.size() - plan_.stalled);
  const auto seconds = static_cast<double>(last_.time - first_.time) / 1e9;
  return readers > 0 ? static_cast<double>(last_.bytes - first_.bytes) * 8e-6 / seconds / readers
                     : 0;
}

double Crowd::cpu_percent() const {
  const auto seconds = static_cast<double>(last_.time - first_.time) / 1e9;
  return (last_.cpu_seconds - first_.cpu_seconds) / seconds * 100;
}

double Crowd::longest_round_ms() const {
  return static_cast<double>(longest_round_) / kMillisecond;
}

} // namespace load
