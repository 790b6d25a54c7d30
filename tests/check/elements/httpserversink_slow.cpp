// SPDX-License-Identifier: LGPL-2.1-or-later
// Clients that read more slowly than the stream.
#include <algorithm>

#include "httptest.h"

using namespace flvtest;
using namespace httptest;

namespace {

constexpr int kSmall = 4096; // bytes of the receive buffer

const std::string kPatient = "client-timeout=600000 drain-timeout=600000 ";

// Groups of 400 ms and 180 kB: together more than the system buffers for a client.
constexpr std::size_t kScale = 100;
constexpr std::uint32_t kGroups = 40;

Stream heavy() {
  return clip({.start = 5000, .groups = kGroups, .scale = kScale});
}

// Pushes the groups one by one, each after `client` has received the previous one.
void push_paced(Server &server, Client &client, const Stream &stream) {
  const std::vector<std::size_t> groups = keys(stream);
  const Buffer all = served(stream);
  for (std::size_t group = 0; group < groups.size(); ++group) {
    const bool last = group + 1 == groups.size();
    const std::size_t end = last ? stream.tags.size() : groups[group + 1];
    server.push(part(stream, group == 0 ? 0 : groups[group], end));
    client.wait_for_size(served(stream, 0, end).size());
  }
  assert_bytes(client.body(), all);
}

// Whole tags on a timeline without a gap, from 0 on.
void assert_plays(Bytes body) {
  const std::vector<std::uint32_t> times = timestamps(body);
  fail_unless(times.size() > 5);
  assert_equals_int(times.front(), 0);
  for (std::size_t i = 1; i < times.size(); ++i)
    fail_unless(times[i] >= times[i - 1] && times[i] - times[i - 1] <= 40,
                "%u behind %u at tag %zu of %zu", times[i], times[i - 1], i, times.size());
}

bool ends_with(const Buffer &body, Bytes end) {
  return body.size() >= end.size() && std::equal(end.rbegin(), end.rend(), body.rbegin());
}

// A field in the statistics of client number 2.
guint64 of_stalled(const Server &server, const char *field) {
  const StructurePtr stats = server.stats();
  return number(client_of(stats.get(), 1), field);
}

// A picture of one slice. Random data could look like a recovery point.
Buffer slice() {
  constexpr std::uint8_t kSize[] = {0, 0, 0x03, 0xE8};
  return joined({Buffer{0x27, 1, 0, 0, 0}, kSize, Buffer{0x41}, payload(999)});
}

} // namespace

// One client stalls, and the other receives everything. The entries that the stalled client lacks
// are evicted. When it reads again, it continues at a keyframe.
GST_START_TEST(skips) {
  const struct {
    const char *properties;
    std::size_t most; // bytes of the backlog
  } rows[] = {{"max-lag=1000 max-lag-bytes=0", 1'000'000},
              {"max-lag=0 max-lag-bytes=600000", 600'000}};
  const auto &row = rows[__i__ / 2];
  const Stream stream = heavy();
  Server server(kPatient + row.properties);
  Client quick(server);
  server.wait_for_clients(1);
  Client stalled(server, kTransports[__i__ % 2], kSmall);
  server.wait_for_clients(2);
  server.begin();
  push_paced(server, quick, stream);
  server.settle();
  const guint64 history = server.stat("history-bytes");
  fail_unless(history <= row.most, "the history has %u bytes", static_cast<guint>(history));
  fail_unless(of_stalled(server, "lag") > 1000);
  server.end();
  stalled.wait_for_close();
  assert_plays(stalled.body());
  fail_unless(stalled.body().size() < quick.body().size() / 2);
  const std::size_t last = keys(stream).back();
  const Buffer group = rebased(stream, last);
  fail_unless(ends_with(stalled.body(), Bytes(group).last(20)));
  server.wait_for_removals(2);
  assert_text(server.removed(), "1 ended, 2 ended");
  assert_equals_uint64(number(server.removals()[0].stats.get(), "skips"), 0);
  const guint64 skips = number(server.removals()[1].stats.get(), "skips");
  fail_unless(skips > 0);
  assert_equals_uint64(server.stat("skips"), skips);
}
GST_END_TEST

// The client reads from time to time, and skips each time.
GST_START_TEST(skips_repeatedly) {
  constexpr guint64 kSkips = 3;
  Stream stream = clip({.start = 5000, .groups = 1, .scale = kScale});
  Server server(kPatient + "max-lag=1000 max-lag-bytes=0");
  Client slow(server, kTransports[__i__], kSmall);
  server.wait_for_clients(1);
  server.begin();
  server.push(stream.bytes);
  std::uint32_t time = 5400;
  const auto push_group = [&] {
    const std::size_t first = stream.tags.size();
    append_groups(stream, {.start = time, .groups = 1, .scale = kScale});
    time += 400;
    server.push(part(stream, first));
    server.settle();
  };
  for (guint64 skips = 0; skips < kSkips; skips = server.stat("skips")) {
    for (int group = 0; group < 10; ++group)
      push_group();
    slow.wait_for([&] { return number(client_of(server.stats().get()), "lag") == 0; },
                  "it does not go on");
    fail_if(time > 5'000'000, "it does not skip");
  }
  server.end();
  slow.wait_for_close();
  assert_plays(slow.body());
}
GST_END_TEST

// Without a limit for the lag, the client receives everything.
GST_START_TEST(skips_nothing) {
  const Stream stream = heavy();
  Server server(kPatient + "max-lag=0 max-lag-bytes=0");
  Client quick(server);
  server.wait_for_clients(1);
  Client stalled(server, kTransports[__i__], kSmall);
  server.wait_for_clients(2);
  server.begin();
  push_paced(server, quick, stream);
  const guint64 history = server.stat("history-bytes");
  fail_unless(history > stream.bytes.size() / 2, "the history has %u bytes",
              static_cast<guint>(history));
  server.end();
  stalled.wait_for_close();
  assert_bytes(stalled.body(), served(stream));
  assert_equals_uint64(server.stat("skips"), 0);
}
GST_END_TEST

GST_START_TEST(is_closed) {
  constexpr double kTimeout = 0.5;
  const Stream stream = heavy();
  Server server("client-timeout=500 max-lag=0 max-lag-bytes=0");
  Client quick(server);
  server.wait_for_clients(1);
  const Client stalled(server, kTransports[__i__], kSmall);
  server.wait_for_clients(2);
  const Stopwatch stopwatch;
  server.begin();
  push_paced(server, quick, stream);
  server.wait_for_removals(1);
  assert_text(server.removed(), "2 slow");
  fail_unless(stopwatch.seconds() >= kTimeout);
  fail_if(quick.is_closed());
  // The next turn evicts the entries that were kept for it.
  server.push(stream.at(stream.tags.size() - 1));
  wait_for([&] { return server.stat("history-bytes") < 400'000; }, "the history stays");
}
GST_END_TEST

GST_START_TEST(is_never_closed) {
  const Stream stream = heavy();
  Server server("client-timeout=0 max-lag=0 max-lag-bytes=0");
  Client quick(server);
  server.wait_for_clients(1);
  Client stalled(server, kTransports[__i__], kSmall);
  server.wait_for_clients(2);
  server.begin();
  push_paced(server, quick, stream);
  g_usleep(700'000); // longer than three timeout checks
  assert_text(server.removed(), "");
  server.set("drain-timeout", 600000U);
  server.end();
  stalled.wait_for_close();
  assert_bytes(stalled.body(), served(stream));
}
GST_END_TEST

// A client that has received everything, however long the source is silent, or that reads a little
// from time to time, is not slow.
GST_START_TEST(is_not_closed) {
  const Stream stream = heavy();
  Server server("client-timeout=300 max-lag=0 max-lag-bytes=0 drain-timeout=600000");
  Client idle(server);
  server.wait_for_clients(1);
  server.begin();
  push_paced(server, idle, stream);
  Client slow(server, kTransports[__i__], kSmall);
  server.wait_for_clients(2);
  const Stopwatch stopwatch;
  while (stopwatch.seconds() < 1) {
    slow.receive();
    g_usleep(10'000);
  }
  assert_text(server.removed(), "");
  server.end();
  slow.wait_for_close();
  assert_bytes(slow.body(), served(stream, kGroups - 1));
}
GST_END_TEST

// A reader of 12 kB/s with a window of 32 KiB reads all the time: it skips, and is not closed, even
// if the next write to it comes much later than client-timeout.
GST_START_TEST(slow_steady_reader) {
  constexpr std::size_t kRate = 1200; // bytes in 100 ms
  constexpr int kWindow = 16 << 10;   // the system doubles the size
  Server server("client-timeout=3000 max-lag=1000 drain-timeout=0");
  Client steady(server, kTransports[__i__], kWindow);
  server.wait_for_clients(1);
  Stream stream = clip({.groups = 1, .scale = kScale});
  server.begin();
  server.push(stream.bytes);
  std::uint32_t time = 400;
  for (const Stopwatch stopwatch; stopwatch.seconds() < 10; time += 400) {
    const std::size_t first = stream.tags.size();
    append_groups(stream, {.start = time, .groups = 1, .scale = kScale});
    server.push(part(stream, first));
    for (int i = 0; i < 4; ++i) {
      steady.receive_at_most(kRate);
      fail_if(steady.is_closed(), "closed after %f s", stopwatch.seconds());
      g_usleep(100'000);
    }
  }
  assert_text(server.removed(), "");
  // When it reads everything again, it follows the stream.
  steady.wait_for([&] { return server.stat("skips") > 0; }, "it does not skip");
}
GST_END_TEST

// A small stream does not fill the system's buffer for a client. A client that reads nothing is
// closed nevertheless, even if the stream does not continue.
GST_START_TEST(is_closed_at_a_low_bitrate) {
  const Stream stream = clip({.start = 5000, .groups = 20, .scale = 20});
  Server server("client-timeout=800 max-lag=0");
  Client quick(server);
  server.wait_for_clients(1);
  const Client stalled(server, kTransports[__i__], kSmall);
  server.wait_for_clients(2);
  server.begin();
  push_paced(server, quick, stream);
  server.wait_for_removals(1);
  fail_unless(server.removed().starts_with("2 "), "%s", server.removed().c_str());
  fail_if(quick.is_closed());
}
GST_END_TEST

// --- Without a keyframe ---

// One keyframe, and no other within max-lag-bytes: one warning. A new client starts at the next
// configuration, or at any frame after wait-timeout, and the statistics report it.
GST_START_TEST(no_keyframe_in_the_history) {
  const bool configured = __i__ < 2;
  const Transport transport = kTransports[__i__ % 2];
  Server server("max-lag-bytes=20000 " + std::string(configured ? "" : "wait-timeout=60000"));
  Stream stream = clip({.groups = 1});
  std::uint32_t time = 400;
  const auto push_frames = [&](int count) {
    const std::size_t first = stream.tags.size();
    for (int i = 0; i < count; ++i, time += 40)
      stream.video(time, slice()).aac(time, 50);
    server.push(part(stream, first));
    server.settle();
  };
  server.begin();
  server.push(stream.bytes);
  push_frames(20);
  Problem problem;
  wait_for(
      [&] {
        push_frames(1);
        problem = server.problem();
        return problem.found;
      },
      "there is no warning");
  fail_unless(!problem.error && problem.domain == GST_STREAM_ERROR &&
                  problem.says("The last 20000 bytes (max-lag-bytes)"),
              "%s", problem.text.c_str());
  Client client(server, transport);
  server.wait_for_clients(1);
  client.wait_for_head();
  push_frames(3);
  assert_text(text(client_of(server.stats().get()), "start-point"), "none");
  const std::size_t first = stream.tags.size();
  if (configured) {
    stream.configs(time, 1);
    server.push(part(stream, first));
  } else {
    server.set("wait-timeout", 100U);
    g_usleep(500'000);
  }
  client.wait_for(
      [&] {
        push_frames(1);
        return client.body().size() >= 3000;
      },
      "the stream does not come");
  const std::vector<std::uint32_t> times = timestamps(client.body());
  assert_equals_int(times.front(), 0);
  assert_text(text(client_of(server.stats().get()), "start-point"),
              configured ? "configuration" : "frame");
  const Buffer opening = head(stream, first + (configured ? 2 : 0));
  assert_bytes(Bytes(client.body()).first(opening.size()), opening);
  // A keyframe ends this case; the warning is not repeated.
  const std::size_t key = stream.tags.size();
  append_groups(stream, {.start = time, .groups = 1});
  server.push(part(stream, key));
  server.settle();
  Client other(server, transport);
  other.wait_for_size(1000);
  assert_text(text(client_of(server.stats().get(), 1), "start-point"), "key-frame");
  time += 400;
  push_frames(60);
  g_usleep(100'000);
  fail_if(server.problem().found);
}
GST_END_TEST

// Without clients, the backlog keeps what the next client needs.
GST_START_TEST(history_without_clients) {
  const Stream stream = heavy();
  const std::size_t group = part(stream, keys(stream)[1], keys(stream)[2]).size();
  const struct {
    const char *properties;
    std::size_t least;
    std::size_t most; // groups
  } rows[] = {{"join=latest-keyframe", 1, 1},
              {"join=next-keyframe", 0, 1},
              {"join=burst burst=1000", 3, 4},
              {"join=burst burst=1000 max-lag-bytes=400000", 0, 3},
              {"join=burst burst=4000000 max-lag-bytes=1500000", 6, 9}};
  const auto &row = rows[__i__];
  Server server(row.properties);
  server.begin();
  for (std::size_t tag = 0; tag < stream.tags.size(); ++tag)
    server.push(part(stream, tag, tag + 1));
  server.settle();
  const std::size_t without_last = part(stream, 0, stream.tags.size() - 1).size();
  wait_for([&] { return server.stat("bytes-in") > without_last; }, "it is not taken");
  wait_for([&] { return server.stat("history-bytes") <= row.most * group; }, "it is not forgotten");
  fail_unless(server.stat("history-bytes") >= row.least * group);
}
GST_END_TEST

static Suite *httpserversink_slow_suite() {
  Suite *suite = suite_create("httpserversink_slow");
  TCase *tcase = tcase_create("slow");
  suite_add_tcase(suite, tcase);
  const int transports = static_cast<int>(std::size(kTransports));
  tcase_add_loop_test(tcase, skips, 0, 2 * transports);
  tcase_add_loop_test(tcase, skips_repeatedly, 0, transports);
  tcase_add_loop_test(tcase, skips_nothing, 0, transports);
  tcase_add_loop_test(tcase, is_closed, 0, transports);
  tcase_add_loop_test(tcase, is_never_closed, 0, transports);
  tcase_add_loop_test(tcase, is_not_closed, 0, transports);
  tcase_add_loop_test(tcase, slow_steady_reader, 0, transports);
  tcase_add_loop_test(tcase, is_closed_at_a_low_bitrate, 0, transports);
  tcase_add_loop_test(tcase, no_keyframe_in_the_history, 0, 2 * transports);
  tcase_add_loop_test(tcase, history_without_clients, 0, 5);
  return suite;
}

GST_CHECK_MAIN(httpserversink_slow);
