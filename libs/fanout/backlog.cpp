// SPDX-License-Identifier: LGPL-2.1-or-later
#include "backlog.h"

#include <algorithm>
#include <utility>

namespace fanout {

namespace {

std::optional<Backlog::Number> first_from(const std::deque<Backlog::Number> &places,
                                          Backlog::Number number) {
  const auto place = std::lower_bound(places.begin(), places.end(), number);
  return place == places.end() ? std::nullopt : std::optional(*place);
}

} // namespace

void Backlog::append(Entry entry) {
  newest_time_ = end() == 0 ? entry.time : std::max(newest_time_, entry.time);
  if (entry.head) {
    (entry.start == StartPoint::KeyFrame ? joins_ : fallbacks_).push_back(end());
    newest_head_ = entry.head;
  }
  if (entry.extension) {
    extension_ = entry.extension;
    extension_at_ = end();
  }
  if (entry.head) {
    for (const Kind kind : {Kind::Audio, Kind::Video}) {
      const KindState &state = entry.kinds[static_cast<std::size_t>(kind)];
      if (state.appearance > 0)
        note_frame(kind, state.appearance, state.last);
    }
  }
  if (entry.is_media)
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
  for (std::deque<Number> *places : {&joins_, &fallbacks_}) {
    while (!places->empty() && places->front() < begin_)
      places->pop_front();
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
    if (at(each).is_media && at(each).kind != Kind::Audio)
      return each;
  }
  return std::nullopt;
}

// Kinds that have appeared since are announced, those that are absent by now are not.
JoinHeaderPtr Backlog::head_at(Number number) const {
  JoinHeaderPtr head = at(number).head ? at(number).head : newest_head_;
  if (extension_ && extension_at_ > number && extension_->base == head)
    head = extension_->full;
  if (head->video_alone && !is_present(Kind::Audio))
    return head->video_alone;
  if (head->audio_alone && !is_present(Kind::Video))
    return head->audio_alone;
  return head;
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
