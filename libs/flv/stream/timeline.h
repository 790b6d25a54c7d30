// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts tag timestamps (32 bits that wrap, jump and start at any value) to a continuous media
// time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace flv {

// Assigns media times to tags. Media time is in ms, starts at the timestamp of the first tag, and
// continues past 2^32. A discontinuity is a tag that is far from the previous tag of its kind and
// far from the time of the other kind. The timeline closes it: the tag follows the previous one of
// its kind by the usual step. One offset applies to all kinds, so audio and video stay in sync. A
// gap in one kind alone changes nothing, because the other kind confirms the time.
class Timeline {
public:
  enum class Kind : std::uint8_t { Audio, Video };

  // ms. A tag is far if it steps back by more than this.
  static constexpr std::int64_t kMaxStepBack = 1000;
  // A kind that is alone may step forward by this many times its longest step so far. Its first
  // step may have any length: a screencast can have one picture per 15 s.
  static constexpr std::int64_t kMaxSteps = 10;
  // ms. The first tag of the second kind may be earlier than the highest time by this much.
  // set_max_gap() limits how much later it may be.
  static constexpr std::int64_t kMaxLate = 60'000;

  struct MediaTime {
    std::int64_t time = 0;       // ms of media time; does not wrap
    std::uint32_t timestamp = 0; // the timestamp that the tag needs on a continuous timeline
    bool discontinuity = false;  // the timeline closed a discontinuity at this tag
  };

  void clear();
  // A tag is far if it steps forward by more than `ms`; 0: no limit.
  void set_max_gap(std::uint32_t ms) { max_gap_ = ms; }
  // One file ends here and another begins. The next audio or video tag is a discontinuity.
  void splice() { splice_ = first_.has_value(); }

  // An audio or video tag that is not a decoder configuration.
  MediaTime media(Kind kind, std::uint32_t timestamp);
  // A script tag or a decoder configuration. It gets the time of its timestamp if that is near the
  // latest media, and otherwise the time of the latest media. It does not change the timeline.
  [[nodiscard]] MediaTime other(std::uint32_t timestamp) const;

  // The time of the first media tag; nullopt before that tag.
  [[nodiscard]] std::optional<std::int64_t> first() const { return first_; }
  // The highest time so far; 0 before the first media tag.
  [[nodiscard]] std::int64_t highest() const { return highest_; }
  // The highest time plus the duration of its tag.
  [[nodiscard]] std::int64_t end() const;

private:
  static constexpr std::size_t kSteps = 5;

  struct Track {
    bool started = false;
    std::int64_t raw = 0;     // the last timestamp, unwrapped
    std::int64_t time = 0;    // the last media time
    std::int64_t offset = 0;  // media time minus timestamp
    std::int64_t longest = 0; // the longest step
    // Set if the last tag was a discontinuity: the media time before that tag.
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
  std::int64_t offset_before_ = 0; // the offset before the last discontinuity
  std::optional<std::int64_t> first_;
  std::int64_t last_raw_ = 0; // of the last tag of any kind
  std::int64_t highest_ = 0;
  Kind highest_kind_ = Kind::Video;
  bool splice_ = false;
};

} // namespace flv
