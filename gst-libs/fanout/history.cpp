// SPDX-License-Identifier: LGPL-2.1-or-later
#include "history.h"

#include <algorithm>
#include <utility>

namespace fanout {

void History::append(Entry entry) {
  newest_time_ = end() == 0 ? entry.time : std::max(newest_time_, entry.time);
  if (entry.head)
    joins_.push_back(end());
  const std::size_t size = entry.bytes.size();
  entries_.push_back({std::move(entry), bytes_});
  bytes_ += size;
}

void History::trim(Number number) {
  for (; begin_ < number && !entries_.empty(); begin_++)
    entries_.pop_front();
  while (!joins_.empty() && joins_.front() < begin_)
    joins_.pop_front();
}

std::int64_t History::lag(Number number) const {
  const Number first = std::max(number, begin_);
  return first < end() ? std::max<std::int64_t>(0, newest_time_ - at(first).time) : 0;
}

std::uint64_t History::bytes_from(Number number) const {
  const Number first = std::max(number, begin_);
  return first < end() ? bytes_ - entries_[first - begin_].offset : 0;
}

std::optional<History::Number> History::last_join() const {
  return joins_.empty() ? std::nullopt : std::optional(joins_.back());
}

std::optional<History::Number> History::join_from(Number number) const {
  const auto join = std::lower_bound(joins_.begin(), joins_.end(), number);
  return join == joins_.end() ? std::nullopt : std::optional(*join);
}

std::optional<History::Number> History::join_ahead(std::int64_t ms) const {
  const auto join = std::find_if(joins_.rbegin(), joins_.rend(),
                                 [&](Number number) { return lag(number) >= ms; });
  if (join != joins_.rend())
    return *join;
  return joins_.empty() ? std::nullopt : std::optional(joins_.front());
}

} // namespace fanout
