// SPDX-License-Identifier: LGPL-2.1-or-later
#include "broadcast.h"

#include <algorithm>
#include <array>
#include <utility>

namespace flvhttp {

using fanout::Backlog;
using fanout::Entry;
using fanout::websocket::CloseCode;
using std::chrono::milliseconds;

const char *name_of(Reason reason) {
  constexpr std::array names = {"closed", "broken",   "slow",    "ended",  "drained",
                                "waited", "protocol", "removed", "stopped"};
  return names[static_cast<std::size_t>(reason)];
}

// Called from other threads.

void Broadcast::set(const BroadcastSettings &settings) {
  const std::lock_guard lock(inbox_mutex_);
  new_settings_ = settings;
  settings_changed_ = true;
}

BroadcastSettings Broadcast::settings() const {
  const std::lock_guard lock(inbox_mutex_);
  return new_settings_;
}

void Broadcast::set_content_type(std::string content_type, bool has_header, bool needs_start) {
  {
    const std::lock_guard lock(inbox_mutex_);
    needs_start_ = needs_start;
    content_type_ = std::move(content_type);
    has_header_ = has_header;
  }
  wake_();
}

std::string Broadcast::content_type() const {
  const std::lock_guard lock(inbox_mutex_);
  return shown_type_;
}

bool Broadcast::can_be_joined() const {
  const std::lock_guard lock(inbox_mutex_);
  return !needs_start_ || !begun_ || ended_;
}

// Wakes the writer thread only if no round is due. Otherwise, its next turn takes the entries.
void Broadcast::push(std::vector<Entry> entries) {
  bool waits = false;
  {
    const std::lock_guard lock(inbox_mutex_);
    begun_ |= !entries.empty();
    std::move(entries.begin(), entries.end(), std::back_inserter(entries_));
    waits = std::exchange(writer_waits_, false);
  }
  if (waits)
    wake_();
}

void Broadcast::set_ended(bool ended) {
  {
    const std::lock_guard lock(inbox_mutex_);
    ended_ = ended;
  }
  wake_();
}

bool Broadcast::has_ended() const {
  const std::lock_guard lock(inbox_mutex_);
  return ended_;
}

bool Broadcast::is_drained() const {
  const std::lock_guard inbox(inbox_mutex_);
  return over_ && clients_.empty() && arrivals_.empty();
}

bool Broadcast::wait_until_drained(guint64 interrupts) {
  const auto is_over = [&] { return interrupts_ != interrupts || is_drained(); };
  std::unique_lock lock(mutex_);
  const auto deadline = Clock::now() + milliseconds(settings().drain_timeout);
  if (changed_.wait_until(lock, deadline, is_over))
    return is_drained();
  for (const auto &client : clients_)
    drop(*client, Reason::Drained);
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
    closed_ = true;
  }
  wake_();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closing_ && clients_.empty(); });
}

bool Broadcast::has_room() const {
  const std::lock_guard lock(inbox_mutex_);
  return new_settings_.max_clients == 0 || count_ < new_settings_.max_clients;
}

void Broadcast::add(std::unique_ptr<Client> client) {
  {
    const std::lock_guard lock(inbox_mutex_);
    count_++;
    arrivals_.push_back(std::move(client));
  }
  wake_();
}

void Broadcast::remove(guint64 id) {
  {
    const std::lock_guard lock(inbox_mutex_);
    to_remove_.push_back(id);
  }
  wake_();
}

void Broadcast::remove_all() {
  {
    const std::lock_guard lock(inbox_mutex_);
    remove_all_ = true;
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

ClientStats Broadcast::stats_of(const Client &client) const {
  ClientStats stats;
  stats.id = client.id;
  stats.visitor = client.visitor;
  stats.since = client.since;
  stats.duration = std::chrono::duration<double>(Clock::now() - client.arrival).count();
  stats.bytes = client.cursor->bytes();
  stats.skips = client.cursor->skips();
  stats.start = client.cursor->start_point();
  stats.lag = client.cursor->lag();
  return stats;
}

BroadcastStats Broadcast::stats() const {
  const std::lock_guard lock(mutex_);
  BroadcastStats stats;
  stats.served = last_id_;
  stats.bytes_in = bytes_in_;
  stats.bytes_out = bytes_gone_;
  stats.skips = skips_gone_;
  stats.history_bytes = backlog_.bytes_from(backlog_.begin());
  stats.history_ms = backlog_.lag(backlog_.begin());
  stats.clients.reserve(clients_.size());
  for (const auto &client : clients_) {
    stats.clients.push_back(stats_of(*client));
    stats.bytes_out += client->cursor->bytes();
    stats.skips += client->cursor->skips();
  }
  return stats;
}

// Called from the writer thread.

void Broadcast::list(Client &client) {
  if (!std::exchange(client.in_turn, true))
    turn_.push_back(&client);
}

void Broadcast::note(Client &client) {
  const std::lock_guard lock(mutex_);
  list(client);
}

void Broadcast::take_inbox(const Poller &poller) {
  const std::lock_guard inbox(inbox_mutex_);
  if (std::exchange(settings_changed_, false)) {
    settings_ = new_settings_;
    // The burst does not count as lag.
    fanout::CursorSettings &cursor = settings_.cursor;
    if (cursor.join == fanout::Join::Burst && cursor.max_lag > 0)
      cursor.max_lag += cursor.burst;
  }
  type_ = content_type_;
  fresh_ |= !entries_.empty();
  for (Entry &entry : entries_) {
    bytes_in_ += entry.bytes.size();
    backlog_.append(std::move(entry));
  }
  entries_.clear();
  if (!shown_ && !type_.empty() && (has_header_ || backlog_.newest_header())) {
    shown_ = true;
    for (const auto &client : clients_)
      list(*client);
  }
  if (shown_)
    shown_type_ = type_;
  const bool was_over = over_;
  if (over_ != ended_ || closing_ != closed_) {
    over_ = ended_;
    closing_ = closed_;
    for (const auto &client : clients_)
      list(*client);
  }
  for (auto &client : arrivals_) {
    client->id = ++last_id_;
    client->broadcast = this;
    client->arrival = client->progress = client->last_sent = now_;
    client->since = g_get_real_time();
    client->arrived_after_eos = was_over && over_;
    client->lacks_start = needs_start_ && backlog_.end() > 0;
    client->cursor.emplace(client->visitor.framing, backlog_);
    client->transport->watch_peer(settings_.client_timeout);
    events_.emplace_back(Added{client->id});
    list(*client);
    if (!poller.add(client->transport->descriptor(), client.get()))
      drop(*client, Reason::Broken);
    clients_.push_back(std::move(client));
  }
  arrivals_.clear();
  const bool all = std::exchange(remove_all_, false);
  for (const auto &client : clients_) {
    if (all || std::find(to_remove_.begin(), to_remove_.end(), client->id) != to_remove_.end())
      begin_close(*client, Reason::Removed, CloseCode::GoingAway, "removed");
  }
  to_remove_.clear();
}

std::optional<Clock::time_point> Broadcast::turn(const Poller &poller) {
  std::optional<Clock::time_point> next;
  bool tell = false;
  {
    const std::lock_guard lock(mutex_);
    now_ = Clock::now();
    take_inbox(poller);
    if (fresh_ && now_ >= round_begin_ + milliseconds(settings_.merge)) {
      round_begin_ = now_;
      cursor_ = 0;
      in_round_ = true;
      fresh_ = false;
    }
    const bool served = in_round_;
    if (in_round_)
      list_slice();
    for (Client *client : std::exchange(turn_, {}))
      serve(*client);
    if (now_ >= next_check_)
      check_timeouts();
    end_turn(poller);
    if (served && !in_round_)
      trim();
    next = next_turn();
    tell = !events_.empty();
  }
  changed_.notify_all();
  if (tell)
    tell_(*this);
  return next;
}

// The number of slices of a round. The queues of the system do not hold thousands of writes at
// once.
std::size_t Broadcast::slices() const {
  constexpr std::size_t kSlice = 256;  // clients
  constexpr std::size_t kShortest = 5; // ms
  const std::size_t most = std::max<std::size_t>(1, settings_.merge / kShortest);
  return std::clamp<std::size_t>(clients_.size() / kSlice, 1, most);
}

void Broadcast::list_slice() {
  const std::size_t count = slices();
  const auto length = std::chrono::nanoseconds(milliseconds(settings_.merge)) / count;
  const std::size_t slice =
      length.count() > 0 ? static_cast<std::size_t>((now_ - round_begin_) / length) : count;
  const std::size_t end = std::min(clients_.size(), clients_.size() * (slice + 1) / count);
  for (; cursor_ < end; cursor_++)
    list(*clients_[cursor_]);
  in_round_ = cursor_ < clients_.size();
  next_slice_ = round_begin_ + length * (slice + 1);
}

void Broadcast::end_turn(const Poller &poller) {
  if (!std::exchange(some_gone_, false))
    return;
  std::size_t gone = 0;
  std::size_t index = 0;
  std::size_t gone_before_cursor = 0;
  std::erase_if(clients_, [&](const std::unique_ptr<Client> &client) {
    const bool before_cursor = index++ < cursor_;
    if (!client->gone)
      return false;
    gone_before_cursor += before_cursor ? 1 : 0;
    std::erase(turn_, client.get());
    poller.remove(client->transport->descriptor());
    bytes_gone_ += client->cursor->bytes();
    skips_gone_ += client->cursor->skips();
    events_.emplace_back(Removed{client->id, client->reason, stats_of(*client)});
    gone++;
    return true;
  });
  cursor_ -= gone_before_cursor;
  const std::lock_guard inbox(inbox_mutex_);
  count_ -= gone;
}

// Evicts entries that no client can still read.
void Broadcast::trim() {
  const fanout::CursorSettings &cursor = settings_.cursor;
  Backlog::Number keep = backlog_.last_join().value_or(backlog_.end());
  if (cursor.join == fanout::Join::Burst)
    keep = backlog_.join_ahead(cursor.burst).value_or(keep);
  for (const auto &client : clients_) {
    if (client->cursor->has_joined() && !client->cursor->is_lagging(backlog_, cursor))
      keep = std::min(keep, client->cursor->position());
  }
  const std::uint64_t most = cursor.max_lag_bytes;
  while (most > 0 && keep < backlog_.end() && backlog_.bytes_from(keep) > most)
    keep++;
  backlog_.trim(keep);
  if (backlog_.lacks_key_frame())
    warn_of_no_key_frame();
}

void Broadcast::warn_of_no_key_frame() {
  if (std::exchange(warned_, true))
    return;
  events_.emplace_back(Warning{
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "The last " + std::to_string(settings_.cursor.max_lag_bytes) +
          " bytes (max-lag-bytes) of the stream have no key frame. New clients start at the "
          "next configuration or recovery point, or after wait-timeout at any frame."});
}

std::optional<Clock::time_point> Broadcast::next_turn() {
  std::optional<Clock::time_point> next;
  const auto by = [&next](Clock::time_point when) { next = next ? std::min(*next, when) : when; };
  const std::lock_guard inbox(inbox_mutex_);
  if (!turn_.empty())
    by(now_);
  if (!clients_.empty())
    by(next_check_);
  if (in_round_)
    by(next_slice_);
  if (fresh_ || !entries_.empty())
    by(round_begin_ + milliseconds(settings_.merge));
  else
    writer_waits_ = true;
  return next;
}

} // namespace flvhttp
