// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fanout/byte_schedule.h"

#include <algorithm>
#include <utility>

namespace fanout {

namespace {

using std::chrono::milliseconds;

// For products of an offset and a time.
__extension__ using Wide = unsigned __int128;

std::uint64_t in_microseconds(std::int64_t ms) {
  return static_cast<std::uint64_t>(ms) * 1000U;
}

} // namespace

std::shared_ptr<const ByteSchedule::Points> ByteSchedule::make_table(const Points &points) {
  Points table;
  table.reserve(points.size());
  for (const Point &point : points) {
    if (table.empty())
      table.push_back(point);
    else if (point.offset > table.back().offset)
      table.push_back({point.offset, std::max(point.time, table.back().time)});
  }
  return std::make_shared<const Points>(std::move(table));
}

ByteSchedule::ByteSchedule(std::shared_ptr<const Points> table, std::uint64_t head,
                           std::uint64_t offset, milliseconds burst, std::uint64_t key_frame)
    : table_(std::move(table)), head_(head), offset_(offset), key_frame_(key_frame),
      lead_(time_at(offset, 0) + burst) {}

// Rounds up. The time of bytes before the first point or behind the last one is that of the point.
ByteSchedule::microseconds ByteSchedule::time_at(std::uint64_t offset,
                                                 std::uint64_t key_frame) const {
  if (table_->empty())
    return microseconds(0);
  const auto next = std::lower_bound(
      table_->begin(), table_->end(), offset,
      [](const Point &each, std::uint64_t wanted) { return each.offset < wanted; });
  if (next == table_->begin())
    return milliseconds(next->time);
  const Point &last = *std::prev(next);
  if (next == table_->end() || offset - last.offset <= key_frame)
    return milliseconds(last.time);
  const std::uint64_t span = in_microseconds(next->time - last.time);
  const std::uint64_t size = next->offset - last.offset - key_frame;
  const Wide part = (Wide{offset - last.offset - key_frame} * span + size - 1) / size;
  return milliseconds(last.time) + microseconds(static_cast<std::int64_t>(part));
}

std::uint64_t ByteSchedule::bytes_due(microseconds elapsed) const {
  const microseconds time = lead_ + elapsed;
  const auto next = std::upper_bound(
      table_->begin(), table_->end(), time,
      [](microseconds wanted, const Point &each) { return wanted < milliseconds(each.time); });
  if (next == table_->end())
    return kAll;
  if (next == table_->begin())
    return head_;
  const Point &last = *std::prev(next);
  const std::uint64_t now = std::min(key_frame_, next->offset - last.offset);
  const std::uint64_t span = in_microseconds(next->time - last.time);
  const auto since = static_cast<std::uint64_t>((time - milliseconds(last.time)).count());
  const Wide part = Wide{next->offset - last.offset - now} * since / span;
  const std::uint64_t offset = last.offset + now + static_cast<std::uint64_t>(part);
  return head_ + (offset > offset_ ? offset - offset_ : 0);
}

ByteSchedule::microseconds ByteSchedule::due(std::uint64_t bytes) const {
  if (bytes <= head_)
    return microseconds(0);
  const std::uint64_t behind = std::min(bytes - head_, kAll - offset_);
  return std::max(microseconds(0), time_at(offset_ + behind, key_frame_) - lead_);
}

} // namespace fanout
