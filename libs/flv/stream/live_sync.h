// SPDX-License-Identifier: LGPL-2.1-or-later
// When the tags of a live publisher are due.
#pragma once

#include <cstdint>
#include <optional>

#include "schedule.h"

namespace flv {

// A publisher's clock is not ours, and the network holds its tags up by more or less. The line
// media time → running time follows the tags that were held up least: one that comes later than the
// line says moves it at once; where all come before it, it is slewed towards them. So every tag is
// due when it has come or later, and waits no longer than the maximum delay.
class LiveSync {
public:
  // By so much the line is slewed at the most.
  static constexpr double kMaxSlew = 0.005;

  void stop() { started_ = false; }
  void set_max_delay(std::uint32_t ms);
  [[nodiscard]] std::uint32_t max_delay() const; // ms

  // The tag at media time `time` (ms) has come at `arrival`. Gives when it is due: not before that,
  // and not before an earlier tag.
  [[nodiscard]] Nanoseconds take(std::int64_t time, Nanoseconds arrival);

  // How long the last tag has to wait.
  [[nodiscard]] Nanoseconds delay() const { return delay_; }
  // How much faster (ppm) the publisher's clock goes than ours; 0 until that can be told.
  [[nodiscard]] double skew() const { return skew_; }
  // How often the line had to jump: after a pause of the publisher, or by more than the maximum.
  [[nodiscard]] std::uint64_t corrections() const { return corrections_; }

private:
  // The least that tags had to wait in a stretch of media.
  struct Window {
    std::int64_t begin = 0; // media time, ms
    Nanoseconds least_wait = 0;
    Nanoseconds least_offset = 0; // between arrival and media time
  };

  void start(std::int64_t time, Nanoseconds arrival);
  [[nodiscard]] Nanoseconds line(std::int64_t time) const;
  void correct(Nanoseconds by);
  void note(std::int64_t time, Nanoseconds wait, Nanoseconds offset);
  void slew(std::int64_t step);

  Nanoseconds max_delay_ = 500'000'000;
  bool started_ = false;
  Nanoseconds offset_ = 0; // of the line: running time minus media time
  std::int64_t last_time_ = 0;
  Nanoseconds last_due_ = 0;
  Nanoseconds delay_ = 0;
  Window window_;
  std::optional<Nanoseconds> slack_;       // what all tags of the last window waited
  std::optional<Nanoseconds> last_offset_; // the last window's
  std::int64_t last_begin_ = 0;            // and where it began
  double skew_ = 0;
  std::uint64_t corrections_ = 0;
};

} // namespace flv
