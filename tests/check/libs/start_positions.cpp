// SPDX-License-Identifier: LGPL-2.1-or-later
// Starts in files whose timestamps, metadata, codecs or stream ids are unusual.
#include "flv/seek/seek_planner.h"

#include <algorithm>
#include <cmath>

#include "media.h"
#include "starting.h"

using namespace flvtest::starting;

namespace {

constexpr std::uint32_t kHour = 3'600'000;
constexpr IndexSource kSources[] = {kMetadata, kScan, kAuto};

// Appends `seconds` groups of pictures of one second; the first keyframe is at `start`.
void append_seconds(Stream &stream, std::uint32_t start, std::uint32_t seconds) {
  flvtest::append_media(stream, {.duration = seconds * 1000, .start = start, .gop = 25});
}

// The index has the times since the first tag plus `moved` seconds.
Stream indexed(const flvtest::Append &media, double moved = 0, std::uint32_t first = 0) {
  return flvtest::indexed(media, [=](const Stream &file) {
    Entries entries = flvtest::key_frames_of(file);
    for (auto &[position, time] : entries) {
      const auto ms = static_cast<std::uint32_t>(std::llround(time * 1000)) - first;
      time = ms / 1000.0 + moved;
    }
    return entries;
  });
}

// In milliseconds.
std::vector<std::int64_t> times_of(const KeyframeIndex &index) {
  std::vector<std::int64_t> times;
  for (const double time : index.times)
    times.push_back(std::llround(time * 1000));
  return times;
}

bool contains(Bytes bytes, Bytes wanted) {
  return std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end()) != bytes.end();
}

// The index in the stream's own metadata.
KeyframeIndex own_index(const Buffer &stream) {
  FileProbe opening;
  (void)flvtest::drive(opening, stream);
  KeyframeIndex index;
  const IndexFault fault = read_keyframe_index(opening.facts().metadata, stream.size(), index);
  ck_assert_msg(fault.kind == IndexFault::Kind::None, "%s", describe(fault).c_str());
  return index;
}

void assert_starts(const char *what, Bytes file, const StartSettings &settings,
                   std::uint64_t position, std::uint64_t time, bool forward = true) {
  for (const Access access : kAll) {
    if (access == Access::Forward && !forward)
      continue;
    const Result result = look(access, file, settings);
    ck_assert_msg(result.error.kind == Kind::None, "%s, access %d, source %d: %s", what,
                  static_cast<int>(access), static_cast<int>(settings.index),
                  result.error.text.c_str());
    ck_assert_msg(result.start.position == position && result.start.time == time,
                  "%s, access %d, source %d: byte %d at %d ms instead of %d at %d ms", what,
                  static_cast<int>(access), static_cast<int>(settings.index),
                  static_cast<int>(result.start.position), static_cast<int>(result.start.time),
                  static_cast<int>(position), static_cast<int>(time));
    ck_assert(!result.lost || access != Access::Forward);
  }
}

// --- Timestamps that do not start at 0 ---

const struct {
  const char *what;
  std::uint32_t first; // timestamp
  double moved;        // the index's times (s)
} kBeginnings[] = {
    {"from 0", 0, 0},
    {"from an hour, the index lists timestamps", kHour, 3600},
    {"from an hour, the index lists times from 0", kHour, 0},
    {"from an hour, times from 0, a frame late", kHour, 0.08},
    {"from 20 s, the index lists timestamps", 20'000, 20},
    {"from -33 ms", 0xFFFFFFDF, 0},
    {"across the wrap", 0xFFFFFFFF - 3499, 0},
    {"across the wrap, the index lists timestamps", 0xFFFFFFFF - 3499, 4294963.796},
};

START_TEST(test_beginnings) {
  const auto &row = ROW(kBeginnings);
  const auto media = [&](Stream &stream) {
    stream.configs(row.first);
    append_seconds(stream, row.first, 10);
  };
  const Stream stream = indexed(media, row.moved, row.first);
  const Entries keys = flvtest::key_frames_of(stream);
  for (const IndexSource source : kSources) {
    for (const std::uint64_t second : {1U, 2U, 5U, 9U}) {
      for (const std::uint64_t off : {0U, 400U}) {
        if (row.moved == 0.08 && off == 0)
          continue; // at exactly this time, the time in the index decides
        assert_starts(row.what, stream.bytes, at_time(second * 1000 + off, Snap::Previous, source),
                      keys[second].first, second * 1000);
      }
      const std::uint64_t wanted = (second - 1) * 1000 + 500;
      assert_starts(row.what, stream.bytes, at_time(wanted, Snap::Next, source), keys[second].first,
                    second * 1000);
    }
    const Result late = look(Access::Anywhere, stream.bytes, at_time(20'000, Snap::Next, source));
    ck_assert_enum_eq(late.error.kind, Kind::Place);
    ck_assert_msg(late.error.text.find("is at 9000 ms") != std::string::npos || row.moved == 0.08,
                  "%s: %s", row.what, late.error.text.c_str());
  }
}
END_TEST

// The sent index is the producer's, or that of the scan with the producer's time base.
START_TEST(test_rewritten_times) {
  const auto &row = ROW(kBeginnings);
  const auto media = [&](Stream &stream) {
    stream.configs(row.first);
    append_seconds(stream, row.first, 6);
  };
  const Stream stream = indexed(media, row.moved, row.first);
  for (const IndexSource source : kSources) {
    const Result result =
        look(Access::Anywhere, stream.bytes, at_time(3100, Snap::Previous, source));
    const auto times = times_of(own_index(stream_of(result, stream.bytes)));
    ck_assert_uint_eq(times.size(), 3);
    const double moved = source == kScan && row.moved == 0.08 ? 0 : row.moved;
    for (std::size_t i = 0; i < times.size(); ++i)
      ck_assert_msg(
          std::abs(times[i] - std::llround((3 + static_cast<double>(i) + moved) * 1000)) <= 1,
          "%s, source %d: %d", row.what, static_cast<int>(source), static_cast<int>(times[i]));
  }
}
END_TEST

// Regression: the rewritten index of such a file had only entries of 4294967.263.
START_TEST(test_negative_without_index) {
  Stream stream;
  stream.header().metadata(flvtest::index_members({{100, 0.5}})).configs();
  stream.aac(0xFFFFFFDF);
  append_seconds(stream, 0xFFFFFFF0, 6);
  SeekPlanner starter(Access::Anywhere, stream.bytes.size());
  const Result result = look(starter, stream.bytes, at_time(5000, Snap::Previous, kScan));
  const Entries keys = flvtest::key_frames_of(stream);
  ck_assert_uint_eq(result.start.position, keys[4].first);
  ck_assert_uint_eq(result.start.time, 4017);
  ck_assert(times_of(starter.index()) ==
            (std::vector<std::int64_t>{17, 1017, 2017, 3017, 4017, 5017}));
  ck_assert(times_of(own_index(stream_of(result, stream.bytes))) ==
            (std::vector<std::int64_t>{4017, 5017}));
}
END_TEST

START_TEST(test_duration) {
  const struct {
    double listed, duration, told;
  } rows[] = {{3600, 3610, 10}, {3600, 10, 10}, {0, 10, 10}, {0, 3610, 3610}};
  for (const auto &row : rows) {
    const auto media = [](Stream &stream) {
      stream.configs(kHour);
      append_seconds(stream, kHour, 10);
    };
    const Stream stream = flvtest::indexed(media,
                                           [&](const Stream &file) {
                                             Entries entries = flvtest::key_frames_of(file);
                                             for (auto &[position, time] : entries)
                                               time += row.listed - 3600;
                                             return entries;
                                           },
                                           {{"duration", {row.duration}}});
    SeekPlanner starter(Access::Anywhere, stream.bytes.size());
    ck_assert(!starter.duration());
    (void)look(starter, stream.bytes, {});
    ck_assert(starter.duration() == row.told);
  }
}
END_TEST

// --- Publishers that reconnect ---

struct Again {
  const char *what;
  std::vector<std::uint32_t> starts; // five seconds each, from this timestamp on
  bool header = false;               // a file header before each
};

const Again kAgain[] = {
    {"from 0 again", {0, 0}},
    {"from 0 again, after a file header", {0, 0}, true},
    {"three times", {0, 0, 0}},
    {"three times, after file headers", {0, 0, 0}, true},
    {"from an hour, then from 0", {kHour, 0}},
    {"from 0, then from an hour", {0, kHour}},
    {"from 0, then from an hour, after a file header", {0, kHour}, true},
    {"before the wrap, then from 0", {0xFFFFFFFF - 600'000, 0}},
    {"wrapped, then from 0", {0xFFFFFFFF - 2500, 0}},
};

START_TEST(test_again) {
  const auto &row = ROW(kAgain);
  for (const auto &[audio, video] : {std::pair(true, true), {false, true}, {true, false}}) {
    Stream stream;
    stream.header(audio, video).metadata();
    std::vector<std::size_t> begins; // the first tag of each second that is a start position
    for (const std::uint32_t start : row.starts) {
      if (row.header && !begins.empty())
        stream.header(audio, video);
      if (video)
        stream.video(start, flvtest::avc_config());
      if (audio)
        stream.audio(start, flvtest::aac_config());
      for (std::uint32_t second = 0; second < 5; ++second) {
        begins.push_back(stream.bytes.size());
        flvtest::append_media(stream, {.duration = 1000,
                                       .start = start + second * 1000,
                                       .gop = 25,
                                       .audio = audio,
                                       .video = video});
      }
    }
    for (std::size_t second = 1; second < begins.size(); ++second) {
      const Result result =
          look(Access::Anywhere, stream.bytes, at_time(second * 1000 + 500, Snap::Previous, kScan));
      ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
      // In a file without video, any audio tag is a start position.
      const std::uint64_t place = result.start.position;
      const std::uint64_t behind =
          second + 1 < begins.size() ? begins[second + 1] : stream.bytes.size();
      ck_assert_msg(video ? place == begins[second] : place > begins[second] && place < behind,
                    "%s: second %zu: byte %d", row.what, second, static_cast<int>(place));
      const auto expected = static_cast<std::int64_t>(video ? second * 1000 : second * 1000 + 500);
      const std::int64_t off = static_cast<std::int64_t>(result.start.time) - expected;
      ck_assert_msg(std::abs(off) <= 100, "%s: second %zu: %d ms off", row.what, second,
                    static_cast<int>(off));
    }
  }
}
END_TEST

// The first publisher is cut off within a keyframe. The configuration of the second publisher is
// needed.
START_TEST(test_cut_publisher) {
  for (const bool key : {true, false}) {
    Stream stream;
    stream.header().configs(0, 1);
    append_seconds(stream, 0, 3);
    if (key)
      stream.key(3000, 5000);
    else
      stream.key(3000).inter(3040, 5000);
    Buffer bytes = stream.bytes;
    bytes.resize(bytes.size() - 4000);
    const std::size_t splice = bytes.size();
    Stream second;
    second.header().configs(0, 2);
    append_seconds(second, 0, 3);
    flvtest::append(bytes, second.bytes);
    SeekPlanner starter(Access::Anywhere, bytes.size());
    const Result result = look(starter, bytes, at_time(4500, Snap::Previous, kScan));
    ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
    const Entries keys = flvtest::key_frames_of(second);
    ck_assert_uint_eq(result.start.position, splice + keys[1].first);
    const Buffer config = flvtest::whole_tag(TagType::Video, 0, flvtest::avc_config(2));
    ck_assert(contains(result.start.head, config));
    // The truncated keyframe does not count.
    for (const std::uint64_t position : starter.index().positions)
      ck_assert(key ? position != stream.tags.back().begin : true);
    ck_assert_uint_eq(starter.index().positions.size(), key ? 6 : 7);
  }
}
END_TEST

// A tag alone does not show whether its size is damaged or its end is missing.
START_TEST(test_damaged_size) {
  Stream stream;
  stream.header().configs();
  append_seconds(stream, 0, 6);
  const Entries keys = flvtest::key_frames_of(stream);
  for (const std::size_t tag : {std::size_t{3}, std::size_t{30}, stream.tags.size() - 2}) {
    Buffer bytes = stream.bytes;
    bytes[stream.tags[tag].begin + 1] = 0xF0;
    SeekPlanner starter(Access::Anywhere, bytes.size());
    const Result result = look(starter, bytes, at_time(5500, Snap::Previous, kScan));
    ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
    ck_assert_uint_eq(result.start.position, keys[5].first);
  }
}
END_TEST

// --- Unreadable metadata ---

Buffer cut_amf() {
  Buffer data = flvtest::on_metadata(flvtest::index_members({{200, 0}, {300, 1}}));
  data.resize(data.size() - 30);
  return data;
}

Buffer with_marker(std::uint8_t marker) {
  return flvtest::joined({flvtest::script("onMetaData", {}), Buffer{marker, 0xFF, 0xFF, 1, 2}});
}

Buffer nested() {
  Buffer data = flvtest::script("onMetaData", {});
  for (int i = 0; i < 1000; ++i)
    flvtest::append(data, Buffer{3, 0, 1, 'a'});
  return data;
}

const struct {
  const char *what;
  Buffer data;
} kUnreadable[] = {
    {"a name and no value", flvtest::script("onMetaData", {})},
    {"a number", flvtest::script("onMetaData", {{5.0}})},
    {"a string", flvtest::script("onMetaData", {{std::string("x")}})},
    {"cut off", cut_amf()},
    {"a string longer than the tag", with_marker(2)},
    {"an unknown type", with_marker(99)},
    {"too deep", nested()},
};

START_TEST(test_unreadable_metadata) {
  const auto &row = ROW(kUnreadable);
  // At the start, after another script tag, and twice.
  for (const int place : {0, 1, 2}) {
    Stream stream;
    stream.header();
    if (place > 0)
      stream.script(0, place == 1 ? flvtest::script("onCuePoint", {}) : row.data);
    stream.script(0, row.data).configs();
    append_seconds(stream, 0, 6);
    const Entries keys = flvtest::key_frames_of(stream);
    for (const Access access : kAll) {
      for (const IndexSource source : {kScan, kAuto}) {
        const Result result = look(access, stream.bytes, at_time(3000, Snap::Previous, source));
        ck_assert_msg(result.error.kind == Kind::None, "%s: %s", row.what,
                      result.error.text.c_str());
        ck_assert_uint_eq(result.start.position, keys[3].first);
        ck_assert_uint_eq(result.notes.size(), 1);
        ck_assert_msg(result.notes[0].find("cannot be read; it is left out") != std::string::npos,
                      "%s", result.notes[0].c_str());
        const auto tags = flvtest::split(result.start.head).tags();
        ck_assert(
            std::ranges::none_of(tags, [](const Item &item) { return item.tag.is_script(); }));
        ck_assert_uint_eq(tags.size(), 2);
      }
      const Result result = look(access, stream.bytes, at_time(3000));
      ck_assert_enum_eq(result.error.kind, Kind::Unreadable);
      ck_assert(result.notes.empty());
      // Metadata that is not sent causes no message.
      StartSettings bare = at_time(3000, Snap::Previous, kScan);
      bare.reinsert.metadata = false;
      ck_assert(look(access, stream.bytes, bare).notes.empty());
    }
  }
}
END_TEST

// The declared size of onMetaData exceeds the file. The media after it is intact.
START_TEST(test_metadata_past_the_end) {
  Stream stream;
  stream.header().metadata({{"duration", {6.0}}}).configs();
  append_seconds(stream, 0, 6);
  Buffer bytes = stream.bytes;
  bytes[14] = 0xF0;
  const Entries keys = flvtest::key_frames_of(stream);
  for (const IndexSource source : {kScan, kAuto}) {
    const Result result = look(Access::Anywhere, bytes, at_time(3000, Snap::Previous, source));
    ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
    ck_assert_uint_eq(result.start.position, keys[3].first);
    ck_assert_uint_eq(result.notes.size(), 1);
  }
  ck_assert_enum_eq(look(Access::Anywhere, bytes, at_time(3000)).error.kind, Kind::Unreadable);
}
END_TEST

// --- Tags without data ---

START_TEST(test_empty_tags) {
  for (const bool video : {false, true}) {
    const TagType other = video ? TagType::Audio : TagType::Video;
    for (const std::size_t place : {0U, 1U, 3U, 30U}) {
      for (const unsigned times : {1U, 20U}) {
        const auto media = [&](Stream &stream) {
          Stream clip;
          append_media(clip, {.duration = 6000, .gop = 25, .audio = !video, .video = video});
          for (std::size_t i = 0; i < clip.tags.size(); ++i) {
            for (unsigned empty = 0; empty < times && (i == place || i == clip.tags.size() - 1);
                 ++empty)
              stream.tag(other, clip.tags[i].timestamp, {});
            const Bytes tag = clip.at(i);
            stream.tag(clip.tags[i].type, clip.tags[i].timestamp,
                       tag.subspan(kTagHeaderSize, tag.size() - kTagHeaderSize - 4));
          }
        };
        const auto pick = [&](const Stream &file) {
          return flvtest::entries_of(file, [&](std::size_t i) {
            const Role role = flvtest::role_of(file, i);
            return video ? role == Role::KeyFrame : role == Role::Media && i % 10 == 0;
          });
        };
        const Stream stream = flvtest::indexed(media, pick);
        for (const IndexSource source : kSources) {
          const Result result =
              look(Access::Anywhere, stream.bytes, at_time(3000, Snap::Previous, source));
          ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
          ck_assert_int_eq(result.start.head.at(4), video ? 1 : 4); // the flags of the file header
          ck_assert(result.start.time > 2500 && result.start.time <= 3000);
          // An empty tag is not a start position.
          ck_assert_uint_gt(load_u24(&stream.bytes[result.start.position + 1]), 0);
        }
      }
    }
  }
}
END_TEST

// --- Codecs ---

// AV1 with codec id 13 and Opus with sound format 13 have the packet types of AVC and AAC.
Buffer with_codecs(Bytes data, bool video, std::uint8_t codec) {
  Buffer out(data.begin(), data.end());
  out.at(0) = static_cast<std::uint8_t>(video ? (out[0] & 0xF0) | codec : codec << 4 | 0x0F);
  return out;
}

START_TEST(test_unpublished_codecs) {
  const struct { std::uint8_t video, audio; } rows[] = {{13, 13}, {12, 10}, {13, 10}, {7, 13}};
  for (const auto &row : rows) {
    const auto media = [&](Stream &stream) {
      Stream clip;
      clip.configs(0, 1);
      append_seconds(clip, 0, 3);
      clip.configs(3000, 2);
      append_seconds(clip, 3000, 3);
      for (std::size_t i = 0; i < clip.tags.size(); ++i) {
        const bool video = clip.tags[i].type == TagType::Video;
        const Bytes tag = clip.at(i);
        const Bytes data = tag.subspan(kTagHeaderSize, tag.size() - kTagHeaderSize - 4);
        stream.tag(clip.tags[i].type, clip.tags[i].timestamp,
                   with_codecs(data, video, video ? row.video : row.audio));
      }
    };
    const Stream stream = flvtest::indexed(media);
    const Entries keys = flvtest::key_frames_of(stream);
    ck_assert_uint_eq(keys.size(), 6);
    for (const Access access : kAll) {
      for (const IndexSource source : kSources) {
        for (const std::size_t second : {1U, 5U}) {
          const Result result =
              look(access, stream.bytes, at_time(second * 1000 + 10, Snap::Previous, source));
          ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
          ck_assert_uint_eq(result.start.position, keys[second].first);
          const std::uint8_t variant = second < 3 ? 1 : 2;
          const std::uint32_t time = second < 3 ? 0 : 3000;
          for (const Buffer &config :
               {flvtest::whole_tag(TagType::Video, time,
                                   with_codecs(flvtest::avc_config(variant), true, row.video)),
                flvtest::whole_tag(TagType::Audio, time,
                                   with_codecs(flvtest::aac_config(variant), false, row.audio))})
            ck_assert(contains(result.start.head, config));
        }
      }
    }
  }
}
END_TEST

// --- Stream ids ---

START_TEST(test_stream_ids) {
  const auto media = [](Stream &stream) {
    stream.configs(0, 1);
    append_seconds(stream, 0, 6);
  };
  const Stream stream = indexed(media);
  const Entries keys = flvtest::key_frames_of(stream);
  for (const std::uint32_t id : {1U, 7U}) {
    for (const bool scripts : {true, false}) {
      Buffer bytes = stream.bytes;
      for (const Stream::Tag &tag : stream.tags) {
        if (scripts || tag.type != TagType::Script)
          store_u24(&bytes[tag.begin + 8], id);
      }
      for (const IndexSource source : kSources) {
        assert_starts("stream id", bytes, at_time(4100, Snap::Previous, source), keys[4].first,
                      4000);
        const Result result = look(Access::Anywhere, bytes, at_time(4100, Snap::Previous, source));
        ck_assert(result.notes.empty() && result.rejected.empty());
        const auto tags = flvtest::split(result.start.head).tags();
        ck_assert_uint_eq(tags.size(), 3);
        for (const Item &item : tags)
          ck_assert_uint_eq(item.tag.stream_id, scripts || !item.tag.is_script() ? id : 0);
      }
    }
  }
}
END_TEST

// --- A wrong index ---

struct Lie {
  const char *what;
  std::function<void(Entries &)> tell;
};

const Lie kLies[] = {
    {"positions of another file",
     [](Entries &entries) {
       for (auto &[position, time] : entries)
         position += 7;
     }},
    {"positions before the metadata grew",
     [](Entries &entries) {
       for (auto &[position, time] : entries)
         position -= 40;
     }},
    {"times that run at half the speed",
     [](Entries &entries) {
       for (auto &[position, time] : entries)
         time /= 2;
     }},
    {"all times 0",
     [](Entries &entries) {
       for (auto &[position, time] : entries)
         time = 0;
     }},
    {"past the end of the file", [](Entries &entries) { entries.back().first = 1 << 30; }},
    {"not increasing", [](Entries &entries) { entries.back().first = entries.front().first; }},
};

START_TEST(test_lies) {
  const auto &row = ROW(kLies);
  const auto media = [](Stream &stream) {
    stream.configs();
    append_seconds(stream, 0, 20);
  };
  const Stream stream = flvtest::indexed(media, [&row](const Stream &file) {
    Entries entries = flvtest::key_frames_of(file);
    if (!entries.empty())
      row.tell(entries);
    return entries;
  });
  const Entries keys = flvtest::key_frames_of(stream);
  for (const Access access : {Access::Anywhere, Access::Seekable}) {
    const Result result = look(access, stream.bytes, at_time(10'500, Snap::Previous, kAuto));
    ck_assert_msg(result.error.kind == Kind::None, "%s: %s", row.what, result.error.text.c_str());
    ck_assert_msg(result.start.position == keys[10].first, "%s", row.what);
    ck_assert_uint_eq(result.start.time, 10'000);
    ck_assert_msg(result.notes.size() == 1, "%s: %zu notes", row.what, result.notes.size());
    ck_assert_msg(result.notes[0].find("scanned instead") != std::string::npos, "%s",
                  result.notes[0].c_str());
  }
}
END_TEST

// In a pipe, the start of the file reveals some wrong entries.
START_TEST(test_lies_in_a_pipe) {
  for (const std::size_t row : {0U, 1U}) {
    const auto media = [](Stream &stream) {
      stream.configs();
      append_seconds(stream, 0, 20);
    };
    const Stream stream = flvtest::indexed(media, [row](const Stream &file) {
      Entries entries = flvtest::key_frames_of(file);
      kLies[row].tell(entries);
      return entries;
    });
    const Entries keys = flvtest::key_frames_of(stream);
    const Result result =
        look(Access::Forward, stream.bytes, at_time(10'500, Snap::Previous, kAuto));
    ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
    ck_assert_uint_eq(result.start.position, keys[10].first);
  }
}
END_TEST

// --- The reported files ---

const struct {
  const char *name;
  std::uint64_t wanted; // ms
  std::uint64_t position;
  std::uint64_t time;
  IndexSource source;
} kReports[] = {
    {"reports/neg-start.flv", 5000, 18681, 4023, kScan},
    {"reports/neg-start.flv", 5000, 18681, 4023, kAuto},
    {"reports/reconnect.flv", 20'000, 75229, 0, kScan},
    {"reports/rec1h.flv", 10'000, 32000, 8023, kMetadata},
    {"reports/rec1h.flv", 10'000, 32000, 8023, kScan},
    {"reports/rec1h.flv", 10'000, 32000, 8023, kAuto},
    {"reports/meta-novalue.flv", 5000, 18709, 4023, kScan},
    {"reports/meta-novalue.flv", 5000, 18709, 4023, kAuto},
    {"reports/av1-id13.flv", 5000, 18763, 4023, kAuto},
    {"reports/streamid1.flv", 5000, 18989, 4023, kAuto},
    {"reports/zeros-mid.flv", 3000, 10141, 2023, kAuto},
};

START_TEST(test_reports) {
  const auto &row = ROW(kReports);
  const auto bytes = flvtest::media_file(row.name);
  if (!bytes)
    return;
  for (const Access access : kAll) {
    const Result result = look(access, *bytes, at_time(row.wanted, Snap::Previous, row.source));
    ck_assert_msg(result.error.kind == Kind::None, "%s: %s", row.name, result.error.text.c_str());
    ck_assert_msg(result.start.position == row.position, "%s: byte %d", row.name,
                  static_cast<int>(result.start.position));
    if (row.time > 0)
      ck_assert_uint_eq(result.start.time, row.time);
  }
}
END_TEST

START_TEST(test_reported_reconnect) {
  const auto bytes = flvtest::media_file("reports/reconnect.flv");
  if (!bytes)
    return;
  SeekPlanner starter(Access::Anywhere, bytes->size());
  const Result result = look(starter, *bytes, at_time(20'000, Snap::Previous, kScan));
  ck_assert_msg(result.start.time > 19'000 && result.start.time <= 20'000, "%d ms",
                static_cast<int>(result.start.time));
  ck_assert_uint_eq(starter.index().positions.size(), 16);
}
END_TEST

START_TEST(test_reported_camera_off) {
  const auto bytes = flvtest::media_file("reports/audio-emptyvideo.flv");
  if (!bytes)
    return;
  for (const Access access : kAll) {
    for (const IndexSource source : {kScan, kAuto}) {
      const Result result = look(access, *bytes, at_time(4000, Snap::Previous, source));
      ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
      ck_assert(result.start.time > 3950 && result.start.time <= 4000);
      ck_assert_int_eq(result.start.head.at(4), 4);
    }
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("starts", {{test_beginnings, std::size(kBeginnings)},
                                 {test_rewritten_times, std::size(kBeginnings)},
                                 {test_negative_without_index},
                                 {test_duration},
                                 {test_again, std::size(kAgain)},
                                 {test_cut_publisher},
                                 {test_damaged_size},
                                 {test_unreadable_metadata, std::size(kUnreadable)},
                                 {test_metadata_past_the_end},
                                 {test_empty_tags},
                                 {test_unpublished_codecs},
                                 {test_stream_ids},
                                 {test_lies, std::size(kLies)},
                                 {test_lies_in_a_pipe},
                                 {test_reports, std::size(kReports)},
                                 {test_reported_reconnect},
                                 {test_reported_camera_off}});
}
