// SPDX-License-Identifier: LGPL-2.1-or-later
// The end of the stream: clients receive all of it and are closed, and the element posts EOS after
// that. It waits for slow clients, but with a limit, and not during a stop.
#include "httptest.h"

using namespace flvtest;
using namespace httptest;

namespace {

constexpr double kAtOnce = 20; // s: much less than the timeouts
const std::string kForever =
    "drain-timeout=600000 client-timeout=600000 max-lag=0 max-lag-bytes=0 ";

// More than the system buffers for a client that does not read.
Stream heavy() {
  return clip({.groups = 20, .scale = 100});
}

// A server after EOS, with a client that has everything and one that reads nothing.
struct Draining {
  explicit Draining(const std::string &properties)
      : stream(heavy()), server("join=burst burst=100000 " + properties), quick(server),
        stalled(server, kTransports[1], 4096) {
    server.wait_for_clients(2);
    server.begin();
    server.push(stream.bytes);
    quick.wait_for_size(served(stream).size());
    server.end();
    quick.wait_for_close();
    assert_bytes(quick.body(), served(stream));
    wait_for([this] { return server.clients() <= 1; }, "the client with all data stays");
  }

  Stream stream;
  Server server;
  Client quick;
  Client stalled;
};

} // namespace

GST_START_TEST(sends_the_whole_stream) {
  const Stream stream = clip();
  Server server("join=burst burst=100000");
  Client plain(server);
  Client framed(server, Transport::WebSocket);
  server.wait_for_clients(2);
  server.begin();
  server.push(stream.bytes);
  server.settle();
  assert_equals_uint64(server.ends(), 0);
  server.end();
  for (Client *client : {&plain, &framed}) {
    client->wait_for_close();
    fail_if(client->was_reset());
    assert_bytes(client->body(), served(stream));
  }
  assert_equals_int(framed.close_code(), 1000);
  wait_for([&] { return server.ends() == 1; }, "there is no end");
  server.wait_for_removals(2);
  assert_text(server.removed(), "1 ended, 2 ended");
}
GST_END_TEST

GST_START_TEST(no_clients) {
  Server server(kForever);
  const Stopwatch stopwatch;
  const Stream stream = clip();
  server.begin();
  server.push(stream.bytes);
  server.end();
  wait_for([&] { return server.ends() == 1; }, "there is no end");
  fail_unless(stopwatch.seconds() < kAtOnce);
}
GST_END_TEST

// There is no stream, or none that a client can start with.
GST_START_TEST(no_data) {
  for (const CapsPtr &caps : {caps_of(""), caps_of(kFlv)}) {
    Server server("wait-timeout=600000 " + kForever);
    Client client(server, kTransports[__i__]);
    server.wait_for_clients(1);
    server.begin(caps);
    server.end();
    client.wait_for_close();
    const bool plain = kTransports[__i__] == Transport::Http;
    fail_unless(plain ? client.status() == 503 : client.close_code() == 1013);
    assert_equals_uint64(client.body().size(), 0);
    wait_for([&] { return server.ends() == 1; }, "there is no end");
    server.wait_for_removals(1);
    assert_text(server.removed(), "1 waited");
  }
}
GST_END_TEST

// Data that is held to detect the kinds of the stream is not lost.
GST_START_TEST(a_short_stream) {
  Stream stream;
  stream.header().metadata(lasting()).video(0, avc_config()).key(0).inter(40);
  Server server;
  Client client(server, kTransports[__i__]);
  server.wait_for_clients(1);
  server.begin();
  server.push(stream.bytes);
  server.end();
  client.wait_for_close();
  assert_bytes(client.body(), served(stream));
}
GST_END_TEST

GST_START_TEST(client_after_eos) {
  const Stream stream = clip();
  Server server;
  server.begin();
  server.push(stream.bytes);
  server.end();
  wait_for([&] { return server.ends() == 1; }, "there is no end");
  Client plain(server);
  plain.wait_for_close();
  assert_equals_int(plain.status(), 503);
  fail_if(plain.header("Retry-After").empty());
  Client framed(server, Transport::WebSocket);
  framed.wait_for_close();
  assert_equals_int(framed.close_code(), 1013);
  server.wait_for_removals(2);
  assert_text(server.removed(), "1 waited, 2 waited");
}
GST_END_TEST

// --- A client does not read ---

GST_START_TEST(waits_for_reading_clients) {
  Draining it(kForever);
  assert_equals_uint64(it.server.ends(), 0);
  fail_if(it.server.idle());
  it.stalled.wait_for_close();
  assert_bytes(it.stalled.body(), served(it.stream));
  assert_equals_int(it.stalled.close_code(), 1000);
  wait_for([&] { return it.server.ends() == 1; }, "there is no end");
  it.server.wait_for_removals(2);
  assert_text(it.server.removed(), "1 ended, 2 ended");
}
GST_END_TEST

GST_START_TEST(waits_until_the_timeout) {
  constexpr double kTimeout = 1;
  const Stopwatch stopwatch;
  Draining it(kForever + "drain-timeout=1000");
  wait_for([&] { return it.server.ends() == 1; }, "there is no end");
  fail_unless(stopwatch.seconds() >= kTimeout);
  fail_unless(stopwatch.seconds() < kAtOnce);
  it.server.wait_for_removals(2);
  assert_text(it.server.removed(), "1 ended, 2 drained");
  it.server.wait_for_clients(0);
}
GST_END_TEST

GST_START_TEST(does_not_wait) {
  const Stream stream = heavy();
  Server server(kForever + "drain-timeout=0");
  const Client stalled(server);
  server.wait_for_clients(1);
  server.begin();
  server.push(stream.bytes);
  server.end();
  wait_for([&] { return server.ends() == 1; }, "there is no end");
  server.wait_for_removals(1);
  assert_text(server.removed(), "1 drained");
}
GST_END_TEST

// The client leaves during the wait.
GST_START_TEST(does_not_wait_for_disconnected_clients) {
  Draining it(kForever);
  it.stalled.reset();
  wait_for([&] { return it.server.ends() == 1; }, "there is no end");
  it.server.wait_for_removals(2);
  assert_text(it.server.removed(), "1 ended, 2 closed");
}
GST_END_TEST

GST_START_TEST(does_not_wait_for_removed_clients) {
  Draining it(kForever);
  it.server.emit("remove", guint64{2});
  wait_for([&] { return it.server.ends() == 1; }, "there is no end");
  it.server.wait_for_removals(2);
  assert_text(it.server.removed(), "1 ended, 2 removed");
}
GST_END_TEST

// --- A stop during the wait ---

GST_START_TEST(stops_at_once) {
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL}) {
    Draining it(kForever);
    const Stopwatch stopwatch;
    it.server.set_state(state);
    it.server.settle();
    fail_unless(stopwatch.seconds() < kAtOnce, "it took %f s", stopwatch.seconds());
    assert_equals_uint64(it.server.ends(), 0);
  }
}
GST_END_TEST

GST_START_TEST(stops_at_any_moment) {
  const Stream stream = clip();
  Server server(kForever, GST_STATE_READY);
  const Client stays(server);
  server.wait_for_clients(1);
  const Stopwatch stopwatch;
  for (gulong turn = 0; turn < 50; ++turn) {
    server.set_state(GST_STATE_PLAYING);
    server.begin();
    server.push(stream.bytes);
    const std::unique_ptr<Client> stalled(
        turn % 2 == 0 ? std::make_unique<Client>(server, Transport::WebSocket) : nullptr);
    server.end();
    g_usleep(turn * 20);
    server.set_state(GST_STATE_READY);
    server.settle();
  }
  fail_unless(stopwatch.seconds() < 2 * kAtOnce);
}
GST_END_TEST

// A pause does not end the wait, and EOS is posted in PLAYING.
GST_START_TEST(pauses) {
  Draining it(kForever);
  for (int turn = 0; turn < 300; ++turn) {
    it.server.set_state(GST_STATE_PAUSED);
    it.server.set_state(GST_STATE_PLAYING);
  }
  assert_equals_uint64(it.server.ends(), 0);
  it.stalled.wait_for_close();
  assert_bytes(it.stalled.body(), served(it.stream));
  wait_for([&] { return it.server.ends() == 1; }, "there is no end");
}
GST_END_TEST

// Clients with pending data receive it, and then the new stream.
GST_START_TEST(flushes_at_once) {
  const Stream other = clip({.start = 100, .groups = 2, .variant = 1});
  Draining it(kForever);
  const Stopwatch stopwatch;
  it.server.flush();
  fail_unless(stopwatch.seconds() < kAtOnce, "it took %f s", stopwatch.seconds());
  it.server.begin();
  it.server.push(other.bytes);
  it.server.end();
  it.stalled.wait_for_close();
  const std::size_t first = keys(other)[0];
  const std::uint32_t time = 20 * 400;
  assert_bytes(it.stalled.body(), joined({served(it.stream), configurations(other, first, time),
                                          rebased(other, first, time)}));
  wait_for([&] { return it.server.ends() == 1; }, "there is no end");
}
GST_END_TEST

// --- After the end ---

GST_START_TEST(serves_again_after_a_flush) {
  const Stream stream = clip({.start = 5000});
  Server server("join=burst burst=100000");
  for (std::size_t turn = 1; turn <= 3; ++turn) {
    server.begin();
    server.push(part(stream, 0, 8));
    server.settle();
    Client client(server, kTransports[__i__]);
    client.wait_for_size(served(stream, 0, 8).size());
    server.push(part(stream, 8));
    server.end();
    client.wait_for_close();
    wait_for([&] { return server.ends() == turn; }, "there is no end");
    server.flush();
    // No client receives earlier data.
    gst_util_set_object_arg(G_OBJECT(server.element()), "join", "latest-keyframe");
  }
}
GST_END_TEST

// A client waits again until there is data, however soon it comes.
GST_START_TEST(waits_again_after_a_flush) {
  constexpr std::size_t kTurns = 20;
  const Stream stream = clip({.start = 5000});
  Server server("join=next-keyframe");
  server.begin();
  server.push(stream.bytes);
  server.end();
  for (std::size_t turn = 1; turn <= kTurns; ++turn) {
    wait_for([&] { return server.ends() == turn; }, "there is no end");
    Client client(server.port());
    server.flush();
    kTransports[__i__] == Transport::Http ? client.ask() : client.upgrade();
    server.wait_for_clients(1);
    server.begin();
    server.push(stream.bytes);
    server.end();
    client.wait_for_close();
    assert_bytes(client.body(), served(stream));
  }
}
GST_END_TEST

static Suite *httpserversink_end_suite() {
  Suite *suite = suite_create("httpserversink_end");
  TCase *tcase = tcase_create("end");
  suite_add_tcase(suite, tcase);
  const int transports = static_cast<int>(std::size(kTransports));
  tcase_add_test(tcase, sends_the_whole_stream);
  tcase_add_test(tcase, no_clients);
  tcase_add_loop_test(tcase, no_data, 0, transports);
  tcase_add_loop_test(tcase, a_short_stream, 0, transports);
  tcase_add_test(tcase, client_after_eos);
  tcase_add_test(tcase, waits_for_reading_clients);
  tcase_add_test(tcase, waits_until_the_timeout);
  tcase_add_test(tcase, does_not_wait);
  tcase_add_test(tcase, does_not_wait_for_disconnected_clients);
  tcase_add_test(tcase, does_not_wait_for_removed_clients);
  tcase_add_test(tcase, stops_at_once);
  tcase_add_test(tcase, stops_at_any_moment);
  tcase_add_test(tcase, pauses);
  tcase_add_test(tcase, flushes_at_once);
  tcase_add_loop_test(tcase, serves_again_after_a_flush, 0, transports);
  tcase_add_loop_test(tcase, waits_again_after_a_flush, 0, transports);
  return suite;
}

GST_CHECK_MAIN(httpserversink_end);
