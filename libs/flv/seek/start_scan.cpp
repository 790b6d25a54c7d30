// SPDX-License-Identifier: LGPL-2.1-or-later
#include "start_scan.h"

#include <cmath>

namespace flv {

std::optional<ReadRequest> StartScan::next_request() const {
  return is_enough() ? std::nullopt : scan_.next_request();
}

void StartScan::supply(Bytes bytes) {
  scan_.supply(bytes);
  keep_head();
}

void StartScan::keep_head() {
  const auto &positions = scan_.index().positions;
  if (access_ != Access::Forward || positions.empty() ||
      (!heads_.empty() && heads_.back().first == positions.back()))
    return;
  heads_.emplace_back(positions.back(), scan_.head());
  if (heads_.size() > 2)
    heads_.pop_front();
}

// The last tag may be truncated. The keyframe before it is then the last one.
std::uint64_t StartScan::keep_from() const {
  const auto &keys = scan_.index().positions;
  if (!is_backward() || keys.empty())
    return scan_.keep_from();
  const bool may_be_cut = keys.size() > 1 && keys.back() == scan_.last_tag();
  return may_be_cut ? keys[keys.size() - 2] : keys.back();
}

bool StartScan::is_enough() const {
  const KeyframeIndex &index = scan_.index();
  if (access_ == Access::Anywhere || index.positions.empty() || (has_video_ && !scan_.video_seen()))
    return false;
  const auto last_time = static_cast<std::uint64_t>(std::llround(index.times.back() * 1000));
  if (stop_time_ && last_time < *stop_time_)
    return false;
  if (!request_)
    return true;
  const std::uint64_t last =
      request_->measure == StartRequest::Measure::Offset ? index.positions.back() : last_time;
  return is_backward() ? last > request_->value : last >= request_->value;
}

bool StartScan::is_backward() const {
  return request_ && (request_->snap == Snap::Previous || request_->snap == Snap::Nearest);
}

} // namespace flv
