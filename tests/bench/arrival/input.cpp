// SPDX-License-Identifier: LGPL-2.1-or-later
#include "input.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "text.h"

namespace bench {

namespace {

constexpr std::size_t kBufferSize = 1 << 20;
// The kernel has to buffer a burst over UDP, because UDP has no flow control.
constexpr int kDatagramBuffer = 16 << 20;
constexpr Nanoseconds kSecond = 1'000'000'000;
constexpr Nanoseconds kConnectInterval = 5'000'000;

struct Addresses {
  addrinfo *first = nullptr;
  Addresses() = default;
  Addresses(const Addresses &) = delete;
  Addresses &operator=(const Addresses &) = delete;
  ~Addresses() {
    if (first)
      freeaddrinfo(first);
  }
};

Nanoseconds from_seconds(double seconds) {
  return static_cast<Nanoseconds>(seconds * static_cast<double>(kSecond));
}

} // namespace

Nanoseconds monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return Nanoseconds{now.tv_sec} * kSecond + now.tv_nsec;
}

Input::Input() : buffer_(kBufferSize) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  signals_ = signalfd(-1, &stop, SFD_CLOEXEC);
}

Input::~Input() {
  if (fd_ > STDIN_FILENO)
    close(fd_);
  if (signals_ >= 0)
    close(signals_);
}

Input::Event Input::open(const Options &options) {
  switch (options.source) {
  case Options::Source::Tcp:
    return connect(options);
  case Options::Source::Udp:
    return bind(options);
  case Options::Source::Stdin:
    fd_ = STDIN_FILENO;
    break;
  }
  return Event::Bytes;
}

Input::Event Input::next(std::optional<Nanoseconds> deadline) {
  for (;;) {
    const Event ready = wait(fd_, POLLIN, deadline);
    if (ready != Event::Bytes)
      return ready;
    const Event event = datagrams_ ? receive_datagram() : receive();
    if (event != Event::Bytes || size_ > 0)
      return event;
  }
}

Input::Event Input::receive() {
  const ssize_t got = read(fd_, buffer_.data(), buffer_.size());
  arrived_ = monotonic_now();
  size_ = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  if (got > 0)
    return Event::Bytes;
  if (got == 0)
    return Event::End;
  return errno == EAGAIN || errno == EINTR ? Event::Bytes : fail("reading", errno);
}

Input::Event Input::receive_datagram() {
  iovec data{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint32_t))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = recvmsg(fd_, &message, MSG_DONTWAIT);
  arrived_ = monotonic_now();
  size_ = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  if (got < 0)
    return errno == EAGAIN || errno == EINTR ? Event::Bytes : fail("reading", errno);
  for (cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_RXQ_OVFL)
      continue;
    std::uint32_t lost = 0;
    std::copy_n(CMSG_DATA(part), sizeof lost, reinterpret_cast<unsigned char *>(&lost));
    lost_ = lost;
  }
  return Event::Bytes;
}

Input::Event Input::connect(const Options &options) {
  const Nanoseconds deadline = monotonic_now() + from_seconds(options.connect_seconds);
  for (;;) {
    const Event event = try_connect(options, deadline);
    const Nanoseconds again = monotonic_now() + kConnectInterval;
    if (event != Event::Failed || again > deadline)
      return event;
    if (wait(-1, 0, again) == Event::Interrupted)
      return Event::Interrupted;
  }
}

Input::Event Input::try_connect(const Options &options, Nanoseconds deadline) {
  Addresses addresses;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  // GLib's servers on "localhost" listen on ::1 even if the hosts file has only 127.0.0.1. Without
  // a name, both are tried.
  const bool here = options.host.empty() || options.host == "localhost";
  const char *host = here ? nullptr : options.host.c_str();
  const int found = getaddrinfo(host, options.port.c_str(), &hints, &addresses.first);
  if (found != 0) {
    error_.clear();
    append(error_, "looking up \"%s\": %s", options.host.c_str(), gai_strerror(found));
    return Event::Failed;
  }
  for (const addrinfo *each = addresses.first; each; each = each->ai_next) {
    const int fd = socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
      (void)fail("opening a socket", errno);
      continue;
    }
    int failure = ::connect(fd, each->ai_addr, each->ai_addrlen) == 0 ? 0 : errno;
    if (failure == EINPROGRESS) {
      const Event event = wait(fd, POLLOUT, deadline);
      socklen_t size = sizeof failure;
      if (event == Event::Bytes)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
      if (event == Event::Interrupted) {
        close(fd);
        return event;
      }
    }
    if (failure == 0) {
      fd_ = fd;
      return Event::Bytes;
    }
    close(fd);
    (void)fail("connecting", failure == EINPROGRESS ? ETIMEDOUT : failure);
  }
  return Event::Failed;
}

Input::Event Input::bind(const Options &options) {
  datagrams_ = true;
  const auto port = static_cast<in_port_t>(std::atoi(options.port.c_str()));
  const int on = 1;
  const int off = 0;
  int failed = 0;
  // An IPv6 socket serves both families, if IPv6 is available.
  fd_ = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd_ >= 0) {
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(port);
    setsockopt(fd_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    failed = ::bind(fd_, reinterpret_cast<const sockaddr *>(&any), sizeof any);
  } else {
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(port);
    failed = ::bind(fd_, reinterpret_cast<const sockaddr *>(&any), sizeof any);
  }
  if (failed != 0)
    return fail("binding", errno);
  // Exceeds the system's limit if permitted, otherwise uses the limit.
  if (setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &kDatagramBuffer, sizeof kDatagramBuffer) != 0)
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &kDatagramBuffer, sizeof kDatagramBuffer);
  setsockopt(fd_, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  return Event::Bytes;
}

Input::Event Input::wait(int fd, short events, std::optional<Nanoseconds> deadline) {
  std::array<pollfd, 2> fds = {{{signals_, POLLIN, 0}, {fd, events, 0}}};
  for (;;) {
    timespec left{};
    if (deadline) {
      const Nanoseconds wanted = std::max<Nanoseconds>(*deadline - monotonic_now(), 0);
      left.tv_sec = wanted / kSecond;
      left.tv_nsec = wanted % kSecond;
    }
    const int ready = ppoll(fds.data(), fds.size(), deadline ? &left : nullptr, nullptr);
    if (ready < 0 && errno != EINTR)
      return fail("waiting", errno);
    if (ready == 0)
      return Event::Timeout;
    if (ready > 0)
      return fds[0].revents != 0 ? Event::Interrupted : Event::Bytes;
  }
}

Input::Event Input::fail(const char *what, int code) {
  error_.clear();
  append(error_, "%s: %s", what, std::strerror(code));
  return Event::Failed;
}

} // namespace bench
