// SPDX-License-Identifier: LGPL-2.1-or-later
// Clients that lag: skips, evicted entries, and the configurations that they need again.
#include "cursor_stream.h"

namespace {

// --- Skips ---

// A lag that equals a limit is allowed.
START_TEST(test_is_lagging) {
  const Backlog backlog = backlog_of(clip(10));
  TestClient client(Framing::Plain, backlog);
  const CursorSettings all{.join = Join::Burst, .burst = 5000};
  // Writes the join header and the first tag.
  client.write(backlog, all,
               kHeader->container_header.size() + config(0).size() + backlog.at(0).bytes.size());
  const ClientCursor &cursor = client.cursor;
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

// A client that lags too much resumes at the latest keyframe, 1 ms after its last tag.
START_TEST(test_skips) {
  const std::vector<Tag> tags = clip(18);
  for (const std::size_t max_size : kWrites) {
    for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
      Backlog backlog = backlog_of(clip(3));
      TestClient client(framing, backlog);
      const CursorSettings settings{.max_lag = 400};
      client.write_all(backlog, settings, max_size);
      append_tags(backlog, clip(10, 3)); // the latest keyframe is now 10
      client.write(backlog, settings, 1);
      ck_assert_uint_eq(client.cursor.skips(), 0);
      append_tags(backlog, clip(5, 13)); // the latest keyframe is now 15
      client.write_all(backlog, settings, max_size);
      Buffer expected = joined({Bytes(kHeader->container_header), config(0)});
      std::uint64_t skips = 1;
      if (framing == Framing::Plain) {
        // The client receives the rest of the partly written tag only.
        flvtest::append(
            expected,
            tags_of({{0, 0}, {1, 40}, {2, 80}, {3, 120}, {15, 121}, {16, 161}, {17, 201}}, tags));
      } else {
        // The client receives the whole message, and then its lag is allowed.
        std::vector<Sent> sent;
        for (Number i = 3; i < 13; ++i)
          sent.push_back({i, static_cast<std::uint32_t>(40 * i)});
        expected = joined(
            {framed(expected), framed(tags_of({{0, 0}, {1, 40}, {2, 80}}, tags)),
             framed(tags_of(sent, tags)),
             framed(tags_of({{13, 520}, {14, 560}, {15, 600}, {16, 640}, {17, 680}}, tags))});
        skips = 0;
      }
      ck_assert(client.out == expected);
      ck_assert_uint_eq(client.cursor.skips(), skips);
      ck_assert(client.cursor.has_all(backlog));
    }
  }
}
END_TEST

// The presentation time of the keyframe is after all earlier ones.
START_TEST(test_skips_in_presentation_order) {
  const auto append = [](Backlog &backlog, const Tag &tag, std::int64_t composition_time) {
    Entry next = entry_of(tag, backlog.end());
    next.composition_time = composition_time;
    backlog.append(std::move(next));
  };
  Backlog backlog;
  append(backlog, {'k', 0}, 80);
  append(backlog, {'p', 40}, 160);
  TestClient client(Framing::Plain, backlog);
  client.write_all(backlog, {});
  const Buffer before = client.out;
  append(backlog, {'p', 80}, 0);
  append(backlog, {'k', 120}, 80);
  backlog.trim(3);
  client.write_all(backlog, {});
  ck_assert(client.out == joined({before, tag_at({'k', 120}, 3, 121)}));
}
END_TEST

// A client may skip before anything is written.
START_TEST(test_skips_at_the_start) {
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    Backlog backlog = backlog_of(clip(3));
    TestClient client(framing, backlog);
    ck_assert_uint_eq(client.write(backlog, {}, 0), 0);
    append_tags(backlog, clip(4, 3));
    backlog.trim(5);
    client.write_all(backlog, {});
    const Buffer start = joined({Bytes(kHeader->container_header), config(0)});
    const Buffer tags = tags_of({{5, 0}, {6, 40}}, clip(7));
    ck_assert(client.out == (framing == Framing::Plain ? joined({start, tags})
                                                       : joined({framed(start), framed(tags)})));
  }
}
END_TEST

// A change of the rebase setting does not affect a client that has joined.
START_TEST(test_rebase_changes) {
  for (const bool rebase : {false, true}) {
    Backlog backlog = backlog_of({{'k', 0}});
    TestClient client(Framing::Plain, backlog);
    client.write_all(backlog, {.rebase = rebase});
    append_tags(backlog, {{'p', 40}, {'k', 80}, {'p', 120}});
    backlog.trim(2);
    client.write_all(backlog, {.rebase = !rebase});
    const Bytes out = client.out;
    const Buffer end = tags_of(rebase ? std::vector<Sent>{{2, 1}, {3, 41}}
                                      : std::vector<Sent>{{2, kRaw + 80}, {3, kRaw + 120}},
                               {{'k', 0}, {'p', 40}, {'k', 80}, {'p', 120}});
    ck_assert_uint_gt(out.size(), end.size());
    ck_assert(std::equal(end.rbegin(), end.rend(), out.rbegin()));
  }
}
END_TEST

// Without a later keyframe, a client that lags too much continues.
START_TEST(test_lags_without_a_keyframe) {
  Backlog backlog = backlog_of({{'k', 0}});
  TestClient client(Framing::Plain, backlog);
  const CursorSettings settings{.max_lag = 100};
  client.write_all(backlog, settings);
  append_tags(backlog, {{'p', 400}, {'p', 800}, {'p', 1200}});
  ck_assert(client.cursor.is_lagging(backlog, settings));
  client.write_all(backlog, settings);
  ck_assert(client.out == joined({Bytes(kHeader->container_header), config(0),
                                  tags_of({{0, 0}, {1, 400}, {2, 800}, {3, 1200}},
                                          {{'k', 0}, {'p', 400}, {'p', 800}, {'p', 1200}})}));
  ck_assert_uint_eq(client.cursor.skips(), 0);
}
END_TEST

// --- Evicted entries ---

// If the next entry is evicted and no keyframe is left, the client waits for a keyframe.
START_TEST(test_evicted_without_a_keyframe) {
  Backlog backlog = backlog_of(clip(3));
  TestClient client(Framing::Plain, backlog);
  client.write_all(backlog, {});
  const Buffer before = client.out;
  append_tags(backlog, {{'p', 120}, {'p', 160}, {'a', 170}});
  backlog.trim(5);
  ck_assert(client.cursor.is_lagging(backlog, {}));
  for (int i = 0; i < 3; ++i)
    ck_assert_uint_eq(client.write(backlog, {}), 0);
  ck_assert_uint_eq(client.cursor.skips(), 1);
  ck_assert(!client.cursor.has_joined() && client.cursor.has_all(backlog));
  append_tags(backlog, {{'p', 200}});
  ck_assert_uint_eq(client.write(backlog, {}), 0);
  append_tags(backlog, {{'k', 240}, {'a', 230}, {'p', 280}});
  client.write_all(backlog, {});
  const Tag next[] = {{'k', 240}, {'p', 280}};
  ck_assert(client.out == joined({before, tag_at(next[0], 7, 81), tag_at(next[1], 9, 121)}));
  ck_assert_uint_eq(client.cursor.skips(), 1);
  ck_assert(client.cursor.has_joined());
}
END_TEST

// A partial write is finished after its entries are evicted.
START_TEST(test_evicted_during_a_partial_write) {
  const std::vector<Tag> tags = clip(18);
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    Backlog backlog = backlog_of(clip(3));
    TestClient client(framing, backlog);
    client.write_all(backlog, {});
    const Buffer before = client.out;
    append_tags(backlog, clip(3, 3));
    client.write(backlog, {}, 20);
    append_tags(backlog, clip(10, 6));
    backlog.trim(15);
    for (int i = 0; i < 200; ++i)
      client.write(backlog, {}, 5);
    const Buffer started = tags_of({{3, 120}, {4, 160}, {5, 200}}, tags);
    if (framing == Framing::Plain)
      ck_assert(client.out == joined({before, tags_of({{3, 120}, {15, 121}}, tags)}));
    else
      ck_assert(client.out ==
                joined({before, framed(started), framed(tags_of({{15, 201}}, tags))}));
    ck_assert_uint_eq(client.cursor.skips(), 1);
  }
}
END_TEST

// The same for a write without wanted entries.
START_TEST(test_evicted_during_queued_bytes) {
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    Backlog backlog = backlog_of({{'k', 1000}});
    TestClient client(framing, backlog);
    client.write_all(backlog, {});
    const Buffer before = client.out;
    const Buffer queued = flvtest::payload(9);
    append_tags(backlog, {{'a', 910}}); // before the start point
    client.cursor.queue_bytes(queued);
    client.write(backlog, {}, 1);
    append_tags(backlog, {{'p', 1040}, {'k', 1080}});
    backlog.trim(3);
    client.write_all(backlog, {}, 1);
    const Buffer tag = tag_at({'k', 1080}, 3, 1);
    ck_assert(client.out ==
              joined({before, queued, framing == Framing::Plain ? tag : framed(tag)}));
  }
}
END_TEST

// Entries of a prepared write are evicted before any of it is written.
START_TEST(test_evicted_before_a_write_starts) {
  for (const Framing framing : {Framing::Plain, Framing::WebSocket}) {
    for (const bool closes : {false, true}) {
      Backlog backlog = backlog_of({{'k', 0}});
      TestClient client(framing, backlog);
      client.write_all(backlog, {});
      const Buffer before = client.out;
      append_tags(backlog, {{'p', 40}, {'p', 80}, {'k', 120}});
      WriteBatch batch;
      client.cursor.prepare_write(backlog, {}, batch);
      backlog.trim(3);
      if (closes)
        client.close(backlog);
      else
        client.write_all(backlog, {});
      const Buffer tag = tag_at({'k', 120}, 3, 1);
      const Buffer more = framing == Framing::Plain ? tag : framed(tag);
      ck_assert(client.out == (closes ? before : joined({before, more})));
    }
  }
}
END_TEST

// --- Configurations ---

// After a skip, the client receives new configurations with the keyframe's timestamp.
START_TEST(test_new_configs) {
  const JoinHeaderPtr other = header_of(1);
  Backlog backlog = backlog_of(clip(2));
  TestClient client(Framing::Plain, backlog);
  client.write_all(backlog, {});
  const Buffer before = client.out;
  append_tags(backlog, clip(5, 2), other);
  backlog.trim(5);
  client.write_all(backlog, {});
  const std::vector<Tag> tags = clip(20);
  const Buffer first = joined({before, config(41, 1), tags_of({{5, 41}, {6, 81}}, tags)});
  ck_assert(client.out == first);
  // It does not receive them again.
  append_tags(backlog, clip(9, 7), other);
  backlog.trim(15);
  client.write_all(backlog, {});
  ck_assert(client.out == joined({first, tags_of({{15, 82}}, tags)}));
  ck_assert_uint_eq(client.cursor.skips(), 2);
}
END_TEST

// A header with other metadata and the same configurations is not sent after a skip.
START_TEST(test_new_metadata) {
  for (const JoinHeaderPtr &other :
       {header_of(0, "y"), std::make_shared<const JoinHeader>(*kHeader)}) {
    Backlog backlog = backlog_of(clip(2));
    TestClient client(Framing::Plain, backlog);
    client.write_all(backlog, {});
    const Buffer before = client.out;
    append_tags(backlog, clip(5, 2), other);
    backlog.trim(5);
    client.write_all(backlog, {});
    ck_assert(client.out == joined({before, tags_of({{5, 41}, {6, 81}}, clip(7))}));
  }
}
END_TEST

// The client passes another configuration, and skips to a keyframe with the first ones: it receives
// these again.
START_TEST(test_configs_change_and_return) {
  for (const char type : {'c', 's'}) {
    const std::vector<Tag> tags{{'k', 0}, {type, 40}, {'p', 40}, {type, 80}, {'k', 80}};
    Backlog backlog = backlog_of({tags[0], tags[1]});
    TestClient client(Framing::Plain, backlog);
    client.write_all(backlog, {});
    append_tags(backlog, {tags[2], tags[3], tags[4]});
    backlog.trim(4);
    client.write_all(backlog, {});
    const Buffer start =
        joined({Bytes(kHeader->container_header), config(0), tags_of({{0, 0}, {1, 40}}, tags)});
    const Buffer again = type == 'c' ? config(41) : Buffer();
    ck_assert(client.out == joined({start, again, tags_of({{4, 41}}, tags)}));
  }
}
END_TEST

// A client that passes a keyframe with other configurations receives those of the stream only.
START_TEST(test_new_configs_without_a_skip) {
  Backlog backlog = backlog_of(clip(5));
  TestClient client(Framing::Plain, backlog);
  client.write_all(backlog, {});
  const Buffer before = client.out;
  const JoinHeaderPtr other = header_of(1);
  append_tags(backlog, clip(5, 5), other);
  client.write_all(backlog, {});
  const std::vector<Tag> tags = clip(16);
  const Buffer passed =
      joined({before, tags_of({{5, 200}, {6, 240}, {7, 280}, {8, 320}, {9, 360}}, tags)});
  ck_assert(client.out == passed);
  // A later skip does not repeat them.
  append_tags(backlog, clip(6, 10), other);
  backlog.trim(15);
  client.write_all(backlog, {});
  ck_assert(client.out == joined({passed, tags_of({{15, 361}}, tags)}));
}
END_TEST

// Over WebSocket, configurations are a message of their own.
START_TEST(test_new_configs_in_a_message) {
  Backlog backlog = backlog_of(clip(2));
  TestClient client(Framing::WebSocket, backlog);
  client.write_all(backlog, {}, 9);
  const Buffer before = client.out;
  append_tags(backlog, clip(5, 2), header_of(1));
  backlog.trim(5);
  client.write_all(backlog, {}, 9);
  const std::vector<Tag> tags = clip(20);
  ck_assert(client.out ==
            joined({before, framed(config(41, 1)), framed(tags_of({{5, 41}, {6, 81}}, tags))}));
}
END_TEST

} // namespace

int main() {
  return flvtest::run("cursor_skips", {{test_is_lagging},
                                       {test_skips},
                                       {test_skips_in_presentation_order},
                                       {test_skips_at_the_start},
                                       {test_rebase_changes},
                                       {test_lags_without_a_keyframe},
                                       {test_evicted_without_a_keyframe},
                                       {test_evicted_during_a_partial_write},
                                       {test_evicted_during_queued_bytes},
                                       {test_evicted_before_a_write_starts},
                                       {test_new_configs},
                                       {test_new_metadata},
                                       {test_configs_change_and_return},
                                       {test_new_configs_without_a_skip},
                                       {test_new_configs_in_a_message}});
}
