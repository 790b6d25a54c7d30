// SPDX-License-Identifier: LGPL-2.1-or-later
#include "backlog.h"

#include <algorithm>
#include <utility>

namespace fanout {

namespace {

std::optional<Backlog::Number> first_from(const std::deque<Backlog::Number> &starts,
                                          Backlog::Number number) {
  const auto start = std::lower_bound(starts.begin(), starts.end(), number);
  return start == starts.end() ? std::nullopt : std::optional(*start);
}

} // namespace

void Backlog::append(Entry entry) {
  newest_time_ = end() == 0 ? entry.time : std::max(newest_time_, entry.time);
  if (entry.join_header) {
    (entry.start == StartPoint::KeyFrame ? joins_ : fallbacks_).push_back(end());
    newest_header_ = entry.join_header;
  }
  if (entry.extension) {
    extension_ = entry.extension;
    extension_at_ = end();
  }
  if (entry.join_header) {
    for (const Kind kind : {Kind::Audio, Kind::Video}) {
      const KindState &state = entry.kinds[static_cast<std::size_t>(kind)];
      if (state.appearance > 0)
        note_frame(kind, state.appearance, state.last);
    }
  }
  if (entry.is_media())
    note_frame(entry.kind, entry.appearance, newest_time_);
  const std::size_t size = entry.bytes.size();
  entries_.push_back({std::move(entry), bytes_});
  bytes_ += size;
}

void Backlog::note_frame(Kind kind, std::uint32_t appearance, std::int64_t time) {
  Presence &presence = kinds_[static_cast<std::size_t>(kind)];
  if (presence.appearance != appearance)
    presence = {appearance, end(), time};
  presence.last = std::max(presence.last, time);
}

void Backlog::trim(Number number) {
  for (; begin_ < number && !entries_.empty(); begin_++)
    entries_.pop_front();
  for (std::deque<Number> *starts : {&joins_, &fallbacks_}) {
    while (!starts->empty() && starts->front() < begin_)
      starts->pop_front();
  }
}

std::int64_t Backlog::lag(Number number) const {
  const Number first = std::max(number, begin_);
  return first < end() ? std::max<std::int64_t>(0, newest_time_ - at(first).time) : 0;
}

std::uint64_t Backlog::bytes_from(Number number) const {
  const Number first = std::max(number, begin_);
  return first < end() ? bytes_ - entries_[first - begin_].offset : 0;
}

std::optional<Backlog::Number> Backlog::last_join() const {
  return joins_.empty() ? std::nullopt : std::optional(joins_.back());
}

std::optional<Backlog::Number> Backlog::join_from(Number number) const {
  return first_from(joins_, number);
}

std::optional<Backlog::Number> Backlog::fallback_from(Number number) const {
  return first_from(fallbacks_, number);
}

std::optional<Backlog::Number> Backlog::frame_from(Number number) const {
  for (Number each = std::max(number, begin_); each < end(); each++) {
    if (at(each).is_media() && at(each).kind != Kind::Audio)
      return each;
  }
  return std::nullopt;
}

// The header announces a kind that has appeared since, and does not announce a kind that is absent.
JoinHeaderPtr Backlog::header_at(Number number) const {
  JoinHeaderPtr header = at(number).join_header ? at(number).join_header : newest_header_;
  if (extension_ && extension_at_ > number && extension_->base == header)
    header = extension_->full;
  if (header->video_alone && !is_present(Kind::Audio))
    return header->video_alone;
  if (header->audio_alone && !is_present(Kind::Video))
    return header->audio_alone;
  return header;
}

bool Backlog::is_present(Kind kind) const {
  const Presence &presence = kinds_[static_cast<std::size_t>(kind)];
  return presence.appearance > 0 && presence.last >= newest_time_ - kSilence;
}

std::uint32_t Backlog::next_appearance(Kind kind, Number number) const {
  const Presence &presence = kinds_[static_cast<std::size_t>(kind)];
  const bool began = is_present(kind) && presence.begin > number;
  return presence.appearance + (began ? 0 : 1);
}

std::optional<Backlog::Number> Backlog::join_ahead(std::int64_t ms) const {
  const auto join = std::find_if(joins_.rbegin(), joins_.rend(),
                                 [&](Number number) { return lag(number) >= ms; });
  if (join != joins_.rend())
    return *join;
  return joins_.empty() ? std::nullopt : std::optional(joins_.front());
}

} // namespace fanout
