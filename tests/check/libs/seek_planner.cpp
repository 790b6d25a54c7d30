// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/seek/seek_planner.h"

#include <cmath>

#include "media.h"
#include "starting.h"

using namespace flvtest::starting;

namespace {

Buffer video(std::uint8_t variant) {
  return flvtest::whole_tag(TagType::Video, variant, flvtest::avc_config(variant));
}

void append_gops(Stream &stream, std::uint32_t first, std::uint32_t last, std::size_t frame = 400) {
  for (std::uint32_t gop = first; gop < last; ++gop)
    stream.key(gop * 1000, frame).inter(gop * 1000 + 40, frame).aac(gop * 1000 + 50);
}

const flvtest::Members kSize{{"filesize", {1.0}}, {"lastkeyframelocation", {1.0}}};
const Stream kClip =
    flvtest::indexed(flvtest::media_of({.duration = 4000}), flvtest::key_frames_of, kSize);
const Entries kKeys = flvtest::key_frames_of(kClip);

// --- The whole file ---

START_TEST(test_whole_file) {
  const Stream plain = flvtest::file();
  const Buffer cut(kClip.bytes.begin(), kClip.bytes.begin() + 40);
  for (const Access access : kAll) {
    for (const Buffer *file : {&kClip.bytes, &plain.bytes, &cut}) {
      for (const std::uint64_t offset : {0U, 5U, 12U}) {
        const Result result = look(access, *file, at(offset));
        ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
        ck_assert(!result.start.place && result.start.head.empty() && result.start.position == 0);
        ck_assert(!result.lost);
      }
      const Result result = look(access, *file, {});
      ck_assert(result.error.kind == Kind::None && result.start.head.empty());
    }
    // Also without the byte after the header.
    ck_assert(look(access, kClip.bytes, at(13)).start.place.has_value());
  }
}
END_TEST

// --- The stop position ---

START_TEST(test_stop_time) {
  StartSettings settings = at_time(1000);
  for (const Access access : kAll) {
    for (const IndexSource index : {kMetadata, kScan, kAuto}) {
      settings.index = index;
      for (const bool whole : {true, false}) {
        settings.request = whole ? std::nullopt : at_time(1000).request;
        const auto stop_at = [&](std::uint64_t time) {
          settings.stop_time = time;
          const Result result = look(access, kClip.bytes, settings);
          ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
          ck_assert(result.start.place.has_value() != whole);
          return result.start.stop;
        };
        const auto key = [](std::size_t number) {
          return static_cast<std::uint64_t>(kKeys[number].first);
        };
        const auto time = [](std::size_t number) {
          return static_cast<std::uint64_t>(std::llround(kKeys[number].second * 1000));
        };
        const std::size_t last = kKeys.size() - 1;
        ck_assert(stop_at(time(last)) == key(last));
        ck_assert(stop_at(time(last) - 1) == key(last));
        ck_assert(stop_at(time(last) + 1) == 0);
      }
    }
  }
  settings.index = kMetadata;
  ck_assert(look(Access::Seekable, flvtest::file().bytes, settings).error.kind == Kind::NoIndex);
}
END_TEST

// --- Impossible requests ---

// A request for a place that cannot exist needs no read.
START_TEST(test_known_to_be_impossible) {
  const Stream far = [] {
    Stream stream;
    stream.header().metadata().configs();
    append_gops(stream, 0, 4, 70'000);
    return stream;
  }();
  const auto media = [&](Stream &stream) {
    stream.configs();
    append_gops(stream, 0, 4, 70'000);
  };
  const Stream listed = flvtest::indexed(media, flvtest::key_frames_of);
  const std::uint64_t key = static_cast<std::uint64_t>(flvtest::key_frames_of(listed)[2].first);
  const std::uint64_t size = listed.bytes.size();
  SeekPlanner starter(Access::Seekable, size);
  // Before the file is read, only its size is known.
  ck_assert(!starter.can_meet(at(size)));
  ck_assert(starter.can_meet(at(size, Snap::Previous)));
  ck_assert(starter.can_meet(at(key + 100'000, Snap::Exact)));
  ck_assert(look(starter, listed.bytes, at(key)).error.kind == Kind::None);
  ck_assert(starter.can_meet(at(key, Snap::Exact)) && starter.can_meet(at(5)));
  ck_assert(starter.can_meet({}));
  // A configuration could be shortly before it.
  ck_assert(starter.can_meet(at(key + 1, Snap::Exact)));
  for (const auto source : {kMetadata, kAuto}) {
    ck_assert(!starter.can_meet(at(key + 100'000, Snap::Exact, source)));
    ck_assert(!starter.can_meet(at_time(2001, Snap::Exact, source)));
    ck_assert(!starter.can_meet(at_time(3001, Snap::Next, source)));
  }
  StartSettings stops = at(key - 50, Snap::Next);
  stops.stop = key;
  ck_assert(!starter.can_meet(stops));
  // If that is not a keyframe, the previous keyframe is the place.
  stops = at_time(2000);
  stops.stop = key;
  ck_assert(starter.can_meet(stops));
  ck_assert(starter.can_meet(at(key + 100'000, Snap::Exact, kScan)));
  // After a complete scan, the answer is exact.
  ck_assert(look(starter, listed.bytes, at(size - 1, Snap::Previous, kScan)).error.kind ==
            Kind::None);
  ck_assert(!starter.can_meet(at(key + 1, Snap::Exact, kScan)));

  // Without a keyframe.
  Stream empty;
  empty.header().metadata().configs();
  SeekPlanner nothing(Access::Seekable, empty.bytes.size());
  ck_assert(look(nothing, empty.bytes, at(50, Snap::Previous, kScan)).error.kind == Kind::NoIndex);
  ck_assert(!nothing.can_meet(at(50, Snap::Previous, kScan)));

  SeekPlanner without(Access::Seekable, far.bytes.size());
  ck_assert(without.can_meet(at(key)));
  ck_assert(look(without, far.bytes, at(key)).error.kind == Kind::NoIndex);
  ck_assert(!without.can_meet(at(key)));
  ck_assert(without.can_meet(at(key, Snap::Next, kAuto)));
}
END_TEST

// --- The place, for every access mode and every index source ---

const struct {
  Snap snap;
  int distance; // from keyframe 3
  int expected; // keyframe
} kSnaps[] = {
    {Snap::Next, 0, 3},      {Snap::Next, -1, 3},    {Snap::Next, 1, 4},     {Snap::Previous, 0, 3},
    {Snap::Previous, -1, 2}, {Snap::Previous, 1, 3}, {Snap::Exact, 0, 3},    {Snap::Exact, -1, -1},
    {Snap::Exact, 1, -1},    {Snap::Nearest, 0, 3},  {Snap::Nearest, -1, 3}, {Snap::Nearest, 1, 3},
};

START_TEST(test_snap) {
  const auto &row = ROW(kSnaps);
  const auto distance = static_cast<std::uint64_t>(row.distance);
  for (const Access access : kAll) {
    for (const IndexSource source : {kMetadata, kScan, kAuto}) {
      for (const bool size_known : {true, false}) {
        const Result by_offset =
            look(access, kClip.bytes, at(kKeys[3].first + distance, row.snap, source), size_known);
        const auto time = static_cast<std::uint64_t>(kKeys[3].second * 1000);
        const Result by_time =
            look(access, kClip.bytes, at_time(time + distance, row.snap, source), size_known);
        for (const Result &result : {by_offset, by_time}) {
          if (row.expected < 0) {
            ck_assert_enum_eq(result.error.kind, Kind::Place);
            ck_assert(result.start.head.empty());
            continue;
          }
          ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
          const auto &[position, seconds] = kKeys[static_cast<std::size_t>(row.expected)];
          ck_assert_uint_eq(result.start.position, position);
          ck_assert_uint_eq(result.start.place->timestamp,
                            static_cast<std::uint32_t>(seconds * 1000));
          ck_assert_msg(!result.lost || access != Access::Forward, "access %d, source %d",
                        static_cast<int>(access), static_cast<int>(source));
          const auto split = flvtest::split(stream_of(result, kClip.bytes));
          ck_assert_enum_eq(split.status, Status::Ok);
          ck_assert_uint_eq(split.of(Item::Kind::Damage).size(), 0);
          const std::size_t entries = check_own_index(stream_of(result, kClip.bytes));
          if (access == Access::Anywhere)
            ck_assert_uint_eq(entries, kKeys.size() - static_cast<std::size_t>(row.expected));
        }
      }
    }
  }
}
END_TEST

// --- The head ---

START_TEST(test_head) {
  const Result result = look(Access::Anywhere, kClip.bytes, at(kKeys[2].first));
  const auto split = flvtest::split(result.start.head);
  ck_assert_uint_eq(split.items.size(), 4);
  ck_assert_enum_eq(split.items[0].kind, Item::Kind::FileHeader);
  ck_assert(split.items[1].tag.is_script() && split.items[1].tag.timestamp == 0);
  for (std::size_t i = 2; i < 4; ++i) {
    const Bytes tag = flvtest::bytes_of(split.items[i], result.start.head);
    const Bytes expected = kClip.at(i - 1);
    ck_assert(Buffer(tag.begin(), tag.end()) == Buffer(expected.begin(), expected.end()));
  }
}
END_TEST

START_TEST(test_reinsert) {
  for (const Access access : kAll) {
    for (unsigned flags = 0; flags < 8; ++flags) {
      StartSettings settings = at(kKeys[2].first);
      settings.reinsert = {(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0};
      const Result result = look(access, kClip.bytes, settings);
      ck_assert_enum_eq(result.error.kind, Kind::None);
      const auto tags = flvtest::split(result.start.head, SIZE_MAX,
                                       flags & 1 ? Splitter::Start::File : Splitter::Start::Middle)
                            .tags();
      ck_assert((flags == 0) == result.start.head.empty());
      ck_assert_uint_eq(tags.size(), (flags & 2 ? 1U : 0U) + (flags & 4 ? 2U : 0U));
    }
  }
}
END_TEST

// The last configuration before the place, at any distance.
START_TEST(test_last_configuration) {
  const Stream stream = flvtest::indexed(
      [](Stream &file) {
        file.configs();
        append_gops(file, 0, 10, 20'000);
        file.raw(video(1));
        append_gops(file, 10, 12, 20'000);
        file.raw(video(2)).raw(video(3));
        append_gops(file, 12, 60, 20'000);
        file.raw(video(4));
        append_gops(file, 60, 62, 20'000);
      },
      flvtest::key_frames_of);
  const Entries all = flvtest::key_frames_of(stream);
  const auto in_force = [](std::size_t gop) {
    return gop < 10 ? 0 : gop < 12 ? 1 : gop < 60 ? 3 : 4;
  };
  for (const Access access : kAll) {
    for (const IndexSource source : {kMetadata, kScan}) {
      for (const Snap snap : {Snap::Next, Snap::Previous}) {
        for (const std::size_t gop : {1U, 9U, 10U, 11U, 12U, 13U, 30U, 59U, 60U, 61U}) {
          // With an index and a jump, only the data near the place is read.
          if (access == Access::Seekable && source == kMetadata && (gop == 30 || gop == 59))
            continue;
          const Result result = look(access, stream.bytes, at(all[gop].first, snap, source));
          ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
          ck_assert(!result.lost || access != Access::Forward);
          const auto tags = flvtest::split(result.start.head).tags();
          ck_assert_uint_eq(tags.size(), 3);
          std::size_t found = 0;
          const Buffer expected = flvtest::avc_config(static_cast<std::uint8_t>(in_force(gop)));
          for (const Item &item : tags) {
            const Bytes data =
                flvtest::bytes_of(item, result.start.head).subspan(11, item.tag.data_size);
            found += Buffer(data.begin(), data.end()) == expected;
          }
          ck_assert_msg(found == 1, "access %d, source %d, snap %d, GOP %zu",
                        static_cast<int>(access), static_cast<int>(source), static_cast<int>(snap),
                        gop);
        }
      }
    }
  }
}
END_TEST

START_TEST(test_keyframes_modes) {
  for (const Access access : kAll) {
    StartSettings settings = at(kKeys[2].first);
    settings.keyframes = MetadataKeyframes::Original;
    const Result original = look(access, kClip.bytes, settings);
    const Bytes tag = kClip.at(0);
    ck_assert(std::equal(tag.begin(), tag.end(), original.start.head.begin() + 13));
    settings.keyframes = MetadataKeyframes::Strip;
    const Result bare = look(access, kClip.bytes, settings);
    ck_assert_uint_eq(check_own_index(stream_of(bare, kClip.bytes)), 0);
  }
}
END_TEST

// --- Stops ---

START_TEST(test_stop) {
  const std::uint64_t begin = kKeys[2].first;
  std::vector<std::uint64_t> stops{
      kKeys[5].first - 1,     kKeys[5].first,     kKeys[5].first + 1,       begin + 1,
      kClip.bytes.size() - 1, kClip.bytes.size(), kClip.bytes.size() + 1000};
  for (const bool size_known : {true, false}) {
    for (const std::uint64_t stop : stops) {
      StartSettings settings = at(begin);
      settings.stop = stop;
      const Result result = look(Access::Anywhere, kClip.bytes, settings, size_known);
      ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
      std::uint64_t end = kClip.bytes.size();
      for (auto tag = kClip.tags.rbegin(); tag != kClip.tags.rend(); ++tag) {
        if (tag->begin >= stop)
          end = tag->begin;
      }
      const std::size_t entries = check_own_index(stream_of(result, kClip.bytes, end));
      std::size_t expected = 0;
      for (const auto &entry : kKeys)
        expected += entry.first >= begin && entry.first < end;
      ck_assert_uint_eq(entries, expected);
    }
  }
  for (const Access access : kAll) {
    for (const std::uint64_t stop : {std::uint64_t{1}, begin - 1, begin}) {
      StartSettings settings = at(begin);
      settings.stop = stop;
      const Result result = look(access, kClip.bytes, settings);
      ck_assert_enum_eq(result.error.kind, Kind::Stop);
      ck_assert(result.error.text.find(std::to_string(stop)) != std::string::npos);
    }
  }
}
END_TEST

// If further reads are expensive, the metadata omits what they would find.
START_TEST(test_omitted_tags) {
  for (const Access access : kAll) {
    for (const IndexSource source : {kMetadata, kScan}) {
      for (const std::uint64_t stop : {std::uint64_t{0}, kKeys[6].first}) {
        StartSettings settings = at(kKeys[2].first, Snap::Next, source);
        settings.stop = stop;
        const Result result = look(access, kClip.bytes, settings);
        FileProbe opening;
        (void)flvtest::drive(opening, result.start.head);
        const amf0::Value &metadata = opening.facts().metadata;
        const bool cheap = access == Access::Anywhere;
        ck_assert((metadata.find("keyframes") != nullptr) == (cheap || source == kMetadata));
        ck_assert((metadata.find("filesize") != nullptr) == (cheap || stop == 0));
      }
    }
  }
}
END_TEST

// An entry with the position of a configuration before the stop, and its keyframe after the stop.
START_TEST(test_stop_after_a_configuration) {
  const Stream stream = flvtest::indexed(
      [](Stream &file) {
        append_gops(file.configs(), 0, 2);
        append_gops(file.configs(2000, 1), 2, 3);
      },
      [](const Stream &file) {
        return flvtest::roles_of(file, {Role::DecoderConfig, Role::KeyFrame});
      },
      kSize);
  const Entries configs = flvtest::roles_of(stream, {Role::DecoderConfig});
  const Entries keys = flvtest::key_frames_of(stream);
  StartSettings settings = at(keys[0].first);
  settings.stop = configs[3].first + 1;
  const Result result = look(Access::Anywhere, stream.bytes, settings);
  ck_assert_uint_eq(check_own_index(stream_of(result, stream.bytes, keys[2].first)), 2);
}
END_TEST

// --- Errors ---

Buffer with_metadata(Bytes data) {
  Stream stream;
  stream.header().script(0, data).configs();
  append_gops(stream, 0, 5);
  return stream.bytes;
}

Buffer with_index(const Entries &entries) {
  return with_metadata(flvtest::on_metadata(flvtest::index_members(entries)));
}

Buffer nested() {
  Buffer data = flvtest::script("onMetaData", {});
  for (int i = 0; i < 1'000'000; ++i)
    flvtest::append(data, Buffer{3, 0, 1, 'a'});
  return with_metadata(data);
}

const struct {
  const char *what;
  Buffer file;
  Kind metadata;
  Kind automatic;
  Kind scan;
  const char *text = ""; // the wrong number
} kErrors[] = {
    {"empty", {}, Kind::Unreadable, Kind::Unreadable, Kind::Unreadable, "0 bytes"},
    {"another kind", flvtest::payload(99), Kind::NotFlv, Kind::NotFlv, Kind::NotFlv},
    {"header cut off",
     {'F', 'L', 'V', 1, 5},
     Kind::Unreadable,
     Kind::Unreadable,
     Kind::Unreadable,
     "5 bytes"},
    {"header only", flvtest::file_header(), Kind::NoIndex, Kind::NoIndex, Kind::NoIndex},
    {"metadata cut off", Buffer(kClip.bytes.begin(), kClip.bytes.begin() + 100), Kind::Unreadable,
     Kind::Unreadable, Kind::Unreadable, "87 bytes"},
    {"metadata a number", with_metadata(flvtest::script("onMetaData", {{5.0}})), Kind::Unreadable,
     Kind::None, Kind::None},
    {"metadata without a value", with_metadata(flvtest::script("onMetaData", {})), Kind::Unreadable,
     Kind::None, Kind::None, "byte 13, 13 bytes"},
    {"metadata too deep", nested(), Kind::Unreadable, Kind::None, Kind::None},
    {"no metadata", with_metadata(flvtest::script("onCuePoint", {})), Kind::NoIndex, Kind::None,
     Kind::None},
    {"no index", with_metadata(flvtest::on_metadata({})), Kind::NoIndex, Kind::None, Kind::None},
    {"empty index", with_index({}), Kind::NoIndex, Kind::None, Kind::None, "0 entries"},
    {"beyond the file", with_index({{100, 0}, {1'000'000, 1}}), Kind::NoIndex, Kind::None,
     Kind::None, "1000000"},
    {"not increasing", with_index({{300, 0}, {200, 1}}), Kind::NoIndex, Kind::None, Kind::None,
     "200"},
    {"another file's", with_index({{100, 0}, {205, 1}, {1400, 2}}), Kind::Mismatch, Kind::None,
     Kind::None, "205"},
};

START_TEST(test_errors) {
  const auto &row = ROW(kErrors);
  for (const Access access : kAll) {
    for (const auto &[source, kind] :
         {std::pair(kMetadata, row.metadata), {kAuto, row.automatic}, {kScan, row.scan}}) {
      // In forward access, a scan cannot start over after reading up to the entry.
      if (access == Access::Forward && source == kAuto && row.metadata == Kind::Mismatch)
        continue;
      const Result result = look(access, row.file, at(205, Snap::Next, source));
      ck_assert_msg(result.error.kind == kind, "%s, access %d, source %d: %s", row.what,
                    static_cast<int>(access), static_cast<int>(source), result.error.text.c_str());
      if (kind != Kind::None) {
        ck_assert(result.start.head.empty() && !result.start.place);
        if (source == kMetadata)
          ck_assert_msg(result.error.text.find(row.text) != std::string::npos, "%s: %s", row.what,
                        result.error.text.c_str());
      }
    }
  }
}
END_TEST

START_TEST(test_no_start_point) {
  for (const Access access : kAll) {
    for (const IndexSource source : {kMetadata, kScan, kAuto}) {
      const Result past = look(access, kClip.bytes, at(kKeys.back().first + 1, Snap::Next, source));
      ck_assert_enum_eq(past.error.kind, Kind::Place);
      ck_assert(past.error.text.find(std::to_string(kKeys.back().first)) != std::string::npos);
      const Result end = look(access, kClip.bytes, at(UINT64_MAX, Snap::Next, source));
      ck_assert_enum_eq(end.error.kind, Kind::Place);
      const Result before = look(access, kClip.bytes, at(20, Snap::Previous, source));
      ck_assert_enum_eq(before.error.kind, Kind::Place);
      ck_assert(before.error.text.find(std::to_string(kKeys[0].first)) != std::string::npos);
    }
  }
}
END_TEST

// --- Data that is no longer available ---

// As in a pipe: data that the planner has released is lost.
Result look_at_pipe(Bytes file, const StartSettings &settings) {
  SeekPlanner starter(Access::Forward, 0);
  starter.look_for(settings);
  for (std::uint64_t kept = 0; const auto wanted = starter.next_request();) {
    if (wanted->offset < kept)
      starter.give_nothing();
    else
      starter.supply(flvtest::piece(file, *wanted));
    kept = std::max(kept, starter.keep_from());
  }
  return {.error = starter.error(),
          .start = starter.start(),
          .rejected = starter.rejected(),
          .notes = {},
          .reads = {},
          .lost = false};
}

// Index entries from the sequence header to the end of sequence, as yamdi and flvmeta write them.
Stream from_config_to_end(std::uint32_t gops, const flvtest::Members &more = {}) {
  const auto media = [gops](Stream &file) {
    append_gops(file.configs(), 0, gops);
    file.video(gops * 1000, flvtest::avc_end());
  };
  const auto pick = [](const Stream &file) {
    Entries entries = flvtest::roles_of(file, {Role::KeyFrame, Role::EndOfSequence});
    entries.front() = flvtest::roles_of(file, {Role::DecoderConfig}).front();
    return entries;
  };
  return flvtest::indexed(media, pick, more);
}

// Mostly audio entries, as flvmux writes them.
Entries mostly_audio(const Stream &file) {
  std::size_t audio = 0;
  return flvtest::entries_of(file, [&](std::size_t i) {
    const Role role = flvtest::role_of(file, i);
    return role == Role::KeyFrame ||
           (role == Role::Media && file.tags[i].type == TagType::Audio && audio++ % 4 > 0);
  });
}

Entries shifted(const Stream &file) {
  Entries entries = flvtest::key_frames_of(file);
  for (auto &entry : entries)
    entry.first += 5;
  return entries;
}

const auto kMedia = flvtest::media_of({.duration = 4000});

const struct {
  const char *what;
  Stream file;
} kIndexes[] = {
    {"right", kClip},
    {"flvmeta", from_config_to_end(5)},
    {"flvmeta, one key frame", from_config_to_end(1)},
    {"flvmux", flvtest::indexed(kMedia, mostly_audio)},
    {"another file's", flvtest::indexed(kMedia, shifted)},
    {"audio's", flvtest::indexed(kMedia,
                                 [](const Stream &file) {
                                   return flvtest::entries_of(file, [&](std::size_t i) {
                                     return i > 9 && file.tags[i].type == TagType::Audio;
                                   });
                                 })},
};

// A pipe gives the same result as a file. If the place is already past, the error has its position.
START_TEST(test_entries_ignored) {
  const auto &row = ROW(kIndexes);
  const Bytes bytes(row.file.bytes);
  KeyframeIndex index;
  {
    SeekPlanner starter(Access::Anywhere, 0);
    (void)look(starter, bytes, at(500));
    index = starter.index();
  }
  ck_assert(!index.positions.empty());
  std::size_t behind = 0;
  for (const std::uint64_t position : index.positions) {
    for (const std::uint64_t value : {position - 1, position, position + 1}) {
      for (const Snap snap : {Snap::Next, Snap::Previous, Snap::Exact, Snap::Nearest}) {
        const Result file = look(Access::Anywhere, bytes, at(value, snap), false);
        const Result pipe = look_at_pipe(bytes, at(value, snap));
        const char *text = pipe.error.text.c_str();
        if (pipe.error.text.find("has passed") != std::string::npos) {
          ++behind;
          ck_assert_enum_eq(pipe.error.kind, Kind::Place);
          ck_assert_msg(snap == Snap::Previous || snap == Snap::Nearest, "%s: %s", row.what, text);
          ck_assert_enum_eq(file.error.kind, Kind::None);
          for (const std::uint64_t number : {value, file.start.position})
            ck_assert_msg(pipe.error.text.find("byte " + std::to_string(number)) !=
                              std::string::npos,
                          "%s: %s", row.what, text);
          continue;
        }
        ck_assert_msg(pipe.error.kind == file.error.kind && pipe.error.text == file.error.text,
                      "%s, %d from %d: \"%s\", in a file \"%s\"", row.what, static_cast<int>(snap),
                      static_cast<int>(value), text, file.error.text.c_str());
        ck_assert(pipe.start.place == file.start.place && pipe.rejected == file.rejected);
      }
    }
  }
  ck_assert((behind > 0) == (std::string(row.what).find("flvm") == 0));
}
END_TEST

// If entries are sent unread, only its position identifies the end of sequence at the end of the
// file: by the file's size, or by the file size in the metadata.
START_TEST(test_listed_end) {
  const auto file = [](flv::amf0::Value size) {
    return from_config_to_end(5, {{"filesize", std::move(size)}});
  };
  const auto size = static_cast<double>(file({0.0}).bytes.size());
  const struct {
    flv::amf0::Value said;
    bool is_size;
  } rows[] = {
      {{size}, true},          {{size - 4}, true}, // without the last PreviousTagSize
      {{size + 1000}, false},  {{size / 2}, false}, {{0.0}, false},  {{-size}, false},
      {{std::nan("")}, false}, {{1e300}, false},    {{true}, false},
  };
  for (const auto &row : rows) {
    const Stream stream = file(row.said);
    const Entries keys = flvtest::key_frames_of(stream);
    for (const Access access : {Access::Seekable, Access::Forward}) {
      for (const bool size_known : {true, false}) {
        const Result result = look(access, stream.bytes, at(keys[2].first), size_known);
        ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
        const Buffer sent = stream_of(result, stream.bytes);
        FileProbe opening;
        (void)flvtest::drive(opening, sent);
        KeyframeIndex index;
        ck_assert_enum_eq(read_keyframe_index(opening.facts().metadata, sent.size(), index).kind,
                          IndexFault::Kind::None);
        const std::size_t entries = row.is_size || size_known ? 3 : 4;
        ck_assert_uint_eq(index.positions.size(), entries);
      }
    }
  }
}
END_TEST

// Upstream that starts in the middle of the file.
START_TEST(test_starts_after_the_requested_point) {
  SeekPlanner starter(Access::Forward, 0);
  starter.look_for(at(kKeys[2].first));
  starter.give_nothing();
  ck_assert_enum_eq(starter.error().kind, Kind::Place);
  ck_assert_str_eq(starter.error().text.c_str(),
                   "byte 0 has passed, in a stream that cannot seek back");
}
END_TEST

// --- Files with one kind ---

START_TEST(test_audio_only) {
  // Whatever kinds the header announces.
  for (const bool says_video : {false, true}) {
    const Stream stream = flvtest::indexed(
        flvtest::media_of({.duration = 2000, .video = false}),
        [](const Stream &file) {
          return flvtest::entries_of(file, [](std::size_t i) { return i > 1 && i % 5 == 0; });
        },
        {}, false, true, says_video);
    const std::uint64_t place = stream.tags[30].begin;
    for (const Access access : kAll) {
      for (const IndexSource source : {kMetadata, kScan, kAuto}) {
        const Result result = look(access, stream.bytes, at(place, Snap::Next, source));
        ck_assert_msg(result.error.kind == Kind::None, "access %d, source %d: %s",
                      static_cast<int>(access), static_cast<int>(source),
                      result.error.text.c_str());
        ck_assert_uint_eq(result.start.position, place);
        ck_assert_int_eq(result.start.head.at(4), 4);
      }
    }
  }
}
END_TEST

// In a scan, audio before the first keyframe does not count as a keyframe.
START_TEST(test_audio_first) {
  Stream stream;
  stream.header().metadata().configs();
  for (std::uint32_t i = 0; i < 100; ++i)
    stream.aac(i * 20, 10'000);
  stream.key(2000).aac(2000);
  for (const Access access : kAll) {
    const Result result = look(access, stream.bytes, at(stream.tags[20].begin, Snap::Next, kScan));
    ck_assert_msg(result.error.kind == Kind::None, "%s", result.error.text.c_str());
    ck_assert_uint_eq(result.start.position, stream.tags[103].begin);
  }
}
END_TEST

// --- Repeated starts ---

START_TEST(test_again) {
  const Stream stream = flvtest::indexed(flvtest::media_of({.duration = 4000}));
  const Entries keys = flvtest::key_frames_of(stream);
  Stream none;
  none.header().metadata().script(0, flvtest::script("x", {}));
  for (const Access access : {Access::Anywhere, Access::Seekable}) {
    SeekPlanner starter(access, stream.bytes.size());
    for (const IndexSource source : {kMetadata, kScan, kAuto, kMetadata, kScan}) {
      for (const std::size_t key : {3U, 1U, 8U, 2U}) {
        const Result result = look(starter, stream.bytes, at(keys[key].first, Snap::Next, source));
        ck_assert(result.error.kind == Kind::None && result.start.position == keys[key].first);
        const Result fresh = look(access, stream.bytes, at(keys[key].first, Snap::Next, source));
        ck_assert(access != Access::Anywhere || fresh.start.head == result.start.head);
        ck_assert(look(starter, stream.bytes, at(5, Snap::Next, source)).start.position == 0);
        ck_assert(!look(starter, stream.bytes, {}).start.place);
        ck_assert(look(starter, stream.bytes, at(UINT64_MAX)).error.kind == Kind::Place);
      }
    }
    SeekPlanner empty(access, none.bytes.size());
    for (int i = 0; i < 3; ++i) {
      ck_assert_enum_eq(look(empty, none.bytes, at(50, Snap::Next, kScan)).error.kind,
                        Kind::NoIndex);
      ck_assert_enum_eq(look(empty, none.bytes, at(50)).error.kind, Kind::NoIndex);
    }
  }
}
END_TEST

// --- The amount of data read ---

START_TEST(test_little_is_read) {
  std::uint64_t bytes = 0;
  for (const std::uint32_t gops : {100U, 400U}) {
    const Stream stream =
        flvtest::indexed([gops](Stream &file) { append_gops(file.configs(), 0, gops, 30'000); });
    const Entries keys = flvtest::key_frames_of(stream);
    const Result any = look(Access::Anywhere, stream.bytes, at(keys[gops - 5].first));
    ck_assert_uint_lt(any.reads.bytes, 1U << 20);
    ck_assert_uint_lt(any.reads.count, gops + 300);
    const Result dear = look(Access::Seekable, stream.bytes, at(keys[gops - 5].first));
    ck_assert_uint_lt(dear.reads.bytes, 100'000);
    ck_assert(dear.start.position == any.start.position);
    bytes = any.reads.bytes;
  }
  ck_assert_uint_gt(bytes, 0);
}
END_TEST

// --- Real files: each keyframe, with a scan ---

START_TEST(test_media) {
  const auto &row = ROW(flvtest::kMedia);
  const auto bytes = flvtest::media_file(row.name);
  if (!bytes)
    return;
  Entries places;
  for (const Item &item : flvtest::split(*bytes).tags()) {
    const Bytes data = flvtest::bytes_of(item, *bytes).subspan(kTagHeaderSize, item.tag.data_size);
    const Role role = classify(item.tag.type, data).role;
    if (row.video > 0 ? role == Role::KeyFrame
                      : item.tag.type == TagType::Audio && role == Role::Media)
      places.emplace_back(item.begin, item.tag.timestamp / 1000.0);
  }
  const std::size_t step = std::max<std::size_t>(1, places.size() / 5);
  for (std::size_t i = 0; i < places.size(); i += step) {
    for (const Access access : kAll) {
      const Result result = look(access, *bytes, at(places[i].first, Snap::Next, kAuto));
      ck_assert_msg(result.error.kind == Kind::None, "%s: %s", row.name, result.error.text.c_str());
      ck_assert_uint_eq(result.start.position, places[i].first);
      const auto split = flvtest::split(stream_of(result, *bytes));
      ck_assert_uint_eq(split.of(Item::Kind::Damage).size(), 0);
      const int flags = (row.audio > 0 ? 4 : 0) | (row.video > 0 ? 1 : 0);
      ck_assert_msg((result.start.head.at(4) & 5) == flags, "%s: %d", row.name,
                    result.start.head[4]);
    }
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("starter", {{test_whole_file},
                                  {test_stop_time},
                                  {test_known_to_be_impossible},
                                  {test_snap, std::size(kSnaps)},
                                  {test_head},
                                  {test_reinsert},
                                  {test_last_configuration},
                                  {test_keyframes_modes},
                                  {test_stop},
                                  {test_omitted_tags},
                                  {test_stop_after_a_configuration},
                                  {test_errors, std::size(kErrors)},
                                  {test_no_start_point},
                                  {test_entries_ignored, std::size(kIndexes)},
                                  {test_listed_end},
                                  {test_starts_after_the_requested_point},
                                  {test_audio_only},
                                  {test_audio_first},
                                  {test_again},
                                  {test_little_is_read},
                                  {test_media, std::size(flvtest::kMedia)}});
}
