// SPDX-License-Identifier: LGPL-2.1-or-later
// Hostile clients: slow, endless, invalid, and many.
#include <algorithm>

#include "holdings.h"
#include "httptest.h"

using namespace flvtest;
using namespace httptest;

namespace {

constexpr std::size_t kMostHead = 8192; // bytes

// A server with a stream, and a client that must receive it during the attack.
struct Besieged {
  explicit Besieged(const std::string &properties = "") : server(properties), guest(server) {
    server.wait_for_clients(1);
    server.begin();
    server.push(stream.bytes);
    guest.wait_for_size(served(stream).size());
  }

  void push_frame() {
    const std::size_t begin = stream.tags.size();
    stream.inter(time);
    time += 40;
    server.push(part(stream, begin));
  }

  // The stream continues for the guest, and there is room for another client.
  void assert_stands() {
    push_frame();
    guest.wait_for_size(served(stream).size());
    assert_bytes(guest.body(), served(stream));
    Client another(server);
    another.wait_for_head();
    assert_equals_int(another.status(), 200);
  }

  Stream stream = clip();
  std::uint32_t time = 1600; // of the next tag
  Server server;
  Client guest;
};

std::string request(std::size_t size) {
  const std::string start = "GET /live HTTP/1.1\r\nHost: localhost\r\nX: ";
  const std::string end = "\r\n\r\n";
  return start + std::string(size - start.size() - end.size(), 'x') + end;
}

} // namespace

GST_START_TEST(one_byte_at_a_time) {
  Besieged it("request-timeout=600000");
  const std::string line = request(100);
  Client client(it.server.port());
  for (const char byte : line)
    fail_unless(client.send(std::string(1, byte)));
  client.wait_for_head();
  assert_equals_int(client.status(), 200);
  // Lines may end with LF alone.
  Client other(it.server.port());
  other.send("GET /live HTTP/1.1\nHost: localhost\n\n");
  other.wait_for_head();
  assert_equals_int(other.status(), 200);
}
GST_END_TEST

GST_START_TEST(request_too_long) {
  Besieged it;
  Client most(it.server.port());
  most.send(request(kMostHead));
  most.wait_for_head();
  assert_equals_int(most.status(), 200);
  for (const std::size_t size : {kMostHead + 1, 2 * kMostHead, 20 * kMostHead}) {
    Client more(it.server.port());
    more.send(request(size));
    more.wait_for_close();
    assert_equals_int(more.status(), 431);
  }
  it.assert_stands();
}
GST_END_TEST

// They are not a request, but count towards the limit.
GST_START_TEST(leading_empty_lines) {
  Besieged it;
  for (const std::size_t lines : {1U, 2U, 1000U}) {
    std::string text;
    for (std::size_t i = 0; i < lines; ++i)
      text += "\r\n";
    const std::size_t left = kMostHead - text.size();
    Client most(it.server.port());
    most.send(text + request(left));
    most.wait_for_head();
    assert_equals_int(most.status(), 200);
    Client more(it.server.port());
    more.send(text + request(left + 1));
    more.wait_for_close();
    assert_equals_int(more.status(), 431);
  }
  it.assert_stands();
}
GST_END_TEST

// Without a line end or a head end.
GST_START_TEST(endless_request) {
  Besieged it("request-timeout=600000");
  for (const std::uint8_t byte : Buffer{0x00, 0x0A, 0x0D, 0x41, 0xFF}) {
    Client client(it.server.port());
    const Buffer same(1000, byte);
    for (std::size_t sent = 0; sent <= kMostHead && client.send(same); sent += same.size()) {
    }
    client.wait_for_close();
    fail_unless(client.status() == 431, "%02x: %d", unsigned{byte}, client.status());
  }
  it.assert_stands();
}
GST_END_TEST

GST_START_TEST(silent_client) {
  Besieged it("request-timeout=300");
  const Stopwatch stopwatch;
  Client silent(it.server.port());
  Client slow(it.server.port());
  slow.send("GET /live HTTP/1.1\r\nHost:");
  for (Client *client : {&silent, &slow}) {
    client->wait_for_close();
    assert_equals_int(client->status(), 408);
  }
  fail_unless(stopwatch.seconds() >= 0.3);
  it.assert_stands();
}
GST_END_TEST

// A few bytes now and then do not extend the timeout, neither within the head nor after it.
GST_START_TEST(slow_request) {
  Besieged it("request-timeout=300");
  for (const char *start : {"GET /live HTTP/1.1\r\nX: ",
                            "POST /live HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
                            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    Client client(it.server.port());
    client.send(start);
    const Stopwatch stopwatch;
    while (!client.is_closed()) {
      client.send("x");
      client.receive();
      g_usleep(10'000);
      fail_if(stopwatch.seconds() > 30, "%s", start);
    }
  }
  it.assert_stands();
}
GST_END_TEST

GST_START_TEST(garbage) {
  Besieged it("request-timeout=1000");
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    Client client(it.server.port());
    Buffer bytes = payload(20 * seed, seed);
    if (seed % 2 == 0)
      append(bytes, Buffer{'\r', '\n', '\r', '\n'});
    client.send(bytes);
    if (seed % 2 == 0)
      client.wait_for_close();
    fail_unless(client.status() == 0 || client.status() == 400, "%d", client.status());
  }
  for (const char *line :
       {"\r\n\r\n", "GET\r\n\r\n", "GET /live\r\n\r\n", "GET /live HTTP/9.9\r\n\r\n",
        "GET live HTTP/1.1\r\n\r\n", "GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /live HTTP/1.1\r\nno colon\r\n\r\n", "* * *\r\n\r\n",
        "GET /%00%zz HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /live HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET /live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n"}) {
    Client client(it.server.port());
    client.send(line);
    client.shut_down();
    client.wait_for([&] { return client.is_closed() || client.status() != 0; }, line);
  }
  it.assert_stands();
}
GST_END_TEST

// The second request gets no response.
GST_START_TEST(two_requests) {
  Besieged it;
  Client client(it.server.port());
  client.send("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  client.wait_for_close();
  assert_equals_int(client.status(), 404);
  assert_equals_uint64(it.server.stat("clients-served"), 1);
  it.assert_stands();
}
GST_END_TEST

GST_START_TEST(garbage_in_frames) {
  Besieged it;
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    Client client(it.server, Transport::WebSocket);
    client.wait_for_head();
    assert_equals_int(client.status(), 101);
    const Buffer bytes = payload(500, seed);
    client.send(bytes);
    if (seed % 3 == 0)
      client.reset();
    else if (seed % 3 == 1)
      client.receive();
    else
      client.shut_down();
  }
  it.assert_stands();
}
GST_END_TEST

// Endless pings, whose pongs the client does not read.
GST_START_TEST(floods) {
  Besieged it;
  Client plain(it.server.port(), 4096);
  plain.upgrade();
  plain.wait_for_head();
  Buffer pings;
  for (int i = 0; i < 1000; ++i)
    append(pings, Buffer{0x89, 0x80, 1, 2, 3, 4});
  const guint64 before = it.server.stat("bytes-out");
  for (int turn = 0; turn < 100; ++turn)
    plain.send(pings);
  it.assert_stands();
  fail_unless(it.server.stat("bytes-out") >= before);
}
GST_END_TEST

GST_START_TEST(connects_and_disconnects) {
  const int times = is_watched() ? 100 : 500;
  Besieged it;
  const auto come_and_go = [&] {
    for (int turn = 0; turn < times; ++turn) {
      Client client(it.server.port());
      if (turn % 5 == 1)
        client.send("GET /li");
      else if (turn % 5 == 2)
        client.ask();
      else if (turn % 5 == 3)
        client.upgrade();
      else if (turn % 5 == 4)
        client.ask("/nowhere");
      turn % 2 == 0 ? client.reset() : client.close();
    }
    it.assert_stands();
    wait_for(
        [&] {
          it.push_frame();
          it.guest.receive();
          return it.server.clients() == 1;
        },
        "they do not go");
  };
  come_and_go();
  const std::size_t before = count_entries("/proc/self/fd");
  come_and_go();
  wait_for([&] { return count_entries("/proc/self/fd") <= before; }, "descriptors are still open");
}
GST_END_TEST

// All at once, with room for two.
GST_START_TEST(too_many_websocket_requests) {
  Besieged it("max-clients=3");
  for (int turn = 0; turn < 20; ++turn) {
    std::vector<std::unique_ptr<Client>> crowd;
    for (int i = 0; i < 10; ++i)
      crowd.push_back(std::make_unique<Client>(it.server.port()));
    for (const auto &each : crowd)
      each->upgrade();
    int served = 0;
    for (const auto &each : crowd) {
      each->wait_for([&] { return each->is_closed() || !each->body().empty(); }, "no answer");
      served += each->body().empty() ? 0 : 1;
      fail_unless(!each->body().empty() || each->status() == 503 || each->close_code() == 1013);
    }
    assert_equals_int(served, 2);
    crowd.clear();
    wait_for(
        [&] {
          it.push_frame();
          it.guest.receive();
          return it.server.clients() == 1;
        },
        "they do not go");
  }
}
GST_END_TEST

// All at once, without a request.
GST_START_TEST(many_unread_requests) {
  Besieged it("request-timeout=600000");
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 200; ++i)
    crowd.push_back(std::make_unique<Client>(it.server.port()));
  it.assert_stands();
  it.server.set_state(GST_STATE_NULL);
  for (const auto &each : crowd)
    each->wait_for_close();
}
GST_END_TEST

static Suite *httpserversink_hostile_suite() {
  Suite *suite = suite_create("httpserversink_hostile");
  TCase *tcase = tcase_create("hostile");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, one_byte_at_a_time);
  tcase_add_test(tcase, request_too_long);
  tcase_add_test(tcase, leading_empty_lines);
  tcase_add_test(tcase, endless_request);
  tcase_add_test(tcase, silent_client);
  tcase_add_test(tcase, slow_request);
  tcase_add_test(tcase, garbage);
  tcase_add_test(tcase, two_requests);
  tcase_add_test(tcase, garbage_in_frames);
  tcase_add_test(tcase, floods);
  tcase_add_test(tcase, connects_and_disconnects);
  tcase_add_test(tcase, too_many_websocket_requests);
  tcase_add_test(tcase, many_unread_requests);
  return suite;
}

GST_CHECK_MAIN(httpserversink_hostile);
