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

void Gathered::clear() {
  first_ = 0;
  count_ = 0;
  tags_ = 0;
  size_ = 0;
}

void Gathered::add(Bytes bytes) {
  if (bytes.empty())
    return;
  parts_[count_++] = {const_cast<std::uint8_t *>(bytes.data()), bytes.size()};
  size_ += bytes.size();
}

void Gathered::add_tag(Bytes tag, std::uint32_t timestamp) {
  auto &header = headers_[tags_++];
  std::copy_n(tag.begin(), header.size(), header.begin());
  flv::store_timestamp(header.data(), timestamp);
  add(header);
  add(tag.subspan(header.size()));
}

void Gathered::skip(std::size_t count) {
  size_ -= count;
  while (count > 0 && count >= parts_[first_].iov_len)
    count -= parts_[first_++].iov_len;
  if (count > 0) {
    parts_[first_].iov_base = static_cast<std::uint8_t *>(parts_[first_].iov_base) + count;
    parts_[first_].iov_len -= count;
  }
}

void Viewer::say(Bytes bytes) {
  own_.insert(own_.end(), bytes.begin(), bytes.end());
}

bool Viewer::has_all(const History &history) const {
  return !has_piece_ && own_.empty() && (!joined_ || position_ >= history.end());
}

// A kind that it was not told of comes with the repeated configurations in front.
bool Viewer::is_wanted(const Entry &entry) const {
  const std::uint32_t from = told_from_[static_cast<std::size_t>(entry.kind)];
  if (entry.is_repeat)
    return from > 0 && entry.appearance == from;
  return entry.appearance >= from && (!entry.is_media || entry.time >= floor_);
}

std::int64_t Viewer::time_for(const Entry &entry) const {
  return std::max(entry.time, floor_) - base_;
}

std::uint32_t Viewer::timestamp_for(const Entry &entry) const {
  flv::TagHeader header;
  if (!rebase_ && flv::read_tag_header(entry.bytes.data(), flv::kMaxDataSize, header).kind ==
                      flv::Fault::Kind::None)
    return header.timestamp;
  return static_cast<std::uint32_t>(time_for(entry));
}

void Viewer::add(const Entry &entry, Gathered &out) const {
  if (!is_wanted(entry))
    return;
  if (entry.is_tag && rebase_)
    out.add_tag(entry.bytes, timestamp_for(entry));
  else
    out.add(entry.bytes);
}

void Viewer::accept_any_frame(const History &history) {
  if (!joined_ && !any_frame_from_)
    any_frame_from_ = history.end();
}

std::optional<History::Number> Viewer::place_to_join(const History &history,
                                                     const ViewerSettings &settings) const {
  const History::Number next = lost_ ? position_ : arrival_;
  if (history.lacks_key_frame()) {
    const auto fallback = history.fallback_from(next);
    return fallback || !any_frame_from_ ? fallback : history.frame_from(*any_frame_from_);
  }
  if (lost_ || early_ || settings.join == Join::NextKeyFrame)
    return history.join_from(next);
  return settings.join == Join::Burst ? history.join_ahead(settings.burst) : history.last_join();
}

// Where it can join, it gets what it lacks in front of that.
void Viewer::join(const History &history, const ViewerSettings &settings) {
  const auto number = place_to_join(history, settings);
  if (!number)
    return;
  go_on(history, *number, settings);
  position_ = *number;
  joined_ = true;
  lost_ = false;
  any_frame_from_.reset();
}

// Selects the head that announces the kinds of the frames that follow. Returns whether one of these
// kinds is new to the viewer.
bool Viewer::choose_head(const History &history, History::Number number) {
  const Entry &entry = history.at(number);
  head_ = history.head_at(number);
  bool told = false;
  for (const Kind kind : {Kind::Audio, Kind::Video}) {
    std::uint32_t &from = told_from_[static_cast<std::size_t>(kind)];
    const bool announced =
        !entry.is_tag || (kind == Kind::Audio ? head_->has_audio : head_->has_video);
    told |= announced && from > 0;
    from = announced ? 0 : history.next_appearance(kind, number);
  }
  start_ = entry.head ? entry.start : StartPoint::Frame;
  return told;
}

void Viewer::go_on(const History &history, History::Number number, const ViewerSettings &settings) {
  const Entry &entry = history.at(number);
  const HeadPtr before = head_;
  const bool first = !before;
  const bool told = choose_head(history, number);
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
    websocket::append_header(own_, websocket::Opcode::Binary, lacking.size());
  say(lacking);
}

bool Viewer::is_late(const History &history, const ViewerSettings &settings) const {
  const History::Number next = position();
  return next < history.begin() || (settings.max_lag > 0 && history.lag(next) > settings.max_lag) ||
         (settings.max_lag_bytes > 0 && history.bytes_from(next) > settings.max_lag_bytes);
}

void Viewer::catch_up(const History &history, const ViewerSettings &settings) {
  const auto newest = history.last_join();
  if (newest && *newest > position_) {
    skips_++;
    go_on(history, *newest, settings);
    position_ = *newest;
  } else if (position_ < history.begin()) {
    skips_++;
    lost_ = true;
    joined_ = false;
    position_ = history.end();
  }
}

void Viewer::begin_piece(const History &history, const ViewerSettings &settings) {
  if (joined_ && is_late(history, settings))
    catch_up(history, settings);
  if (!joined_)
    join(history, settings);
  front_.swap(own_);
  piece_end_ = position_;
  has_piece_ = true;
  if (joined_)
    take_entries(history, settings);
}

void Viewer::take_entries(const History &history, const ViewerSettings &settings) {
  const bool framed = framing_ == Framing::WebSocket;
  const std::size_t most = framed ? settings.max_message : kMaxWrite;
  std::size_t size = 0;
  std::size_t tags = 0;
  for (; piece_end_ < history.end() && size < most && tags < Gathered::kMaxTags; piece_end_++) {
    const Entry &entry = history.at(piece_end_);
    if (!is_wanted(entry))
      continue;
    size += entry.bytes.size();
    tags++;
  }
  if (framed && size > 0)
    websocket::append_header(message_, websocket::Opcode::Binary, size);
}

// Those of the piece.
template <typename Visit> void Viewer::each_entry(const History &history, Visit visit) const {
  if (!held_.empty()) {
    std::for_each(held_.begin(), held_.end(), visit);
    return;
  }
  for (History::Number number = position_; number < piece_end_; number++)
    visit(history.at(number));
}

void Viewer::gather(const History &history, const ViewerSettings &settings, Gathered &out) {
  if (sent_ == 0)
    dissolve();
  if (!has_piece_)
    begin_piece(history, settings);
  gather_piece(history, out);
}

void Viewer::gather_last(const History &history, Gathered &out) {
  if (sent_ == 0)
    dissolve();
  if (!has_piece_) {
    front_.swap(own_);
    piece_end_ = position_;
    has_piece_ = true;
  }
  gather_piece(history, out);
}

void Viewer::gather_piece(const History &history, Gathered &out) {
  out.clear();
  out.add(front_);
  out.add(message_);
  each_entry(history, [&](const Entry &entry) { add(entry, out); });
  piece_size_ = out.size();
  if (piece_size_ == 0)
    end_piece(history);
  else
    out.skip(sent_);
}

void Viewer::sent(const History &history, std::size_t size) {
  bytes_ += size;
  sent_ += size;
  if (sent_ == piece_size_)
    end_piece(history);
  else if (sent_ == 0)
    dissolve();
  else if (framing_ == Framing::WebSocket)
    hold(history);
  else
    cut(history);
}

void Viewer::end_piece(const History &history) {
  each_entry(history, [&](const Entry &entry) { pass(entry); });
  position_ = piece_end_;
  front_.clear();
  dissolve();
}

// What was not begun can still be another piece.
void Viewer::dissolve() {
  own_.insert(own_.begin(), front_.begin(), front_.end());
  front_.clear();
  message_.clear();
  held_.clear();
  has_piece_ = false;
  sent_ = 0;
}

void Viewer::hold(const History &history) {
  if (!held_.empty())
    return;
  std::vector<Entry> held;
  each_entry(history, [&](const Entry &entry) {
    if (is_wanted(entry))
      held.push_back(entry);
  });
  held_ = std::move(held);
  if (held_.empty())
    position_ = piece_end_;
}

// Without a frame around them, only the entry that was begun has to be ended.
void Viewer::cut(const History &history) {
  if (sent_ < front_.size()) {
    front_.erase(front_.begin(), front_.begin() + static_cast<std::ptrdiff_t>(sent_));
    return dissolve();
  }
  sent_ -= std::exchange(front_, {}).size();
  std::optional<Entry> begun;
  History::Number number = position_;
  each_entry(history, [&](const Entry &entry) {
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
    return dissolve();
  piece_end_ = position_ + 1;
  held_.clear();
  held_.push_back(std::move(*begun));
}

void Viewer::pass(const Entry &entry) {
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

void Viewer::note_lag(const History &history) {
  const History::Number next = position();
  if (next >= history.begin() && next < history.end())
    next_time_ = history.at(next).time;
  const bool behind = joined_ && next < history.end();
  lag_.now = behind ? std::max<std::int64_t>(0, history.newest_time() - next_time_) : 0;
  lag_.least = lag_count_ == 0 ? lag_.now : std::min(lag_.least, lag_.now);
  lag_.most = std::max(lag_.most, lag_.now);
  lag_count_++;
  lag_.average += (static_cast<double>(lag_.now) - lag_.average) / static_cast<double>(lag_count_);
}

} // namespace fanout
