// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include <libsoup/soup.h>

#include "base/state_change.h"
#include "categories.h"
#include "response.h"

#define GST_CAT_DEFAULT gst_http_server_client_debug

namespace flvhttp {

using fanout::websocket::CloseCode;
using std::chrono::milliseconds;

namespace {

// Bytes: a client that got this many in a turn continues in the next turn, so that the other
// clients are not delayed.
constexpr std::size_t kShare = 2 << 20;
// Bytes that a client may send after its request, and bytes that each call of check_timeouts()
// subtracts from the count of a WebSocket.
constexpr std::size_t kMaxReceived = 256 << 10;
constexpr std::size_t kAllowance = 16 << 10;
// Bytes: the limit for reads from one client in a turn.
constexpr std::size_t kMaxRead = 16 << 10;
// Bytes: pings get no answer while the client's queue has this size.
constexpr std::size_t kMaxQueued = 64 << 10;
// A closing client that accepts no data for this long is removed.
constexpr milliseconds kCloseTimeout{1000};
// The maximum interval of the checks for acknowledged data.
constexpr milliseconds kAcknowledgedCheck{1000};
// How long a client that has closed its side may wait for the start of the stream.
constexpr milliseconds kHalfClosed{500};

flv::Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

} // namespace

const char *name_of(Reason reason) {
  constexpr std::array names = {"closed", "broken",   "slow",    "ended",   "drained",
                                "waited", "protocol", "removed", "stopped", "changed"};
  return names[static_cast<std::size_t>(reason)];
}

ClientSession::ClientSession(guint64 id, Arrival arrival, Admission admission,
                             SessionContext &context, Broadcast &broadcast)
    : context_(context), broadcast_(broadcast), id_(id), visitor_(std::move(arrival.visitor)),
      transport_(std::move(arrival.transport)), cursor_(visitor_.framing, context.backlog),
      state_(AwaitStream{admission}), since_(g_get_real_time()), arrival_(context.now),
      progress_(context.now), last_sent_(context.now) {
  transport_->watch_peer(context.settings->client_timeout);
  if (is_websocket())
    status_ = SOUP_STATUS_SWITCHING_PROTOCOLS; // sent by libsoup
}

void ClientSession::set_state(State next) {
  const std::string name = "client " + std::to_string(id_);
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, context_.element, name.c_str(), state_, next);
}

ClientStats ClientSession::stats() const {
  ClientStats stats;
  stats.id = id_;
  stats.visitor = visitor_;
  stats.since = since_;
  stats.duration = std::chrono::duration<double>(Clock::now() - arrival_).count();
  stats.bytes = cursor_.bytes();
  stats.skips = cursor_.skips();
  stats.start = cursor_.start_point();
  stats.lag = cursor_.lag();
  return stats;
}

void ClientSession::log() const {
  if (visitor_.log)
    visitor_.log->write(status_, cursor_.bytes() - std::min<guint64>(cursor_.bytes(), head_size_),
                        std::chrono::duration<double>(Clock::now() - arrival_).count(),
                        name_of(close_reason().value_or(Reason::Closed)));
}

std::optional<Reason> ClientSession::close_reason() const {
  const auto *closed = std::get_if<Closed>(&state_);
  return closed ? std::optional(closed->reason) : std::nullopt;
}

void ClientSession::add_to_turn(Work work) {
  if (work_ == Work::Nothing)
    context_.to_serve.push_back(this);
  work_ = std::max(work_, work);
}

void ClientSession::note_readiness(Readiness readiness) {
  if (readiness.broken())
    close(Reason::Closed);
  if (readiness.writable())
    is_blocked_ = false;
  add_to_turn(readiness.readable() ? Work::ReadAndWrite : Work::Write);
}

void ClientSession::serve() {
  const Work work = std::exchange(work_, Work::Nothing);
  if (is_in<Closed>())
    return;
  if (work == Work::ReadAndWrite)
    read();
  if (is_in<Closed>())
    return;
  const bool stops = context_.stream.is_closing();
  if (stops)
    begin_close(Reason::Stopped, CloseCode::GoingAway, "the server stops");
  if (is_in<AwaitStream>())
    answer();
  write();
  finish();
  if (stops)
    close(Reason::Stopped);
}

// Queues the response head if the stream can be sent. Refuses the client if it cannot.
void ClientSession::answer() {
  const BroadcastSettings &settings = *context_.settings;
  const StreamState &stream = context_.stream;
  const Admission admission = std::get<AwaitStream>(state_).admission;
  const bool has_waited = context_.now >= arrival_ + milliseconds(settings.wait_timeout);
  if (admission == Admission::StreamHasEnded ||
      ((stream.has_ended() || has_waited) && !stream.can_be_sent()))
    return begin_close(Reason::Waited, CloseCode::TryAgainLater, "there is no stream");
  if (admission == Admission::StreamHasBegun)
    return begin_close(Reason::Waited, CloseCode::PolicyViolation, "the stream has begun",
                       needs_start_response(stream.type(), settings.allow_origin));
  if (!stream.can_be_sent())
    return;
  if (!is_websocket()) {
    status_ = SOUP_STATUS_OK;
    queue_response(
        response_head("200 OK\r\nContent-Type: " + stream.type(), settings.allow_origin));
  }
  set_state(Streaming{});
}

// The head, and maybe a body.
void ClientSession::queue_response(std::string_view response) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  head_size_ = response.find(kEnd) + kEnd.size();
  cursor_.queue_bytes(bytes_of(response));
}

void ClientSession::prepare_write() {
  const guint64 skips = cursor_.skips();
  cursor_.prepare_write(context_.backlog, context_.settings->cursor, context_.batch);
  if (cursor_.skips() > skips)
    GST_DEBUG_OBJECT(context_.element,
                     "client %" G_GUINT64_FORMAT " skips to a key frame: it was %" G_GINT64_FORMAT
                     " ms behind; skip number %" G_GUINT64_FORMAT,
                     id_, cursor_.lag().now, cursor_.skips());
}

void ClientSession::write() {
  if (is_in<AwaitStream>())
    return;
  auto *closing = std::get_if<Closing>(&state_);
  std::size_t written = 0;
  while (!is_blocked_ && written < kShare) {
    if (closing)
      cursor_.prepare_close(context_.backlog, context_.batch);
    else
      prepare_write();
    const std::size_t size = context_.batch.size();
    if (size == 0)
      break;
    const Transport::Result result = transport_->send(context_.batch.parts());
    cursor_.on_written(context_.backlog, result.size);
    written += result.size;
    if (result.kind == Transport::Result::Kind::Gone)
      return close(Reason::Closed);
    is_blocked_ = result.size < size;
  }
  if (!is_blocked_ && !transport_->flush())
    is_blocked_ = true;
  if (!is_blocked_ && written >= kShare)
    add_to_turn();
  if (closing && (!is_blocked_ || written > 0))
    closing->deadline = context_.now + kCloseTimeout;
  if (written > 0)
    last_sent_ = context_.now;
  cursor_.note_lag(context_.backlog);
}

// Begins to close a client that has received all of an ended stream. Closes a closing
// client when all its queued bytes are written.
void ClientSession::finish() {
  if (is_blocked_)
    return;
  if (is_in<Streaming>() && context_.stream.has_ended() && cursor_.has_all(context_.backlog)) {
    begin_close(Reason::Ended, CloseCode::Normal, "the stream has ended");
    write();
  }
  const auto *closing = std::get_if<Closing>(&state_);
  if (closing && !is_blocked_ && cursor_.is_flushed()) {
    transport_->end();
    close(closing->reason);
  }
}

void ClientSession::begin_close(Reason reason, CloseCode code, std::string_view text,
                                std::string_view response) {
  if (is_in<Closing>() || is_in<Closed>())
    return;
  if (is_websocket()) {
    std::vector<std::uint8_t> frame;
    fanout::websocket::append_close(frame, code, text);
    cursor_.queue_bytes(frame);
  } else if (is_in<AwaitStream>()) {
    status_ = response.empty() ? SOUP_STATUS_SERVICE_UNAVAILABLE : SOUP_STATUS_NOT_ACCEPTABLE;
    queue_response(response.empty() ? unavailable_response(context_.settings->allow_origin)
                                    : std::string(response));
  }
  set_state(Closing{reason, context_.now + kCloseTimeout});
  add_to_turn();
}

void ClientSession::close(Reason reason) {
  if (is_in<Closed>())
    return;
  set_state(Closed{reason});
  context_.closed_count++;
}

void ClientSession::read() {
  std::array<std::uint8_t, 4096> bytes{};
  std::size_t read = 0;
  while (!is_in<Closed>() && !half_closed_) {
    // The rest is read in the next turn, so that the other clients are not delayed.
    if (read >= kMaxRead)
      return add_to_turn(Work::ReadAndWrite);
    const Transport::Result result = transport_->receive(bytes);
    switch (result.kind) {
    case Transport::Result::Kind::Blocked:
      return;
    case Transport::Result::Kind::Gone:
      return close(Reason::Closed);
    case Transport::Result::Kind::Ended:
      return note_half_close();
    case Transport::Result::Kind::Done:
      break;
    }
    read += result.size;
    if (is_websocket() && !is_in<Closing>())
      read_frames(flv::Bytes(bytes).first(result.size));
    note_received(result.size);
  }
}

// The client has closed its side of the connection.
void ClientSession::note_half_close() {
  half_closed_ = context_.now;
  if (is_websocket() && !is_in<Closing>())
    close(Reason::Closed);
}

void ClientSession::note_received(std::size_t size) {
  received_ += size;
  if (received_ <= kMaxReceived)
    return;
  if (is_in<Closing>() || !is_websocket())
    return close(Reason::Protocol);
  received_ = 0;
  begin_close(Reason::Protocol, CloseCode::PolicyViolation, "too much is sent");
}

void ClientSession::read_frames(flv::Bytes bytes) {
  using fanout::websocket::Opcode;
  std::vector<fanout::websocket::Receiver::Control> controls;
  const flv::Status status = receiver_.feed(bytes, controls);
  for (const auto &control : controls) {
    if (control.opcode == Opcode::Close) {
      begin_close(Reason::Closed, CloseCode::Normal, "");
    } else if (control.opcode == Opcode::Ping && cursor_.queued_size() < kMaxQueued) {
      std::vector<std::uint8_t> frame;
      fanout::websocket::append_control(frame, Opcode::Pong, control.payload);
      cursor_.queue_bytes(frame);
    }
  }
  if (status != flv::Status::Ok)
    begin_close(Reason::Protocol, receiver_.error(), "");
}

void ClientSession::check_timeouts() {
  if (is_in<Closed>())
    return;
  const Clock::time_point now = context_.now;
  if (is_in<AwaitStream>())
    add_to_turn();
  if (is_in<Streaming>() && context_.backlog.lacks_key_frame() &&
      now >= last_sent_ + milliseconds(context_.settings->wait_timeout))
    cursor_.accept_any_frame(context_.backlog);
  if (is_websocket())
    received_ -= std::min(received_, kAllowance);
  if (const auto *closing = std::get_if<Closing>(&state_)) {
    if (now >= closing->deadline)
      close(closing->reason);
    return;
  }
  note_acknowledged();
  if (has_left_early())
    close(Reason::Closed);
  else if (is_too_slow())
    close(is_blocked_ ? Reason::Slow : Reason::Closed);
}

// Written data may be in the send buffer of the system, which can hold megabytes. So only
// acknowledged data counts as progress, even if it is a few bytes at a time.
void ClientSession::note_acknowledged() {
  const Clock::time_point now = context_.now;
  const milliseconds patience(context_.settings->client_timeout);
  if (patience.count() == 0 || now < next_acknowledged_check_)
    return;
  next_acknowledged_check_ =
      now + std::clamp<milliseconds>(patience / 4, milliseconds(0), kAcknowledgedCheck);
  const auto left = static_cast<std::int64_t>(transport_->unacknowledged());
  const std::int64_t acknowledged = static_cast<std::int64_t>(cursor_.bytes()) - left;
  if (acknowledged > acknowledged_)
    last_sent_ = std::max(last_sent_, left > 0 ? now : last_sent_);
  if (acknowledged > acknowledged_ || left == 0)
    progress_ = now;
  acknowledged_ = std::max(acknowledged_, acknowledged);
}

// A client that has closed its side may have closed the whole connection. Only a write can show
// this, so the time since the last write counts, too.
bool ClientSession::is_too_slow() const {
  const milliseconds patience(context_.settings->client_timeout);
  if (patience.count() == 0)
    return false;
  return context_.now >= progress_ + patience ||
         (half_closed_ && context_.now >= last_sent_ + patience);
}

// Before the stream begins, no write shows whether a client has closed only its side, or the whole
// connection. Such a client is removed after kHalfClosed.
bool ClientSession::has_left_early() const {
  return half_closed_ && !cursor_.has_joined() && context_.now >= *half_closed_ + kHalfClosed;
}

} // namespace flvhttp
