// SPDX-License-Identifier: LGPL-2.1-or-later
// Properties of every client: random streams, writes, trims and limits.
#include <random>

#include "checkrun.h"
#include "test_client.h"

using namespace fanout;
using flvtest::Buffer;
using flvtest::StreamChecker;
using flvtest::TestClient;

namespace {

// A random stream: video frames, audio within 100 ms of them, changing configurations, script data.
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
  std::uint32_t up_to(std::uint32_t max) {
    return static_cast<std::uint32_t>(random_() % (max + 1));
  }

  Entry next() {
    const std::uint32_t percent = up_to(99);
    if (percent < 40) {
      audio_ = std::max(audio_ + up_to(5), video_ - 100 + up_to(200));
      return tag(flv::TagType::Audio, audio_, flvtest::aac_frame(up_to(30)), true);
    }
    if (percent < 44)
      return tag(flv::TagType::Script, video_, flvtest::script("onCuePoint", {}), false);
    if (percent < 48) {
      change();
      return tag(flv::TagType::Video, video_, flvtest::avc_config(variant_), false);
    }
    video_ += up_to(80);
    const bool key = percent < 58;
    Entry entry = tag(flv::TagType::Video, video_, flvtest::avc_frame(key, up_to(300)), true);
    if (key)
      entry.join_header = header_;
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
    entry.purpose = is_media ? Purpose::Media : Purpose::Setup;
    return entry;
  }

  // Selects one of three configurations and one of two metadata values.
  void change() {
    variant_ = static_cast<std::uint8_t>(up_to(2));
    JoinHeader header;
    header.container_header = flvtest::file_header();
    flvtest::append(header.container_header,
                    flvtest::whole_tag(flv::TagType::Script, 0,
                                       flvtest::on_metadata({{"x", {double(up_to(1))}}})));
    header.decoder_configs = {
        flvtest::whole_tag(flv::TagType::Video, 0, flvtest::avc_config(variant_)),
        flvtest::whole_tag(flv::TagType::Audio, 0, flvtest::aac_config())};
    if (!header_ || *header_ != header)
      header_ = std::make_shared<const JoinHeader>(std::move(header));
  }

  std::mt19937 &random_;
  std::int64_t video_ = 1000;
  std::int64_t audio_ = 950;
  std::uint8_t variant_ = 0;
  JoinHeaderPtr header_;
};

const Bytes kPong = [] {
  static Buffer pong;
  websocket::append_control(pong, websocket::Opcode::Pong, flvtest::payload(3));
  return Bytes(pong);
}();

struct Run {
  Framing framing = Framing::Plain;
  CursorSettings settings;
  bool small_writes = false;
};

void check(const TestClient &client, const Source &source, const Run &run,
           std::size_t control_frames) {
  Buffer stream = client.out;
  std::string fault;
  std::vector<flvtest::Message> others;
  if (run.framing == Framing::WebSocket)
    stream = flvtest::unframed(client.out, others, fault);
  ck_assert_msg(fault.empty(), "%s", fault.c_str());
  ck_assert_uint_eq(others.size(), control_frames);
  StreamChecker checker(source.all, run.settings.rebase);
  checker.check(stream);
  ck_assert_msg(checker.fault.empty(), "%s", checker.fault.c_str());
  ck_assert(!checker.repeats_needlessly);
  ck_assert_uint_le(checker.skips, client.cursor.skips());
  // The timestamps of each kind start at 0 and never decrease.
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
  if (checker.tags > 0)
    ck_assert_uint_eq(first, 0);
}

// Run number `number` of a random sequence.
Run run_of(std::mt19937 &random, int number) {
  Run run;
  run.framing = number % 2 != 0 ? Framing::WebSocket : Framing::Plain;
  run.settings.join = static_cast<Join>(number / 2 % 3);
  run.settings.burst = static_cast<std::int64_t>(random() % 2000);
  run.settings.rebase = random() % 4 != 0;
  run.settings.max_lag = static_cast<std::int64_t>(random() % 2 != 0 ? random() % 3000 : 0);
  run.settings.max_lag_bytes = random() % 2 != 0 ? random() % 20000 : 0;
  run.settings.max_message = 1 + random() % 3000;
  run.small_writes = random() % 2 != 0;
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
    TestClient client(run.framing, backlog);
    std::size_t control_frames = 0;
    for (int step = 0; step < 60; ++step) {
      if (random() % 3 == 0)
        source.append(backlog, random() % 40);
      // The backlog may evict entries that the client needs.
      if (random() % 8 == 0)
        backlog.trim(backlog.begin() + random() % (backlog.end() - backlog.begin() + 1));
      if (random() % 20 == 0 && run.framing == Framing::WebSocket) {
        client.cursor.queue_bytes(kPong);
        control_frames++;
      }
      const std::size_t max_size =
          random() % 4 == 0 ? 0 : random() % (run.small_writes ? 40 : 4000);
      client.write(backlog, run.settings, max_size);
      client.cursor.note_lag(backlog);
      ck_assert_uint_eq(client.cursor.bytes(), client.out.size());
    }
    client.close(backlog, 1 + random() % 50);
    ck_assert(client.cursor.is_flushed());
    check(client, source, run, control_frames);
  }
}
END_TEST

// Without skips, the received bytes do not depend on the size of the writes.
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
    for (const std::size_t max_size : {SIZE_MAX, std::size_t{1}, std::size_t{2}, std::size_t{13}}) {
      TestClient client(run.framing, backlog);
      client.write_all(backlog, run.settings, max_size);
      ck_assert(client.cursor.has_all(backlog));
      if (whole.empty())
        whole = client.out;
      ck_assert(client.out == whole);
    }
    ck_assert(!whole.empty());
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("client_cursor_runs", {{test_random, 10}, {test_same_bytes, 5}});
}
