// SPDX-License-Identifier: LGPL-2.1-or-later
#include "health.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace failover {

const char *nick_of(Loss loss) {
  switch (loss) {
  case Loss::NoSource:
    return "no-source";
  case Loss::Error:
    return "error";
  case Loss::NoData:
    return "no-data";
  case Loss::Silent:
    return "silent";
  case Loss::Slow:
    return "slow";
  case Loss::NoKeyFrame:
    return "no-keyframe";
  case Loss::WrongType:
    return "wrong-type";
  case Loss::Ended:
    return "ended";
  }
  return "";
}

void Health::note_bytes(Time now) {
  last_bytes_ = now;
  has_bytes_ = true;
}

void Health::count(Time now) {
  lag_ += static_cast<double>(now - counted_) * kForgiving;
  counted_ = now;
}

void Health::note_media(Time now, std::int64_t time) {
  constexpr std::int64_t kInterleaving = 10'000; // ms
  count(now);
  if (!media_)
    lag_ = 0; // the time to connect is no lag
  if (!media_ || time < *media_ - kInterleaving) {
    media_ = time;
    return;
  }
  if (time > *media_) {
    lag_ = std::max(lag_ - static_cast<double>(time - *media_), 0.0);
    media_ = time;
  }
}

void Health::note_untimed_media(Time now) {
  count(now);
  lag_ = 0;
}

void Health::block(Time now) {
  count(now);
  blocked_ = now;
}

// The consumer was slower than the source: the source has no lag.
void Health::unblock(Time now) {
  if (!blocked_)
    return;
  keyless_since_ += now - *blocked_;
  last_bytes_ = now;
  counted_ = now;
  lag_ = 0;
  blocked_.reset();
}

Time Health::slow_at(Time timeout) const {
  return counted_ +
         static_cast<Time>(std::ceil((static_cast<double>(timeout) - lag_) / kForgiving));
}

std::optional<Loss> Health::loss(Time now, Time timeout) const {
  if (blocked_)
    return std::nullopt;
  if (now >= silent_at(timeout))
    return has_bytes_ ? Loss::Silent : Loss::NoData;
  if (now >= slow_at(timeout))
    return Loss::Slow;
  if (!has_start_ && now >= keyless_at(timeout))
    return Loss::NoKeyFrame;
  return std::nullopt;
}

Time Health::deadline(Time timeout) const {
  if (blocked_)
    return std::numeric_limits<Time>::max();
  const Time deadline = std::min(silent_at(timeout), slow_at(timeout));
  return has_start_ ? deadline : std::min(deadline, keyless_at(timeout));
}

} // namespace failover
