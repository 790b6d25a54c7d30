// SPDX-License-Identifier: LGPL-2.1-or-later
#include "broadcast.h"

#include <algorithm>
#include <utility>

namespace flvhttp {

using fanout::Backlog;
using fanout::Entry;
using fanout::websocket::CloseCode;
using std::chrono::milliseconds;

namespace {

// The interval of the timeout checks.
constexpr milliseconds kCheck{200};

} // namespace

// Called from other threads.

void Broadcast::set(const BroadcastSettings &settings) {
  auto changed = std::make_shared<BroadcastSettings>(settings);
  // The burst does not count as lag.
  fanout::CursorSettings &cursor = changed->cursor;
  if (cursor.join == fanout::Join::Burst && cursor.max_lag > 0)
    cursor.max_lag += cursor.burst;
  const std::lock_guard lock(inbox_mutex_);
  settings_ = std::move(changed);
}

SettingsPtr Broadcast::settings() const {
  const std::lock_guard lock(inbox_mutex_);
  return settings_;
}

void Broadcast::set_container(Container container) {
  {
    const std::lock_guard lock(inbox_mutex_);
    stream_.set_container(std::move(container));
  }
  wake_();
}

std::string Broadcast::content_type() const {
  const std::lock_guard lock(inbox_mutex_);
  return stream_.can_be_sent() ? stream_.type() : "";
}

bool Broadcast::can_be_joined() const {
  const std::lock_guard lock(inbox_mutex_);
  return stream_.can_be_joined();
}

// Wakes the writer thread only if no round is due. Otherwise, its next turn takes the entries.
void Broadcast::push(std::vector<Entry> entries) {
  bool waits = false;
  {
    const std::lock_guard lock(inbox_mutex_);
    if (stream_.awaits_start_point() &&
        std::any_of(entries.begin(), entries.end(),
                    [](const Entry &entry) { return entry.join_header != nullptr; }))
      stream_.note_start_point();
    std::move(entries.begin(), entries.end(), std::back_inserter(entries_));
    waits = std::exchange(writer_waits_, false);
  }
  if (waits)
    wake_();
}

void Broadcast::set_ended(bool ended) {
  {
    const std::lock_guard lock(inbox_mutex_);
    if (ended)
      stream_.end();
    else
      stream_.resume();
  }
  wake_();
}

bool Broadcast::has_ended() const {
  const std::lock_guard lock(inbox_mutex_);
  return stream_.has_ended();
}

bool Broadcast::is_drained() const {
  const std::lock_guard inbox(inbox_mutex_);
  const StreamState &stream = context_.stream;
  return (stream.has_ended() || stream.is_closing()) && clients_.empty() && arrivals_.empty();
}

bool Broadcast::wait_until_drained(guint64 interrupts) {
  const auto is_over = [&] { return interrupts_ != interrupts || is_drained(); };
  std::unique_lock lock(mutex_);
  const auto deadline = Clock::now() + milliseconds(settings()->drain_timeout);
  if (changed_.wait_until(lock, deadline, is_over))
    return is_drained();
  for (const auto &client : clients_)
    client->close(Reason::Drained);
  lock.unlock();
  wake_();
  return true;
}

guint64 Broadcast::interrupts() const {
  const std::lock_guard lock(mutex_);
  return interrupts_;
}

void Broadcast::interrupt() {
  {
    const std::lock_guard lock(mutex_);
    interrupts_++;
  }
  changed_.notify_all();
}

void Broadcast::close() {
  {
    const std::lock_guard lock(inbox_mutex_);
    stream_.close();
  }
  wake_();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return context_.stream.is_closing() && clients_.empty(); });
}

bool Broadcast::has_room() const {
  const std::lock_guard lock(inbox_mutex_);
  return settings_->max_clients == 0 || count_ < settings_->max_clients;
}

std::size_t Broadcast::client_count() const {
  const std::lock_guard lock(inbox_mutex_);
  return count_;
}

void Broadcast::add(Arrival arrival) {
  {
    const std::lock_guard lock(inbox_mutex_);
    count_++;
    arrivals_.push_back(std::move(arrival));
  }
  wake_();
}

void Broadcast::remove(guint64 id) {
  {
    const std::lock_guard lock(inbox_mutex_);
    to_remove_.emplace_back(id);
  }
  wake_();
}

void Broadcast::remove_all() {
  {
    const std::lock_guard lock(inbox_mutex_);
    to_remove_.emplace_back(std::nullopt);
  }
  wake_();
}

void Broadcast::warn(Warning warning) {
  {
    const std::lock_guard lock(mutex_);
    events_.emplace_back(std::move(warning));
  }
  tell_(*this);
}

std::vector<Broadcast::Event> Broadcast::take_events() {
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

BroadcastStats Broadcast::stats() const {
  const std::lock_guard lock(mutex_);
  const Backlog &backlog = context_.backlog;
  BroadcastStats stats;
  stats.served = last_id_;
  stats.bytes_in = bytes_in_;
  stats.bytes_out = bytes_gone_;
  stats.skips = skips_gone_;
  stats.history_bytes = backlog.bytes_from(backlog.begin());
  stats.history_ms = backlog.lag(backlog.begin());
  stats.clients.reserve(clients_.size());
  for (const auto &client : clients_) {
    stats.clients.push_back(client->stats());
    stats.bytes_out += client->cursor().bytes();
    stats.skips += client->cursor().skips();
  }
  return stats;
}

// Called from the writer thread.

void Broadcast::note_readiness(ClientSession &client, Readiness readiness) {
  const std::lock_guard lock(mutex_);
  client.note_readiness(readiness);
}

void Broadcast::take_inbox(const Poller &poller) {
  const std::lock_guard inbox(inbox_mutex_);
  context_.settings = settings_;
  for (Entry &entry : entries_) {
    bytes_in_ += entry.bytes.size();
    context_.backlog.append(std::move(entry));
  }
  entries_.clear();
  const bool had_ended = context_.stream.has_ended();
  const bool is_new_state = !context_.stream.is_same_state(stream_);
  context_.stream = stream_;
  if (is_new_state) {
    for (const auto &client : clients_)
      client->add_to_turn();
  }
  take_arrivals(poller, had_ended);
  take_removals();
}

// `had_ended`: the stream had ended when the previous turn began.
void Broadcast::take_arrivals(const Poller &poller, bool had_ended) {
  using Admission = ClientSession::Admission;
  const StreamState &stream = context_.stream;
  Admission admission = Admission::Allowed;
  if (had_ended && stream.has_ended())
    admission = Admission::StreamHasEnded;
  else if (stream.is_readable_only_from_start() && context_.backlog.end() > 0)
    admission = Admission::StreamHasBegun;
  for (Arrival &arrival : arrivals_) {
    auto client =
        std::make_unique<ClientSession>(++last_id_, std::move(arrival), admission, context_, *this);
    events_.emplace_back(Added{client->id()});
    client->add_to_turn();
    if (!poller.add(client->transport().descriptor(), client.get()))
      client->close(Reason::Broken);
    clients_.push_back(std::move(client));
  }
  arrivals_.clear();
}

void Broadcast::take_removals() {
  if (to_remove_.empty())
    return;
  const auto is_listed = [this](std::optional<guint64> id) {
    return std::find(to_remove_.begin(), to_remove_.end(), id) != to_remove_.end();
  };
  const bool all = is_listed(std::nullopt);
  for (const auto &client : clients_) {
    if (all || is_listed(client->id()))
      client->begin_close(Reason::Removed, CloseCode::GoingAway, "removed");
  }
  to_remove_.clear();
}

std::optional<Clock::time_point> Broadcast::turn(const Poller &poller) {
  std::optional<Clock::time_point> next;
  bool tell = false;
  {
    const std::lock_guard lock(mutex_);
    context_.now = Clock::now();
    take_inbox(poller);
    if (has_new_entries() && context_.now >= round_time_ + milliseconds(context_.settings->merge))
      begin_round();
    const bool was_in_round = round_.has_value();
    if (round_)
      list_slice();
    for (ClientSession *client : std::exchange(context_.to_serve, {}))
      client->serve();
    if (context_.now >= next_check_)
      check_timeouts();
    end_turn(poller);
    if (was_in_round && !round_)
      trim();
    next = next_turn();
    tell = !events_.empty();
  }
  changed_.notify_all();
  if (tell)
    tell_(*this);
  return next;
}

void Broadcast::begin_round() {
  round_ = Round{};
  round_time_ = context_.now;
  round_entries_end_ = context_.backlog.end();
}

// The number of slices of a round. The queues of the system do not hold thousands of writes at
// once.
std::size_t Broadcast::slices() const {
  constexpr std::size_t kSlice = 256;  // clients
  constexpr std::size_t kShortest = 5; // ms
  const std::size_t most = std::max<std::size_t>(1, context_.settings->merge / kShortest);
  return std::clamp<std::size_t>(clients_.size() / kSlice, 1, most);
}

// Lists the clients of the slices that are due. Ends the round after its last slice.
void Broadcast::list_slice() {
  const std::size_t count = slices();
  const auto length = std::chrono::nanoseconds(milliseconds(context_.settings->merge)) / count;
  const std::size_t slice =
      length.count() > 0 ? static_cast<std::size_t>((context_.now - round_time_) / length) : count;
  const std::size_t end = std::min(clients_.size(), clients_.size() * (slice + 1) / count);
  for (; round_->next_client < end; round_->next_client++)
    clients_[round_->next_client]->add_to_turn();
  round_->next_slice = round_time_ + length * (slice + 1);
  if (round_->next_client >= clients_.size())
    round_.reset();
}

void Broadcast::check_timeouts() {
  next_check_ = context_.now + kCheck;
  for (const auto &client : clients_)
    client->check_timeouts();
}

// Removes the closed clients.
void Broadcast::end_turn(const Poller &poller) {
  const std::size_t gone = std::exchange(context_.closed_count, 0);
  if (gone == 0)
    return;
  std::size_t index = 0;
  std::size_t gone_before_next = 0;
  std::erase_if(clients_, [&](const std::unique_ptr<ClientSession> &client) {
    const bool is_before_next = round_ && index++ < round_->next_client;
    const std::optional<Reason> reason = client->close_reason();
    if (!reason)
      return false;
    gone_before_next += is_before_next ? 1 : 0;
    std::erase(context_.to_serve, client.get());
    poller.remove(client->transport().descriptor());
    bytes_gone_ += client->cursor().bytes();
    skips_gone_ += client->cursor().skips();
    events_.emplace_back(Removed{client->id(), *reason, client->stats()});
    client->log();
    return true;
  });
  if (round_)
    round_->next_client -= gone_before_next;
  const std::lock_guard inbox(inbox_mutex_);
  count_ -= gone;
}

// Evicts entries that no client can still read.
void Broadcast::trim() {
  const fanout::CursorSettings &settings = context_.settings->cursor;
  Backlog &backlog = context_.backlog;
  Backlog::Number keep = backlog.last_join().value_or(backlog.end());
  if (settings.join == fanout::Join::Burst)
    keep = backlog.join_ahead(settings.burst).value_or(keep);
  for (const auto &client : clients_) {
    const fanout::ClientCursor &cursor = client->cursor();
    if (cursor.has_joined() && !cursor.is_lagging(backlog, settings))
      keep = std::min(keep, cursor.position());
  }
  const std::uint64_t most = settings.max_lag_bytes;
  while (most > 0 && keep < backlog.end() && backlog.bytes_from(keep) > most)
    keep++;
  backlog.trim(keep);
  if (backlog.lacks_key_frame())
    warn_of_no_key_frame();
}

void Broadcast::warn_of_no_key_frame() {
  if (std::exchange(warned_, true))
    return;
  events_.emplace_back(Warning{
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "The last " + std::to_string(context_.settings->cursor.max_lag_bytes) +
          " bytes (max-lag-bytes) of the stream have no key frame. New clients start at the "
          "next configuration or recovery point, or after wait-timeout at any frame."});
}

std::optional<Clock::time_point> Broadcast::next_turn() {
  std::optional<Clock::time_point> next;
  const auto by = [&next](Clock::time_point when) { next = next ? std::min(*next, when) : when; };
  const std::lock_guard inbox(inbox_mutex_);
  if (!context_.to_serve.empty())
    by(context_.now);
  if (!clients_.empty())
    by(next_check_);
  if (round_)
    by(round_->next_slice);
  if (has_new_entries() || !entries_.empty())
    by(round_time_ + milliseconds(context_.settings->merge));
  else
    writer_waits_ = true;
  return next;
}

} // namespace flvhttp
