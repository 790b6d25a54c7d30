// SPDX-License-Identifier: LGPL-2.1-or-later
// What a viewer sends, byte for byte. viewing.cpp has what holds whatever comes.
#include "fanout/client_cursor.h"

#include "audience.h"
#include "checkrun.h"

using namespace fanout;
using flvtest::Audience;
using flvtest::Buffer;
using flvtest::joined;

namespace {

using Number = Backlog::Number;

constexpr std::size_t kAll = SIZE_MAX;
const std::size_t kWrites[] = {kAll, 1, 2, 3, 7, 11, 60, 300};

Buffer config(std::uint32_t timestamp, std::uint8_t variant = 0) {
  return joined({flvtest::whole_tag(flv::TagType::Video, timestamp, flvtest::avc_config(variant)),
                 flvtest::whole_tag(flv::TagType::Audio, timestamp, flvtest::aac_config(variant))});
}

JoinHeaderPtr head(std::uint8_t variant = 0, const std::string &name = "x") {
  JoinHeader head;
  head.opening =
      joined({flvtest::file_header(),
              flvtest::whole_tag(flv::TagType::Script, 0, flvtest::on_metadata({{name, {1.0}}}))});
  head.configurations = {flvtest::whole_tag(flv::TagType::Video, 7, flvtest::avc_config(variant)),
                         flvtest::whole_tag(flv::TagType::Audio, 7, flvtest::aac_config(variant))};
  return std::make_shared<const JoinHeader>(std::move(head));
}

const JoinHeaderPtr kHead = head();

// 'k'ey frame, 'p' another frame, 'a'udio, 'c'onfiguration, 's'cript data.
struct Tag {
  char what;
  std::int64_t time;
};

// So much later stands in the tags what plays at 0.
constexpr std::int64_t kRaw = 500'000;

Buffer data_of(char what, std::uint32_t seed) {
  switch (what) {
  case 'a':
    return flvtest::aac_frame(20 + seed, seed);
  case 'c':
    return flvtest::avc_config();
  case 's':
    return flvtest::script("onCuePoint", {{static_cast<double>(seed)}});
  default:
    return flvtest::avc_frame(what == 'k', 40 + seed, seed);
  }
}

flv::TagType type_of(char what) {
  return what == 'a'   ? flv::TagType::Audio
         : what == 's' ? flv::TagType::Script
                       : flv::TagType::Video;
}

Buffer tag_at(const Tag &tag, Number number, std::uint32_t timestamp) {
  return flvtest::whole_tag(type_of(tag.what), timestamp,
                            data_of(tag.what, static_cast<std::uint32_t>(number)));
}

Entry entry(const Tag &tag, Number number, const JoinHeaderPtr &head = kHead) {
  const auto bytes = std::make_shared<const Buffer>(
      tag_at(tag, number, static_cast<std::uint32_t>(tag.time + kRaw)));
  Entry entry;
  entry.owner = bytes;
  entry.bytes = *bytes;
  entry.time = tag.time;
  entry.is_tag = true;
  entry.is_media = tag.what != 'c' && tag.what != 's';
  if (tag.what == 'k')
    entry.head = head;
  return entry;
}

// Audio comes up to 90 ms later than what plays at its time.
const std::vector<Tag> kTags{{'k', 1000}, {'a', 910},  {'p', 1040}, {'a', 933},  {'k', 1080},
                             {'a', 1036}, {'s', 1080}, {'a', 1081}, {'p', 1120}, {'k', 1160},
                             {'c', 1160}, {'a', 1160}, {'p', 1200}};

void append_tags(Backlog &backlog, const std::vector<Tag> &tags,
                 const JoinHeaderPtr &head = kHead) {
  for (const Tag &tag : tags)
    backlog.append(entry(tag, backlog.end(), head));
}

Backlog history_of(const std::vector<Tag> &tags = kTags) {
  Backlog backlog;
  append_tags(backlog, tags);
  return backlog;
}

// A tag of the history, and when it plays for the viewer.
struct Sent {
  Number number;
  std::uint32_t timestamp;
};

Buffer tags_of(const std::vector<Sent> &sent, const std::vector<Tag> &tags = kTags) {
  Buffer out;
  for (const Sent &each : sent)
    flvtest::append(out, tag_at(tags.at(each.number), each.number, each.timestamp));
  return out;
}

Buffer framed(Bytes payload) {
  Buffer out;
  websocket::append_header(out, websocket::Opcode::Binary, payload.size());
  flvtest::append(out, payload);
  return out;
}

// --- Where one joins ---

const struct {
  const char *what;
  CursorSettings settings;
  std::vector<Sent> sent;
} kJoins[] = {
    {"the latest key frame", {}, {{9, 0}, {10, 0}, {11, 0}, {12, 40}}},
    {"40 ms", {.join = Join::Burst, .burst = 40}, {{9, 0}, {10, 0}, {11, 0}, {12, 40}}},
    {"a millisecond more",
     {.join = Join::Burst, .burst = 41},
     {{4, 0}, {6, 0}, {7, 1}, {8, 40}, {9, 80}, {10, 80}, {11, 80}, {12, 120}}},
    {"more than there is",
     {.join = Join::Burst, .burst = 5000},
     {{0, 0},
      {2, 40},
      {4, 80},
      {5, 36},
      {6, 80},
      {7, 81},
      {8, 120},
      {9, 160},
      {10, 160},
      {11, 160},
      {12, 200}}},
    {"nothing yet", {.join = Join::NextKeyFrame}, {}},
    {"untouched",
     {.join = Join::Burst, .burst = 41, .rebase = false},
     {{4, kRaw + 1080},
      {5, kRaw + 1036},
      {6, kRaw + 1080},
      {7, kRaw + 1081},
      {8, kRaw + 1120},
      {9, kRaw + 1160},
      {10, kRaw + 1160},
      {11, kRaw + 1160},
      {12, kRaw + 1200}}},
};

START_TEST(test_joins) {
  const auto &row = ROW(kJoins);
  const Backlog backlog = history_of();
  const Buffer tags = tags_of(row.sent);
  const std::uint32_t first = row.sent.empty() ? 0 : row.sent[0].timestamp;
  const Buffer start = row.sent.empty() ? Buffer() : joined({Bytes(kHead->opening), config(first)});
  for (const std::size_t most : kWrites) {
    Audience plain(Framing::Plain, backlog);
    plain.write_all(backlog, row.settings, most);
    ck_assert_msg(plain.out == joined({start, tags}), "%s", row.what);
    Audience socket(Framing::WebSocket, backlog);
    socket.write_all(backlog, row.settings, most);
    if (tags.empty())
      ck_assert(socket.out.empty());
    else
      ck_assert_msg(socket.out == joined({framed(start), framed(tags)}), "%s", row.what);
    for (const Audience *audience : {&plain, &socket}) {
      ck_assert_int_eq(audience->cursor.has_joined(), !tags.empty());
      ck_assert(audience->cursor.has_all(backlog) && audience->cursor.is_flushed());
      ck_assert_uint_eq(audience->cursor.bytes(), audience->out.size());
      ck_assert_uint_eq(audience->cursor.skips(), 0);
      if (!tags.empty())
        ck_assert_uint_eq(audience->cursor.position(), backlog.end());
    }
  }
}
END_TEST

// The next key frame is the first that came after the viewer; where it has been forgotten, the one
// behind it.
START_TEST(test_next_key_frame) {
  const CursorSettings settings{.join = Join::NextKeyFrame};
  for (const bool trimmed : {false, true}) {
    Backlog backlog = history_of({{'k', 0}, {'p', 40}});
    Audience audience(Framing::Plain, backlog);
    ck_assert_uint_eq(audience.write(backlog, settings), 0);
    append_tags(backlog, {{'p', 80}, {'a', 90}});
    ck_assert_uint_eq(audience.write(backlog, settings), 0);
    append_tags(backlog, {{'k', 120}, {'p', 160}, {'k', 200}});
    backlog.trim(trimmed ? 5 : 0);
    audience.write_all(backlog, settings);
    const std::vector<Tag> tags{{'k', 0},   {'p', 40},  {'p', 80}, {'a', 90},
                                {'k', 120}, {'p', 160}, {'k', 200}};
    const Buffer sent =
        trimmed ? tags_of({{6, 0}}, tags) : tags_of({{4, 0}, {5, 40}, {6, 80}}, tags);
    ck_assert(audience.out == joined({Bytes(kHead->opening), config(0), sent}));
  }
}
END_TEST

// Nothing is known until there is a key frame.
START_TEST(test_no_place_to_join) {
  for (const Join join : {Join::LatestKeyFrame, Join::Burst, Join::NextKeyFrame}) {
    Backlog backlog = history_of({{'a', 0}, {'p', 40}});
    Audience audience(Framing::Plain, backlog);
    const Buffer hello = flvtest::payload(30);
    audience.cursor.queue_bytes(hello);
    audience.write_all(backlog, {.join = join}, 7);
    ck_assert(audience.out == hello);
    ck_assert(!audience.cursor.has_joined() && audience.cursor.has_all(backlog));
    append_tags(backlog, {{'k', 80}});
    audience.write_all(backlog, {.join = join}, 7);
    ck_assert(audience.cursor.has_joined());
    ck_assert(audience.out ==
              joined({hello, Bytes(kHead->opening), config(0), tag_at({'k', 80}, 2, 0)}));
  }
}
END_TEST

// Who came before the first key frame gets the stream from there.
START_TEST(test_early) {
  for (const Join join : {Join::LatestKeyFrame, Join::Burst, Join::NextKeyFrame}) {
    Backlog backlog;
    Audience audience(Framing::Plain, backlog);
    const std::vector<Tag> tags{{'k', 0}, {'p', 40}, {'k', 80}};
    append_tags(backlog, tags);
    audience.write_all(backlog, {.join = join});
    ck_assert(audience.out == joined({Bytes(kHead->opening), config(0),
                                      tags_of({{0, 0}, {1, 40}, {2, 80}}, tags)}));
  }
}
END_TEST

// Who has all gets what comes.
START_TEST(test_goes_on) {
  for (const std::size_t most : kWrites) {
    Backlog backlog;
    Audience audience(Framing::Plain, backlog);
    for (const Tag &tag : kTags) {
      append_tags(backlog, {tag});
      audience.write_all(backlog, {}, most);
      ck_assert(audience.cursor.has_all(backlog));
    }
    Buffer expected = joined({Bytes(kHead->opening), config(0)});
    flvtest::append(expected, tags_of({{0, 0},
                                       {2, 40},
                                       {4, 80},
                                       {5, 36},
                                       {6, 80},
                                       {7, 81},
                                       {8, 120},
                                       {9, 160},
                                       {10, 160},
                                       {11, 160},
                                       {12, 200}}));
    ck_assert(audience.out == expected);
  }
}
END_TEST

// A message gets tags until it has so many bytes.
START_TEST(test_messages) {
  const Backlog backlog = history_of();
  const CursorSettings all{.join = Join::Burst, .burst = 5000};
  Audience plain(Framing::Plain, backlog);
  plain.write_all(backlog, all);
  for (const std::size_t most : {1U, 60U, 200U, 500U, 100'000U}) {
    for (const std::size_t write : kWrites) {
      CursorSettings settings = all;
      settings.max_message = most;
      Audience socket(Framing::WebSocket, backlog);
      socket.write_all(backlog, settings, write);
      Buffer received;
      Bytes left = socket.out;
      while (const auto message = flvtest::take_message(left)) {
        const Bytes tags = message->payload;
        flvtest::append(received, tags);
        if (received.size() == tags.size())
          continue; // the head
        const auto split = flvtest::split(joined({flvtest::file_header(), tags}));
        const flv::Item &last = split.items.back();
        ck_assert(last.kind == flv::Item::Kind::Tag);
        ck_assert_uint_lt(last.begin - 13, most);
        ck_assert(tags.size() >= most || left.empty());
      }
      ck_assert(left.empty() && received == plain.out);
    }
  }
}
END_TEST

// So many tags that a write cannot hold them.
START_TEST(test_many_tags) {
  Backlog backlog = history_of({{'k', 0}});
  for (int i = 0; i < 1000; ++i)
    append_tags(backlog, {{'a', i}});
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    for (const bool rebase : {false, true}) {
      Audience audience(framing, backlog);
      WriteBatch batch;
      audience.cursor.prepare_write(backlog, {.rebase = rebase, .max_message = 1 << 20}, batch);
      ck_assert_uint_le(batch.parts().size(), 2 * WriteBatch::kMaxTags + 2);
      audience.cursor.on_written(backlog, 0);
      audience.write_all(backlog, {.rebase = rebase, .max_message = 1 << 20});
      ck_assert(audience.cursor.has_all(backlog));
    }
  }
}
END_TEST

// --- What is said ---

// A word stands between messages, and between tags.
START_TEST(test_said_in_a_piece) {
  const Backlog backlog = history_of();
  const Buffer start = joined({Bytes(kHead->opening), config(0)});
  const Buffer tags = tags_of({{9, 0}, {10, 0}, {11, 0}, {12, 40}});
  Buffer pong;
  websocket::append_control(pong, websocket::Opcode::Pong, flvtest::payload(5));
  const Buffer messages = joined({framed(start), framed(tags)});
  for (std::size_t at = 0; at <= messages.size(); ++at) {
    Audience socket(Framing::WebSocket, backlog);
    ck_assert_uint_eq(socket.write(backlog, {}, at), at);
    socket.cursor.queue_bytes(pong);
    ck_assert_uint_eq(socket.cursor.queued_size() >= pong.size(), true);
    socket.write_all(backlog, {}, 50);
    // Where nothing was begun, the head is still in front.
    ck_assert(socket.out ==
              (at == 0 ? joined({framed(start), pong, framed(tags)}) : joined({messages, pong})));
    ck_assert(socket.cursor.is_flushed() && socket.cursor.queued_size() == 0);
  }
  const Buffer plainly = joined({start, tags});
  for (std::size_t at = 0; at <= plainly.size(); ++at) {
    Audience plain(Framing::Plain, backlog);
    plain.write(backlog, {}, at);
    plain.cursor.queue_bytes(Buffer{'!'});
    plain.write_all(backlog, {}, 50);
    // Behind the tag that was begun.
    std::size_t place = start.size();
    for (const Number number : {9U, 10U, 11U, 12U}) {
      if (at > place)
        place += backlog.at(number).bytes.size();
    }
    ck_assert(plain.out == flvtest::inserted(plainly, place, Buffer{'!'}));
  }
}
END_TEST

// Who leaves gets the rest of what was begun, what was said, and nothing else.
START_TEST(test_leaves) {
  const Backlog backlog = history_of();
  const Buffer start = joined({Bytes(kHead->opening), config(0)});
  const Buffer tags = tags_of({{9, 0}, {10, 0}, {11, 0}, {12, 40}});
  Buffer close;
  websocket::append_close(close, websocket::CloseCode::Normal, "bye");
  const Buffer messages = joined({framed(start), framed(tags)});
  for (std::size_t at = 0; at <= messages.size(); ++at) {
    for (const std::size_t most : {kAll, std::size_t{3}}) {
      Audience socket(Framing::WebSocket, backlog);
      socket.write(backlog, {}, at);
      socket.cursor.queue_bytes(close);
      ck_assert(!socket.cursor.is_flushed());
      socket.leave(backlog, most);
      ck_assert(socket.cursor.is_flushed());
      ck_assert(socket.out ==
                (at == 0 ? joined({framed(start), close}) : joined({messages, close})));
    }
  }
  const Buffer plainly = joined({start, tags});
  for (std::size_t at = 0; at <= plainly.size(); ++at) {
    Audience plain(Framing::Plain, backlog);
    plain.write(backlog, {}, at);
    plain.leave(backlog, 2);
    std::size_t end = start.size();
    for (const Number number : {9U, 10U, 11U, 12U}) {
      if (at > end)
        end += backlog.at(number).bytes.size();
    }
    ck_assert(plain.out ==
              Buffer(plainly.begin(), plainly.begin() + static_cast<std::ptrdiff_t>(end)));
    ck_assert(plain.cursor.is_flushed());
  }
}
END_TEST

START_TEST(test_leaves_before_it_joined) {
  const Backlog backlog;
  Audience audience(Framing::Plain, backlog);
  ck_assert(audience.cursor.is_flushed() && audience.cursor.has_all(backlog));
  ck_assert_uint_eq(audience.write_last(backlog), 0);
  audience.cursor.queue_bytes(Buffer{1, 2, 3});
  ck_assert(!audience.cursor.is_flushed() && !audience.cursor.has_all(backlog));
  ck_assert_uint_eq(audience.cursor.queued_size(), 3);
  ck_assert_uint_eq(audience.write_last(backlog, 2), 2);
  ck_assert(!audience.cursor.is_flushed());
  audience.leave(backlog);
  ck_assert(audience.out == (Buffer{1, 2, 3}));
  ck_assert(audience.cursor.is_flushed() && !audience.cursor.has_joined());
}
END_TEST

START_TEST(test_has_all) {
  Backlog backlog = history_of();
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    Audience audience(framing, backlog);
    std::size_t size = Audience(framing, backlog).write_all(backlog, {}).out.size();
    while (size-- > 0) {
      ck_assert_uint_eq(audience.write(backlog, {}, 1), 1);
      ck_assert_int_eq(audience.cursor.has_all(backlog), size == 0);
    }
    ck_assert_uint_eq(audience.write(backlog, {}), 0);
    ck_assert(audience.cursor.has_all(backlog));
  }
}
END_TEST

// --- Who is late ---

// 25 frames a second, a key frame every five.
std::vector<Tag> clip(int frames, int from = 0) {
  std::vector<Tag> tags;
  for (int i = from; i < from + frames; ++i)
    tags.push_back({i % 5 == 0 ? 'k' : 'p', 40 * i});
  return tags;
}

// `late` is the largest of each bound that is not allowed.
START_TEST(test_is_late) {
  const Backlog backlog = history_of(clip(10));
  Audience audience(Framing::Plain, backlog);
  const CursorSettings all{.join = Join::Burst, .burst = 5000};
  // The head and the first tag; the second is the next.
  audience.write(backlog, all,
                 kHead->opening.size() + config(0).size() + backlog.at(0).bytes.size());
  const ClientCursor &cursor = audience.cursor;
  ck_assert_uint_eq(cursor.position(), 1);
  const auto bytes = static_cast<std::int64_t>(backlog.bytes_from(1));
  ck_assert(!cursor.is_lagging(backlog, all));
  ck_assert(!cursor.is_lagging(backlog, {.max_lag = 320}));
  ck_assert(cursor.is_lagging(backlog, {.max_lag = 319}));
  ck_assert(!cursor.is_lagging(backlog, {.max_lag_bytes = static_cast<std::uint64_t>(bytes)}));
  ck_assert(cursor.is_lagging(backlog, {.max_lag_bytes = static_cast<std::uint64_t>(bytes - 1)}));
  Backlog trimmed = backlog;
  trimmed.trim(1);
  ck_assert(!cursor.is_lagging(trimmed, all));
  trimmed.trim(2);
  ck_assert(cursor.is_lagging(trimmed, all));
}
END_TEST

// It goes on at the newest key frame, a millisecond behind what it had.
START_TEST(test_skips) {
  const std::vector<Tag> tags = clip(18);
  for (const std::size_t most : kWrites) {
    for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
      Backlog backlog = history_of(clip(3));
      Audience audience(framing, backlog);
      const CursorSettings settings{.max_lag = 400};
      audience.write_all(backlog, settings, most);
      append_tags(backlog, clip(10, 3)); // 12 is the newest
      audience.write(backlog, settings, 1);
      ck_assert_uint_eq(audience.cursor.skips(), 0);
      append_tags(backlog, clip(5, 13)); // 17 is
      audience.write_all(backlog, settings, most);
      Buffer expected = joined({Bytes(kHead->opening), config(0)});
      std::uint64_t skips = 1;
      if (framing == Framing::Plain) {
        // Only the tag that was begun is ended.
        flvtest::append(
            expected,
            tags_of({{0, 0}, {1, 40}, {2, 80}, {3, 120}, {15, 121}, {16, 161}, {17, 201}}, tags));
      } else {
        // The whole message is, and then it is not late.
        std::vector<Sent> sent;
        for (Number i = 3; i < 13; ++i)
          sent.push_back({i, static_cast<std::uint32_t>(40 * i)});
        expected = joined(
            {framed(expected), framed(tags_of({{0, 0}, {1, 40}, {2, 80}}, tags)),
             framed(tags_of(sent, tags)),
             framed(tags_of({{13, 520}, {14, 560}, {15, 600}, {16, 640}, {17, 680}}, tags))});
        skips = 0;
      }
      ck_assert(audience.out == expected);
      ck_assert_uint_eq(audience.cursor.skips(), skips);
      ck_assert(audience.cursor.has_all(backlog));
    }
  }
}
END_TEST

// Pictures that are shown later than they are decoded: the key frame is shown behind all of them.
START_TEST(test_skips_in_order_of_pictures) {
  const auto append = [](Backlog &backlog, const Tag &tag, std::int64_t ahead) {
    Entry next = entry(tag, backlog.end());
    next.ahead = ahead;
    backlog.append(std::move(next));
  };
  Backlog backlog;
  append(backlog, {'k', 0}, 80);
  append(backlog, {'p', 40}, 160);
  Audience audience(Framing::Plain, backlog);
  audience.write_all(backlog, {});
  const Buffer before = audience.out;
  append(backlog, {'p', 80}, 0);
  append(backlog, {'k', 120}, 80);
  backlog.trim(3);
  audience.write_all(backlog, {});
  ck_assert(audience.out == joined({before, tag_at({'k', 120}, 3, 121)}));
}
END_TEST

// Also where it skips before it was sent anything.
START_TEST(test_skips_at_the_start) {
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    Backlog backlog = history_of(clip(3));
    Audience audience(framing, backlog);
    ck_assert_uint_eq(audience.write(backlog, {}, 0), 0);
    append_tags(backlog, clip(4, 3));
    backlog.trim(5);
    audience.write_all(backlog, {});
    const Buffer start = joined({Bytes(kHead->opening), config(0)});
    const Buffer tags = tags_of({{5, 0}, {6, 40}}, clip(7));
    ck_assert(audience.out == (framing == Framing::Plain ? joined({start, tags})
                                                         : joined({framed(start), framed(tags)})));
  }
}
END_TEST

// A timeline is rebased from its start or not at all.
START_TEST(test_rebase_changes) {
  for (const bool rebase : {false, true}) {
    Backlog backlog = history_of({{'k', 0}});
    Audience audience(Framing::Plain, backlog);
    audience.write_all(backlog, {.rebase = rebase});
    append_tags(backlog, {{'p', 40}, {'k', 80}, {'p', 120}});
    backlog.trim(2);
    audience.write_all(backlog, {.rebase = !rebase});
    const Bytes out = audience.out;
    const Buffer end = tags_of(rebase ? std::vector<Sent>{{2, 1}, {3, 41}}
                                      : std::vector<Sent>{{2, kRaw + 80}, {3, kRaw + 120}},
                               {{'k', 0}, {'p', 40}, {'k', 80}, {'p', 120}});
    ck_assert_uint_gt(out.size(), end.size());
    ck_assert(std::equal(end.rbegin(), end.rend(), out.rbegin()));
  }
}
END_TEST

// There is no key frame that it has not sent: it goes on as it is.
START_TEST(test_late_without_a_key_frame) {
  Backlog backlog = history_of({{'k', 0}});
  Audience audience(Framing::Plain, backlog);
  const CursorSettings settings{.max_lag = 100};
  audience.write_all(backlog, settings);
  append_tags(backlog, {{'p', 400}, {'p', 800}, {'p', 1200}});
  ck_assert(audience.cursor.is_lagging(backlog, settings));
  audience.write_all(backlog, settings);
  ck_assert(audience.out == joined({Bytes(kHead->opening), config(0),
                                    tags_of({{0, 0}, {1, 400}, {2, 800}, {3, 1200}},
                                            {{'k', 0}, {'p', 400}, {'p', 800}, {'p', 1200}})}));
  ck_assert_uint_eq(audience.cursor.skips(), 0);
}
END_TEST

// What it wants is forgotten, and no key frame is there: it waits for the next.
START_TEST(test_lost) {
  Backlog backlog = history_of(clip(3));
  Audience audience(Framing::Plain, backlog);
  audience.write_all(backlog, {});
  const Buffer before = audience.out;
  append_tags(backlog, {{'p', 120}, {'p', 160}, {'a', 170}});
  backlog.trim(5);
  ck_assert(audience.cursor.is_lagging(backlog, {}));
  for (int i = 0; i < 3; ++i)
    ck_assert_uint_eq(audience.write(backlog, {}), 0);
  ck_assert_uint_eq(audience.cursor.skips(), 1);
  ck_assert(!audience.cursor.has_joined() && audience.cursor.has_all(backlog));
  append_tags(backlog, {{'p', 200}});
  ck_assert_uint_eq(audience.write(backlog, {}), 0);
  append_tags(backlog, {{'k', 240}, {'a', 230}, {'p', 280}});
  audience.write_all(backlog, {});
  const Tag next[] = {{'k', 240}, {'p', 280}};
  ck_assert(audience.out == joined({before, tag_at(next[0], 7, 81), tag_at(next[1], 9, 121)}));
  ck_assert_uint_eq(audience.cursor.skips(), 1);
  ck_assert(audience.cursor.has_joined());
}
END_TEST

// What was begun is ended although the history has forgotten it.
START_TEST(test_forgotten_in_a_piece) {
  const std::vector<Tag> tags = clip(18);
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    Backlog backlog = history_of(clip(3));
    Audience audience(framing, backlog);
    audience.write_all(backlog, {});
    const Buffer before = audience.out;
    append_tags(backlog, clip(3, 3));
    audience.write(backlog, {}, 20);
    append_tags(backlog, clip(10, 6));
    backlog.trim(15);
    for (int i = 0; i < 200; ++i)
      audience.write(backlog, {}, 5);
    const Buffer begun = tags_of({{3, 120}, {4, 160}, {5, 200}}, tags);
    if (framing == Framing::Plain)
      ck_assert(audience.out == joined({before, tags_of({{3, 120}, {15, 121}}, tags)}));
    else
      ck_assert(audience.out ==
                joined({before, framed(begun), framed(tags_of({{15, 201}}, tags))}));
    ck_assert_uint_eq(audience.cursor.skips(), 1);
  }
}
END_TEST

// The same where nothing of what was begun is in the history, and where nothing was written.
START_TEST(test_forgotten_behind_a_word) {
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    Backlog backlog = history_of({{'k', 1000}});
    Audience audience(framing, backlog);
    audience.write_all(backlog, {});
    const Buffer before = audience.out;
    const Buffer word = flvtest::payload(9);
    append_tags(backlog, {{'a', 910}}); // not for it
    audience.cursor.queue_bytes(word);
    audience.write(backlog, {}, 1);
    append_tags(backlog, {{'p', 1040}, {'k', 1080}});
    backlog.trim(3);
    audience.write_all(backlog, {}, 1);
    const Buffer tag = tag_at({'k', 1080}, 3, 1);
    ck_assert(audience.out ==
              joined({before, word, framing == Framing::Plain ? tag : framed(tag)}));
  }
}
END_TEST

START_TEST(test_forgotten_before_it_was_written) {
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    for (const bool leaves : {false, true}) {
      Backlog backlog = history_of({{'k', 0}});
      Audience audience(framing, backlog);
      audience.write_all(backlog, {});
      const Buffer before = audience.out;
      append_tags(backlog, {{'p', 40}, {'p', 80}, {'k', 120}});
      WriteBatch batch;
      audience.cursor.prepare_write(backlog, {}, batch);
      backlog.trim(3);
      if (leaves)
        audience.leave(backlog);
      else
        audience.write_all(backlog, {});
      const Buffer tag = tag_at({'k', 120}, 3, 1);
      const Buffer more = framing == Framing::Plain ? tag : framed(tag);
      ck_assert(audience.out == (leaves ? before : joined({before, more})));
    }
  }
}
END_TEST

// --- Configurations ---

// Where one is skipped to, only what is new is repeated, at the key frame's time.
START_TEST(test_new_head) {
  const JoinHeaderPtr other = head(1);
  Backlog backlog = history_of(clip(2));
  Audience audience(Framing::Plain, backlog);
  audience.write_all(backlog, {});
  const Buffer before = audience.out;
  append_tags(backlog, clip(5, 2), other);
  backlog.trim(5);
  audience.write_all(backlog, {});
  const std::vector<Tag> tags = clip(20);
  const Buffer first = joined({before, config(41, 1), tags_of({{5, 41}, {6, 81}}, tags)});
  ck_assert(audience.out == first);
  // Now it has them.
  append_tags(backlog, clip(9, 7), other);
  backlog.trim(15);
  audience.write_all(backlog, {});
  ck_assert(audience.out == joined({first, tags_of({{15, 82}}, tags)}));
  ck_assert_uint_eq(audience.cursor.skips(), 2);
}
END_TEST

// Another opening alone is nothing new.
START_TEST(test_new_opening) {
  for (const JoinHeaderPtr &other : {head(0, "y"), std::make_shared<const JoinHeader>(*kHead)}) {
    Backlog backlog = history_of(clip(2));
    Audience audience(Framing::Plain, backlog);
    audience.write_all(backlog, {});
    const Buffer before = audience.out;
    append_tags(backlog, clip(5, 2), other);
    backlog.trim(5);
    audience.write_all(backlog, {});
    ck_assert(audience.out == joined({before, tags_of({{5, 41}, {6, 81}}, clip(7))}));
  }
}
END_TEST

// It got others, and the ones from before count again where it skips to, behind all that it got.
START_TEST(test_changed_and_back) {
  for (const char what : {'c', 's'}) {
    const std::vector<Tag> tags{{'k', 0}, {what, 40}, {'p', 40}, {what, 80}, {'k', 80}};
    Backlog backlog = history_of({tags[0], tags[1]});
    Audience audience(Framing::Plain, backlog);
    audience.write_all(backlog, {});
    append_tags(backlog, {tags[2], tags[3], tags[4]});
    backlog.trim(4);
    audience.write_all(backlog, {});
    const Buffer start =
        joined({Bytes(kHead->opening), config(0), tags_of({{0, 0}, {1, 40}}, tags)});
    const Buffer again = what == 'c' ? config(41) : Buffer();
    ck_assert(audience.out == joined({start, again, tags_of({{4, 41}}, tags)}));
  }
}
END_TEST

// In mid-stream they are the stream's own.
START_TEST(test_new_head_in_passing) {
  Backlog backlog = history_of(clip(5));
  Audience audience(Framing::Plain, backlog);
  audience.write_all(backlog, {});
  const Buffer before = audience.out;
  const JoinHeaderPtr other = head(1);
  append_tags(backlog, clip(5, 5), other);
  audience.write_all(backlog, {});
  const std::vector<Tag> tags = clip(16);
  const Buffer passed =
      joined({before, tags_of({{5, 200}, {6, 240}, {7, 280}, {8, 320}, {9, 360}}, tags)});
  ck_assert(audience.out == passed);
  // And are known when it skips.
  append_tags(backlog, clip(6, 10), other);
  backlog.trim(15);
  audience.write_all(backlog, {});
  ck_assert(audience.out == joined({passed, tags_of({{15, 361}}, tags)}));
}
END_TEST

// In a WebSocket, they are a message.
START_TEST(test_new_head_in_a_message) {
  Backlog backlog = history_of(clip(2));
  Audience audience(Framing::WebSocket, backlog);
  audience.write_all(backlog, {}, 9);
  const Buffer before = audience.out;
  append_tags(backlog, clip(5, 2), head(1));
  backlog.trim(5);
  audience.write_all(backlog, {}, 9);
  const std::vector<Tag> tags = clip(20);
  ck_assert(audience.out ==
            joined({before, framed(config(41, 1)), framed(tags_of({{5, 41}, {6, 81}}, tags))}));
}
END_TEST

// --- What is no FLV ---

Entry piece(std::int64_t time, std::size_t size, const JoinHeaderPtr &head = nullptr) {
  const auto bytes =
      std::make_shared<const Buffer>(flvtest::payload(size, static_cast<std::uint32_t>(time)));
  Entry entry;
  entry.owner = bytes;
  entry.bytes = *bytes;
  entry.time = time;
  entry.head = head;
  return entry;
}

START_TEST(test_other_containers) {
  const auto ebml = std::make_shared<const JoinHeader>(JoinHeader{flvtest::payload(50, 99), {}});
  const auto other = std::make_shared<const JoinHeader>(JoinHeader{flvtest::payload(60, 98), {}});
  Backlog backlog;
  backlog.append(piece(0, 100, ebml));
  backlog.append(piece(40, 3));
  Audience audience(Framing::Plain, backlog);
  Buffer expected = joined({ebml->opening, backlog.at(0).bytes, backlog.at(1).bytes});
  audience.write_all(backlog, {}, 7);
  ck_assert(audience.out == expected);
  // Skips without a word where the header is the same, else with it.
  for (const JoinHeaderPtr &head : {ebml, JoinHeaderPtr(other)}) {
    const Number key = backlog.end() + 1;
    backlog.append(piece(80, 30));
    backlog.append(piece(120, 90, head));
    backlog.append(piece(110, 5));
    backlog.trim(key);
    audience.write_all(backlog, {}, 7);
    if (head == other)
      flvtest::append(expected, head->opening);
    flvtest::append(expected, joined({backlog.at(key).bytes, backlog.at(key + 1).bytes}));
    ck_assert(audience.out == expected);
  }
}
END_TEST

START_TEST(test_empty_head) {
  const auto none = std::make_shared<const JoinHeader>();
  Backlog backlog;
  backlog.append(piece(0, 100, none));
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    Audience audience(framing, backlog);
    audience.write_all(backlog, {}, 7);
    const Bytes bytes = backlog.at(0).bytes;
    ck_assert(audience.out == (framing == Framing::Plain ? joined({bytes}) : framed(bytes)));
  }
}
END_TEST

// --- Lag ---

START_TEST(test_lag) {
  Backlog backlog = history_of({{'k', 0}});
  Audience audience(Framing::Plain, backlog);
  ClientCursor &cursor = audience.cursor;
  cursor.note_lag(backlog);
  ck_assert_int_eq(cursor.lag().now, 0);
  audience.write_all(backlog, {});
  for (const int time : {100, 300}) {
    append_tags(backlog, {{'p', time}, {'p', time + 50}});
    cursor.note_lag(backlog);
    ck_assert_int_eq(cursor.lag().now, 50);
    audience.write_all(backlog, {});
  }
  append_tags(backlog, {{'p', 400}, {'p', 500}});
  cursor.note_lag(backlog);
  const Lag &lag = cursor.lag();
  ck_assert_int_eq(lag.now, 100);
  ck_assert_int_eq(lag.most, 100);
  ck_assert_int_eq(lag.least, 0);
  ck_assert_double_eq_tol(lag.average, 50, 1e-9);
  audience.write_all(backlog, {});
  cursor.note_lag(backlog);
  ck_assert_int_eq(lag.now, 0);
  ck_assert_double_eq_tol(lag.average, 40, 1e-9);
}
END_TEST

// --- Gathered ---

START_TEST(test_gathered) {
  const Buffer a = flvtest::payload(5, 1);
  const Buffer tag = tag_at({'p', 0}, 3, 1);
  const Buffer whole = joined({a, tag_at({'p', 0}, 3, 0x12345678), a});
  for (std::size_t skipped = 0; skipped <= whole.size(); ++skipped) {
    WriteBatch batch;
    batch.clear();
    batch.add(a);
    batch.add({});
    batch.add_tag(tag, 0x12345678);
    batch.add(a);
    batch.skip(skipped);
    ck_assert_uint_eq(batch.size(), whole.size() - skipped);
    Buffer out;
    for (const iovec &part : batch.parts()) {
      ck_assert_uint_gt(part.iov_len, 0);
      flvtest::append(out, {static_cast<const std::uint8_t *>(part.iov_base), part.iov_len});
    }
    ck_assert(out == Buffer(whole.begin() + static_cast<std::ptrdiff_t>(skipped), whole.end()));
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("viewer", {{test_joins, std::size(kJoins)},
                                 {test_next_key_frame},
                                 {test_no_place_to_join},
                                 {test_early},
                                 {test_goes_on},
                                 {test_messages},
                                 {test_many_tags},
                                 {test_said_in_a_piece},
                                 {test_leaves},
                                 {test_leaves_before_it_joined},
                                 {test_has_all},
                                 {test_is_late},
                                 {test_skips},
                                 {test_skips_in_order_of_pictures},
                                 {test_skips_at_the_start},
                                 {test_rebase_changes},
                                 {test_late_without_a_key_frame},
                                 {test_lost},
                                 {test_forgotten_in_a_piece},
                                 {test_forgotten_behind_a_word},
                                 {test_forgotten_before_it_was_written},
                                 {test_new_head},
                                 {test_new_opening},
                                 {test_changed_and_back},
                                 {test_new_head_in_passing},
                                 {test_new_head_in_a_message},
                                 {test_other_containers},
                                 {test_empty_head},
                                 {test_lag},
                                 {test_gathered}});
}
