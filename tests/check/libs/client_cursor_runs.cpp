// SPDX-License-Identifier: LGPL-2.1-or-later
// What holds of every viewer whatever comes: random streams, writes, trims and bounds.
#include <random>

#include "audience.h"
#include "checkrun.h"

using namespace fanout;
using flvtest::Audience;
using flvtest::Buffer;
using flvtest::Follower;

namespace {

// A stream that goes on by random steps: frames, audio up to 100 ms around them, configurations
// that change, script data.
class Source {
public:
  explicit Source(std::mt19937 &random) : random_(random) { change(); }

  std::vector<Entry> all;

  void append(Backlog &backlog, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Entry entry = flvtest::numbered(next(), all.size());
      all.push_back(entry);
      backlog.append(std::move(entry));
    }
  }

private:
  std::uint32_t up_to(std::uint32_t most) {
    return static_cast<std::uint32_t>(random_() % (most + 1));
  }

  Entry next() {
    const std::uint32_t what = up_to(99);
    if (what < 40) {
      audio_ = std::max(audio_ + up_to(5), video_ - 100 + up_to(200));
      return tag(flv::TagType::Audio, audio_, flvtest::aac_frame(up_to(30)), true);
    }
    if (what < 44)
      return tag(flv::TagType::Script, video_, flvtest::script("onCuePoint", {}), false);
    if (what < 48) {
      change();
      return tag(flv::TagType::Video, video_, flvtest::avc_config(variant_), false);
    }
    video_ += up_to(80);
    const bool key = what < 58;
    Entry entry = tag(flv::TagType::Video, video_, flvtest::avc_frame(key, up_to(300)), true);
    if (key)
      entry.head = head_;
    return entry;
  }

  Entry tag(flv::TagType type, std::int64_t time, Bytes data, bool is_media) {
    auto bytes = std::make_shared<const Buffer>(
        flvtest::whole_tag(type, static_cast<std::uint32_t>(time + 12345), data));
    Entry entry;
    entry.bytes = *bytes;
    entry.owner = std::move(bytes);
    entry.time = time;
    entry.is_tag = true;
    entry.is_media = is_media;
    return entry;
  }

  // Of three configurations; sometimes only the metadata is another.
  void change() {
    variant_ = static_cast<std::uint8_t>(up_to(2));
    JoinHeader head;
    head.opening = flvtest::file_header();
    flvtest::append(head.opening,
                    flvtest::whole_tag(flv::TagType::Script, 0,
                                       flvtest::on_metadata({{"x", {double(up_to(1))}}})));
    head.configurations = {
        flvtest::whole_tag(flv::TagType::Video, 0, flvtest::avc_config(variant_)),
        flvtest::whole_tag(flv::TagType::Audio, 0, flvtest::aac_config())};
    if (!head_ || *head_ != head)
      head_ = std::make_shared<const JoinHeader>(std::move(head));
  }

  std::mt19937 &random_;
  std::int64_t video_ = 1000;
  std::int64_t audio_ = 950;
  std::uint8_t variant_ = 0;
  JoinHeaderPtr head_;
};

const Bytes kPong = [] {
  static Buffer pong;
  websocket::append_control(pong, websocket::Opcode::Pong, flvtest::payload(3));
  return Bytes(pong);
}();

struct Run {
  Framing framing = Framing::Plain;
  CursorSettings settings;
  bool small = false; // writes
};

void check(const Audience &audience, const Source &source, const Run &run, std::size_t said) {
  Buffer stream = audience.out;
  std::string fault;
  std::vector<flvtest::Message> others;
  if (run.framing == Framing::WebSocket)
    stream = flvtest::unframed(audience.out, others, fault);
  ck_assert_msg(fault.empty(), "%s", fault.c_str());
  ck_assert_uint_eq(others.size(), said);
  Follower follower(source.all, run.settings.rebase);
  follower.follow(stream);
  ck_assert_msg(follower.fault.empty(), "%s", follower.fault.c_str());
  ck_assert(!follower.repeats_needlessly);
  ck_assert_uint_le(follower.jumps, audience.cursor.skips());
  // Times of a kind of tag never go back, and begin at 0.
  if (!run.settings.rebase)
    return;
  std::array<std::uint32_t, 19> last{};
  std::uint32_t first = UINT32_MAX;
  for (const flv::Item &tag : flvtest::split(stream).tags()) {
    std::uint32_t &before = last.at(static_cast<std::size_t>(tag.tag.type));
    ck_assert_uint_ge(tag.tag.timestamp, before);
    before = tag.tag.timestamp;
    if (!tag.tag.is_script())
      first = std::min(first, tag.tag.timestamp);
  }
  if (follower.tags > 0)
    ck_assert_uint_eq(first, 0);
}

// The settings of run number `number`.
Run run_of(std::mt19937 &random, int number) {
  Run run;
  run.framing = number % 2 != 0 ? Framing::WebSocket : Framing::Plain;
  run.settings.join = static_cast<Join>(number / 2 % 3);
  run.settings.burst = static_cast<std::int64_t>(random() % 2000);
  run.settings.rebase = random() % 4 != 0;
  run.settings.max_lag = static_cast<std::int64_t>(random() % 2 != 0 ? random() % 3000 : 0);
  run.settings.max_lag_bytes = random() % 2 != 0 ? random() % 20000 : 0;
  run.settings.max_message = 1 + random() % 3000;
  run.small = random() % 2 != 0;
  return run;
}

constexpr int kRuns = 300;

START_TEST(test_random) {
  std::mt19937 random(static_cast<std::mt19937::result_type>(_i));
  for (int number = 0; number < kRuns; ++number) {
    const Run run = run_of(random, number);
    Source source(random);
    Backlog backlog;
    source.append(backlog, random() % 60);
    Audience audience(run.framing, backlog);
    std::size_t said = 0;
    for (int step = 0; step < 60; ++step) {
      if (random() % 3 == 0)
        source.append(backlog, random() % 40);
      // As a channel does, or regardless of anybody.
      if (random() % 8 == 0)
        backlog.trim(backlog.begin() + random() % (backlog.end() - backlog.begin() + 1));
      if (random() % 20 == 0 && run.framing == Framing::WebSocket) {
        audience.cursor.queue_bytes(kPong);
        said++;
      }
      const std::size_t most = random() % 4 == 0 ? 0 : random() % (run.small ? 40 : 4000);
      audience.write(backlog, run.settings, most);
      audience.cursor.note_lag(backlog);
      ck_assert_uint_eq(audience.cursor.bytes(), audience.out.size());
    }
    audience.leave(backlog, 1 + random() % 50);
    ck_assert(audience.cursor.is_flushed());
    check(audience, source, run, said);
  }
}
END_TEST

// With nothing left out, whole writes and single bytes come to the same.
START_TEST(test_same_bytes) {
  std::mt19937 random(static_cast<std::mt19937::result_type>(_i));
  for (int number = 0; number < 12; ++number) {
    Run run = run_of(random, number);
    run.settings.max_lag = 0;
    run.settings.max_lag_bytes = 0;
    Source source(random);
    Backlog backlog;
    source.append(backlog, 200);
    run.settings.join = number % 4 < 2 ? Join::LatestKeyFrame : Join::Burst;
    Buffer whole;
    for (const std::size_t most : {SIZE_MAX, std::size_t{1}, std::size_t{2}, std::size_t{13}}) {
      Audience audience(run.framing, backlog);
      audience.write_all(backlog, run.settings, most);
      ck_assert(audience.cursor.has_all(backlog));
      if (whole.empty())
        whole = audience.out;
      ck_assert(audience.out == whole);
    }
    ck_assert(!whole.empty());
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("viewing", {{test_random, 10}, {test_same_bytes, 5}});
}
