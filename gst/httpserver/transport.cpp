// SPDX-License-Identifier: LGPL-2.1-or-later
#include "transport.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls_stream.h"

namespace flvhttp {

namespace {

using Kind = Transport::Result::Kind;

// Bytes: the limit for unsent data in the system's send buffer of a slow client. A skip cannot
// remove this data. Without the limit, it would grow to megabytes.
constexpr int kUnsent = 128 << 10;

class Plain final : public Transport {
public:
  Plain(IoStreamPtr connection, GSocket *socket) : Transport(std::move(connection), socket) {}

  using Transport::send;
  Result send(std::span<iovec> parts, Next next) override {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const int more = next == Next::More ? MSG_MORE : 0;
    return result(sendmsg(descriptor(), &message, MSG_NOSIGNAL | MSG_DONTWAIT | more));
  }

  // The caller blocks SIGPIPE.
  Result send_file(int file, std::uint64_t offset, std::size_t size) override {
    auto at = static_cast<off_t>(offset);
    const ssize_t sent = sendfile(descriptor(), file, &at, size);
    if (sent == 0 && size > 0)
      return {Kind::Ended};
    // Some file systems do not support it.
    if (sent < 0 && (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
      return Transport::send_file(file, offset, size);
    return sent < 0 && errno == EIO ? Result{Kind::Ended} : result(sent);
  }

  Result receive(std::span<std::uint8_t> bytes) override {
    const ssize_t size = recv(descriptor(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    return size == 0 ? Result{Kind::Ended} : result(size);
  }

private:
  static Result result(ssize_t size) {
    if (size >= 0)
      return {Kind::Done, static_cast<std::size_t>(size)};
    const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return {later ? Kind::Blocked : Kind::Gone};
  }
};

// A partly written record must be retried with the same bytes, so it is stored until it is written.
class Tls final : public Transport {
public:
  Tls(IoStreamPtr stream, GSocket *socket) : Transport(std::move(stream), socket) {}

  using Transport::send;
  Result send(std::span<iovec> parts, Next next) override {
    std::size_t taken = 0;
    Result last{Kind::Blocked};
    for (const iovec &part : parts) {
      const auto *bytes = static_cast<const std::uint8_t *>(part.iov_base);
      for (std::size_t at = 0; at < part.iov_len;) {
        if (size_ == record_.size() && (last = write_record()).kind != Kind::Done)
          return settle(last, taken);
        const std::size_t count = std::min(part.iov_len - at, record_.size() - size_);
        std::copy_n(bytes + at, count, record_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += count;
        at += count;
        taken += count;
      }
    }
    if (next == Next::Nothing)
      last = write_record();
    return last.kind == Kind::Gone ? last : Result{Kind::Done, taken};
  }

  bool flush() override { return write_record().kind == Kind::Done; }

  Result receive(std::span<std::uint8_t> bytes) override {
    GError *error = nullptr;
    const gssize size = g_pollable_input_stream_read_nonblocking(
        G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(connection())), bytes.data(),
        bytes.size(), nullptr, &error);
    return size == 0 ? Result{Kind::Ended} : result(size, error);
  }

private:
  static constexpr std::size_t kRecord = 16 << 10;

  Result write_record() {
    while (written_ < size_) {
      GError *error = nullptr;
      const gssize size = g_pollable_output_stream_write_nonblocking(
          G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(connection())),
          record_.data() + written_, size_ - written_, nullptr, &error);
      const Result done = result(size, error);
      if (done.kind != Kind::Done)
        return done;
      written_ += done.size;
    }
    written_ = 0;
    size_ = 0;
    return {Kind::Done};
  }

  static Result settle(Result last, std::size_t taken) {
    return last.kind == Kind::Blocked && taken > 0 ? Result{Kind::Done, taken} : last;
  }

  static Result result(gssize size, GError *error) {
    if (size >= 0)
      return {Kind::Done, static_cast<std::size_t>(size)};
    const bool later = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
    g_error_free(error);
    return {later ? Kind::Blocked : Kind::Gone};
  }

  std::array<std::uint8_t, kRecord> record_{};
  std::size_t size_ = 0;
  std::size_t written_ = 0;
};

} // namespace

std::unique_ptr<Transport> Transport::over(IoStreamPtr connection, GSocket *socket) {
  const int at_once = 1;
  setsockopt(g_socket_get_fd(socket), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  setsockopt(g_socket_get_fd(socket), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsent, sizeof kUnsent);
  if (is_tls(connection.get()))
    return std::make_unique<Tls>(std::move(connection), socket);
  return std::make_unique<Plain>(std::move(connection), socket);
}

Transport::Result Transport::send_file(int file, std::uint64_t offset, std::size_t size) {
  std::array<std::uint8_t, 16 << 10> bytes{};
  const ssize_t read =
      pread(file, bytes.data(), std::min(size, bytes.size()), static_cast<off_t>(offset));
  if (read <= 0 && size > 0)
    return {Result::Kind::Ended};
  iovec part{bytes.data(), static_cast<std::size_t>(read)};
  return send(std::span(&part, 1));
}

void Transport::allow_long_queue() const {
  const int none = 0; // the system's default
  setsockopt(descriptor(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &none, sizeof none);
}

// Only keepalive: TCP_USER_TIMEOUT would close clients that read slowly through a small window.
// ClientSession tracks unacknowledged data.
void Transport::watch_peer(guint timeout) const {
  const int on = 1;
  const int count = 3;
  const int idle = std::clamp(static_cast<int>(timeout / 2000), 1, 3600);
  const int interval = std::max(1, idle / count);
  setsockopt(descriptor(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(descriptor(), IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(descriptor(), IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(descriptor(), IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

std::size_t Transport::unacknowledged() const {
  int size = 0;
  return ioctl(descriptor(), SIOCOUTQ, &size) == 0 ? static_cast<std::size_t>(size) : 0;
}

void Transport::end() const {
  if (!is_tls(connection()))
    shutdown(descriptor(), SHUT_WR);
}

} // namespace flvhttp
