// SPDX-License-Identifier: LGPL-2.1-or-later
// Decides by the bytes of a source whether the source still works.
#pragma once

#include <cstdint>
#include <optional>

#include "retry.h"

namespace failover {

// Why a source counts as lost.
enum class Loss : std::uint8_t {
  NoSource,   // no element for the URI, or it cannot be used
  Error,      // the source element posted an error
  NoData,     // nothing came within the timeout
  Silent,     // the source stopped to send
  Slow,       // less media came than plays in real time
  NoKeyFrame, // there is media, but no place where a decoder can start
  WrongType,  // another container or format
  Ended,      // end of stream
};

[[nodiscard]] const char *nick_of(Loss loss);

// One attempt to use a source, from its start on. A source is lost if nothing comes for the
// timeout, or if its media falls behind real time by the timeout. A slow source of half the rate
// is thus lost after about twice the timeout. A lag is forgiven at 5 % of real time, so a slow
// media clock, or stalls that are far apart, do not add up.
class Health {
public:
  // A decoder must be able to start within this many timeouts of media.
  static constexpr Time kKeyFrameFactor = 4;

  explicit Health(Time now) : started_(now), keyless_since_(now), last_bytes_(now), counted_(now) {}

  void note_bytes(Time now);
  // `time` is the media's timestamp in ms. A step back of up to 10 s is interleaving.
  void note_media(Time now, std::int64_t time);
  // Media without timestamps has no lag.
  void note_untimed_media(Time now);
  void note_start_point() { has_start_ = true; }
  // Downstream blocks the source: time does not count.
  void block(Time now);
  void unblock(Time now);

  [[nodiscard]] bool is_blocked() const { return blocked_.has_value(); }
  [[nodiscard]] Time started() const { return started_; }
  // Why the source is lost at `now`. nullopt: it works.
  [[nodiscard]] std::optional<Loss> loss(Time now, Time timeout) const;
  // The earliest time at which loss() can change if nothing happens.
  [[nodiscard]] Time deadline(Time timeout) const;

private:
  static constexpr double kForgiving = 0.95;

  void count(Time now);
  [[nodiscard]] Time silent_at(Time timeout) const { return last_bytes_ + timeout; }
  [[nodiscard]] Time slow_at(Time timeout) const;
  [[nodiscard]] Time keyless_at(Time timeout) const {
    return keyless_since_ + kKeyFrameFactor * timeout;
  }

  Time started_;
  Time keyless_since_; // without blocked time
  Time last_bytes_;
  Time counted_;                      // the lag is valid for this time
  double lag_ = 0;                    // ms of media that are missing for real time
  std::optional<std::int64_t> media_; // the highest timestamp
  std::optional<Time> blocked_;       // since
  bool has_bytes_ = false;
  bool has_start_ = false;
};

} // namespace failover
