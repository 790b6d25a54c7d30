// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is a stream; its last ten bytes are the settings, and what else happens. Two viewers,
// one of each framing, get it through a feed and a history.
#include "fuzz.h"

#include "audience.h"
#include "fanout/flv_ingest.h"

using namespace fanout;
using flv::Status;
using flvtest::Audience;
using flvtest::Buffer;

namespace {

struct Settings {
  CursorSettings cursor;
  std::size_t head_size = 0; // of the stream, as a part of the caps
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
  settings.head_size = (raw[0] & 0x40) != 0 ? raw[1] : 0;
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

  std::vector<Entry> entries; // as they came out
  Status status = Status::Ok;

  void feed_all() {
    feed_.note_head(stream_.first(std::min(settings_.head_size, stream_.size())));
    while (!stream_.empty() && status == Status::Ok) {
      feed_some();
      for (Audience *audience : {&plain_, &socket_})
        serve(*audience);
    }
    feed_.finish(entries);
    take_entries();
    for (Audience *audience : {&plain_, &socket_}) {
      for (int i = 0; i < 10; ++i)
        serve(*audience);
      audience->leave(backlog_, 1 + next() % 500);
      REQUIRE(audience->cursor.is_flushed());
      REQUIRE(audience->cursor.bytes() == audience->out.size());
    }
  }

  // Stream ids stay what they are, but the order of the tags does not, by which the splitter tells
  // ids from damage.
  void check() const {
    if (has_stream_ids_)
      return;
    check_viewer(plain_, plain_.out);
    std::string fault;
    std::vector<flvtest::Message> others;
    const Buffer stream = flvtest::unframed(socket_.out, others, fault);
    REQUIRE(fault.empty() && others.size() == said_);
    check_viewer(socket_, stream);
  }

private:
  std::uint32_t next() {
    settings_.seed = settings_.seed * 1664525U + 1013904223U;
    return settings_.seed >> 8;
  }

  // Each piece is gone when nobody keeps it.
  void feed_some() {
    const std::size_t longest = std::size_t{1} << next() % 14;
    const Bytes piece = stream_.first(std::min<std::size_t>(next() % longest, stream_.size()));
    stream_ = stream_.subspan(piece.size());
    const auto owner = std::make_shared<const Buffer>(piece.begin(), piece.end());
    status = feed_.take(owner, *owner, entries);
    REQUIRE((status == Status::Malformed) == (feed_.fault().kind != flv::Fault::Kind::None));
    if (settings_.interrupts && next() % 16 == 0)
      feed_.interrupt();
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
    REQUIRE(!numbered_.empty() || entry.head);
    has_stream_ids_ |= header.stream_id != 0;
    if (!entry.head)
      return;
    for (const Buffer &tag : entry.head->configurations)
      has_stream_ids_ |= flv::load_u24(&tag[8]) != 0;
    REQUIRE(entry.is_media && !header.is_script());
    const flvtest::Split opening = flvtest::split(entry.head->opening);
    REQUIRE(opening.items.size() <= 2 && opening.items.size() == opening.tags().size() + 1);
    const flv::FileHeader &file = opening.items[0].file;
    REQUIRE(header.type == flv::TagType::Video ? file.has_video : file.has_audio);
    for (const Buffer &tag : entry.head->configurations)
      REQUIRE(flvtest::split(flvtest::joined({flvtest::file_header(), tag})).items.size() == 2);
  }

  void serve(Audience &audience) {
    if (&audience == &socket_ && next() % 16 == 0) {
      Buffer pong;
      websocket::append_control(pong, websocket::Opcode::Pong, {});
      audience.cursor.queue_bytes(pong);
      said_++;
    }
    const std::size_t most = std::size_t{1} << next() % 14;
    audience.write(backlog_, settings_.cursor, next() % most);
    audience.cursor.note_lag(backlog_);
    REQUIRE(audience.cursor.lag().now >= 0);
  }

  void check_viewer(const Audience &audience, Bytes stream) const {
    flvtest::Follower follower(numbered_, settings_.cursor.rebase);
    follower.knows_fronts = false;
    follower.follow(stream);
    if (!follower.fault.empty())
      std::fprintf(stderr, "%s\n", follower.fault.c_str());
    REQUIRE(follower.fault.empty());
    REQUIRE(follower.jumps <= audience.cursor.skips());
  }

  Bytes stream_;
  Settings settings_;
  FlvIngest feed_;
  Backlog backlog_;
  std::vector<Entry> numbered_;
  Audience plain_{Framing::Plain, backlog_};
  Audience socket_{Framing::WebSocket, backlog_};
  std::size_t said_ = 0;
  bool has_stream_ids_ = false;
};

// In one piece, it is the same stream.
void check_whole(Bytes stream, const Settings &settings, const Run &run) {
  FlvIngest feed;
  feed.note_head(stream.first(std::min(settings.head_size, stream.size())));
  std::vector<Entry> entries;
  REQUIRE(feed.take(nullptr, stream, entries) == run.status);
  feed.finish(entries);
  REQUIRE(std::equal(entries.begin(), entries.end(), run.entries.begin(), run.entries.end(),
                     [](const Entry &a, const Entry &b) {
                       return a.time == b.time && a.is_media == b.is_media &&
                              std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(),
                                         b.bytes.end()) &&
                              (a.head ? b.head && *a.head == *b.head : !b.head);
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
