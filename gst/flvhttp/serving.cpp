// SPDX-License-Identifier: LGPL-2.1-or-later
// What a channel does for one client: answers, writes, listens, says goodbye.
#include <array>
#include <utility>

#include "channel.h"

namespace flvhttp {

using fanout::Framing;
using fanout::websocket::CloseCode;
using std::chrono::milliseconds;

namespace {

// Bytes that one client gets in a turn, so that the others are not kept waiting.
constexpr std::size_t kShare = 2 << 20;
// Bytes that a client may send for nothing.
constexpr std::size_t kMaxHeard = 64 << 10;
// Who has to leave has so long to take what was said.
constexpr milliseconds kLeave{1000};
// Timeouts are looked after so often.
constexpr milliseconds kCheck{200};

std::string response_head(const std::string &type, const std::string &origin) {
  std::string head = "HTTP/1.1 200 OK\r\nContent-Type: " + type +
                     "\r\nCache-Control: no-cache, no-store\r\nConnection: close\r\n";
  if (!origin.empty())
    head += "Access-Control-Allow-Origin: " + origin + "\r\n";
  if (!origin.empty() && origin != "*")
    head += "Vary: Origin\r\n";
  return head + "\r\n";
}

constexpr std::string_view kNotYet = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n"
                                     "Content-Length: 0\r\nConnection: close\r\n\r\n";

flv::Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

} // namespace

void Channel::serve(Client &client) {
  client.in_turn = false;
  if (client.gone)
    return;
  if (std::exchange(client.broken, false))
    return drop(client, Reason::Closed);
  if (std::exchange(client.readable, false))
    listen(client);
  if (std::exchange(client.writable, false))
    client.blocked = false;
  if (client.gone)
    return;
  if (closing_)
    dismiss(client, Reason::Stopped, CloseCode::GoingAway, "the server stops");
  if (client.state == Client::State::Waiting)
    greet(client);
  write(client);
  settle(client);
  if (closing_)
    drop(client, Reason::Stopped);
}

void Channel::greet(Client &client) {
  const bool plain = client.visitor.framing == Framing::Plain;
  const bool waited = now_ >= client.arrival + milliseconds(settings_.wait_timeout);
  if (client.is_late || ((over_ || waited) && !shown_)) {
    if (plain)
      client.viewer->say(bytes_of(kNotYet));
    return dismiss(client, Reason::Waited, CloseCode::TryAgainLater, "there is no stream");
  }
  if (!shown_)
    return;
  if (plain)
    client.viewer->say(bytes_of(response_head(type_, settings_.allow_origin)));
  client.state = Client::State::Served;
}

void Channel::write(Client &client) {
  if (client.state == Client::State::Waiting)
    return;
  std::size_t written = 0;
  while (!client.blocked && written < kShare) {
    if (client.state == Client::State::Leaving)
      client.viewer->gather_last(history_, gathered_);
    else
      client.viewer->gather(history_, settings_.viewer, gathered_);
    if (gathered_.size() == 0)
      break;
    const std::size_t size = gathered_.size();
    const Transport::Result result = client.transport->send(gathered_.parts());
    client.viewer->sent(history_, result.size);
    written += result.size;
    if (result.kind == Transport::Result::Kind::Gone)
      return drop(client, Reason::Closed);
    client.blocked = result.size < size;
  }
  if (!client.blocked && !client.transport->flush())
    client.blocked = true;
  if (!client.blocked && written >= kShare)
    list(client);
  if (!client.blocked || written > 0)
    client.progress = now_;
  client.viewer->note_lag(history_);
}

// Whether it has got all that it will get.
void Channel::settle(Client &client) {
  if (client.gone || client.blocked)
    return;
  const bool leaving = client.state == Client::State::Leaving;
  if (!leaving && over_ && client.viewer->has_all(history_)) {
    dismiss(client, Reason::Ended, CloseCode::Normal, "the stream has ended");
    write(client);
  }
  if (!client.gone && !client.blocked && client.state == Client::State::Leaving &&
      client.viewer->has_said_all()) {
    client.transport->end();
    drop(client, client.reason);
  }
}

// With a word to those who understand it.
void Channel::dismiss(Client &client, Reason reason, CloseCode code, std::string_view text) {
  if (client.gone || client.state == Client::State::Leaving)
    return;
  client.state = Client::State::Leaving;
  client.reason = reason;
  if (is_websocket(client)) {
    std::vector<std::uint8_t> frame;
    fanout::websocket::append_close(frame, code, text);
    client.viewer->say(frame);
  }
  client.progress = now_;
  list(client);
}

void Channel::drop(Client &client, Reason reason) {
  if (std::exchange(client.gone, true))
    return;
  client.reason = reason;
}

void Channel::listen(Client &client) {
  std::array<std::uint8_t, 4096> bytes{};
  while (!client.gone && !client.half_closed) {
    const Transport::Result result = client.transport->receive(bytes);
    switch (result.kind) {
    case Transport::Result::Kind::Blocked:
      return;
    case Transport::Result::Kind::Gone:
      return drop(client, Reason::Closed);
    case Transport::Result::Kind::Ended:
      client.half_closed = true;
      if (is_websocket(client) && client.state != Client::State::Leaving)
        drop(client, Reason::Closed);
      return;
    case Transport::Result::Kind::Done:
      break;
    }
    client.heard += result.size;
    if (is_websocket(client))
      listen_frames(client, flv::Bytes(bytes).first(result.size));
    else if (client.heard > kMaxHeard)
      drop(client, Reason::Protocol);
  }
}

void Channel::listen_frames(Client &client, flv::Bytes bytes) {
  using fanout::websocket::Opcode;
  std::vector<fanout::websocket::Receiver::Control> controls;
  const flv::Status status = client.receiver.feed(bytes, controls);
  for (const auto &control : controls) {
    if (control.opcode == Opcode::Close) {
      dismiss(client, Reason::Closed, CloseCode::Normal, "");
    } else if (control.opcode == Opcode::Ping && client.viewer->unsaid() < kMaxHeard) {
      std::vector<std::uint8_t> frame;
      fanout::websocket::append_control(frame, Opcode::Pong, control.payload);
      client.viewer->say(frame);
    }
  }
  if (status != flv::Status::Ok)
    dismiss(client, Reason::Protocol, client.receiver.error(), "");
}

void Channel::check_timeouts() {
  next_check_ = now_ + kCheck;
  for (const auto &client : clients_) {
    if (client->state == Client::State::Waiting)
      list(*client);
    const bool leaving = client->state == Client::State::Leaving;
    const auto patience = leaving ? kLeave : milliseconds(settings_.client_timeout);
    if ((leaving || client->blocked) && now_ >= client->progress + patience)
      drop(*client, leaving ? client->reason : Reason::Slow);
  }
}

} // namespace flvhttp
