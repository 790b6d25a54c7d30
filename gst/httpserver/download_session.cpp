// SPDX-License-Identifier: LGPL-2.1-or-later
#include "download_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/state_change.h"
#include "categories.h"
#include "response.h"

#define GST_CAT_DEFAULT gst_http_server_download_debug

namespace flvhttp {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Kind = Transport::Result::Kind;

namespace {

// Bytes: a client that got this many in a turn continues in the next turn, so that the other
// clients are not delayed.
constexpr std::uint64_t kShare = 2 << 20;
// The writes of all paced clients fall on multiples of this time, so that one wake serves many.
constexpr milliseconds kWakes{50};
// Bytes that a client may send after its request, and the limit for reads in a turn.
constexpr std::size_t kMaxReceived = 256 << 10;
constexpr std::size_t kMaxRead = 16 << 10;
// A client that has acknowledged all data, and closes its side, or does not close it for this long,
// is removed.
constexpr milliseconds kCloseTimeout{1000};
// The maximum interval of the checks for acknowledged data.
constexpr milliseconds kProgressCheck{5000};
// A client that closed its side this long ago, and has no response, counts as left.
constexpr milliseconds kHalfClosed{500};

Clock::time_point on_wake(Clock::time_point time) {
  const Clock::duration since = time.time_since_epoch();
  return Clock::time_point(since - since % kWakes);
}

const FileRange *first_file(const std::vector<Part> &parts) {
  const auto found = std::find_if(parts.begin(), parts.end(), [](const Part &each) {
    return std::holds_alternative<FileRange>(each);
  });
  return found == parts.end() ? nullptr : &std::get<FileRange>(*found);
}

} // namespace

DownloadSession::DownloadSession(std::uint64_t id, DownloadClient client, DownloadContext &context)
    : context_(context), id_(id), client_(std::move(client)), arrival_(context.now),
      progress_(context.now), next_check_(context.now) {
  client_.transport->allow_long_queue();
  client_.transport->watch_peer(context.timeout > 0 ? context.timeout : 30'000);
}

DownloadSession::~DownloadSession() {
  context_.timers.cancel(timer_);
}

void DownloadSession::set_state(State next) {
  const std::string name = "download " + std::to_string(id_);
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, nullptr, name.c_str(), state_, next);
}

void DownloadSession::add_to_turn() {
  if (!std::exchange(is_in_turn_, true))
    context_.to_serve.push_back(this);
}

void DownloadSession::respond(Response response) {
  if (!is_in<AwaitResponse>())
    return;
  const bool sends_body = has_body(response.status) && !client_.request.is_head;
  status_ = response.status;
  std::string head = response_head(response, body_size(response.parts), client_.origin);
  const FileRange *range = sends_body ? first_file(response.parts) : nullptr;
  if (range && response.version)
    watch_.emplace(range->file, *response.version, range->offset, range->size);
  if (!sends_body)
    response.parts.clear();
  body_ = DownloadBody(std::move(head), std::move(response.parts));
  schedule_ = std::move(response.schedule);
  start_ = context_.now;
  progress_ = context_.now;
  exchange_.reset();
  GST_DEBUG("download %" G_GUINT64_FORMAT ": %s: %u, %" G_GUINT64_FORMAT " bytes%s", id_,
            client_.request.path.c_str(), status_, body_.size(), schedule_ ? ", paced" : "");
  set_state(Sending{});
  add_to_turn();
}

void DownloadSession::note_readiness(Readiness readiness) {
  if (readiness.broken())
    close(Reason::Closed);
  is_readable_ |= readiness.readable();
  if (readiness.writable() && is_in<Blocked>())
    set_state(Sending{});
  if (is_readable_ || is_in<Sending>())
    add_to_turn();
}

void DownloadSession::on_timer() {
  context_.timers.cancel(timer_);
  const auto *waiting = std::get_if<Waiting>(&state_);
  if (!waiting || context_.now < waiting->until)
    return add_to_turn();
  set_state(Sending{});
  if (!std::exchange(is_in_turn_, true))
    context_.due.push_back(this);
}

void DownloadSession::serve() {
  is_in_turn_ = false;
  if (is_in<Closed>())
    return;
  if (std::exchange(is_readable_, false))
    read();
  if (is_in<Sending>())
    write();
  if (!is_in<Closed>())
    check_progress();
  if (!is_in<Closed>())
    arm_timer();
}

std::uint64_t DownloadSession::bytes_due() const {
  if (!schedule_)
    return body_.size();
  const auto elapsed = std::chrono::duration_cast<microseconds>(context_.now - start_ + kAhead);
  return std::min(schedule_->bytes_due(elapsed), body_.size());
}

// When the next byte is due, less the interval of the wakes.
Clock::time_point DownloadSession::next_write() const {
  const Clock::time_point due = start_ + schedule_->due(body_.sent() + 1);
  return std::max(on_wake(due - kWakes), context_.now + kWakes);
}

bool DownloadSession::is_unchanged() {
  return !watch_ || watch_->is_unchanged();
}

void DownloadSession::write() {
  if (!is_unchanged())
    return close(Reason::Changed);
  const std::uint64_t due = bytes_due();
  const std::uint64_t end = std::min(due, body_.sent() + kShare);
  while (!body_.has_sent_head() || body_.sent() < end) {
    switch (body_.send(*client_.transport, end).kind) {
    case Kind::Done:
      break;
    case Kind::Blocked:
      return set_state(Blocked{});
    case Kind::Ended:
      return close(Reason::Changed);
    case Kind::Gone:
      return close(Reason::Closed);
    }
  }
  if (!client_.transport->flush())
    return set_state(Blocked{});
  if (body_.has_sent_all())
    finish();
  else if (body_.sent() == due)
    set_state(Waiting{next_write()});
  else
    add_to_turn();
}

void DownloadSession::finish() {
  client_.transport->end();
  watch_.reset();
  set_state(Closing{context_.now});
  next_check_ = context_.now + kCloseTimeout;
  if (half_closed_)
    close(Reason::Ended);
}

void DownloadSession::close(Reason reason) {
  if (is_in<Closed>())
    return;
  if (const auto exchange = exchange_.lock())
    exchange->cancel();
  // The client of a complete response may close or reset the connection at once.
  if (is_in<Closing>() && reason == Reason::Closed)
    reason = Reason::Ended;
  set_state(Closed{reason});
  context_.timers.cancel(timer_);
  context_.closed.push_back(this);
  if (client_.log)
    client_.log->write(status_, body_.sent(),
                       std::chrono::duration<double>(context_.now - arrival_).count(),
                       name_of(reason));
}

void DownloadSession::read() {
  std::array<std::uint8_t, 4096> bytes{};
  for (std::size_t read = 0; !is_in<Closed>() && !half_closed_;) {
    if (read >= kMaxRead) {
      is_readable_ = true;
      return add_to_turn();
    }
    const Transport::Result result = client_.transport->receive(bytes);
    switch (result.kind) {
    case Kind::Blocked:
      return;
    case Kind::Gone:
      return close(Reason::Closed);
    case Kind::Ended:
      half_closed_ = context_.now;
      return is_in<Closing>() ? close(Reason::Ended) : void();
    case Kind::Done:
      break;
    }
    read += result.size;
    received_ += result.size;
    if (received_ > kMaxReceived)
      return close(Reason::Protocol);
  }
}

// Written data may be in the send buffer of the system, which can hold megabytes. So only
// acknowledged data counts as progress, even if it is a few bytes at a time.
void DownloadSession::check_progress() {
  const Clock::time_point now = context_.now;
  if (is_in<AwaitResponse>()) {
    const auto exchange = exchange_.lock();
    if (exchange && half_closed_ && now >= *half_closed_ + kHalfClosed)
      exchange->cancel();
    return;
  }
  if (now < next_check_)
    return;
  const milliseconds patience(context_.timeout);
  const milliseconds longest = is_in<Closing>() ? kCloseTimeout : kProgressCheck;
  next_check_ = now + (patience.count() > 0 ? std::min(patience / 4, longest) : longest);
  const std::uint64_t left = client_.transport->unacknowledged();
  const std::uint64_t written = body_.total_sent();
  const std::uint64_t acknowledged = written - std::min(written, left);
  if (acknowledged > acknowledged_ || left == 0)
    progress_ = now;
  acknowledged_ = acknowledged;
  const auto *closing = std::get_if<Closing>(&state_);
  if (closing && left == 0 && now >= closing->since + kCloseTimeout)
    return close(Reason::Ended);
  if (patience.count() > 0 && now >= progress_ + patience)
    close(Reason::Slow);
}

void DownloadSession::arm_timer() {
  if (is_in<AwaitResponse>()) {
    if (half_closed_ && context_.now < *half_closed_ + kHalfClosed)
      context_.timers.set(timer_, *half_closed_ + kHalfClosed, this);
    return;
  }
  const auto *waiting = std::get_if<Waiting>(&state_);
  // A paced client is checked when it is served, unless that is much later.
  const Clock::time_point time =
      waiting ? std::min(waiting->until, next_check_ + kProgressCheck) : next_check_;
  // Unpaced downloads move the timer only when it has fired.
  if (!timer_.is_set() || timer_.time() > time)
    context_.timers.set(timer_, time, this);
}

} // namespace flvhttp
