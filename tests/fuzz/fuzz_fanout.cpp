// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is a stream. Its last ten bytes are the settings and the seed of random events. Two
// clients, one of each framing, receive it through the ingest and the backlog.
#include "fuzz.h"

#include "fanout/flv_ingest.h"
#include "test_client.h"

using namespace fanout;
using flv::Status;
using flvtest::Buffer;
using flvtest::TestClient;

namespace {

struct Settings {
  CursorSettings cursor;
  std::size_t header_size = 0; // bytes from the start of the stream that come from caps
  bool interrupts = false;
  std::uint32_t seed = 0;
};

Settings read_settings(Bytes &stream) {
  constexpr std::size_t kSize = 10;
  Settings settings;
  if (stream.size() < kSize)
    return settings;
  const std::uint8_t *raw = stream.last(kSize).data();
  stream = stream.first(stream.size() - kSize);
  settings.cursor.join = static_cast<Join>(raw[0] % 3);
  settings.cursor.rebase = (raw[0] & 0x10) == 0;
  settings.interrupts = (raw[0] & 0x20) != 0;
  settings.header_size = (raw[0] & 0x40) != 0 ? raw[1] : 0;
  settings.cursor.burst = raw[2] * 16;
  settings.cursor.max_lag = raw[3] * 16;
  settings.cursor.max_lag_bytes = raw[4] * 16;
  settings.cursor.max_message = 1 + raw[5] * 16;
  settings.seed = flv::load_u32(raw + 6);
  return settings;
}

class Run {
public:
  Run(Bytes stream, const Settings &settings) : stream_(stream), settings_(settings) {}

  std::vector<Entry> entries; // from the ingest
  Status status = Status::Ok;

  void feed_all() {
    ingest_.note_stream_header(stream_.first(std::min(settings_.header_size, stream_.size())));
    while (!stream_.empty() && status == Status::Ok) {
      feed_some();
      for (TestClient *client : {&plain_, &socket_})
        serve(*client);
    }
    ingest_.finish(entries);
    take_entries();
    for (TestClient *client : {&plain_, &socket_}) {
      for (int i = 0; i < 10; ++i)
        serve(*client);
      client->close(backlog_, 1 + next() % 500);
      REQUIRE(client->cursor.is_flushed());
      REQUIRE(client->cursor.bytes() == client->out.size());
    }
  }

  // Skips streams with stream ids: the splitter accepts an id by the order of the tags, and a
  // client receives the tags in another order.
  void check() const {
    if (has_stream_ids_)
      return;
    check_client(plain_, plain_.out);
    std::string fault;
    std::vector<flvtest::Message> others;
    const Buffer stream = flvtest::unframed(socket_.out, others, fault);
    REQUIRE(fault.empty() && others.size() == control_frames_);
    check_client(socket_, stream);
  }

private:
  std::uint32_t next() {
    settings_.seed = settings_.seed * 1664525U + 1013904223U;
    return settings_.seed >> 8;
  }

  // Frees each chunk that the ingest does not own.
  void feed_some() {
    const std::size_t longest = std::size_t{1} << next() % 14;
    const Bytes part = stream_.first(std::min<std::size_t>(next() % longest, stream_.size()));
    stream_ = stream_.subspan(part.size());
    const auto owner = std::make_shared<const Buffer>(part.begin(), part.end());
    status = ingest_.take(owner, *owner, entries);
    REQUIRE((status == Status::Malformed) == (ingest_.fault().kind != flv::Fault::Kind::None));
    if (settings_.interrupts && next() % 16 == 0)
      ingest_.interrupt();
    take_entries();
    if (next() % 4 == 0)
      backlog_.trim(backlog_.begin() + next() % (backlog_.end() - backlog_.begin() + 2));
  }

  void take_entries() {
    for (; numbered_.size() < entries.size();) {
      check_entry(entries[numbered_.size()]);
      Entry entry = flvtest::numbered(entries[numbered_.size()], numbered_.size());
      numbered_.push_back(entry);
      backlog_.append(std::move(entry));
    }
  }

  void check_entry(const Entry &entry) {
    flv::TagHeader header;
    REQUIRE(entry.is_tag && entry.bytes.size() >= flv::kTagHeaderSize);
    REQUIRE(flv::read_tag_header(entry.bytes.data(), flv::kMaxDataSize, header).kind ==
            flv::Fault::Kind::None);
    REQUIRE(entry.bytes.size() == header.tag_size() + flv::kPreviousTagSizeSize);
    REQUIRE(flv::load_u32(entry.bytes.last(4).data()) == header.tag_size());
    REQUIRE(!numbered_.empty() || entry.join_header);
    has_stream_ids_ |= header.stream_id != 0;
    if (!entry.join_header)
      return;
    for (const Buffer &tag : entry.join_header->decoder_configs)
      has_stream_ids_ |= flv::load_u24(&tag[8]) != 0;
    REQUIRE(entry.is_media() && !header.is_script());
    const flvtest::Split header_items = flvtest::split(entry.join_header->container_header);
    REQUIRE(header_items.items.size() <= 2 &&
            header_items.items.size() == header_items.tags().size() + 1);
    const flv::FileHeader &file = header_items.items[0].file;
    REQUIRE(header.type == flv::TagType::Video ? file.has_video : file.has_audio);
    for (const Buffer &tag : entry.join_header->decoder_configs)
      REQUIRE(flvtest::split(flvtest::joined({flvtest::file_header(), tag})).items.size() == 2);
  }

  void serve(TestClient &client) {
    if (&client == &socket_ && next() % 16 == 0) {
      Buffer pong;
      websocket::append_control(pong, websocket::Opcode::Pong, {});
      client.cursor.queue_bytes(pong);
      control_frames_++;
    }
    const std::size_t max_size = std::size_t{1} << next() % 14;
    client.write(backlog_, settings_.cursor, next() % max_size);
    client.cursor.note_lag(backlog_);
    REQUIRE(client.cursor.lag().now >= 0);
  }

  void check_client(const TestClient &client, Bytes stream) const {
    flvtest::StreamChecker checker(numbered_, settings_.cursor.rebase);
    checker.checks_config_times = false;
    checker.check(stream);
    if (!checker.fault.empty())
      std::fprintf(stderr, "%s\n", checker.fault.c_str());
    REQUIRE(checker.fault.empty());
    REQUIRE(checker.skips <= client.cursor.skips());
  }

  Bytes stream_;
  Settings settings_;
  FlvIngest ingest_;
  Backlog backlog_;
  std::vector<Entry> numbered_;
  TestClient plain_{Framing::Plain, backlog_};
  TestClient socket_{Framing::WebSocket, backlog_};
  std::size_t control_frames_ = 0;
  bool has_stream_ids_ = false;
};

// The result does not depend on the chunks.
void check_whole(Bytes stream, const Settings &settings, const Run &run) {
  FlvIngest ingest;
  ingest.note_stream_header(stream.first(std::min(settings.header_size, stream.size())));
  std::vector<Entry> entries;
  REQUIRE(ingest.take(nullptr, stream, entries) == run.status);
  ingest.finish(entries);
  REQUIRE(std::equal(
      entries.begin(), entries.end(), run.entries.begin(), run.entries.end(),
      [](const Entry &a, const Entry &b) {
        return a.time == b.time && a.is_media() == b.is_media() &&
               std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end()) &&
               (a.join_header ? b.join_header && *a.join_header == *b.join_header : !b.join_header);
      }));
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  Bytes stream(data, size);
  const Settings settings = read_settings(stream);
  Run run(stream, settings);
  run.feed_all();
  run.check();
  if (!settings.interrupts)
    check_whole(stream, settings, run);
  return 0;
}
