// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "input.h" // for monotonic_now()

namespace load {

namespace {

constexpr std::size_t kLongestHead = 16 << 10;
constexpr int kStalledBuffer = 4 << 10;
// A stalled client reads the response head, and only little of the data after it.
constexpr std::size_t kStalledRead = 512;

// The example of RFC 6455, 1.3, so that the expected response is known.
constexpr const char *kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr const char *kAccept = "s3pplmbitxaq9kygzzhzrbk+xoo="; // lower case, like the stored head

std::string request(const Plan &plan, const std::string &path) {
  std::string text = "GET " + path + " HTTP/1.1\r\nHost: " + plan.host + ":" + plan.port +
                     "\r\nUser-Agent: load\r\n";
  if (plan.transport == Transport::WebSocket) {
    text += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    text += std::string("Sec-WebSocket-Key: ") + kKey + "\r\n";
  }
  return text + "\r\n";
}

void lower(std::string &text) {
  for (char &c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

// `name` and `value` are in lower case, like the stored head.
bool has_header(const std::string &head, const char *name, const char *value) {
  const std::size_t at = head.find(std::string("\r\n") + name + ":");
  if (at == std::string::npos)
    return false;
  const std::size_t end = head.find("\r\n", at + 2);
  const std::size_t found = head.find(value, at);
  return found < end;
}

} // namespace

Client::~Client() {
  if (fd_ >= 0)
    close(fd_);
}

std::uint32_t Client::events() const {
  switch (state_) {
  case State::Connecting:
    return EPOLLOUT;
  case State::Head:
  case State::Stream:
    return EPOLLIN;
  case State::Stalled:
    return EPOLLRDHUP;
  default:
    return 0;
  }
}

void Client::connect(const Plan &plan, const std::string &path, const Address &address,
                     bool stalled) {
  path_ = &path;
  stalls_ = stalled;
  sight_.requested = bench::monotonic_now();
  fd_ = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0)
    return refuse(std::strerror(errno));
  if (stalled)
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &kStalledBuffer, sizeof kStalledBuffer);
  state_ = State::Connecting;
  const auto *where = reinterpret_cast<const sockaddr *>(&address.storage);
  if (::connect(fd_, where, address.size) == 0)
    return on_connected(plan);
  if (errno != EINPROGRESS)
    refuse(std::strerror(errno));
}

void Client::on_connected(const Plan &plan) {
  if (plan.transport == Transport::Tcp)
    return accept();
  const std::string text = request(plan, *path_);
  sight_.requested = bench::monotonic_now();
  // The send buffer is empty.
  if (send(fd_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
    return refuse("the request could not be sent");
  state_ = State::Head;
}

void Client::on_ready(const Plan &plan, std::span<std::uint8_t> scratch) {
  if (state_ == State::Stalled)
    return leave(State::Closed);
  if (state_ == State::Connecting) {
    int failure = 0;
    socklen_t size = sizeof failure;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &failure, &size);
    return failure == 0 ? on_connected(plan) : refuse(std::strerror(failure));
  }
  const std::size_t most = stalls_ ? std::min(kStalledRead, scratch.size()) : scratch.size();
  const ssize_t got = recv(fd_, scratch.data(), most, 0);
  if (got > 0)
    return on_bytes(plan, scratch.first(static_cast<std::size_t>(got)), bench::monotonic_now());
  if (got == 0 || (errno != EAGAIN && errno != EINTR))
    return state_ == State::Head ? refuse("closed without an answer") : leave(State::Closed);
}

void Client::begin_measuring(Nanoseconds now) {
  sight_.least_lead.reset();
  if (state_ == State::Stream)
    note_lead(now);
}

// The lead falls until the next bytes come.
void Client::note_lead(Nanoseconds now) {
  constexpr Nanoseconds kMillisecond = 1'000'000;
  const auto media = scan_.duration();
  if (!media)
    return;
  const Nanoseconds lead = *media * kMillisecond - (now - sight_.first_byte);
  sight_.least_lead = std::min(sight_.least_lead.value_or(lead), lead);
}

void Client::finish(Nanoseconds now) {
  if (state_ == State::Stream)
    note_lead(now);
  if (state_ == State::Stream && sight_.first_byte > 0)
    sight_.longest_gap = std::max(sight_.longest_gap, now - sight_.last_byte);
}

void Client::on_bytes(const Plan &plan, flv::Bytes bytes, Nanoseconds now) {
  if (state_ == State::Head)
    take_head(plan, bytes);
  if (state_ == State::Stream && !bytes.empty())
    take_pieces(bytes, now);
}

void Client::take_head(const Plan &plan, flv::Bytes &bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t before = head_.size();
  head_.append(reinterpret_cast<const char *>(bytes.data()),
               std::min(bytes.size(), kLongestHead - before));
  const std::size_t end = head_.find(kEnd);
  if (end == std::string::npos)
    return head_.size() < kLongestHead ? void() : refuse("a response head that doesn't end");
  bytes = bytes.subspan(end + kEnd.size() - before);
  head_.resize(end + 2);
  const bool upgrade = plan.transport == Transport::WebSocket;
  if (!head_.starts_with("HTTP/1.") || head_.find(upgrade ? " 101" : " 200") != 8)
    return refuse(head_.substr(0, head_.find("\r\n")));
  lower(head_);
  if (upgrade && !has_header(head_, "sec-websocket-accept", kAccept))
    return refuse("a wrong Sec-WebSocket-Accept");
  if (upgrade)
    carrier_ = Carrier::Frames;
  else if (has_header(head_, "transfer-encoding", "chunked"))
    carrier_ = Carrier::Chunks;
  accept();
}

void Client::take_pieces(flv::Bytes bytes, Nanoseconds now) {
  if (carrier_ == Carrier::Bare)
    return take_stream(bytes, now);
  for (;;) {
    const Piece piece = carrier_ == Carrier::Frames ? frames_.next(bytes) : chunks_.next(bytes);
    switch (piece.kind) {
    case Piece::Kind::NeedMore:
      return;
    case Piece::Kind::Stream:
      if (piece.begins_message && !scan_.at_boundary())
        ++frame_errors_;
      take_stream(piece.bytes, now);
      break;
    case Piece::Kind::Ping: {
      const std::string answer = pong(piece.bytes);
      // If there is no room, the pong is lost; the server does not wait for it.
      (void)send(fd_, answer.data(), answer.size(), MSG_NOSIGNAL);
      break;
    }
    case Piece::Kind::Malformed:
      ++frame_errors_;
      return leave(State::Closed);
    case Piece::Kind::End:
      return leave(State::Closed);
    }
  }
}

void Client::take_stream(flv::Bytes bytes, Nanoseconds now) {
  if (bytes.empty())
    return;
  note_lead(now);
  if (sight_.first_byte == 0)
    sight_.first_byte = now;
  else
    sight_.longest_gap = std::max(sight_.longest_gap, now - sight_.last_byte);
  sight_.last_byte = now;
  sight_.bytes += bytes.size();
  scan_.feed(bytes);
  if (sight_.key_frame == 0 && scan_.key_frame())
    sight_.key_frame = now;
}

void Client::accept() {
  accepted_ = true;
  head_ = {};
  state_ = stalls_ ? State::Stalled : State::Stream;
}

void Client::refuse(std::string why) {
  head_ = std::move(why);
  leave(State::Refused);
}

void Client::leave(State state) {
  state_ = state;
  if (fd_ >= 0)
    close(fd_);
  fd_ = -1;
}

} // namespace load
