// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_pace.h"

#include <algorithm>

namespace failover {

Time FilePace::due(Time now, std::int64_t media) {
  const bool jumps = media > last_ + kMaxStep || media < last_ - kMaxStep;
  if (!origin_ || jumps) {
    origin_ = Origin{now, media};
    last_ = media;
  }
  last_ = std::max(last_, media);
  const Time due = origin_->time + (last_ - origin_->media);
  if (due >= now - kMaxLate)
    return due;
  origin_ = Origin{now, last_};
  return now;
}

} // namespace failover
