// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/stream/timeline.h"

#include "checkrun.h"
#include "flv/format/codec.h"
#include "flvbuild.h"
#include "media.h"
#include "split.h"

using namespace flv;
using Kind = Timeline::Kind;

namespace {

// A tag and its expected time: audio, video, other (script data, a configuration), or the splice
// between two files.
struct Step {
  char what;
  std::uint32_t timestamp = 0;
  std::int64_t time = 0;
  bool discontinuity = false;
};

constexpr std::uint32_t kHour = 3'600'000;
constexpr std::uint32_t kLast = 0xFFFFFFFF;
constexpr std::int64_t kWrap = std::int64_t{1} << 32;

struct Sequence {
  const char *what;
  std::vector<Step> steps;
  std::uint32_t max_gap = 10'000;
};

const Sequence kSequences[] = {
    {"a clean timeline",
     {{'v', 0, 0}, {'a', 0, 0}, {'a', 23, 23}, {'v', 40, 40}, {'a', 46, 46}, {'v', 80, 80}}},
    {"a start at an hour", {{'o', 0, 0}, {'v', kHour, kHour}, {'a', kHour - 20, kHour - 20}}},
    {"a start at the last millisecond", {{'v', kLast, kLast}, {'v', 39, kWrap + 39}}},
    {"a step over the wrap and back",
     {{'v', kLast - 9, kLast - 9},
      {'v', 30, kWrap + 30},
      {'a', kLast, kLast},
      {'a', 22, kWrap + 22}}},

    {"a step back of a second", {{'v', 5000, 5000}, {'v', 4000, 4000}, {'v', 4040, 4040}}},
    {"a step back of more than a second",
     {{'v', 5000, 5000}, {'v', 5040, 5040}, {'v', 4039, 5080, true}, {'v', 4079, 5120}}},
    {"a step of the largest gap", {{'v', 0, 0}, {'v', 10'000, 10'000}}},
    {"a step over the largest gap",
     {{'v', 0, 0}, {'v', 40, 40}, {'v', 10'041, 80, true}, {'v', 10'081, 120}}},
    {"a step over a gap of a second",
     {{'a', 0, 0}, {'a', 20, 20}, {'a', 1020, 1020}, {'a', 12'021, 2020, true}},
     1000},
    {"a first step over the largest gap",
     {{'v', 0, 0}, {'v', 10'001, 10'001}, {'v', 10'041, 10'041}}},

    {"a picture every 15 s",
     {{'v', 0, 0}, {'v', 15'000, 15'000}, {'v', 30'000, 30'000}, {'v', 45'000, 45'000}}},
    {"ten times the longest step", {{'v', 0, 0}, {'v', 15'000, 15'000}, {'v', 165'000, 165'000}}},
    {"more than ten times the longest step",
     {{'v', 0, 0}, {'v', 15'000, 15'000}, {'v', 165'001, 30'000, true}, {'v', 180'001, 45'000}}},
    {"a picture every 15 s, sound that has ended",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'a', 23, 23},
      {'v', 5000, 5000},
      {'v', 10'000, 10'000},
      {'v', 15'000, 15'000},
      {'v', 30'000, 30'000},
      {'v', 45'000, 45'000}}},
    {"sparse audio alone, and its end",
     {{'a', 0, 0}, {'a', 60'000, 60'000}, {'a', 120'000, 120'000}}},

    {"a microphone that is muted",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'a', 23, 23},
      {'v', 5000, 5000},
      {'v', 10'000, 10'000},
      {'v', 20'000, 20'000},
      {'a', 20'015, 20'015},
      {'a', 20'038, 20'038},
      {'v', 25'000, 25'000},
      {'v', 35'000, 35'000},
      {'v', 45'000, 45'000},
      {'a', 45'010, 45'010}}},
    {"a camera that stops",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'v', 40, 40},
      {'a', 8000, 8000},
      {'a', 16'000, 16'000},
      {'v', 16'040, 16'040},
      {'a', 16'023, 16'023}}},
    {"a microphone that is muted from the start",
     {{'a', 0, 0}, {'v', 0, 0}, {'v', 9000, 9000}, {'v', 18'000, 18'000}, {'a', 18'010, 18'010}}},
    {"a jump while the microphone is muted",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'v', 40, 40},
      {'v', 80, 80},
      {'v', 5080, 5080},
      {'v', kHour, 5120, true},
      {'v', kHour + 40, 5160},
      {'a', kHour + 50, 5170}}},
    {"a publisher that comes back while the microphone is muted, audio first",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'a', 2000, 2000},
      {'v', 5000, 5000},
      {'v', 10'000, 10'000},
      {'a', 0, 10'000, true},
      {'v', 0, 10'000},
      {'a', 23, 10'023},
      {'v', 40, 10'040}}},
    {"pictures every 14 s, and sound that ends between two",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'a', 7000, 7000},
      {'v', 12'000, 12'000},
      {'a', 14'000, 14'000},
      {'v', 26'000, 26'000},
      {'v', 40'000, 40'000},
      {'v', 54'000, 54'000}}},
    {"a single picture, and sound that starts over",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'a', 7000, 7000},
      {'a', 14'000, 14'000},
      {'a', 20'000, 20'000},
      {'v', 0, 0},
      {'a', 0, 27'000, true},
      {'a', 20, 27'020}}},
    {"two wrong timestamps",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'v', 40, 40},
      {'v', kHour, 80, true},
      {'v', 120, 120},
      {'a', 110, 110},
      {'v', kHour, 80},
      {'v', 200, 200},
      {'v', 2 * kHour, 240, true},
      {'v', 280, 280},
      {'a', 190, 190}}},
    {"a publisher that comes back twice",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'v', 1500, 1500},
      {'a', 1500, 1500},
      {'v', 0, 3000, true},
      {'a', 0, 3000},
      {'v', 1500, 4500},
      {'a', 1500, 4500},
      {'a', 0, 6000, true},
      {'v', 0, 6000}}},
    {"a single wrong timestamp of audio that trails",
     {{'v', 0, 0},
      {'v', 4000, 4000},
      {'v', 8000, 8000},
      {'a', 0, 0},
      {'a', 1000, 1000},
      {'a', kHour, 8000, true},
      {'a', 2000, 2000},
      {'v', 12'000, 12'000}}},
    {"a pause after a jump back",
     {{'v', 8000, 8000},
      {'v', 10'000, 10'000},
      {'v', 8500, 12'000, true},
      {'v', 8540, 12'040},
      {'v', 11'540, 15'040}}},
    {"no largest gap",
     {{'v', 0, 0}, {'v', kHour, kHour}, {'v', kHour + 40, kHour + 40}, {'a', 2 * kHour, 2 * kHour}},
     0},
    {"a step back without a largest gap",
     {{'v', kHour, kHour}, {'v', kHour + 20, kHour + 20}, {'v', 0, kHour + 40, true}},
     0},
    {"the largest step that 32 bits can say",
     {{'v', 0, 0}, {'v', 0x7FFFFFFF, 0x7FFFFFFF}, {'v', kLast - 1, kLast - 1}},
     0},

    {"a jump of an hour, video first",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'a', 23, 23},
      {'v', 33, 33},
      {'a', 46, 46},
      {'v', kHour, 66, true},
      {'a', kHour - 2, 64},
      {'a', kHour + 21, 87},
      {'v', kHour + 33, 99}}},
    {"a jump of an hour, audio first",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'a', 23, 23},
      {'v', 33, 33},
      {'a', kHour, 46, true},
      {'v', kHour + 10, 56},
      {'a', kHour + 23, 69},
      {'v', kHour + 43, 89}}},
    {"a jump that audio reaches seconds after video",
     {{'v', 0, 0},
      {'v', 4000, 4000},
      {'v', 8000, 8000},
      {'a', 0, 0},
      {'a', 1000, 1000},
      {'v', kHour, 12'000, true},
      {'a', 2000, 2000},
      {'v', kHour + 4000, 16'000},
      {'a', 3000, 3000},
      {'a', kHour - 8000, 4000},
      {'a', kHour - 7000, 5000},
      {'v', kHour + 8000, 20'000}}},
    {"a jump back",
     {{'v', kHour, kHour},
      {'a', kHour, kHour},
      {'v', kHour + 40, kHour + 40},
      {'a', kHour + 23, kHour + 23},
      {'v', 0, kHour + 80, true},
      {'a', 5, kHour + 85}}},
    {"one timestamp that is wrong",
     {{'v', 0, 0},
      {'v', 40, 40},
      {'v', kHour, 80, true},
      {'v', 120, 120},
      {'a', 110, 110},
      {'v', 160, 160}}},
    {"a second jump before audio has reached the first",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'v', 40, 40},
      {'a', 23, 23},
      {'v', kHour, 80, true},
      {'v', 2 * kHour, 120, true},
      {'a', 46, 46, true},
      {'v', 2 * kHour + 40, 160},
      {'a', 2 * kHour - 10, 110},
      {'v', 2 * kHour + 80, 200}}},

    {"audio that trails by seconds",
     {{'v', 0, 0},
      {'v', 3000, 3000},
      {'v', 6000, 6000},
      {'v', 9000, 9000},
      {'a', 0, 0},
      {'v', 12'000, 12'000},
      {'a', 23, 23},
      {'a', 46, 46},
      {'v', 15'000, 15'000}}},
    {"audio late by half of what 32 bits can say",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'v', 0x7FFFFFFF, 0x7FFFFFFF},
      {'v', kLast - 1, kLast - 1},
      {'a', 23, 23}},
     0},
    {"audio that begins late", {{'v', 0, 0}, {'v', 40, 40}, {'a', 10'040, 10'040}, {'v', 80, 80}}},
    {"audio that begins a minute late",
     {{'v', kHour, kHour}, {'a', kHour - 60'000, kHour - 60'000}}},
    {"audio that begins more than a minute late",
     {{'v', kHour, kHour}, {'a', kHour - 60'001, kHour, true}, {'v', kHour + 40, kHour + 40}}},
    {"audio that begins an hour ahead",
     {{'v', 0, 0}, {'v', 40, 40}, {'a', kHour, 40, true}, {'a', kHour + 23, 63}, {'v', 80, 80}}},
    {"audio that begins an hour ahead, with no largest gap",
     {{'v', 0, 0}, {'a', kHour, kHour}, {'v', 40, 40}},
     0},

    {"a splice",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'a', 23, 23},
      {'v', 40, 40},
      {'s'},
      {'v', 0, 80, true},
      {'a', 0, 80},
      {'a', 23, 103},
      {'v', 40, 120}}},
    {"a splice, audio first",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'v', 40, 40},
      {'a', 23, 23},
      {'s'},
      {'a', 0, 46, true},
      {'v', 0, 46},
      {'v', 40, 86}}},
    {"a splice where the timestamps go on",
     {{'v', 0, 0}, {'v', 40, 40}, {'s'}, {'v', 80, 80, true}, {'v', 120, 120}}},
    {"a splice to a file that starts at an hour",
     {{'v', 0, 0}, {'v', 40, 40}, {'s'}, {'v', kHour, 80, true}, {'a', kHour - 10, 70}}},
    {"a splice to a file whose audio begins late",
     {{'v', 0, 0}, {'a', 0, 0}, {'v', 40, 40}, {'s'}, {'v', 0, 80, true}, {'a', 5000, 5080}}},
    {"a splice after audio that ended early",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'a', 23, 23},
      {'v', 4000, 4000},
      {'v', 8000, 8000},
      {'s'},
      {'a', 0, 12'000, true},
      {'v', 0, 12'000},
      {'a', 23, 12'023}}},
    {"a splice between audio that ended early and audio that begins late",
     {{'v', 0, 0},
      {'a', 0, 0},
      {'v', 8000, 8000},
      {'s'},
      {'v', 0, 16'000, true},
      {'a', 9000, 25'000}}},
    {"timestamps of before the splice, after it",
     {{'v', kHour, kHour},
      {'v', kHour + 40, kHour + 40},
      {'s'},
      {'v', 0, kHour + 80, true},
      {'a', kHour + 90, kHour + 80, true}}},
    {"a splice before the first audio",
     {{'v', 0, 0}, {'v', 40, 40}, {'s'}, {'a', 0, 80, true}, {'v', 0, 80}}},
    {"a splice before the first tag", {{'s'}, {'v', 500, 500}, {'a', 480, 480}}},
    {"two splices and nothing between them",
     {{'v', 0, 0}, {'v', 40, 40}, {'s'}, {'s'}, {'v', 0, 80, true}, {'v', 40, 120}}},

    {"script data and configurations",
     {{'o', 77, 0},
      {'v', 5000, 5000},
      {'o', 0, 5000},
      {'o', 4000, 4000},
      {'o', 3999, 5000},
      {'o', 6000, 6000},
      {'o', 6001, 5000},
      {'o', kHour, 5000},
      {'v', 5040, 5040}}},
    {"script data after a jump",
     {{'v', 0, 0},
      {'v', 40, 40},
      {'v', kHour, 80, true},
      {'o', kHour, 80},
      {'o', 0, 80},
      {'v', kHour + 40, 120}}},
    {"script data after a splice",
     {{'v', 0, 0},
      {'v', 40, 40},
      {'s'},
      {'o', 0, 40},
      {'o', 40, 40},
      {'v', 0, 80, true},
      {'o', 0, 80}}},
};

START_TEST(test_sequence) {
  const Sequence &sequence = ROW(kSequences);
  Timeline timeline;
  timeline.set_max_gap(sequence.max_gap);
  std::int64_t highest = 0;
  bool touched = false; // whether there was a discontinuity or a splice
  for (std::size_t i = 0; i < sequence.steps.size(); ++i) {
    const Step &step = sequence.steps[i];
    if (step.what == 's') {
      timeline.splice();
      touched = timeline.first().has_value();
      continue;
    }
    const bool other = step.what == 'o';
    const auto place =
        other ? timeline.other(step.timestamp)
              : timeline.media(step.what == 'v' ? Kind::Video : Kind::Audio, step.timestamp);
    ck_assert_msg(place.time == step.time && place.discontinuity == step.discontinuity,
                  "%s, step %zu: at %lld, not %lld; discontinuity %d", sequence.what, i,
                  static_cast<long long>(place.time), static_cast<long long>(step.time),
                  place.discontinuity);
    touched = touched || place.discontinuity;
    // A timeline without a closed gap keeps the bytes.
    ck_assert_uint_eq(place.timestamp,
                      touched ? static_cast<std::uint32_t>(step.time) : step.timestamp);
    if (!other) {
      highest = timeline.first() ? std::max(highest, step.time) : step.time;
      ck_assert_int_eq(timeline.highest(), highest);
    }
  }
}
END_TEST

START_TEST(test_first_and_end) {
  Timeline timeline;
  ck_assert(!timeline.first());
  ck_assert_int_eq(timeline.end(), 0);
  (void)timeline.other(5);
  ck_assert(!timeline.first());
  // The duration of a first tag is unknown: a frame at 25 Hz, 1024 samples at 48 kHz.
  (void)timeline.media(Kind::Video, kHour);
  ck_assert(timeline.first() == std::int64_t{kHour});
  ck_assert_int_eq(timeline.end(), kHour + 40);
  (void)timeline.media(Kind::Audio, kHour);
  ck_assert_int_eq(timeline.end(), kHour + 21);
  (void)timeline.media(Kind::Audio, kHour + 32);
  ck_assert_int_eq(timeline.end(), kHour + 64);
  // The tag with the latest end counts, and not the last tag.
  (void)timeline.media(Kind::Video, kHour + 16);
  ck_assert_int_eq(timeline.end(), kHour + 64);
  ck_assert(timeline.first() == std::int64_t{kHour});
}
END_TEST

START_TEST(test_usual_step) {
  // A stutter, a pause and equal timestamps do not change the usual step.
  Timeline timeline;
  for (const std::uint32_t timestamp : {0U, 33U, 66U, 66U, 99U, 101U, 133U, 5133U, 5166U})
    (void)timeline.media(Kind::Video, timestamp);
  ck_assert_int_eq(timeline.media(Kind::Video, kHour).time, 5166 + 33);
  // If most tags come in groups of three with equal times, the step is that of the groups.
  timeline.clear();
  for (std::uint32_t i = 0; i < 12; ++i)
    (void)timeline.media(Kind::Video, i / 3 * 33);
  ck_assert_int_eq(timeline.media(Kind::Video, kHour).time, 99 + 33);
}
END_TEST

START_TEST(test_clear) {
  Timeline timeline;
  timeline.set_max_gap(500);
  (void)timeline.media(Kind::Video, 0);
  (void)timeline.media(Kind::Video, 40);
  ck_assert(timeline.media(Kind::Video, 2000).discontinuity);
  timeline.splice();
  timeline.clear();
  ck_assert(!timeline.first());
  ck_assert_int_eq(timeline.highest(), 0);
  ck_assert_int_eq(timeline.media(Kind::Video, kHour).time, kHour);
  (void)timeline.media(Kind::Video, kHour + 40);
  ck_assert(timeline.media(Kind::Video, kHour + 541).discontinuity);
}
END_TEST

// 60 days, beyond the wrap at 49.7 days: audio and video stay in sync exactly.
START_TEST(test_sixty_days) {
  constexpr std::int64_t kEnd = 60LL * 24 * kHour;
  constexpr std::int64_t kStart = 1234;
  Timeline timeline;
  std::int64_t wrong = 0;
  for (std::int64_t time = kStart; time < kEnd; time += 1000) {
    for (const auto &[kind, lag] : {std::pair(Kind::Video, 0), std::pair(Kind::Audio, 250)}) {
      const auto place = timeline.media(kind, static_cast<std::uint32_t>(time - lag));
      wrong += place.time != time - lag ||
               place.timestamp != static_cast<std::uint32_t>(place.time) || place.discontinuity;
    }
  }
  ck_assert_int_eq(wrong, 0);
}
END_TEST

// A looped file for 60 days: every loop lasts as long as the file.
START_TEST(test_loop) {
  const bool headers = _i == 0;
  Timeline timeline;
  std::int64_t wrong = 0;
  for (std::int64_t turn = 0; turn < 500'000; ++turn) {
    if (headers)
      timeline.splice();
    for (std::uint32_t time = 0; time < 10'000; time += 1000) {
      const auto video = timeline.media(Kind::Video, time);
      const auto audio = timeline.media(Kind::Audio, time + 13);
      wrong += video.time != turn * 10'000 + time || audio.time != video.time + 13 ||
               video.timestamp != static_cast<std::uint32_t>(video.time) ||
               video.discontinuity != (turn > 0 && time == 0) || audio.discontinuity;
    }
  }
  ck_assert_int_eq(wrong, 0);
}
END_TEST

// No sample file has a discontinuity, even one whose first step is 46 hours.
START_TEST(test_media_file) {
  const flvtest::MediaFile &file = ROW(flvtest::kMedia);
  const auto bytes = flvtest::media_file(file.name);
  if (!bytes)
    return;
  Timeline timeline;
  unsigned discontinuities = 0;
  unsigned changed = 0;
  for (const Item &tag : flvtest::split(*bytes).tags()) {
    const TagInfo info = classify(
        tag.tag.type, flvtest::bytes_of(tag, *bytes).subspan(kTagHeaderSize, tag.tag.data_size));
    const bool media = flv::is_media(info.role);
    const auto kind = tag.tag.type == TagType::Video ? Kind::Video : Kind::Audio;
    const auto place =
        media ? timeline.media(kind, tag.tag.timestamp) : timeline.other(tag.tag.timestamp);
    discontinuities += place.discontinuity;
    changed += place.timestamp != tag.tag.timestamp;
  }
  ck_assert_uint_eq(discontinuities, 0);
  ck_assert_uint_eq(changed, 0);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("timeline", {{test_sequence, std::size(kSequences)},
                                   {test_first_and_end},
                                   {test_usual_step},
                                   {test_clear},
                                   {test_sixty_days},
                                   {test_loop, 2},
                                   {test_media_file, std::size(flvtest::kMedia)}});
}
