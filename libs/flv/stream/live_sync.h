// SPDX-License-Identifier: LGPL-2.1-or-later
// The due times of the tags of a live publisher.
#pragma once

#include <cstdint>
#include <optional>

#include "schedule.h"

namespace flv {

// Maps the media time of a live stream to running time. The publisher's clock differs from the
// local clock, and the network delays tags by a varying amount. The mapping is a line that follows
// the tags with the least delay. A tag that arrives after its time on the line moves the line at
// once. If all tags arrive before their times on the line, the line is slewed towards them.
// Therefore a tag is due at its arrival or later, and waits at most the maximum delay.
class LiveSync {
public:
  // The maximum slew of the line, as a fraction of the media time.
  static constexpr double kMaxSlew = 0.005;

  void stop() { started_ = false; }
  void set_max_delay(std::uint32_t ms);
  [[nodiscard]] std::uint32_t max_delay() const; // ms

  // The tag with media time `time` (ms) arrived at `arrival`. Returns its due time, which is not
  // before `arrival` and not before the due time of an earlier tag.
  [[nodiscard]] Nanoseconds take(std::int64_t time, Nanoseconds arrival);

  // How long the last tag waits: due time minus arrival.
  [[nodiscard]] Nanoseconds delay() const { return delay_; }
  // How much faster the publisher's clock runs than the local clock, in ppm. 0: not measured yet.
  [[nodiscard]] double skew() const { return skew_; }
  // How often the line jumped: after a pause of the publisher, or because a tag would have waited
  // longer than the maximum delay.
  [[nodiscard]] std::uint64_t corrections() const { return corrections_; }

private:
  // Minimum values in a window of media time.
  struct Window {
    std::int64_t begin = 0; // media time, ms
    Nanoseconds least_wait = 0;
    Nanoseconds least_offset = 0; // arrival minus media time
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
  // The minimum wait of the last window, minus the slew since then.
  std::optional<Nanoseconds> slack_;
  std::optional<Nanoseconds> last_offset_; // the minimum offset of the last window
  std::int64_t last_begin_ = 0;            // ms of media time: the start of the last window
  double skew_ = 0;
  std::uint64_t corrections_ = 0;
};

} // namespace flv
