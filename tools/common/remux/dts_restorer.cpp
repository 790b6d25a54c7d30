// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dts_restorer.h"

#include <algorithm>

namespace remux {

namespace {

// Pictures from which an unknown depth is measured: more than H.264 can reorder.
constexpr std::size_t kMeasured = 20;

constexpr std::int64_t kUsualDuration = 40'000'000; // ns

} // namespace

void DtsRestorer::push(std::int64_t pts, std::vector<std::int64_t> &dts) {
  if (has_begun_) {
    append(pts, dts);
    return;
  }
  start_.push_back(pts);
  if (start_.size() > (depth_ ? *depth_ : kMeasured))
    begin(dts);
}

void DtsRestorer::finish(std::vector<std::int64_t> &dts) {
  if (!has_begun_ && !start_.empty())
    begin(dts);
}

std::size_t DtsRestorer::measured_depth() const {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < start_.size(); ++i) {
    const auto later =
        std::count_if(start_.begin(), start_.begin() + static_cast<std::ptrdiff_t>(i),
                      [&](std::int64_t pts) { return pts > start_[i]; });
    depth = std::max(depth, static_cast<std::size_t>(later));
  }
  return depth;
}

std::int64_t DtsRestorer::shortest_step() const {
  std::vector<std::int64_t> sorted = start_;
  std::ranges::sort(sorted);
  std::int64_t step = duration_ > 0 ? duration_ : INT64_MAX;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i] > sorted[i - 1])
      step = std::min(step, sorted[i] - sorted[i - 1]);
  }
  return step == INT64_MAX ? kUsualDuration : step;
}

void DtsRestorer::begin(std::vector<std::int64_t> &dts) {
  const std::size_t depth = std::min(depth_ ? *depth_ : measured_depth(), start_.size() - 1);
  const std::int64_t first = *std::ranges::min_element(start_);
  const std::int64_t step = shortest_step();
  has_begun_ = true;
  for (std::size_t i = 0; i < start_.size(); ++i) {
    if (i >= depth) {
      append(start_[i], dts);
      continue;
    }
    waiting_.insert(start_[i]);
    last_ = first - static_cast<std::int64_t>(depth - i) * step;
    dts.push_back(*last_);
  }
  start_.clear();
}

void DtsRestorer::append(std::int64_t pts, std::vector<std::int64_t> &dts) {
  waiting_.insert(pts);
  std::int64_t time = std::min(*waiting_.begin(), pts);
  waiting_.erase(waiting_.begin());
  if (last_)
    time = std::max(time, *last_);
  last_ = time;
  dts.push_back(time);
}

} // namespace remux
