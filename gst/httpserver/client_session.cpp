// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions of Broadcast for one client: the response, writes, reads and the close.
#include <algorithm>
#include <array>
#include <utility>

#include "broadcast.h"

GST_DEBUG_CATEGORY_EXTERN(gst_http_server_client_debug);
#define GST_CAT_DEFAULT gst_http_server_client_debug

namespace flvhttp {

using fanout::websocket::CloseCode;
using std::chrono::milliseconds;

namespace {

// Bytes: a client that got this many in a turn continues in the next turn, so that the other
// clients are not delayed.
constexpr std::size_t kShare = 2 << 20;
// Bytes that a client may send after its request, and bytes that each check subtracts from the
// count of a WebSocket.
constexpr std::size_t kMaxHeard = 256 << 10;
constexpr std::size_t kForgiven = 16 << 10;
// Bytes: the limit for reads from one client in a turn.
constexpr std::size_t kMaxRead = 16 << 10;
// Bytes: pings get no answer while the client's queue has this size.
constexpr std::size_t kMaxQueued = 64 << 10;
// A closing client that accepts no data for this long is removed.
constexpr milliseconds kLeave{1000};
// The interval of the timeout checks.
constexpr milliseconds kCheck{200};
// The maximum interval of the checks for acknowledged data.
constexpr milliseconds kLook{1000};
// How long a client that has closed its side may wait for the start of the stream.
constexpr milliseconds kHalfClosed{500};

std::string response_head(std::string_view status, const std::string &origin) {
  return "HTTP/1.1 " + std::string(status) +
         "\r\nCache-Control: no-cache, no-store\r\nX-Accel-Buffering: no\r\nConnection: close\r\n" +
         origin_lines(origin) + "\r\n";
}

constexpr std::string_view kNotYet = "503 Service Unavailable\r\nRetry-After: 2\r\n"
                                     "Content-Length: 0";

flv::Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

} // namespace

std::vector<std::pair<const char *, std::string>> origin_fields(const std::string &origin) {
  if (origin.empty())
    return {};
  std::vector<std::pair<const char *, std::string>> fields{
      {"Access-Control-Allow-Origin", origin},
      {"Access-Control-Expose-Headers",
       "Content-Length, Content-Range, Content-Type, Date, Retry-After, Server"}};
  // Browsers refuse credentials with "*".
  if (origin != "*") {
    fields.emplace_back("Access-Control-Allow-Credentials", "true");
    fields.emplace_back("Vary", "Origin");
  }
  return fields;
}

std::string origin_lines(const std::string &origin) {
  std::string lines;
  for (const auto &[name, value] : origin_fields(origin))
    lines += std::string(name) + ": " + value + "\r\n";
  return lines;
}

std::string needs_start_text(const std::string &type) {
  return "This stream (" + type +
         ") has begun, and its container can be read from the start only. Streams of these muxers "
         "can be joined at any time: flvmux streamable=true, matroskamux streamable=true, webmmux "
         "streamable=true, mpegtsmux, oggmux, multipartmux.\n";
}

void Broadcast::serve(Client &client) {
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
    begin_close(client, Reason::Stopped, CloseCode::GoingAway, "the server stops");
  if (client.state == Client::State::Waiting)
    queue_response_head(client);
  write(client);
  settle(client);
  if (closing_)
    drop(client, Reason::Stopped);
}

void Broadcast::queue_response_head(Client &client) {
  const bool waited = now_ >= client.arrival + milliseconds(settings_.wait_timeout);
  if (client.arrived_after_eos || ((over_ || waited) && !shown_))
    return begin_close(client, Reason::Waited, CloseCode::TryAgainLater, "there is no stream");
  if (client.lacks_start) {
    const std::string text = needs_start_text(type_);
    const std::string status = "406 Not Acceptable\r\nContent-Type: text/plain\r\n"
                               "Content-Length: " +
                               std::to_string(text.size());
    return begin_close(client, Reason::Waited, CloseCode::PolicyViolation, "the stream has begun",
                       response_head(status, settings_.allow_origin) + text);
  }
  if (!shown_)
    return;
  if (!is_websocket(client))
    client.cursor->queue_bytes(
        bytes_of(response_head("200 OK\r\nContent-Type: " + type_, settings_.allow_origin)));
  client.state = Client::State::Served;
}

void Broadcast::prepare_write(Client &client) {
  const guint64 skips = client.cursor->skips();
  client.cursor->prepare_write(backlog_, settings_.cursor, batch_);
  if (client.cursor->skips() > skips)
    GST_DEBUG("client %" G_GUINT64_FORMAT " skips to a key frame: it was %" G_GINT64_FORMAT
              " ms behind; skip number %" G_GUINT64_FORMAT,
              client.id, client.cursor->lag().now, client.cursor->skips());
}

void Broadcast::write(Client &client) {
  if (client.state == Client::State::Waiting)
    return;
  std::size_t written = 0;
  while (!client.blocked && written < kShare) {
    if (client.state == Client::State::Leaving)
      client.cursor->prepare_close(backlog_, batch_);
    else
      prepare_write(client);
    if (batch_.size() == 0)
      break;
    const std::size_t size = batch_.size();
    const Transport::Result result = client.transport->send(batch_.parts());
    client.cursor->on_written(backlog_, result.size);
    written += result.size;
    if (result.kind == Transport::Result::Kind::Gone)
      return drop(client, Reason::Closed);
    client.blocked = result.size < size;
  }
  if (!client.blocked && !client.transport->flush())
    client.blocked = true;
  if (!client.blocked && written >= kShare)
    list(client);
  if (client.state == Client::State::Leaving && (!client.blocked || written > 0))
    client.progress = now_;
  if (written > 0)
    client.last_sent = now_;
  client.cursor->note_lag(backlog_);
}

// Closes a client that has received all of an ended stream. Removes a closing client that has
// received all queued bytes.
void Broadcast::settle(Client &client) {
  if (client.gone || client.blocked)
    return;
  const bool leaving = client.state == Client::State::Leaving;
  if (!leaving && over_ && client.cursor->has_all(backlog_)) {
    begin_close(client, Reason::Ended, CloseCode::Normal, "the stream has ended");
    write(client);
  }
  if (!client.gone && !client.blocked && client.state == Client::State::Leaving &&
      client.cursor->is_flushed()) {
    client.transport->end();
    drop(client, client.reason);
  }
}

// Queues the last bytes. A WebSocket client gets a close frame. An HTTP client without a response
// gets `answer`, or 503 if `answer` is empty.
void Broadcast::begin_close(Client &client, Reason reason, CloseCode code, std::string_view text,
                            std::string_view answer) {
  if (client.gone || client.state == Client::State::Leaving)
    return;
  const bool waits = client.state == Client::State::Waiting;
  client.state = Client::State::Leaving;
  client.reason = reason;
  if (!is_websocket(client)) {
    if (waits)
      client.cursor->queue_bytes(bytes_of(
          answer.empty() ? response_head(kNotYet, settings_.allow_origin) : std::string(answer)));
  } else {
    std::vector<std::uint8_t> frame;
    fanout::websocket::append_close(frame, code, text);
    client.cursor->queue_bytes(frame);
  }
  client.progress = now_;
  list(client);
}

void Broadcast::drop(Client &client, Reason reason) {
  if (std::exchange(client.gone, true))
    return;
  client.reason = reason;
  some_gone_ = true;
}

void Broadcast::listen(Client &client) {
  std::array<std::uint8_t, 4096> bytes{};
  std::size_t read = 0;
  while (!client.gone && !client.says_no_more) {
    // The rest is read in the next turn, so that the other clients are not delayed.
    if (read >= kMaxRead) {
      client.readable = true;
      return list(client);
    }
    const Transport::Result result = client.transport->receive(bytes);
    switch (result.kind) {
    case Transport::Result::Kind::Blocked:
      return;
    case Transport::Result::Kind::Gone:
      return drop(client, Reason::Closed);
    case Transport::Result::Kind::Ended:
      client.says_no_more = true;
      client.half_closed = now_;
      if (is_websocket(client) && client.state != Client::State::Leaving)
        drop(client, Reason::Closed);
      return;
    case Transport::Result::Kind::Done:
      break;
    }
    read += result.size;
    if (is_websocket(client) && client.state != Client::State::Leaving)
      listen_frames(client, flv::Bytes(bytes).first(result.size));
    note_heard(client, result.size);
  }
}

void Broadcast::note_heard(Client &client, std::size_t size) {
  client.heard += size;
  if (client.heard <= kMaxHeard)
    return;
  if (client.state == Client::State::Leaving || !is_websocket(client))
    return drop(client, Reason::Protocol);
  client.heard = 0;
  begin_close(client, Reason::Protocol, CloseCode::PolicyViolation, "too much is sent");
}

void Broadcast::listen_frames(Client &client, flv::Bytes bytes) {
  using fanout::websocket::Opcode;
  std::vector<fanout::websocket::Receiver::Control> controls;
  const flv::Status status = client.receiver.feed(bytes, controls);
  for (const auto &control : controls) {
    if (control.opcode == Opcode::Close) {
      begin_close(client, Reason::Closed, CloseCode::Normal, "");
    } else if (control.opcode == Opcode::Ping && client.cursor->queued_size() < kMaxQueued) {
      std::vector<std::uint8_t> frame;
      fanout::websocket::append_control(frame, Opcode::Pong, control.payload);
      client.cursor->queue_bytes(frame);
    }
  }
  if (status != flv::Status::Ok)
    begin_close(client, Reason::Protocol, client.receiver.error(), "");
}

void Broadcast::check_timeouts() {
  next_check_ = now_ + kCheck;
  for (const auto &client : clients_) {
    if (client->state == Client::State::Waiting)
      list(*client);
    if (client->state == Client::State::Served && backlog_.lacks_key_frame() &&
        now_ >= client->last_sent + milliseconds(settings_.wait_timeout))
      client->cursor->accept_any_frame(backlog_);
    if (is_websocket(*client))
      client->heard -= std::min(client->heard, kForgiven);
    note_taken(*client);
    if (client->state == Client::State::Leaving) {
      if (now_ >= client->progress + kLeave)
        drop(*client, client->reason);
    } else if (has_left_early(*client)) {
      drop(*client, Reason::Closed);
    } else if (is_too_slow(*client)) {
      drop(*client, client->blocked ? Reason::Slow : Reason::Closed);
    }
  }
}

// Written data may be in the send buffer of the system, which can hold megabytes. So only
// acknowledged data counts as progress, even if it is a few bytes at a time.
void Broadcast::note_taken(Client &client) {
  const milliseconds patience(settings_.client_timeout);
  if (patience.count() == 0 || now_ < client.next_look || client.state == Client::State::Leaving)
    return;
  client.next_look = now_ + std::clamp<milliseconds>(patience / 4, milliseconds(0), kLook);
  const auto left = static_cast<std::int64_t>(client.transport->unacknowledged());
  const std::int64_t taken = static_cast<std::int64_t>(client.cursor->bytes()) - left;
  if (taken > client.taken)
    client.last_sent = std::max(client.last_sent, left > 0 ? now_ : client.last_sent);
  if (taken > client.taken || left == 0)
    client.progress = now_;
  client.taken = std::max(client.taken, taken);
}

// A client that has closed its side may have closed the whole connection. Only a write can show
// this, so the time since the last write counts, too.
bool Broadcast::is_too_slow(const Client &client) const {
  const milliseconds patience(settings_.client_timeout);
  if (patience.count() == 0)
    return false;
  return now_ >= client.progress + patience ||
         (client.says_no_more && now_ >= client.last_sent + patience);
}

// Before the stream begins, no write shows whether a client has closed only its side, or the whole
// connection. Such a client is removed after kHalfClosed.
bool Broadcast::has_left_early(const Client &client) const {
  return client.says_no_more && !client.cursor->has_joined() &&
         now_ >= client.half_closed + kHalfClosed;
}

} // namespace flvhttp
