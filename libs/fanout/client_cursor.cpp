// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client_cursor.h"

#include <algorithm>
#include <utility>

namespace fanout {

namespace {

// Bytes: a write of this size gets no more entries.
constexpr std::size_t kMaxWrite = 512 << 10;

// Whether the entry is a decoder configuration, or another tag with data that is neither media nor
// script data.
bool is_decoder_config(const Entry &entry) {
  flv::TagHeader header;
  return entry.is_tag && !entry.is_media() &&
         flv::read_tag_header(entry.bytes.data(), flv::kMaxDataSize, header).kind ==
             flv::Fault::Kind::None &&
         !header.is_script() && header.data_size > 0;
}

using AwaitKeyframe = ClientCursor::AwaitKeyframe;
using Following = ClientCursor::Following;

std::optional<Backlog::Number> find_start(const AwaitKeyframe &waiting, const Backlog &backlog,
                                          const CursorSettings &settings) {
  if (backlog.lacks_key_frame()) {
    const auto fallback = backlog.fallback_from(waiting.from);
    return fallback || !waiting.any_frame_from ? fallback
                                               : backlog.frame_from(*waiting.any_frame_from);
  }
  if (waiting.is_from_only || settings.join == Join::NextKeyFrame)
    return backlog.join_from(waiting.from);
  return settings.join == Join::Burst ? backlog.join_ahead(settings.burst) : backlog.last_join();
}

} // namespace

void ClientCursor::queue_bytes(Bytes bytes) {
  queued_.insert(queued_.end(), bytes.begin(), bytes.end());
}

bool ClientCursor::has_all(const Backlog &backlog) const {
  return is_flushed() && (!has_joined() || position() >= backlog.end());
}

Backlog::Number ClientCursor::position() const {
  const auto *following = std::get_if<Following>(&state_);
  return following ? following->next : std::get<AwaitKeyframe>(state_).from;
}

// The client receives the repeated setup of a kind that its header does not announce.
bool ClientCursor::is_wanted(const Entry &entry) const {
  const std::uint32_t first = first_appearance_[static_cast<std::size_t>(entry.kind)];
  if (entry.is_repeat())
    return first > 0 && entry.appearance == first;
  return entry.appearance >= first && rebaser_.accepts(entry);
}

void ClientCursor::accept_any_frame(const Backlog &backlog) {
  auto *waiting = std::get_if<AwaitKeyframe>(&state_);
  if (waiting && !waiting->any_frame_from)
    waiting->any_frame_from = backlog.end();
}

void ClientCursor::join(const Backlog &backlog, const CursorSettings &settings) {
  const auto number = find_start(std::get<AwaitKeyframe>(state_), backlog, settings);
  if (!number)
    return;
  start_at(backlog, *number, settings);
  set_state(Following{*number, backlog.at(*number).time});
}

bool ClientCursor::is_lagging(const Backlog &backlog, const CursorSettings &settings) const {
  const Number next = position();
  return next < backlog.begin() || (settings.max_lag > 0 && backlog.lag(next) > settings.max_lag) ||
         (settings.max_lag_bytes > 0 && backlog.bytes_from(next) > settings.max_lag_bytes);
}

// Skips to the latest keyframe. If there is no later keyframe, a client whose next entry is evicted
// waits for one. Other clients continue.
void ClientCursor::resync(const Backlog &backlog, const CursorSettings &settings) {
  const Number next = position();
  const auto latest = backlog.last_join();
  if (latest && *latest > next) {
    skips_++;
    start_at(backlog, *latest, settings);
    advance_to(*latest);
  } else if (next < backlog.begin()) {
    skips_++;
    set_state(AwaitKeyframe{backlog.end(), true, {}});
  }
}

// The client starts or resumes at `number`: queues the part of the header that the client lacks.
void ClientCursor::start_at(const Backlog &backlog, Number number, const CursorSettings &settings) {
  const Entry &entry = backlog.at(number);
  const JoinHeaderPtr before = header_;
  const bool announces_new_kind = choose_header(backlog, number);
  if (!before && settings.rebase && entry.is_tag)
    rebaser_.enable();
  rebaser_.resume_at(entry);
  queue_header(entry, before, announces_new_kind);
}

// Selects the header that announces the kinds of the entries from `number` on. Returns whether it
// announces a kind that the previous header did not.
bool ClientCursor::choose_header(const Backlog &backlog, Number number) {
  const Entry &entry = backlog.at(number);
  header_ = backlog.header_at(number);
  bool announces_new_kind = false;
  for (const Kind kind : {Kind::Audio, Kind::Video}) {
    std::uint32_t &first = first_appearance_[static_cast<std::size_t>(kind)];
    const bool announced =
        !entry.is_tag || (kind == Kind::Audio ? header_->has_audio : header_->has_video);
    announces_new_kind |= announced && first > 0;
    first = announced ? 0 : backlog.next_appearance(kind, number);
  }
  start_ = entry.join_header ? entry.start : StartPoint::Frame;
  return announces_new_kind;
}

void ClientCursor::queue_header(const Entry &entry, const JoinHeaderPtr &before,
                                bool announces_new_kind) {
  constexpr std::size_t kFileHeader = flv::kFileHeaderSize + flv::kPreviousTagSizeSize;
  std::vector<std::uint8_t> bytes;
  const auto add_tag = [&](Bytes tag) {
    const std::size_t begin = bytes.size();
    bytes.insert(bytes.end(), tag.begin(), tag.end());
    flv::store_timestamp(bytes.data() + begin, rebaser_.timestamp_of(entry));
  };
  if (!before || (!entry.is_tag && header_ != before))
    bytes = header_->container_header;
  else if (announces_new_kind && header_->container_header.size() > kFileHeader)
    add_tag(Bytes(header_->container_header).subspan(kFileHeader)); // onMetaData
  if (!before || config_changed_ || announces_new_kind ||
      header_->decoder_configs != before->decoder_configs) {
    for (const auto &tag : header_->decoder_configs)
      add_tag(tag);
  }
  config_changed_ = false;
  if (framing_ == Framing::WebSocket && !bytes.empty())
    websocket::append_header(queued_, websocket::Opcode::Binary, bytes.size());
  queue_bytes(bytes);
}

void ClientCursor::begin_write(const Backlog &backlog, const CursorSettings &settings) {
  if (has_joined() && is_lagging(backlog, settings))
    resync(backlog, settings);
  if (!has_joined())
    join(backlog, settings);
  PendingWrite::Prepared write;
  write.prefix = std::exchange(queued_, {});
  write.queued_size = write.prefix.size();
  write.begin = write.end = position();
  if (has_joined())
    select_entries(backlog, settings, write);
  pending_.prepare(std::move(write));
}

void ClientCursor::select_entries(const Backlog &backlog, const CursorSettings &settings,
                                  PendingWrite::Prepared &write) const {
  const bool is_message = framing_ == Framing::WebSocket;
  const std::size_t max_size = is_message ? settings.max_message : kMaxWrite;
  std::size_t size = 0;
  std::size_t tags = 0;
  for (; write.end < backlog.end() && size < max_size && tags < WriteBatch::kMaxTags; write.end++) {
    const Entry &entry = backlog.at(write.end);
    if (!is_wanted(entry))
      continue;
    size += entry.bytes.size();
    tags++;
  }
  if (is_message && size > 0)
    websocket::append_header(write.prefix, websocket::Opcode::Binary, size);
}

void ClientCursor::prepare_write(const Backlog &backlog, const CursorSettings &settings,
                                 WriteBatch &out) {
  pending_.discard_unstarted(queued_);
  if (pending_.is_idle())
    begin_write(backlog, settings);
  fill_batch(backlog, out);
}

void ClientCursor::prepare_close(const Backlog &backlog, WriteBatch &out) {
  pending_.discard_unstarted(queued_);
  if (pending_.is_idle()) {
    const std::size_t size = queued_.size();
    pending_.prepare({std::exchange(queued_, {}), size, position(), position()});
  }
  fill_batch(backlog, out);
}

void ClientCursor::fill_batch(const Backlog &backlog, WriteBatch &out) {
  out.clear();
  out.add(pending_.prefix());
  pending_.each_entry(backlog, [&](const Entry &entry) {
    if (!is_wanted(entry))
      return;
    if (rebaser_.rewrites(entry))
      out.add_tag(entry.bytes, rebaser_.timestamp_of(entry));
    else
      out.add(entry.bytes);
  });
  batch_size_ = out.size();
  if (batch_size_ == 0)
    finish_write(backlog);
  else
    out.skip(pending_.written());
}

void ClientCursor::on_written(const Backlog &backlog, std::size_t size) {
  bytes_ += size;
  if (size == 0)
    pending_.discard_unstarted(queued_);
  else if (pending_.written() + size == batch_size_)
    finish_write(backlog);
  else if (pending_.partial())
    pending_.add_written(size);
  else if (framing_ == Framing::WebSocket)
    retain_message(backlog, size);
  else
    retain_tag(backlog, size);
}

void ClientCursor::finish_write(const Backlog &backlog) {
  pending_.each_entry(backlog, [&](const Entry &entry) { note_sent(entry); });
  if (const PendingWrite::Prepared *write = pending_.prepared())
    advance_to(write->end);
  std::vector<std::uint8_t> memory = pending_.finish();
  if (queued_.empty())
    queued_ = std::move(memory);
}

// The header of a WebSocket message has the size of the message, so the client has to receive all
// of it.
void ClientCursor::retain_message(const Backlog &backlog, std::size_t written) {
  std::vector<Entry> entries;
  pending_.each_entry(backlog, [&](const Entry &entry) {
    if (is_wanted(entry))
      entries.push_back(entry);
  });
  if (const PendingWrite::Prepared *write = pending_.prepared())
    advance_to(write->end);
  pending_.retain({pending_.take_prefix(), std::move(entries), written});
}

// In plain framing, the client has to receive the rest of one entry only.
// Queued bytes that are not written go back to the queue.
void ClientCursor::retain_tag(const Backlog &backlog, std::size_t written) {
  const std::size_t prefix_size = pending_.prefix().size();
  if (written < prefix_size) {
    pending_.discard_unstarted(queued_);
    queued_.erase(queued_.begin(), queued_.begin() + static_cast<std::ptrdiff_t>(written));
    return;
  }
  written -= prefix_size;
  std::vector<Entry> partial;
  Number next = position();
  pending_.each_entry(backlog, [&](const Entry &entry) {
    if (!partial.empty())
      return;
    const std::size_t size = is_wanted(entry) ? entry.bytes.size() : 0;
    if (written < size) {
      partial.push_back(entry);
      return;
    }
    written -= size;
    next++;
    note_sent(entry);
  });
  if (written == 0) {
    advance_to(next);
    pending_.finish();
    return;
  }
  advance_to(next + 1);
  pending_.retain({{}, std::move(partial), written});
}

void ClientCursor::advance_to(Number number) {
  if (auto *following = std::get_if<Following>(&state_))
    following->next = number;
}

void ClientCursor::note_sent(const Entry &entry) {
  if (!is_wanted(entry))
    return;
  config_changed_ |= is_decoder_config(entry);
  if (entry.is_media())
    first_appearance_[static_cast<std::size_t>(entry.kind)] = 0;
  if (entry.join_header) {
    header_ = entry.join_header;
    config_changed_ = false;
  }
  rebaser_.note_sent(entry);
}

void ClientCursor::note_lag(const Backlog &backlog) {
  lag_.now = 0;
  auto *following = std::get_if<Following>(&state_);
  if (following && following->next < backlog.end()) {
    if (following->next >= backlog.begin())
      following->next_time = backlog.at(following->next).time;
    lag_.now = std::max<std::int64_t>(0, backlog.newest_time() - following->next_time);
  }
  lag_.min = lag_count_ == 0 ? lag_.now : std::min(lag_.min, lag_.now);
  lag_.max = std::max(lag_.max, lag_.now);
  lag_count_++;
  lag_.average += (static_cast<double>(lag_.now) - lag_.average) / static_cast<double>(lag_count_);
}

} // namespace fanout
