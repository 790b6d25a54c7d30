// SPDX-License-Identifier: LGPL-2.1-or-later
// With burst > 0, a download gets this much media at once, and the rest in real time.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "drive.h"
#include "filetest.h"
#include "flv/format/codec.h"
#include "split.h"

#include "checkrun.h"

using namespace filetest;
using Clock = std::chrono::steady_clock;

namespace {

constexpr double kBurst = 1;       // s
constexpr double kTolerance = 0.5; // s; the server sends in batches, and the machine may be busy

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The media time up to which `bytes` of the stream play, in s from its first tag: the timestamp of
// the first tag that is not complete.
double played(const std::vector<flv::Item> &tags, std::size_t bytes) {
  double first = -1;
  double last = 0;
  for (const flv::Item &tag : tags) {
    if (first < 0)
      first = tag.tag.timestamp / 1000.0;
    last = tag.tag.timestamp / 1000.0 - first;
    if (tag.end > bytes)
      return last;
  }
  return HUGE_VAL;
}

// The video tags without the configurations, which have timestamps of their own.
std::vector<flv::Item> frames(Bytes stream) {
  std::vector<flv::Item> tags = flvtest::split(stream).tags();
  std::erase_if(tags, [stream](const flv::Item &tag) {
    const Bytes data = flvtest::bytes_of(tag, stream).subspan(flv::kTagHeaderSize);
    return tag.tag.type != flv::TagType::Video ||
           flv::classify(tag.tag.type, data).role == flv::Role::DecoderConfig;
  });
  return tags;
}

struct Pace {
  double least_lead = HUGE_VAL; // s of media that the client has, beyond what it has played
  double most_lead = 0;
  double duration = 0; // of the download
  Buffer body;
};

Pace measure(const Server &server, const std::string &path, const std::string &headers,
             const std::vector<flv::Item> &tags, std::size_t skipped = 0) {
  Client client(server.port());
  client.ask(path, headers);
  client.wait_for_head();
  const auto begin = Clock::now();
  Pace pace;
  std::size_t before = 0;
  while (!client.is_closed()) {
    client.receive();
    const double now = since(begin);
    const std::size_t size = client.reply().body.size();
    const double have = played(tags, skipped + size) - played(tags, skipped);
    if (now > kTolerance && std::isfinite(have)) {
      pace.least_lead = std::min(pace.least_lead, have - now);
      pace.most_lead = std::max(pace.most_lead, have - now);
    }
    if (size != before)
      pace.duration = now;
    before = size;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  pace.body = client.reply().body;
  return pace;
}

// `gop`: s.
void assert_paced(const Pace &pace, double media, double gop = 1) {
  if (std::getenv("FLV_TEST_SHORT")) // too slow for times
    return;
  std::printf("lead %.3f to %.3f s, %.3f s\n", pace.least_lead, pace.most_lead, pace.duration);
  ck_assert_msg(pace.least_lead > kBurst - kTolerance, "the lead is only %f s", pace.least_lead);
  // At most one group of pictures more than the burst.
  ck_assert_msg(pace.most_lead < kBurst + gop + kTolerance, "the lead is %f s", pace.most_lead);
  ck_assert_msg(pace.duration > media - kBurst - gop - kTolerance, "it took only %f s",
                pace.duration);
}

// Row 0: no index. Row 1: with an index.
Stream some_movie(int row) {
  return row == 0 ? movie(4) : indexed_movie(4);
}

START_TEST(test_whole) {
  const Folder folder;
  folder.write("movie.flv", some_movie(_i).bytes);
  const Server fast(folder);
  const Server server(folder, settings("burst", "1000"));
  const Buffer file = fast.get("/vod/movie.flv").body;
  const Pace pace = measure(server, "/vod/movie.flv", "", frames(file));
  ck_assert(pace.body == file);
  assert_paced(pace, 4);
}
END_TEST

START_TEST(test_start) {
  const Folder folder;
  folder.write("movie.flv", some_movie(_i).bytes);
  const Server fast(folder);
  const Server server(folder, settings("burst", "1000"));
  const Buffer stream = fast.get("/vod/movie.flv?t=1").body;
  const Pace pace = measure(server, "/vod/movie.flv?t=1", "", frames(stream));
  ck_assert(pace.body == stream);
  assert_paced(pace, 3);
}
END_TEST

// Nearly all bytes of a group of pictures are those of its key frame.
START_TEST(test_slides) {
  Stream slides;
  slides.header().configs();
  for (std::uint32_t time = 0; time < 6000; time += 40) {
    if (time % 2000 == 0)
      slides.key(time, 50'000);
    else
      slides.inter(time, 20);
  }
  const Folder folder;
  folder.write("movie.flv", slides.bytes);
  const Server fast(folder);
  const Server server(folder, settings("burst", "1000"));
  const Buffer file = fast.get("/vod/movie.flv").body;
  const Pace pace = measure(server, "/vod/movie.flv", "", frames(file));
  ck_assert(pace.body == file);
  assert_paced(pace, 6, 2);
}
END_TEST

START_TEST(test_range) {
  const Folder folder;
  const Stream stored = indexed_movie(4);
  folder.write("movie.flv", stored.bytes);
  const Server server(folder, settings("burst", "1000"));
  const std::size_t from = key_positions(stored)[1];
  const std::string range = "Range: bytes=" + std::to_string(from) + "-\r\n";
  const Pace pace = measure(server, "/vod/movie.flv", range, frames(stored.bytes), from);
  ck_assert(std::ranges::equal(pace.body, Bytes(stored.bytes).subspan(from)));
  assert_paced(pace, 3);
}
END_TEST

// Files without known times, and responses that are shorter than the burst, are not delayed.
START_TEST(test_not_paced) {
  const Folder folder;
  folder.write("movie.flv", indexed_movie(30).bytes);
  folder.write("movie.mp4", flvtest::payload(3'000'000));
  const Server server(folder, settings("burst", "1000"));
  const auto begin = Clock::now();
  ck_assert_uint_eq(server.get("/vod/movie.mp4").body.size(), 3'000'000);
  ck_assert_uint_eq(server.get("/vod/movie.flv?bstart=20000&bend=21000").body.size(), 1001);
  ck_assert_int_eq(server.get("/vod/movie.flv?t=29.5").status, 200);
  ck_assert_int_eq(server.head("/vod/movie.flv").status, 200);
  ck_assert(std::getenv("FLV_TEST_SHORT") || since(begin) < 20);
}
END_TEST

} // namespace

int main() {
  return flvtest::run(
      "files_paced",
      {{test_whole, 2}, {test_start, 2}, {test_slides}, {test_range}, {test_not_paced}});
}
