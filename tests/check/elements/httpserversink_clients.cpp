// SPDX-License-Identifier: LGPL-2.1-or-later
// Clients: statistics, the reasons for their removal, and the application's control of them.
#include <algorithm>

#include "httptest.h"

using namespace flvtest;
using namespace httptest;

namespace {

// A server with a stream, whose clients receive all of it.
class Live : public Server {
public:
  explicit Live(const std::string &properties = "")
      : Server("join=burst burst=100000 " + properties) {
    begin();
    push(stream.bytes);
    settle();
  }

  const Stream stream = clip();
  const Buffer all = served(stream);
};

std::vector<guint64> sorted(std::vector<guint64> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

guint64 sum(const StructurePtr &stats, const char *field) {
  guint64 total = 0;
  for (std::size_t i = 0; i < number(stats.get(), "clients-now"); ++i)
    total += number(client_of(stats.get(), i), field);
  return total;
}

// The received bytes that the element counts: without the response to a handshake.
std::size_t counted(const Client &client, Transport transport) {
  return client.size() - (transport == Transport::WebSocket ? client.head().size() : 0);
}

} // namespace

// --- Reasons for removal ---

GST_START_TEST(closes) {
  Live server;
  const Transport transport = kTransports[__i__];
  Client client(server, transport);
  client.wait_for_size(server.all.size());
  client.reset();
  server.wait_for_removals(1);
  assert_text(server.removed(), "1 closed");
  // With a close frame, or without one while data is pending.
  Client other(server, transport);
  other.wait_for_size(server.all.size());
  if (transport == Transport::WebSocket)
    other.send_frame(kClose, {});
  other.close();
  wait_for(
      [&] {
        server.push(server.stream.at(keys(server.stream)[0] + 1));
        return server.removals().size() == 2;
      },
      "the client is not removed");
  assert_text(server.removed(), "1 closed, 2 closed");
  server.wait_for_clients(0);
}
GST_END_TEST

// It closes its sending side, but still reads.
GST_START_TEST(half_closes) {
  Live server("");
  Client client(server);
  client.wait_for_head();
  client.shut_down();
  client.wait_for_size(server.all.size());
  server.end();
  client.wait_for_close();
  assert_bytes(client.body(), server.all);
  server.wait_for_removals(1);
  assert_text(server.removed(), "1 ended");
}
GST_END_TEST

// Only a write shows whether the client still reads.
GST_START_TEST(half_closes_for_good) {
  Live server("client-timeout=300");
  Client client(server);
  client.wait_for_size(server.all.size());
  client.shut_down();
  server.wait_for_removals(1);
  assert_text(server.removed(), "1 closed");
}
GST_END_TEST

GST_START_TEST(protocol_errors) {
  const struct {
    Buffer bytes;
    int code;
  } rows[] = {{{0x81, 0x01, 'a'}, 1002},                                    // unmasked
              {{0xF1, 0x80, 1, 2, 3, 4}, 1002},                             // reserved bits
              {{0x83, 0x80, 1, 2, 3, 4}, 1002},                             // unknown opcode
              {{0x80, 0x80, 1, 2, 3, 4}, 1002},                             // no start
              {{0x09, 0x80, 1, 2, 3, 4}, 1002},                             // fragmented control
              {{0x89, 0xFE, 0x00, 0x7E, 1, 2, 3, 4}, 1002},                 // a long ping
              {{0x88, 0x81, 1, 2, 3, 4, 'a'}, 1002},                        // half a close code
              {{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE7}, 1002},                 // invalid close code
              {{0x82, 0xFF, 0, 0, 0, 0, 0x7F, 0, 0, 0, 1, 2, 3, 4}, 1009},  // too large
              {{0x82, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 1009}}; // impossible size
  const auto &row = rows[__i__];
  Live server;
  Client other(server, Transport::WebSocket);
  Client client(server, Transport::WebSocket);
  client.wait_for_size(server.all.size());
  client.send(row.bytes);
  client.wait_for_close();
  assert_equals_int(client.close_code(), row.code);
  server.wait_for_removals(1);
  assert_equals_uint64(server.removals().size(), 1);
  assert_text(server.removals()[0].reason, "protocol");
  other.wait_for_size(server.all.size());
  assert_bytes(other.body(), server.all);
}
GST_END_TEST

// A WebSocket client that sends too much, with valid frames.
GST_START_TEST(sends_too_much) {
  const Transport transport = kTransports[__i__];
  Live server;
  Client client(server, transport);
  client.wait_for_size(server.all.size());
  Buffer talk;
  while (talk.size() < 10'000)
    append(talk, Buffer{0x80 | kPing, 0x80, 1, 2, 3, 4});
  while (server.removals().empty())
    client.send(talk);
  assert_text(server.removed(), "1 protocol");
}
GST_END_TEST

// As much as players send, and more.
GST_START_TEST(sends_a_little) {
  Live server;
  Client client(server, Transport::WebSocket);
  client.wait_for_size(server.all.size());
  for (std::size_t turn = 1; turn <= 100; ++turn) {
    client.send_frame(kPing, payload(100));
    client.send_frame(kText, payload(500));
    client.wait_for([&] { return client.frames().size() == turn; }, "no answer");
  }
  assert_text(server.removed(), "");
}
GST_END_TEST

// --- Actions of the application ---

GST_START_TEST(removes_one) {
  Live server;
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<Client>(server, kTransports[i % 2]));
    server.wait_for_clients(i + 1);
    clients[i]->wait_for_size(server.all.size());
  }
  server.emit("remove", guint64{99});
  server.emit("remove", guint64{2});
  clients[1]->wait_for_close();
  assert_equals_int(clients[1]->close_code(), 1001);
  server.emit("remove", guint64{3});
  clients[2]->wait_for_close();
  fail_if(clients[2]->was_reset());
  server.wait_for_removals(2);
  assert_text(server.removed(), "2 removed, 3 removed");
  assert_equals_uint64(server.clients(), 2);
  server.emit("remove", guint64{2});
  server.emit("clear");
  for (const std::size_t left : {0U, 3U})
    clients[left]->wait_for_close();
  server.wait_for_removals(4);
  assert_text(server.removed(), "1 removed, 2 removed, 3 removed, 4 removed");
}
GST_END_TEST

// Later clients are accepted; waiting clients are removed, too.
GST_START_TEST(clears) {
  Server server;
  Client client(server, kTransports[__i__]);
  server.wait_for_clients(1);
  server.emit("clear");
  client.wait_for_close();
  server.wait_for_clients(0);
  server.wait_for_removals(1);
  assert_text(server.removed(), "1 removed");
  const Client next(server, kTransports[__i__]);
  server.wait_for_clients(1);
}
GST_END_TEST

// Also within the signal handler.
GST_START_TEST(removes_in_a_signal_handler) {
  Live server;
  g_signal_connect(server.element(), "client-added", G_CALLBACK(+[](GstElement *sink, guint64 id) {
                     g_signal_emit_by_name(sink, "remove", id);
                   }),
                   nullptr);
  for (std::size_t i = 0; i < 10; ++i) {
    Client client(server, kTransports[i % 2]);
    client.wait_for_close();
  }
  server.wait_for_removals(10);
  for (const Removal &each : server.removals())
    assert_text(each.reason, "removed");
}
GST_END_TEST

GST_START_TEST(max_clients) {
  Live server("max-clients=2");
  Client first(server);
  Client second(server, Transport::WebSocket);
  server.wait_for_clients(2);
  for (const Transport transport : kTransports) {
    Client refused(server, transport);
    refused.wait_for_close();
    assert_equals_int(refused.status(), 503);
    fail_if(refused.header("Retry-After").empty());
  }
  server.set("max-clients", 3U);
  Client third(server);
  server.wait_for_clients(3);
  // Connected clients stay.
  server.set("max-clients", 1U);
  server.push(server.stream.at(keys(server.stream)[0] + 1));
  second.wait_for_size(server.all.size());
  third.wait_for_size(server.all.size());
  second.reset();
  third.reset();
  server.wait_for_removals(2);
  Client refused(server);
  refused.wait_for_close();
  assert_equals_int(refused.status(), 503);
  first.reset();
  server.wait_for_clients(0);
  wait_for(
      [&] {
        Client next(server);
        next.wait_for_head();
        return next.status() == 200;
      },
      "there is room");
  const std::string begin = "1 closed, 2 closed, 3 closed";
  assert_text(server.removed().substr(0, begin.size()), begin);
}
GST_END_TEST

// --- Signals and statistics ---

GST_START_TEST(client_removed_for_each_client) {
  constexpr std::size_t kClients = 20;
  Live server;
  {
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < kClients; ++i)
      clients.push_back(std::make_unique<Client>(server, kTransports[i % 2]));
    server.wait_for_clients(kClients);
    for (const auto &each : clients)
      each->wait_for_size(server.all.size());
    for (const auto &each : clients)
      each->reset();
  }
  server.wait_for_removals(kClients);
  std::vector<guint64> all;
  for (guint64 id = 1; id <= kClients; ++id)
    all.push_back(id);
  fail_unless(sorted(server.added()) == all);
  std::vector<guint64> removed;
  for (const Removal &each : server.removals())
    removed.push_back(each.id);
  fail_unless(removed == all);
  assert_equals_uint64(server.stat("clients-served"), kClients);
  assert_equals_uint64(server.clients(), 0);
}
GST_END_TEST

GST_START_TEST(fields) {
  const Transport transport = kTransports[__i__];
  Live server;
  const gint64 before = g_get_real_time();
  Client client(server.port());
  const std::string agent = "User-Agent: some player/1.0\r\n";
  transport == Transport::Http ? client.ask("/live", agent) : client.upgrade("/live", agent);
  client.wait_for_size(server.all.size());
  wait_for([&] { return sum(server.stats(), "bytes") >= counted(client, transport); },
           "it is not counted");
  const StructurePtr stats = server.stats();
  assert_text(gst_structure_get_name(stats.get()), "httpserversink-stats");
  assert_equals_uint64(number(stats.get(), "clients-now"), 1);
  assert_equals_uint64(number(stats.get(), "clients-served"), 1);
  const GstStructure *one = client_of(stats.get());
  assert_equals_uint64(number(one, "id"), 1);
  fail_unless(text(one, "address").starts_with("127.0.0.1:"));
  assert_text(text(one, "user-agent"), "some player/1.0");
  assert_text(text(one, "transport"), transport == Transport::Http ? "http" : "ws");
  const auto since = static_cast<gint64>(number(one, "since"));
  fail_unless(since >= before && since <= g_get_real_time());
  double duration = 0;
  double rate = 0;
  double lag = 0;
  fail_unless(gst_structure_get_double(one, "duration", &duration) && duration >= 0);
  fail_unless(gst_structure_get_double(one, "rate", &rate) && rate >= 0);
  fail_unless(gst_structure_get_double(one, "lag-average", &lag) && lag >= 0);
  for (const char *field : {"lag", "lag-minimum", "lag-maximum", "skips"})
    assert_equals_uint64(number(one, field), 0);
  assert_text(text(one, "start-point"), "key-frame");
  assert_equals_int(gst_structure_n_fields(one), 14);
  assert_equals_int(gst_structure_n_fields(stats.get()), 8);
}
GST_END_TEST

GST_START_TEST(sums) {
  Live server;
  const std::size_t first = keys(server.stream)[0];
  const std::size_t size = part(server.stream, first).size();
  Client plain(server);
  Client framed(server, Transport::WebSocket);
  server.wait_for_clients(2);
  plain.wait_for_size(server.all.size());
  framed.wait_for_size(server.all.size());
  const std::size_t bytes = counted(plain, Transport::Http) + counted(framed, Transport::WebSocket);
  wait_for([&] { return server.stat("bytes-out") >= bytes; }, "it is not counted");
  const StructurePtr stats = server.stats();
  assert_equals_uint64(number(stats.get(), "bytes-in"), size);
  assert_equals_uint64(number(stats.get(), "bytes-out"), bytes);
  assert_equals_uint64(sum(stats, "bytes"), bytes);
  assert_equals_uint64(number(stats.get(), "history-bytes"), size);
  assert_equals_uint64(number(stats.get(), "history-duration"), 1560);
  // The counters remain after the clients leave.
  plain.reset();
  server.wait_for_removals(1);
  wait_for([&] { return server.clients() == 1; }, "it does not go");
  assert_equals_uint64(server.stat("bytes-out"), bytes);
  assert_equals_uint64(
      number(server.removals()[0].stats.get(), "bytes") + sum(server.stats(), "bytes"), bytes);
  assert_equals_uint64(number(server.removals()[0].stats.get(), "id"), 1);
}
GST_END_TEST

// One thread reads the statistics all the time, and another sets properties all the time.
GST_START_TEST(statistics_while_playing) {
  Server server("stats-path=/stats metrics-path=/metrics");
  server.begin();
  Stream stream = clip({.groups = 1});
  server.push(stream.bytes);
  constexpr const char *kJoins[] = {"latest-keyframe", "burst", "next-keyframe"};
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint32_t turn = 0; turn < 60; ++turn) {
    const std::size_t begin = stream.tags.size();
    append_groups(stream, {.start = 400 + turn * 400, .groups = 1});
    server.push(part(stream, begin));
    gst_util_set_object_arg(G_OBJECT(server.element()), "join", kJoins[turn % 3]);
    server.set("burst", turn * 100);
    server.set("max-lag", turn * 50);
    server.set("max-lag-bytes", guint64{turn} * 1'000'000); // enough for a keyframe
    server.set("merge", turn % 7);
    server.set("rebase-timestamps", turn % 2);
    server.set("max-clients", turn % 9);
    server.set("allow-origin", turn % 2 ? "*" : "http://localhost");
    server.set("client-timeout", 60'000 + turn);
    server.set("wait-timeout", 60'000 + turn);
    server.set("drain-timeout", 60'000 + turn);
    clients.push_back(std::make_unique<Client>(server.port()));
    const char *paths[] = {"/live", "/stats", "/metrics"};
    clients.back()->ask(paths[turn % 3]);
    clients.push_back(std::make_unique<Client>(server, Transport::WebSocket));
    for (const auto &each : clients)
      each->receive();
    const StructurePtr stats = server.stats();
    fail_unless(number(stats.get(), "clients-now") <= number(stats.get(), "clients-served"));
    fail_unless(sum(stats, "bytes") <= number(stats.get(), "bytes-out"));
    if (turn % 10 == 9) {
      server.emit("clear");
      clients.clear();
    }
  }
  server.end();
  wait_for([&] { return server.ends() == 1; }, "there is no end");
}
GST_END_TEST

static Suite *httpserversink_clients_suite() {
  Suite *suite = suite_create("httpserversink_clients");
  TCase *tcase = tcase_create("clients");
  suite_add_tcase(suite, tcase);
  const int transports = static_cast<int>(std::size(kTransports));
  tcase_add_loop_test(tcase, closes, 0, transports);
  tcase_add_test(tcase, half_closes);
  tcase_add_test(tcase, half_closes_for_good);
  tcase_add_loop_test(tcase, protocol_errors, 0, 10);
  tcase_add_loop_test(tcase, sends_too_much, 0, transports);
  tcase_add_test(tcase, sends_a_little);
  tcase_add_test(tcase, removes_one);
  tcase_add_loop_test(tcase, clears, 0, transports);
  tcase_add_test(tcase, removes_in_a_signal_handler);
  tcase_add_test(tcase, max_clients);
  tcase_add_test(tcase, client_removed_for_each_client);
  tcase_add_loop_test(tcase, fields, 0, transports);
  tcase_add_test(tcase, sums);
  tcase_add_test(tcase, statistics_while_playing);
  return suite;
}

GST_CHECK_MAIN(httpserversink_clients);
