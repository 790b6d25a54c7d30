// SPDX-License-Identifier: LGPL-2.1-or-later
// What a client receives after it joins, byte by byte.
#include "cursor_stream.h"

namespace {

// --- The start point ---

const struct {
  const char *name;
  CursorSettings settings;
  std::vector<Sent> sent;
} kJoins[] = {
    {"the latest keyframe", {}, {{9, 0}, {10, 0}, {11, 0}, {12, 40}}},
    {"40 ms", {.join = Join::Burst, .burst = 40}, {{9, 0}, {10, 0}, {11, 0}, {12, 40}}},
    {"41 ms",
     {.join = Join::Burst, .burst = 41},
     {{4, 0}, {6, 0}, {7, 1}, {8, 40}, {9, 80}, {10, 80}, {11, 80}, {12, 120}}},
    {"more than the backlog",
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
    {"the next keyframe", {.join = Join::NextKeyFrame}, {}},
    {"no rebase",
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
  const Backlog backlog = backlog_of();
  const Buffer tags = tags_of(row.sent);
  const std::uint32_t first = row.sent.empty() ? 0 : row.sent[0].timestamp;
  const Buffer start =
      row.sent.empty() ? Buffer() : joined({Bytes(kHeader->container_header), config(first)});
  for (const std::size_t max_size : kWrites) {
    TestClient plain(Framing::Plain, backlog);
    plain.write_all(backlog, row.settings, max_size);
    ck_assert_msg(plain.out == joined({start, tags}), "%s", row.name);
    TestClient socket(Framing::WebSocket, backlog);
    socket.write_all(backlog, row.settings, max_size);
    if (tags.empty())
      ck_assert(socket.out.empty());
    else
      ck_assert_msg(socket.out == joined({framed(start), framed(tags)}), "%s", row.name);
    for (const TestClient *client : {&plain, &socket}) {
      ck_assert_int_eq(client->cursor.has_joined(), !tags.empty());
      ck_assert(client->cursor.has_all(backlog) && client->cursor.is_flushed());
      ck_assert_uint_eq(client->cursor.bytes(), client->out.size());
      ck_assert_uint_eq(client->cursor.skips(), 0);
      if (!tags.empty())
        ck_assert_uint_eq(client->cursor.position(), backlog.end());
    }
  }
}
END_TEST

// The next keyframe is the first one after the client's arrival, or a later one if that is evicted.
START_TEST(test_next_key_frame) {
  const CursorSettings settings{.join = Join::NextKeyFrame};
  for (const bool trimmed : {false, true}) {
    Backlog backlog = backlog_of({{'k', 0}, {'p', 40}});
    TestClient client(Framing::Plain, backlog);
    ck_assert_uint_eq(client.write(backlog, settings), 0);
    append_tags(backlog, {{'p', 80}, {'a', 90}});
    ck_assert_uint_eq(client.write(backlog, settings), 0);
    append_tags(backlog, {{'k', 120}, {'p', 160}, {'k', 200}});
    backlog.trim(trimmed ? 5 : 0);
    client.write_all(backlog, settings);
    const std::vector<Tag> tags{{'k', 0},   {'p', 40},  {'p', 80}, {'a', 90},
                                {'k', 120}, {'p', 160}, {'k', 200}};
    const Buffer sent =
        trimmed ? tags_of({{6, 0}}, tags) : tags_of({{4, 0}, {5, 40}, {6, 80}}, tags);
    ck_assert(client.out == joined({Bytes(kHeader->container_header), config(0), sent}));
  }
}
END_TEST

// Before the first keyframe, a client receives its queued bytes only.
START_TEST(test_no_keyframe_yet) {
  for (const Join join : {Join::LatestKeyFrame, Join::Burst, Join::NextKeyFrame}) {
    Backlog backlog = backlog_of({{'a', 0}, {'p', 40}});
    TestClient client(Framing::Plain, backlog);
    const Buffer hello = flvtest::payload(30);
    client.cursor.queue_bytes(hello);
    client.write_all(backlog, {.join = join}, 7);
    ck_assert(client.out == hello);
    ck_assert(!client.cursor.has_joined() && client.cursor.has_all(backlog));
    append_tags(backlog, {{'k', 80}});
    client.write_all(backlog, {.join = join}, 7);
    ck_assert(client.cursor.has_joined());
    ck_assert(client.out == joined({hello, Bytes(kHeader->container_header), config(0),
                                    tag_at({'k', 80}, 2, 0)}));
  }
}
END_TEST

// A client that arrives before the first keyframe starts at that keyframe, whatever the settings
// are.
START_TEST(test_arrives_before_the_first_keyframe) {
  for (const Join join : {Join::LatestKeyFrame, Join::Burst, Join::NextKeyFrame}) {
    Backlog backlog;
    TestClient client(Framing::Plain, backlog);
    const std::vector<Tag> tags{{'k', 0}, {'p', 40}, {'k', 80}};
    append_tags(backlog, tags);
    client.write_all(backlog, {.join = join});
    ck_assert(client.out == joined({Bytes(kHeader->container_header), config(0),
                                    tags_of({{0, 0}, {1, 40}, {2, 80}}, tags)}));
  }
}
END_TEST

// --- The stream ---

// A client that has received all of the backlog receives each new entry.
START_TEST(test_follows) {
  for (const std::size_t max_size : kWrites) {
    Backlog backlog;
    TestClient client(Framing::Plain, backlog);
    for (const Tag &tag : kTags) {
      append_tags(backlog, {tag});
      client.write_all(backlog, {}, max_size);
      ck_assert(client.cursor.has_all(backlog));
    }
    Buffer expected = joined({Bytes(kHeader->container_header), config(0)});
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
    ck_assert(client.out == expected);
  }
}
END_TEST

// A WebSocket message gets tags until it has max_message bytes.
START_TEST(test_messages) {
  const Backlog backlog = backlog_of();
  const CursorSettings all{.join = Join::Burst, .burst = 5000};
  TestClient plain(Framing::Plain, backlog);
  plain.write_all(backlog, all);
  for (const std::size_t max_size : {1U, 60U, 200U, 500U, 100'000U}) {
    for (const std::size_t write : kWrites) {
      CursorSettings settings = all;
      settings.max_message = max_size;
      TestClient socket(Framing::WebSocket, backlog);
      socket.write_all(backlog, settings, write);
      Buffer received;
      Bytes left = socket.out;
      while (const auto message = flvtest::take_message(left)) {
        const Bytes tags = message->payload;
        flvtest::append(received, tags);
        if (received.size() == tags.size())
          continue; // the join header
        const auto split = flvtest::split(joined({flvtest::file_header(), tags}));
        const flv::Item &last = split.items.back();
        ck_assert(last.kind == flv::Item::Kind::Tag);
        ck_assert_uint_lt(last.begin - 13, max_size);
        ck_assert(tags.size() >= max_size || left.empty());
      }
      ck_assert(left.empty() && received == plain.out);
    }
  }
}
END_TEST

// The backlog has more tags than one write can hold.
START_TEST(test_many_tags) {
  Backlog backlog = backlog_of({{'k', 0}});
  for (int i = 0; i < 1000; ++i)
    append_tags(backlog, {{'a', i}});
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    for (const bool rebase : {false, true}) {
      TestClient client(framing, backlog);
      WriteBatch batch;
      client.cursor.prepare_write(backlog, {.rebase = rebase, .max_message = 1 << 20}, batch);
      ck_assert_uint_le(batch.parts().size(), 2 * WriteBatch::kMaxTags + 1);
      client.cursor.on_written(backlog, 0);
      client.write_all(backlog, {.rebase = rebase, .max_message = 1 << 20});
      ck_assert(client.cursor.has_all(backlog));
    }
  }
}
END_TEST

START_TEST(test_has_all) {
  Backlog backlog = backlog_of();
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    TestClient client(framing, backlog);
    std::size_t size = TestClient(framing, backlog).write_all(backlog, {}).out.size();
    while (size-- > 0) {
      ck_assert_uint_eq(client.write(backlog, {}, 1), 1);
      ck_assert_int_eq(client.cursor.has_all(backlog), size == 0);
    }
    ck_assert_uint_eq(client.write(backlog, {}), 0);
    ck_assert(client.cursor.has_all(backlog));
  }
}
END_TEST

// --- Other containers ---

Entry buffer_of(std::int64_t time, std::size_t size, const JoinHeaderPtr &header = nullptr) {
  const auto bytes =
      std::make_shared<const Buffer>(flvtest::payload(size, static_cast<std::uint32_t>(time)));
  Entry entry;
  entry.owner = bytes;
  entry.bytes = *bytes;
  entry.time = time;
  entry.join_header = header;
  return entry;
}

START_TEST(test_other_containers) {
  const auto ebml = std::make_shared<const JoinHeader>(JoinHeader{flvtest::payload(50, 99), {}});
  const auto other = std::make_shared<const JoinHeader>(JoinHeader{flvtest::payload(60, 98), {}});
  Backlog backlog;
  backlog.append(buffer_of(0, 100, ebml));
  backlog.append(buffer_of(40, 3));
  TestClient client(Framing::Plain, backlog);
  Buffer expected = joined({ebml->container_header, backlog.at(0).bytes, backlog.at(1).bytes});
  client.write_all(backlog, {}, 7);
  ck_assert(client.out == expected);
  // A skip repeats the container header if it is another one.
  for (const JoinHeaderPtr &header : {ebml, JoinHeaderPtr(other)}) {
    const Number key = backlog.end() + 1;
    backlog.append(buffer_of(80, 30));
    backlog.append(buffer_of(120, 90, header));
    backlog.append(buffer_of(110, 5));
    backlog.trim(key);
    client.write_all(backlog, {}, 7);
    if (header == other)
      flvtest::append(expected, header->container_header);
    flvtest::append(expected, joined({backlog.at(key).bytes, backlog.at(key + 1).bytes}));
    ck_assert(client.out == expected);
  }
}
END_TEST

START_TEST(test_empty_header) {
  const auto none = std::make_shared<const JoinHeader>();
  Backlog backlog;
  backlog.append(buffer_of(0, 100, none));
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    TestClient client(framing, backlog);
    client.write_all(backlog, {}, 7);
    const Bytes bytes = backlog.at(0).bytes;
    ck_assert(client.out == (framing == Framing::Plain ? joined({bytes}) : framed(bytes)));
  }
}
END_TEST

// --- Lag and writes ---

START_TEST(test_lag) {
  Backlog backlog = backlog_of({{'k', 0}});
  TestClient client(Framing::Plain, backlog);
  ClientCursor &cursor = client.cursor;
  cursor.note_lag(backlog);
  ck_assert_int_eq(cursor.lag().now, 0);
  client.write_all(backlog, {});
  for (const int time : {100, 300}) {
    append_tags(backlog, {{'p', time}, {'p', time + 50}});
    cursor.note_lag(backlog);
    ck_assert_int_eq(cursor.lag().now, 50);
    client.write_all(backlog, {});
  }
  append_tags(backlog, {{'p', 400}, {'p', 500}});
  cursor.note_lag(backlog);
  const Lag &lag = cursor.lag();
  ck_assert_int_eq(lag.now, 100);
  ck_assert_int_eq(lag.max, 100);
  ck_assert_int_eq(lag.min, 0);
  ck_assert_double_eq_tol(lag.average, 50, 1e-9);
  client.write_all(backlog, {});
  cursor.note_lag(backlog);
  ck_assert_int_eq(lag.now, 0);
  ck_assert_double_eq_tol(lag.average, 40, 1e-9);
}
END_TEST

// The lag of a client whose next entry is evicted is counted from that entry.
START_TEST(test_lag_after_eviction) {
  Backlog backlog = backlog_of({{'k', 100'000}, {'p', 100'040}});
  TestClient client(Framing::Plain, backlog);
  client.write(backlog, {}, 1);
  ck_assert(client.cursor.has_joined());
  backlog.trim(1);
  client.cursor.note_lag(backlog);
  ck_assert_int_eq(client.cursor.lag().now, 40);
}
END_TEST

START_TEST(test_write_batch) {
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
  return flvtest::run("client_cursor", {{test_joins, std::size(kJoins)},
                                        {test_next_key_frame},
                                        {test_no_keyframe_yet},
                                        {test_arrives_before_the_first_keyframe},
                                        {test_follows},
                                        {test_messages},
                                        {test_many_tags},
                                        {test_has_all},
                                        {test_other_containers},
                                        {test_empty_header},
                                        {test_lag},
                                        {test_lag_after_eviction},
                                        {test_write_batch}});
}
