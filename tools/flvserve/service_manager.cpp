// SPDX-License-Identifier: LGPL-2.1-or-later
#include "service_manager.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/values.h"

namespace flvserve {

namespace {

constexpr int kFirstSocket = 3;
constexpr int kMostSockets = 1024;

std::string taken_variable(const char *name) {
  const char *value = std::getenv(name);
  std::string text = value ? value : "";
  unsetenv(name);
  return text;
}

std::uint64_t number_in(const std::string &text) {
  return tools::parse_number(text, UINT64_MAX).value_or(0);
}

bool is_this_process(const std::string &pid) {
  return number_in(pid) == static_cast<std::uint64_t>(getpid());
}

std::uint64_t monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

} // namespace

ServiceManager::ServiceManager() : socket_(taken_variable("NOTIFY_SOCKET")) {
  const std::string watchdog = taken_variable("WATCHDOG_USEC");
  const std::string watched = taken_variable("WATCHDOG_PID");
  // Half of the time after which the manager would end the process.
  constexpr std::uint64_t kHalfInMs = 2000;
  if (const std::uint64_t limit = number_in(watchdog);
      limit > 0 && (watched.empty() || is_this_process(watched)))
    watchdog_interval_ =
        static_cast<unsigned>(std::clamp<std::uint64_t>(limit / kHalfInMs, 1, UINT32_MAX / 2));
  const std::string count = taken_variable("LISTEN_FDS");
  if (is_this_process(taken_variable("LISTEN_PID")))
    inherited_ = static_cast<int>(std::min<std::uint64_t>(number_in(count), kMostSockets));
  unsetenv("LISTEN_FDNAMES");
}

void ServiceManager::notify(std::string_view lines) const {
  sockaddr_un address{};
  if ((!socket_.starts_with('/') && !socket_.starts_with('@')) ||
      socket_.size() >= sizeof address.sun_path)
    return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@')
    address.sun_path[0] = '\0'; // an abstract address
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  static_cast<void>(sendto(descriptor, lines.data(), lines.size(), MSG_NOSIGNAL,
                           reinterpret_cast<const sockaddr *>(&address), size));
  close(descriptor);
}

void ServiceManager::notify_ready(const std::string &status) const {
  notify("READY=1\nSTATUS=" + status);
}

void ServiceManager::notify_status(const std::string &status) const {
  notify("STATUS=" + status);
}

void ServiceManager::notify_reloading() const {
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_us()));
}

void ServiceManager::notify_stopping() const {
  notify("STOPPING=1");
}

void ServiceManager::notify_alive() const {
  notify("WATCHDOG=1");
}

std::vector<int> ServiceManager::take_sockets() {
  std::vector<int> sockets;
  const int count = std::exchange(inherited_, 0);
  for (int descriptor = kFirstSocket; descriptor < kFirstSocket + count; ++descriptor) {
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0)
      sockets.push_back(descriptor);
  }
  return sockets;
}

} // namespace flvserve
