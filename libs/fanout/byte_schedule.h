// SPDX-License-Identifier: LGPL-2.1-or-later
// When the bytes of a download are due: a burst at once, then real time. All times are computed
// from the elapsed time, so errors do not add up.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace fanout {

class ByteSchedule {
public:
  using microseconds = std::chrono::microseconds;

  // The media before the byte at `offset` plays before `time`. A key frame can begin there, and the
  // table does not tell its size: so the next `key_frame` bytes are due at `time`, but not the
  // bytes of the next point. The other bytes up to the next point are spread evenly over the time
  // between the two.
  struct Point {
    std::uint64_t offset = 0;
    std::int64_t time = 0; // ms

    bool operator==(const Point &) const = default;
  };
  using Points = std::vector<Point>;

  static constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();
  static constexpr std::uint64_t kMaxKeyFrame = 4 << 20; // larger ones are very rare

  // Makes a valid table: drops points whose offset is not above the previous one, and replaces
  // times that go back by the previous time. The last point is the end of the media; bytes behind
  // it are due with it.
  [[nodiscard]] static std::shared_ptr<const Points> make_table(const Points &points);

  // `table`: from make_table(); clients share it. The body consists of `head` bytes, which are due
  // at once, and of the bytes from `offset` of the table on. An offset between two points stands
  // for a time between them, in proportion. `burst`: ms of media that are due at once, too.
  ByteSchedule(std::shared_ptr<const Points> table, std::uint64_t head, std::uint64_t offset,
               std::chrono::milliseconds burst, std::uint64_t key_frame = kMaxKeyFrame);

  // The number of bytes of the body that are due `elapsed` after the start; kAll: all bytes. Bytes
  // before the first point are due at once.
  [[nodiscard]] std::uint64_t bytes_due(microseconds elapsed) const;
  // The elapsed time at which `bytes` bytes of the body are due: the earliest time for which
  // bytes_due() is at least `bytes`.
  [[nodiscard]] microseconds due(std::uint64_t bytes) const;

private:
  [[nodiscard]] microseconds time_at(std::uint64_t offset, std::uint64_t key_frame) const;

  std::shared_ptr<const Points> table_;
  std::uint64_t head_;
  std::uint64_t offset_;
  std::uint64_t key_frame_;
  microseconds lead_; // from the start of the table's time to the end of the burst
};

} // namespace fanout
