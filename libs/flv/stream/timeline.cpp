// SPDX-License-Identifier: LGPL-2.1-or-later
#include "timeline.h"

#include <algorithm>
#include <cstdlib>

namespace flv {

namespace {

// ms: the duration of a tag if its kind has only one tag so far. A video frame at 25 Hz, an AAC
// frame at 48 kHz.
constexpr std::int64_t kDefaultVideoStep = 40;
constexpr std::int64_t kDefaultAudioStep = 21;

// The number nearest to `reference` whose low 32 bits are the timestamp.
std::int64_t unwrap(std::uint32_t timestamp, std::int64_t reference) {
  const std::uint32_t step = timestamp - static_cast<std::uint32_t>(reference);
  return reference + static_cast<std::int32_t>(step);
}

} // namespace

void Timeline::clear() {
  const std::uint32_t max_gap = max_gap_;
  *this = {};
  max_gap_ = max_gap;
}

Timeline::MediaTime Timeline::media(Kind kind, std::uint32_t timestamp) {
  Track &own = track(kind);
  std::int64_t raw = timestamp;
  if (first_)
    raw = unwrap(timestamp, own.started ? own.raw : last_raw_);
  else
    first_ = highest_ = raw;

  const auto known = splice_ ? std::nullopt : known_offset(kind, raw);
  const bool discontinuity = !known;
  std::int64_t offset = 0;
  if (known)
    offset = *known;
  else if (splice_)
    offset = cross_splice(kind, raw);
  else
    offset = close(kind, raw, next_time(kind));

  const std::int64_t time = raw + offset;
  if (own.started && !discontinuity)
    own.add_step(time - own.time);
  own.before_jump = own.started && discontinuity ? std::optional(own.time) : std::nullopt;
  own.started = true;
  own.raw = raw;
  own.time = time;
  own.offset = offset;
  last_raw_ = raw;
  if (time >= highest_) {
    highest_ = time;
    highest_kind_ = kind;
  }
  return {time, static_cast<std::uint32_t>(time), discontinuity};
}

Timeline::MediaTime Timeline::other(std::uint32_t timestamp) const {
  if (!first_)
    return {0, timestamp, false}; // before the first media tag
  const std::int64_t time = unwrap(timestamp, last_raw_) + offset_;
  const bool credible =
      !splice_ && time >= highest_ - kMaxStepBack && time <= highest_ + kMaxStepBack;
  if (credible)
    return {time, static_cast<std::uint32_t>(time), false};
  // If no discontinuity was closed, the timestamp stays unchanged.
  const bool untouched = offset_ == 0 && !splice_;
  return {highest_, untouched ? timestamp : static_cast<std::uint32_t>(highest_), false};
}

std::int64_t Timeline::end() const {
  return first_ ? highest_ + usual_step(highest_kind_) : 0;
}

bool Timeline::is_near(std::int64_t step, std::int64_t back) const {
  return step >= -back && (max_gap_ == 0 || step <= std::int64_t{max_gap_});
}

// The offset with which `raw` is not a discontinuity; nullopt: it is one. The other kind may have
// reached a discontinuity that this kind has not reached yet. A single wrong timestamp may have
// looked like a discontinuity.
std::optional<std::int64_t> Timeline::known_offset(Kind kind, std::int64_t raw) const {
  const Track &own = tracks_[static_cast<std::size_t>(kind)];
  const Track &other = tracks_[1 - static_cast<std::size_t>(kind)];
  if (!own.started)
    return first_offset(raw);
  const std::int64_t step = raw + offset_ - own.time;
  const std::int64_t step_before = raw + offset_before_ - own.time;
  const bool near = is_near(step);
  if (near && own.offset == offset_)
    return offset_;
  if (is_near(step_before) && (!near || std::abs(step_before) < std::abs(step)))
    return offset_before_;
  if (near)
    return offset_;
  if (own.before_jump && is_near(raw + offset_before_ - *own.before_jump))
    return offset_before_;
  const bool confirmed = other.started && !has_stopped(other, own.time) &&
                         other.offset == offset_ && is_near(raw + offset_ - other.time);
  if (confirmed || keeps_rhythm(own, other, step))
    return offset_;
  return std::nullopt;
}

// The same for the first tag of a kind, which is compared with the other kind.
std::optional<std::int64_t> Timeline::first_offset(std::int64_t raw) const {
  for (const std::int64_t offset : {offset_, offset_before_}) {
    if (is_near(raw + offset - highest_, kMaxLate))
      return offset;
  }
  return std::nullopt;
}

// Whether the kind has had no tags for too long at media time `time`.
bool Timeline::has_stopped(const Track &track, std::int64_t time) const {
  constexpr std::int64_t kDefault = 10'000;
  return time - track.time > (max_gap_ > 0 ? std::int64_t{max_gap_} : kDefault);
}

// A kind is alone if there is no other kind, or if the other kind has stopped. If the steps of this
// kind exceed the maximum gap, the other kind may have stopped since the last tag.
bool Timeline::keeps_rhythm(const Track &own, const Track &other, std::int64_t step) const {
  const bool alone = !other.started || has_stopped(other, own.time);
  if (step <= 0 || (!alone && own.longest <= std::int64_t{max_gap_}))
    return false;
  return own.longest == 0 || step <= kMaxSteps * own.longest;
}

// The time of a tag that is a discontinuity: one usual step after the last tag of its kind. If that
// kind paused, it is the time of the other kind.
std::int64_t Timeline::next_time(Kind kind) const {
  const Track &own = tracks_[static_cast<std::size_t>(kind)];
  const std::int64_t next = own.time + usual_step(kind);
  return own.started && next >= highest_ - kMaxStepBack ? next : highest_;
}

void Timeline::Track::add_step(std::int64_t step) {
  if (step <= 0)
    return;
  steps[step_count++ % kSteps] = step;
  longest = std::max(longest, step);
}

// The median of the last steps. A jump or a stutter does not change it.
std::int64_t Timeline::usual_step(Kind kind) const {
  const Track &own = tracks_[static_cast<std::size_t>(kind)];
  const std::size_t count = std::min(own.step_count, kSteps);
  if (count == 0)
    return kind == Kind::Video ? kDefaultVideoStep : kDefaultAudioStep;
  auto steps = own.steps;
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(steps.begin(), middle, steps.begin() + static_cast<std::ptrdiff_t>(count));
  return *middle;
}

// Sets the offset for all kinds from here on, so that `raw` is at `time`. After a single wrong
// timestamp, no kind uses the current offset. The previous offset is then that of the kind's last
// tag.
std::int64_t Timeline::close(Kind kind, std::int64_t raw, std::int64_t time) {
  const Track &own = track(kind);
  const bool is_used = std::ranges::any_of(
      tracks_, [this](const Track &each) { return each.started && each.offset == offset_; });
  offset_before_ = own.started && !is_used ? own.offset : offset_;
  offset_ = time - raw;
  return offset_;
}

// All kinds restart at a splice, whichever of them ended first.
std::int64_t Timeline::cross_splice(Kind kind, std::int64_t raw) {
  const Track &own = track(kind);
  const std::int64_t next = own.started ? own.time + usual_step(kind) : highest_;
  close(kind, raw, next > highest_ ? next : end());
  offset_before_ = offset_;
  splice_ = false;
  for (Track &each : tracks_) {
    each.started = false;
    each.longest = 0;
  }
  return offset_;
}

} // namespace flv
