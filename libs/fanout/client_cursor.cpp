// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client_cursor.h"

#include <algorithm>
#include <utility>

namespace fanout {

namespace {

// Bytes that are gathered for one write.
constexpr std::size_t kMaxWrite = 512 << 10;

// Or something else with data that is neither media nor script data.
bool is_configuration(const Entry &entry) {
  flv::TagHeader header;
  return entry.is_tag && !entry.is_media &&
         flv::read_tag_header(entry.bytes.data(), flv::kMaxDataSize, header).kind ==
             flv::Fault::Kind::None &&
         !header.is_script() && header.data_size > 0;
}

} // namespace

void WriteBatch::clear() {
  first_ = 0;
  count_ = 0;
  tags_ = 0;
  size_ = 0;
}

void WriteBatch::add(Bytes bytes) {
  if (bytes.empty())
    return;
  parts_[count_++] = {const_cast<std::uint8_t *>(bytes.data()), bytes.size()};
  size_ += bytes.size();
}

void WriteBatch::add_tag(Bytes tag, std::uint32_t timestamp) {
  auto &header = headers_[tags_++];
  std::copy_n(tag.begin(), header.size(), header.begin());
  flv::store_timestamp(header.data(), timestamp);
  add(header);
  add(tag.subspan(header.size()));
}

void WriteBatch::skip(std::size_t count) {
  size_ -= count;
  while (count > 0 && count >= parts_[first_].iov_len)
    count -= parts_[first_++].iov_len;
  if (count > 0) {
    parts_[first_].iov_base = static_cast<std::uint8_t *>(parts_[first_].iov_base) + count;
    parts_[first_].iov_len -= count;
  }
}

void ClientCursor::queue_bytes(Bytes bytes) {
  queued_.insert(queued_.end(), bytes.begin(), bytes.end());
}

bool ClientCursor::has_all(const Backlog &backlog) const {
  return !has_piece_ && queued_.empty() && (!joined_ || position_ >= backlog.end());
}

// A kind that it was not told of comes with the repeated configurations in front.
bool ClientCursor::is_wanted(const Entry &entry) const {
  const std::uint32_t from = told_from_[static_cast<std::size_t>(entry.kind)];
  if (entry.is_repeat)
    return from > 0 && entry.appearance == from;
  return entry.appearance >= from && (!entry.is_media || entry.time >= floor_);
}

std::int64_t ClientCursor::time_for(const Entry &entry) const {
  return std::max(entry.time, floor_) - base_;
}

std::uint32_t ClientCursor::timestamp_for(const Entry &entry) const {
  flv::TagHeader header;
  if (!rebase_ && flv::read_tag_header(entry.bytes.data(), flv::kMaxDataSize, header).kind ==
                      flv::Fault::Kind::None)
    return header.timestamp;
  return static_cast<std::uint32_t>(time_for(entry));
}

void ClientCursor::add(const Entry &entry, WriteBatch &out) const {
  if (!is_wanted(entry))
    return;
  if (entry.is_tag && rebase_)
    out.add_tag(entry.bytes, timestamp_for(entry));
  else
    out.add(entry.bytes);
}

void ClientCursor::accept_any_frame(const Backlog &backlog) {
  if (!joined_ && !any_frame_from_)
    any_frame_from_ = backlog.end();
}

std::optional<Backlog::Number> ClientCursor::place_to_join(const Backlog &backlog,
                                                           const CursorSettings &settings) const {
  const Backlog::Number next = lost_ ? position_ : arrival_;
  if (backlog.lacks_key_frame()) {
    const auto fallback = backlog.fallback_from(next);
    return fallback || !any_frame_from_ ? fallback : backlog.frame_from(*any_frame_from_);
  }
  if (lost_ || early_ || settings.join == Join::NextKeyFrame)
    return backlog.join_from(next);
  return settings.join == Join::Burst ? backlog.join_ahead(settings.burst) : backlog.last_join();
}

// Where it can join, it gets what it lacks in front of that.
void ClientCursor::join(const Backlog &backlog, const CursorSettings &settings) {
  const auto number = place_to_join(backlog, settings);
  if (!number)
    return;
  resume_at(backlog, *number, settings);
  position_ = *number;
  joined_ = true;
  lost_ = false;
  any_frame_from_.reset();
}

// Selects the head that announces the kinds of the frames that follow. Returns whether one of these
// kinds is new to the viewer.
bool ClientCursor::choose_head(const Backlog &backlog, Backlog::Number number) {
  const Entry &entry = backlog.at(number);
  head_ = backlog.head_at(number);
  bool told = false;
  for (const Kind kind : {Kind::Audio, Kind::Video}) {
    std::uint32_t &from = told_from_[static_cast<std::size_t>(kind)];
    const bool announced =
        !entry.is_tag || (kind == Kind::Audio ? head_->has_audio : head_->has_video);
    told |= announced && from > 0;
    from = announced ? 0 : backlog.next_appearance(kind, number);
  }
  start_ = entry.head ? entry.start : StartPoint::Frame;
  return told;
}

void ClientCursor::resume_at(const Backlog &backlog, Backlog::Number number,
                             const CursorSettings &settings) {
  const Entry &entry = backlog.at(number);
  const JoinHeaderPtr before = head_;
  const bool first = !before;
  const bool told = choose_head(backlog, number);
  if (first)
    rebase_ = settings.rebase && entry.is_tag;
  if (rebase_) {
    const std::int64_t next = last_ < 0 ? 0 : std::max(last_, shown_ - entry.ahead) + kStep;
    base_ = entry.time - next;
    floor_ = entry.time;
  }
  std::vector<std::uint8_t> lacking;
  const auto add_tag = [&](Bytes tag) {
    const std::size_t begin = lacking.size();
    lacking.insert(lacking.end(), tag.begin(), tag.end());
    flv::store_timestamp(lacking.data() + begin, timestamp_for(entry));
  };
  constexpr std::size_t kFileHeader = flv::kFileHeaderSize + flv::kPreviousTagSizeSize;
  if (first || (!entry.is_tag && head_ != before))
    lacking = head_->opening;
  else if (told && head_->opening.size() > kFileHeader)
    add_tag(Bytes(head_->opening).subspan(kFileHeader)); // metadata
  if (first || changed_ || told || head_->configurations != before->configurations) {
    for (const auto &tag : head_->configurations)
      add_tag(tag);
  }
  changed_ = false;
  if (framing_ == Framing::WebSocket && !lacking.empty())
    websocket::append_header(queued_, websocket::Opcode::Binary, lacking.size());
  queue_bytes(lacking);
}

bool ClientCursor::is_lagging(const Backlog &backlog, const CursorSettings &settings) const {
  const Backlog::Number next = position();
  return next < backlog.begin() || (settings.max_lag > 0 && backlog.lag(next) > settings.max_lag) ||
         (settings.max_lag_bytes > 0 && backlog.bytes_from(next) > settings.max_lag_bytes);
}

void ClientCursor::resync(const Backlog &backlog, const CursorSettings &settings) {
  const auto newest = backlog.last_join();
  if (newest && *newest > position_) {
    skips_++;
    resume_at(backlog, *newest, settings);
    position_ = *newest;
  } else if (position_ < backlog.begin()) {
    skips_++;
    lost_ = true;
    joined_ = false;
    position_ = backlog.end();
  }
}

void ClientCursor::begin_piece(const Backlog &backlog, const CursorSettings &settings) {
  if (joined_ && is_lagging(backlog, settings))
    resync(backlog, settings);
  if (!joined_)
    join(backlog, settings);
  front_.swap(queued_);
  piece_end_ = position_;
  has_piece_ = true;
  if (joined_)
    take_entries(backlog, settings);
}

void ClientCursor::take_entries(const Backlog &backlog, const CursorSettings &settings) {
  const bool framed = framing_ == Framing::WebSocket;
  const std::size_t most = framed ? settings.max_message : kMaxWrite;
  std::size_t size = 0;
  std::size_t tags = 0;
  for (; piece_end_ < backlog.end() && size < most && tags < WriteBatch::kMaxTags; piece_end_++) {
    const Entry &entry = backlog.at(piece_end_);
    if (!is_wanted(entry))
      continue;
    size += entry.bytes.size();
    tags++;
  }
  if (framed && size > 0)
    websocket::append_header(message_, websocket::Opcode::Binary, size);
}

// Those of the piece.
template <typename Visit> void ClientCursor::each_entry(const Backlog &backlog, Visit visit) const {
  if (!held_.empty()) {
    std::for_each(held_.begin(), held_.end(), visit);
    return;
  }
  for (Backlog::Number number = position_; number < piece_end_; number++)
    visit(backlog.at(number));
}

void ClientCursor::prepare_write(const Backlog &backlog, const CursorSettings &settings,
                                 WriteBatch &out) {
  if (sent_ == 0)
    discard_unstarted();
  if (!has_piece_)
    begin_piece(backlog, settings);
  gather_piece(backlog, out);
}

void ClientCursor::prepare_close(const Backlog &backlog, WriteBatch &out) {
  if (sent_ == 0)
    discard_unstarted();
  if (!has_piece_) {
    front_.swap(queued_);
    piece_end_ = position_;
    has_piece_ = true;
  }
  gather_piece(backlog, out);
}

void ClientCursor::gather_piece(const Backlog &backlog, WriteBatch &out) {
  out.clear();
  out.add(front_);
  out.add(message_);
  each_entry(backlog, [&](const Entry &entry) { add(entry, out); });
  piece_size_ = out.size();
  if (piece_size_ == 0)
    end_piece(backlog);
  else
    out.skip(sent_);
}

void ClientCursor::on_written(const Backlog &backlog, std::size_t size) {
  bytes_ += size;
  sent_ += size;
  if (sent_ == piece_size_)
    end_piece(backlog);
  else if (sent_ == 0)
    discard_unstarted();
  else if (framing_ == Framing::WebSocket)
    retain_entries(backlog);
  else
    consume_written(backlog);
}

void ClientCursor::end_piece(const Backlog &backlog) {
  each_entry(backlog, [&](const Entry &entry) { pass(entry); });
  position_ = piece_end_;
  front_.clear();
  discard_unstarted();
}

// What was not begun can still be another piece.
void ClientCursor::discard_unstarted() {
  queued_.insert(queued_.begin(), front_.begin(), front_.end());
  front_.clear();
  message_.clear();
  held_.clear();
  has_piece_ = false;
  sent_ = 0;
}

void ClientCursor::retain_entries(const Backlog &backlog) {
  if (!held_.empty())
    return;
  std::vector<Entry> held;
  each_entry(backlog, [&](const Entry &entry) {
    if (is_wanted(entry))
      held.push_back(entry);
  });
  held_ = std::move(held);
  if (held_.empty())
    position_ = piece_end_;
}

// Without a frame around them, only the entry that was begun has to be ended.
void ClientCursor::consume_written(const Backlog &backlog) {
  if (sent_ < front_.size()) {
    front_.erase(front_.begin(), front_.begin() + static_cast<std::ptrdiff_t>(sent_));
    return discard_unstarted();
  }
  sent_ -= std::exchange(front_, {}).size();
  std::optional<Entry> begun;
  Backlog::Number number = position_;
  each_entry(backlog, [&](const Entry &entry) {
    if (begun)
      return;
    const std::size_t size = is_wanted(entry) ? entry.bytes.size() : 0;
    if (sent_ < size) {
      begun = entry;
      return;
    }
    sent_ -= size;
    number++;
    pass(entry);
  });
  position_ = number;
  if (sent_ == 0)
    return discard_unstarted();
  piece_end_ = position_ + 1;
  held_.clear();
  held_.push_back(std::move(*begun));
}

void ClientCursor::pass(const Entry &entry) {
  if (!is_wanted(entry))
    return;
  changed_ |= is_configuration(entry);
  if (entry.is_media)
    told_from_[static_cast<std::size_t>(entry.kind)] = 0;
  if (entry.head) {
    head_ = entry.head;
    changed_ = false;
  }
  if (!rebase_)
    return;
  last_ = std::max(last_, time_for(entry));
  shown_ = std::max(shown_, time_for(entry) + entry.ahead);
}

void ClientCursor::note_lag(const Backlog &backlog) {
  const Backlog::Number next = position();
  if (next >= backlog.begin() && next < backlog.end())
    next_time_ = backlog.at(next).time;
  const bool behind = joined_ && next < backlog.end();
  lag_.now = behind ? std::max<std::int64_t>(0, backlog.newest_time() - next_time_) : 0;
  lag_.least = lag_count_ == 0 ? lag_.now : std::min(lag_.least, lag_.now);
  lag_.most = std::max(lag_.most, lag_.now);
  lag_count_++;
  lag_.average += (static_cast<double>(lag_.now) - lag_.average) / static_cast<double>(lag_count_);
}

} // namespace fanout
