// SPDX-License-Identifier: LGPL-2.1-or-later
// Every start decodes: file header, onMetaData, configurations, a keyframe first, then the rest of
// the file as it is.
#include <algorithm>
#include <cmath>
#include <string>

#include "drive.h"
#include "filetest.h"
#include "flv/format/codec.h"
#include "flv/format/metadata.h"
#include "media.h"
#include "split.h"

#include "texts.h"

using namespace filetest;
using flv::Role;

namespace {

flv::Bytes data_of(const flv::Item &tag, Bytes stream) {
  return flvtest::bytes_of(tag, stream).subspan(flv::kTagHeaderSize, tag.tag.data_size);
}

Role role_of(const flv::Item &tag, Bytes stream) {
  return flv::classify(tag.tag.type, data_of(tag, stream)).role;
}

// The parts of a response to ?start= and ?t=.
struct Start {
  Buffer metadata;                    // data of onMetaData
  std::vector<Buffer> configurations; // whole tags
  std::size_t body = 0;               // the offset of the keyframe
  std::uint32_t timestamp = 0;        // of the keyframe
};

Start read_start(const std::string &what, Bytes stream) {
  const flvtest::Split split = flvtest::split(stream);
  ck_assert_msg(split.status == flv::Status::Ok, "%s", what.c_str());
  Start start;
  for (const flv::Item &tag : split.tags()) {
    const Bytes bytes = flvtest::bytes_of(tag, stream);
    const Role role = role_of(tag, stream);
    ck_assert_msg(!tag.wrong_previous_size || role == Role::KeyFrame, "%s", what.c_str());
    if (tag.tag.is_script() && start.metadata.empty()) {
      ck_assert_uint_eq(tag.tag.timestamp, 0);
      ck_assert_uint_eq(tag.begin, 13);
      const Bytes data = data_of(tag, stream);
      start.metadata.assign(data.begin(), data.end());
    } else if (role == Role::DecoderConfig) {
      start.configurations.emplace_back(bytes.begin(), bytes.end());
    } else {
      ck_assert_msg(role == Role::KeyFrame, "%s: the first tag is no keyframe", what.c_str());
      start.body = static_cast<std::size_t>(tag.begin);
      start.timestamp = tag.tag.timestamp;
      return start;
    }
  }
  ck_abort_msg("%s: there is no keyframe", what.c_str());
}

// Checks a start in `file`, and returns the position of the keyframe in it.
std::size_t check_start(const std::string &what, Bytes start_bytes, Bytes file) {
  const Start start = read_start(what, start_bytes);
  const Bytes tail = start_bytes.subspan(start.body);
  ck_assert_msg(tail.size() <= file.size(), "%s", what.c_str());
  const std::size_t position = file.size() - tail.size();
  ck_assert_msg(std::ranges::equal(tail, file.subspan(position)), "%s: other bytes", what.c_str());
  // The configurations and onMetaData are those of the file.
  std::size_t found = 0;
  for (const flv::Item &tag : flvtest::split(file).tags()) {
    if (tag.begin >= position)
      break;
    const Bytes bytes = flvtest::bytes_of(tag, file);
    if (role_of(tag, file) == Role::DecoderConfig)
      found += static_cast<std::size_t>(
          std::ranges::count_if(start.configurations, [bytes](const Buffer &each) {
            return std::ranges::equal(each, bytes);
          }));
    if (tag.tag.is_script() && flv::is_on_metadata(data_of(tag, file)) && !start.metadata.empty())
      ck_assert_msg(std::ranges::equal(data_of(tag, file), start.metadata), "%s", what.c_str());
  }
  ck_assert_msg(found >= start.configurations.size(), "%s: configurations", what.c_str());
  return position;
}

std::string start_path(std::size_t offset) {
  return "/vod/movie.flv?start=" + std::to_string(offset);
}

// The index of the file that clients get.
flv::KeyframeIndex index_of(Bytes file) {
  const auto tags = flvtest::split(file).tags();
  flv::amf0::Value metadata;
  flv::KeyframeIndex index;
  ck_assert_enum_eq(flv::read_on_metadata(data_of(tags.at(0), file), metadata), flv::Status::Ok);
  ck_assert_enum_eq(flv::read_keyframe_index(metadata, file.size(), index).kind,
                    flv::IndexFault::Kind::None);
  return index;
}

// Row 0: the file has no index. Row 1: it has one.
Stream some_movie(int row) {
  return row == 0 ? movie() : indexed_movie();
}

// --- By offset ---

START_TEST(test_from_the_index) {
  const Folder folder;
  folder.write("movie.flv", some_movie(_i).bytes);
  const Server server(folder);
  const Buffer file = server.get("/vod/movie.flv").body;
  const flv::KeyframeIndex index = index_of(file);
  std::uint64_t keyframes = 0;
  for (const std::uint64_t position : index.positions) {
    const Reply reply = server.get(start_path(position));
    ck_assert_int_eq(reply.status, 200);
    CK_ASSERT_TEXT_EQ(reply.field("Content-Type"), "video/x-flv");
    CK_ASSERT_TEXT_EQ(reply.field("Content-Length"), std::to_string(reply.body.size()));
    const std::size_t found = check_start(start_path(position), reply.body, file);
    keyframes += found == position;
    ck_assert_uint_ge(found, position); // the configuration is in the index of a virtual file
  }
  ck_assert_uint_eq(keyframes, 10);
}
END_TEST

START_TEST(test_any_offset) {
  const Folder folder;
  const Stream stored = some_movie(_i);
  folder.write("movie.flv", stored.bytes);
  const Server server(folder);
  const Buffer file = server.get("/vod/movie.flv").body;
  const std::size_t moved = file.size() - stored.bytes.size();
  auto keys = key_positions(stored);
  for (std::size_t &key : keys)
    key += moved;
  const std::size_t count = rounds(200, 20);
  for (std::size_t i = 0; i < count; i++) {
    const std::size_t offset = 14 + i * (file.size() - 14) / count;
    const Reply reply = server.get(start_path(offset));
    const auto expected = std::ranges::lower_bound(keys, offset);
    if (expected == keys.end()) {
      ck_assert_int_eq(reply.status, 416);
      continue;
    }
    ck_assert_int_eq(reply.status, 200);
    ck_assert_uint_eq(check_start(start_path(offset), reply.body, file), *expected);
  }
  for (const std::size_t offset : {1U, 9U, 12U}) // inside the file header
    ck_assert(server.get(start_path(offset)).body == file);
}
END_TEST

// A range of a start is a part of it.
START_TEST(test_range_inside) {
  const Folder folder;
  folder.write("movie.flv", some_movie(_i).bytes);
  const Server server(folder);
  const std::string path = start_path(8000);
  const Reply whole = server.get(path);
  const std::size_t size = whole.body.size();
  Buffer joined;
  for (std::size_t from = 0; from < size; from += 777) {
    const std::size_t last = std::min(from + 776, size - 1);
    const Reply part = server.get(path, "Range: bytes=" + std::to_string(from) + "-" +
                                            std::to_string(last) + "\r\n");
    ck_assert_int_eq(part.status, 206);
    CK_ASSERT_TEXT_EQ(part.field("ETag"), whole.field("ETag"));
    flvtest::append(joined, part.body);
  }
  ck_assert(joined == whole.body);
}
END_TEST

START_TEST(test_end) {
  const Folder folder;
  folder.write("movie.flv", some_movie(_i).bytes);
  const Server server(folder);
  const Buffer file = server.get("/vod/movie.flv").body;
  const auto tags = flvtest::split(file).tags();
  const std::size_t count = rounds(60, 10);
  for (std::size_t i = 0; i < count; i++) {
    const std::uint64_t end = tags[1].begin + 500 + i * (file.size() - 2000) / count;
    // The last tag boundary at or before the end.
    std::uint64_t boundary = 0;
    for (const flv::Item &tag : tags) {
      if (tag.end <= end)
        boundary = tag.end;
    }
    const Reply whole = server.get("/vod/movie.flv?end=" + std::to_string(end));
    ck_assert_int_eq(whole.status, 200);
    ck_assert_uint_eq(whole.body.size(), boundary);
    ck_assert(std::ranges::equal(whole.body, Bytes(file).first(boundary)));
    const Reply part = server.get(start_path(5000) + "&end=" + std::to_string(end));
    const Reply rest = server.get(start_path(5000));
    const std::size_t from = check_start("end", rest.body, file);
    if (boundary <= from) {
      ck_assert_int_eq(part.status, 416);
      continue;
    }
    ck_assert_int_eq(part.status, 200);
    ck_assert_uint_eq(part.body.size(), rest.body.size() - (file.size() - boundary));
    ck_assert(std::ranges::equal(part.body, Bytes(rest.body).first(part.body.size())));
  }
  const Reply behind = server.get("/vod/movie.flv?end=99999999");
  ck_assert(behind.body == file);
}
END_TEST

// --- By time ---

START_TEST(test_times) {
  const Folder folder;
  folder.write("movie.flv", some_movie(_i).bytes);
  const Server server(folder);
  const Buffer file = server.get("/vod/movie.flv").body;
  const std::pair<const char *, std::uint32_t> kTimes[] = {
      {"t=1", 1000},
      {"t=1.999", 1000},
      {"t=2.0", 2000},
      {"starttime=5.5", 5000},
      {"t=9", 9000},
      {"t=9.9", 9000},
      {"t=1000", 9000},
      {"t=18446744073709551.615", 9000},
      {"t=99999999999999999999999", 9000},
      {"t=0.5", 0},
      {"starttime=3&x=y", 3000},
  };
  for (const auto &[query, timestamp] : kTimes) {
    const std::string path = std::string("/vod/movie.flv?") + query;
    const Reply reply = server.get(path);
    ck_assert_int_eq(reply.status, 200);
    check_start(path, reply.body, file);
    ck_assert_uint_eq(read_start(path, reply.body).timestamp, timestamp);
  }
  ck_assert(server.get("/vod/movie.flv?t=0").body == file);
}
END_TEST

// --- Unusual files ---

// Timestamps do not start at 0: times count from the first tag, the tags keep their timestamps.
START_TEST(test_late_timestamps) {
  const Folder folder;
  folder.write("movie.flv",
               flvtest::file({.duration = 10'000, .start = 3'600'000, .gop = 25}).bytes);
  const Server server(folder);
  const Buffer file = server.get("/vod/movie.flv").body;
  const Reply reply = server.get("/vod/movie.flv?t=4.5");
  ck_assert_int_eq(reply.status, 200);
  check_start("late", reply.body, file);
  ck_assert_uint_eq(read_start("late", reply.body).timestamp, 3'604'000);
}
END_TEST

// The configuration changes in the middle: a start gets the one that is in force.
START_TEST(test_changed_configuration) {
  Stream stored;
  stored.header().metadata().configs();
  flvtest::append_media(stored, {.duration = 4000, .gop = 25});
  stored.configs(4000, 1);
  flvtest::append_media(stored, {.duration = 4000, .start = 4000, .gop = 25});
  const Folder folder;
  folder.write("movie.flv", stored.bytes);
  const Server server(folder);
  for (const auto &[time, variant] : {std::pair(2, 0), std::pair(6, 1)}) {
    const Reply reply = server.get("/vod/movie.flv?t=" + std::to_string(time));
    ck_assert_int_eq(reply.status, 200);
    const Start start = read_start("configuration", reply.body);
    ck_assert_uint_eq(start.configurations.size(), 2);
    const auto expected = flvtest::avc_config(static_cast<std::uint8_t>(variant));
    ck_assert(std::ranges::any_of(start.configurations, [&expected](const Buffer &tag) {
      return std::ranges::equal(Bytes(tag).subspan(flv::kTagHeaderSize, expected.size()), expected);
    }));
  }
}
END_TEST

START_TEST(test_audio_only) {
  const Folder folder;
  folder.write("movie.flv", flvtest::file({.duration = 10'000, .video = false}).bytes);
  const Server server(folder);
  const Buffer file = server.get("/vod/movie.flv").body;
  const Reply reply = server.get("/vod/movie.flv?t=5");
  ck_assert_int_eq(reply.status, 200);
  const auto tags = flvtest::split(reply.body).tags();
  ck_assert_uint_ge(tags.size(), 3);
  ck_assert(tags[0].tag.is_script());
  ck_assert_enum_eq(role_of(tags[1], reply.body), Role::DecoderConfig);
  ck_assert_uint_le(tags[2].tag.timestamp, 5000);
  ck_assert_uint_ge(tags[2].tag.timestamp, 3900);
  const Bytes tail = Bytes(reply.body).subspan(tags[2].begin);
  ck_assert(std::ranges::equal(tail, Bytes(file).last(tail.size())));
  const Reply behind = server.get("/vod/movie.flv?start=99999999");
  ck_assert_int_eq(behind.status, 416);
  ck_assert(behind.text().starts_with("The last audio start is at byte "));
}
END_TEST

// The index is that of another file.
START_TEST(test_wrong_index) {
  const Stream wrong =
      flvtest::indexed(flvtest::media_of({.duration = 10'000, .gop = 25}), [](const Stream &file) {
        flvtest::Entries entries = flvtest::key_frames_of(file);
        for (auto &[position, time] : entries)
          position += 7;
        return entries;
      });
  const Folder folder;
  folder.write("movie.flv", wrong.bytes);
  const Server server(folder);
  const Buffer file = server.get("/vod/movie.flv").body;
  ck_assert(file != wrong.bytes);
  for (const std::uint64_t position : index_of(file).positions)
    check_start("wrong index", server.get(start_path(position)).body, file);
}
END_TEST

// Files of many producers: starts from each listed position and from a few others.
START_TEST(test_media) {
  const flvtest::MediaFile &media = ROW(flvtest::kMedia);
  const auto bytes = flvtest::media_file(media.name);
  if (!bytes)
    return;
  const Folder folder;
  folder.write("movie.flv", *bytes);
  const Server server(folder);
  const Reply whole = server.get("/vod/movie.flv");
  ck_assert_int_eq(whole.status, 200);
  const Buffer &file = whole.body;
  const std::size_t count = rounds(40, 4);
  std::size_t starts = 0;
  for (std::size_t i = 1; i < count; i++) {
    const std::string path = start_path(i * file.size() / count);
    const std::string time = "/vod/movie.flv?t=" + std::to_string(0.1 * static_cast<double>(i));
    for (const std::string &each : {path, time}) {
      const Reply reply = server.get(each);
      ck_assert_msg(reply.status == 200 || reply.status == 416 || reply.status == 415, "%s%s: %d",
                    media.name, each.c_str(), reply.status);
      if (reply.status != 200 || media.video == 0 || !media.right_sizes || reply.body == file)
        continue;
      check_start(media.name + each, reply.body, file);
      starts++;
    }
  }
  std::printf("%s: %zu starts\n", media.name, starts);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("files_starts", {{test_from_the_index, 2},
                                       {test_any_offset, 2},
                                       {test_range_inside, 2},
                                       {test_end, 2},
                                       {test_times, 2},
                                       {test_late_timestamps},
                                       {test_changed_configuration},
                                       {test_audio_only},
                                       {test_wrong_index},
                                       {test_media, std::size(flvtest::kMedia)}});
}
