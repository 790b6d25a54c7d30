// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is a list of five-byte steps: an operation and its number.
#include "fuzz.h"

#include <algorithm>
#include <array>

#include "flv/format/bytes.h"
#include "flv/stream/schedule.h"
#include "flv/stream/timeline.h"

using namespace flv;

namespace {

constexpr std::int64_t kFar = std::int64_t{1} << 52; // ms: more than the sum of any input's steps

class Run {
public:
  void step(std::uint8_t what, std::uint32_t number) {
    switch (what % 10) {
    case 0:
    case 1:
      media(Timeline::Kind::Video, number);
      break;
    case 2:
    case 3:
      media(Timeline::Kind::Audio, number);
      break;
    case 4:
      other(number);
      break;
    case 5:
      timeline_.splice();
      splice_ = timeline_.first().has_value();
      clean_ = clean_ && !splice_;
      break;
    case 6:
      timeline_.set_max_gap(number);
      max_gap_ = number;
      break;
    case 7:
      schedule_.set_speed(std::clamp(number / 1e6, 0.01, 1000.0));
      last_due_ = origin_;
      break;
    case 8:
      schedule_.set_burst(number, now_);
      last_due_ = origin_;
      break;
    default:
      schedule_.set_catch_up_speed(number / 1e6);
      break;
    }
    check_due();
  }

private:
  void media(Timeline::Kind kind, std::uint32_t timestamp) {
    const std::int64_t highest = timeline_.highest();
    const bool first = !timeline_.first();
    const Timeline::MediaTime place = timeline_.media(kind, timestamp);
    REQUIRE(place.time > -kFar && place.time < kFar);
    REQUIRE(place.timestamp == static_cast<std::uint32_t>(place.time));
    REQUIRE(!splice_ || (place.discontinuity && place.time > highest));
    clean_ = clean_ && !place.discontinuity;
    REQUIRE(!clean_ || place.timestamp == timestamp);

    auto &last = last_time_[static_cast<std::size_t>(kind)];
    const std::int64_t step = place.time - last;
    // There is no discontinuity if the step is near the last tag of its kind, or near the tag
    // before it if that was a discontinuity; or near the other kind; or if a kind that is alone
    // steps forward.
    const std::int64_t other = last_time_[1 - static_cast<std::size_t>(kind)];
    auto &before = before_jump_[static_cast<std::size_t>(kind)];
    const auto is_near = [&](std::int64_t from) {
      const std::int64_t far = place.time - from;
      return from != kNone && far >= -Timeline::kMaxStepBack && (max_gap_ == 0 || far <= max_gap_);
    };
    // The other kind may have ended since the last tag, if this kind's own steps are as long.
    auto &longest = longest_[static_cast<std::size_t>(kind)];
    const bool alone = other == kNone || last - other > max_gap_ || longest > max_gap_;
    REQUIRE(last == kNone || splice_ || place.discontinuity || is_near(last) || is_near(before) ||
            is_near(other) || (alone && step > 0));
    before = place.discontinuity ? last : kNone;
    if (splice_) {
      last_time_.fill(kNone);
      before_jump_.fill(kNone);
      longest_.fill(0);
    } else if (last != kNone) {
      longest = std::max(longest, step);
    }
    last = place.time;
    splice_ = false;

    REQUIRE(timeline_.highest() == (first ? place.time : std::max(highest, place.time)));
    REQUIRE(timeline_.end() > timeline_.highest());
    if (!schedule_.started()) {
      now_ = origin_ = last_due_ = timestamp;
      schedule_.start(origin_, *timeline_.first());
    }
    send(place.time, timestamp);
  }

  void other(std::uint32_t timestamp) {
    const std::int64_t highest = timeline_.highest();
    const Timeline::MediaTime place = timeline_.other(timestamp);
    REQUIRE(!place.discontinuity && timeline_.highest() == highest);
    REQUIRE(!clean_ || place.timestamp == timestamp);
    if (!timeline_.first())
      return;
    REQUIRE(std::abs(place.time - highest) <= Timeline::kMaxStepBack);
    send(place.time, timestamp);
  }

  // The tag leaves at its due time, or later depending on `lateness`.
  void send(std::int64_t time, std::uint32_t lateness) {
    schedule_.take(time);
    check_due();
    REQUIRE(schedule_.leave() >= schedule_.due());
    now_ = std::max(now_, schedule_.leave()) + (lateness % 16 == 0 ? lateness : 0);
    schedule_.left(now_);
    REQUIRE(std::abs(schedule_.lead(now_)) < kFar * 1000);
  }

  void check_due() {
    if (!schedule_.started())
      return;
    REQUIRE(schedule_.due() >= origin_);
    REQUIRE(schedule_.due() >= last_due_);
    last_due_ = schedule_.due();
  }

  static constexpr std::int64_t kNone = INT64_MIN / 2;

  Timeline timeline_;
  Schedule schedule_;
  std::int64_t max_gap_ = 10'000;
  std::array<std::int64_t, 2> last_time_{kNone, kNone};
  std::array<std::int64_t, 2> before_jump_{kNone, kNone};
  std::array<std::int64_t, 2> longest_{}; // the longest step
  bool splice_ = false;
  bool clean_ = true; // no gap was closed
  Nanoseconds origin_ = 0;
  Nanoseconds last_due_ = 0;
  Nanoseconds now_ = 0;
};

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  Run run;
  Reader reader(Bytes(data, size));
  std::uint8_t what = 0;
  std::uint32_t number = 0;
  while (reader.u8(what) && reader.u32(number))
    run.step(what, number);
  return 0;
}
