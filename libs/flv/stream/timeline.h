// SPDX-License-Identifier: LGPL-2.1-or-later
// Tag timestamps (32 bits that wrap, jump and start anywhere) to one continuous media time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace flv {

// Places tags in media time: milliseconds that start at the first tag's timestamp and go on past
// 2^32. A discontinuity is a tag that is far both from the one before it of its kind and from where
// the other kind is. It is closed over by the usual step of its kind of tag, with one offset for
// all kinds, so that audio and video stay in step. A gap in one kind alone changes nothing: the
// other kind confirms the time.
class Timeline {
public:
  enum class Kind : std::uint8_t { Audio, Video };

  // A tag is far if it steps back by more than this (ms).
  static constexpr std::int64_t kMaxStepBack = 1000;
  // A kind that is alone may step forward by so many times its longest step so far, and by anything
  // the first time: a screencast has a picture every 15 s.
  static constexpr std::int64_t kMaxSteps = 10;
  // By so much (ms) the first tag of the second kind may be late; to be ahead, it has the gap.
  static constexpr std::int64_t kMaxLate = 60'000;

  struct MediaTime {
    std::int64_t time = 0;       // ms of media; what the tag's timestamp would be had it no bounds
    std::uint32_t timestamp = 0; // as the tag has to carry it for a continuous timeline
    bool discontinuity = false;  // the schedule was closed over one here
  };

  void clear();
  // A tag is far if it steps forward by more than `ms`; 0: never.
  void set_max_gap(std::uint32_t ms) { max_gap_ = ms; }
  // Here ends one file and begins another: the next audio or video tag is a discontinuity.
  void splice() { splice_ = first_.has_value(); }

  // An audio or video tag that is no configuration.
  MediaTime media(Kind kind, std::uint32_t timestamp);
  // A script tag or a configuration: placed where it says if that is credible, else with the
  // latest media. It never moves anything.
  [[nodiscard]] MediaTime other(std::uint32_t timestamp) const;

  // The first media tag's time; nothing before there was one.
  [[nodiscard]] std::optional<std::int64_t> first() const { return first_; }
  // The highest time so far; 0 before there was one.
  [[nodiscard]] std::int64_t highest() const { return highest_; }
  // The highest time and how long that tag lasts.
  [[nodiscard]] std::int64_t end() const;

private:
  static constexpr std::size_t kSteps = 5;

  struct Track {
    bool started = false;
    std::int64_t raw = 0;     // the last timestamp, unwrapped
    std::int64_t time = 0;    // the last place
    std::int64_t offset = 0;  // between the two
    std::int64_t longest = 0; // step
    // The place before that, where the last tag was a discontinuity.
    std::optional<std::int64_t> before_jump;
    std::array<std::int64_t, kSteps> steps{};
    std::size_t step_count = 0;

    void add_step(std::int64_t step);
  };

  [[nodiscard]] Track &track(Kind kind) { return tracks_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] bool is_near(std::int64_t step, std::int64_t back = kMaxStepBack) const;
  [[nodiscard]] std::optional<std::int64_t> known_offset(Kind kind, std::int64_t raw) const;
  [[nodiscard]] std::optional<std::int64_t> first_offset(std::int64_t raw) const;
  [[nodiscard]] bool keeps_rhythm(const Track &own, const Track &other, std::int64_t step) const;
  [[nodiscard]] std::int64_t next_time(Kind kind) const;
  [[nodiscard]] std::int64_t usual_step(Kind kind) const;
  [[nodiscard]] bool has_stopped(const Track &track, std::int64_t time) const;
  std::int64_t close(Kind kind, std::int64_t raw, std::int64_t time);
  std::int64_t cross_splice(Kind kind, std::int64_t raw);

  std::uint32_t max_gap_ = 10000;
  std::array<Track, 2> tracks_{};
  std::int64_t offset_ = 0;
  std::int64_t offset_before_ = 0; // what it was until the last discontinuity
  std::optional<std::int64_t> first_;
  std::int64_t last_raw_ = 0; // of whatever kind
  std::int64_t highest_ = 0;
  Kind highest_kind_ = Kind::Video;
  bool splice_ = false;
};

} // namespace flv
