// SPDX-License-Identifier: LGPL-2.1-or-later
// The responses to requests, with and without a stream.
#include "httptest.h"

using namespace flvtest;
using namespace httptest;

namespace {

// A server with a stream.
class Live : public Server {
public:
  explicit Live(const std::string &properties = "") : Server(properties) {
    begin();
    push(stream.bytes);
    settle();
  }

  const Stream stream = clip();
};

// Any request and its response. Fails the test if the response is not complete.
struct Answer {
  Answer(const Server &server, const std::string &method, const std::string &path,
         const std::string &headers = "")
      : client(server.port()) {
    client.ask(path, headers, method);
    client.wait_for_close();
    fail_if(client.was_reset());
    fail_unless(client.status() != 0, "%s", client.head().c_str());
  }

  [[nodiscard]] std::string text() const { return {client.body().begin(), client.body().end()}; }

  Client client;
};

bool has(const std::string &text, const std::string &words) {
  return text.find(words) != std::string::npos;
}

} // namespace

GST_START_TEST(the_stream) {
  const Live server;
  Client client(server);
  client.wait_for_head();
  assert_equals_int(client.status(), 200);
  assert_text(client.header("Content-Type"), "video/x-flv");
  assert_text(client.header("Cache-Control"), "no-cache, no-store");
  assert_text(client.header("Access-Control-Allow-Origin"), "*");
  assert_text(client.header("Connection"), "close");
  assert_text(client.header("Content-Length"), "");
}
GST_END_TEST

// With any query.
GST_START_TEST(other_spellings_of_the_path) {
  const Live server;
  for (const char *path : {"/live?", "/live?a=b&c", "http://localhost/live", "/li%76e"}) {
    Client client(server.port());
    client.ask(path);
    client.wait_for_head();
    assert_equals_int(client.status(), 200);
  }
}
GST_END_TEST

// The stream counts as present as soon as its header is, in the bytes or in the caps.
GST_START_TEST(head_request) {
  const Stream stream = clip();
  Server server;
  assert_equals_int(Answer(server, "HEAD", "/live").client.status(), 503);
  server.begin();
  server.settle();
  assert_equals_int(Answer(server, "HEAD", "/live").client.status(), 503);
  if (__i__ == 0)
    server.push(stream.bytes);
  else
    server.set_caps(caps_of(kFlv, {Buffer(stream.bytes.begin(), stream.bytes.begin() + 13)}));
  server.settle();
  wait_for([&] { return Answer(server, "HEAD", "/live").client.status() == 200; }, "no stream");
  const Answer there(server, "HEAD", "/live");
  assert_equals_int(there.client.status(), 200);
  assert_text(there.client.header("Content-Type"), "video/x-flv");
  assert_equals_uint64(there.client.body().size(), 0);
  assert_equals_uint64(server.stat("clients-served"), 0);
  server.end();
  wait_for([&] { return server.ends() == 1; }, "there is no end");
  assert_equals_int(Answer(server, "HEAD", "/live").client.status(), 503);
}
GST_END_TEST

GST_START_TEST(refused_requests) {
  const Live server;
  const struct {
    const char *method;
    const char *path;
    int status;
  } rows[] = {{"GET", "/", 404},        {"GET", "/live/", 404},    {"GET", "/liv", 404},
              {"HEAD", "/other", 404},  {"POST", "/live", 405},    {"PUT", "/live", 405},
              {"DELETE", "/live", 405}, {"OPTIONS", "/other", 404}};
  for (const auto &row : rows) {
    const Answer answer(server, row.method, row.path);
    fail_unless(answer.client.status() == row.status, "%s %s: %d", row.method, row.path,
                answer.client.status());
    assert_text(answer.client.header("Allow"), row.status == 405 ? "GET, HEAD, OPTIONS" : "");
  }
  assert_equals_uint64(server.stat("clients-served"), 0);
}
GST_END_TEST

GST_START_TEST(before_a_script_asks) {
  const Live server;
  const Answer answer(server, "OPTIONS", "/live", "Access-Control-Request-Headers: range\r\n");
  assert_equals_int(answer.client.status(), 204);
  assert_text(answer.client.header("Access-Control-Allow-Origin"), "*");
  assert_text(answer.client.header("Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
  assert_text(answer.client.header("Access-Control-Allow-Headers"), "range");
}
GST_END_TEST

GST_START_TEST(allowed_origins) {
  Live server;
  for (const char *origin : {"https://example.org", "", "*"}) {
    server.set("allow-origin", origin);
    Client client(server);
    client.wait_for_head();
    assert_text(client.header("Access-Control-Allow-Origin"), origin);
    const bool is_one = std::string(origin).starts_with("https");
    assert_text(client.header("Vary"), is_one ? "Origin" : "");
    assert_text(Answer(server, "HEAD", "/live").client.header("Access-Control-Allow-Origin"),
                origin);
  }
}
GST_END_TEST

// --- WebSocket ---

GST_START_TEST(a_websocket) {
  const Live server;
  Client client(server, Transport::WebSocket);
  client.wait_for_head();
  assert_equals_int(client.status(), 101);
  assert_text(client.header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const Buffer question{'h', 'e', 'l', 'l', 'o'};
  client.send_frame(kPing, question);
  client.wait_for([&] { return !client.frames().empty(); }, "there is no pong");
  assert_equals_int(client.frames()[0].opcode, kPong);
  assert_bytes(client.frames()[0].payload, question);
  client.send_frame(kText, question);
  client.send_frame(kBinary, payload(1000));
  client.send_frame(kPing, {});
  client.wait_for([&] { return client.frames().size() == 2; }, "there is no second pong");
  client.send_frame(kClose, Buffer{0x03, 0xE8});
  client.wait_for_close();
  fail_if(client.was_reset());
  assert_equals_int(client.close_code(), 1000);
  assert_bytes(client.body(), served(server.stream, 3));
}
GST_END_TEST

GST_START_TEST(websocket_of_another_origin) {
  Live server;
  const struct {
    const char *allowed;
    const char *origin;
    int status;
  } rows[] = {{"*", "https://example.org", 101},
              {"https://example.org", "https://example.org", 101},
              {"https://example.org", "https://example.com", 403},
              {"https://example.org", "", 101},
              {"", "https://example.org", 403},
              {"", "", 101}};
  for (const auto &row : rows) {
    server.set("allow-origin", row.allowed);
    Client client(server.port());
    const std::string origin = row.origin;
    client.upgrade("/live", origin.empty() ? "" : "Origin: " + origin + "\r\n");
    client.wait_for_head();
    fail_unless(client.status() == row.status, "\"%s\" from \"%s\": %d", row.allowed, row.origin,
                client.status());
  }
}
GST_END_TEST

GST_START_TEST(invalid_handshakes) {
  const Live server;
  for (const char *headers :
       {"Connection: Upgrade\r\nUpgrade: websocket\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"}) {
    const Answer answer(server, "GET", "/live", headers);
    assert_equals_int(answer.client.status(), 400);
    assert_text(answer.text(), "");
  }
  const Answer older(server, "GET", "/live",
                     "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 7\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  assert_equals_int(older.client.status(), 426);
  assert_text(older.client.header("Sec-WebSocket-Version"), "13");
  assert_equals_uint64(server.stat("clients-served"), 0);
}
GST_END_TEST

// --- Before the stream ---

GST_START_TEST(waits_for_the_stream) {
  const Stream stream = clip({.start = 5000});
  Server server("wait-timeout=600000");
  Client client(server, kTransports[__i__]);
  server.wait_for_clients(1);
  server.begin(nullptr);
  server.settle();
  client.receive();
  fail_unless(client.body().empty());
  server.push(stream.bytes);
  client.wait_for_size(served(stream).size());
  assert_bytes(client.body(), served(stream));
}
GST_END_TEST

// Also with caps before the first data.
GST_START_TEST(waits_until_the_timeout) {
  constexpr double kTimeout = 0.3;
  Server server("wait-timeout=300");
  if (__i__ == 1) {
    server.begin();
    server.settle();
  }
  const Stopwatch stopwatch;
  Client plain(server);
  Client framed(server, Transport::WebSocket);
  plain.wait_for_close();
  framed.wait_for_close();
  fail_unless(stopwatch.seconds() >= kTimeout);
  assert_equals_int(plain.status(), 503);
  fail_if(plain.header("Retry-After").empty());
  assert_text(plain.header("Access-Control-Allow-Origin"), "*");
  fail_unless(plain.body().empty() && framed.body().empty());
  assert_equals_int(framed.close_code(), 1013);
  server.wait_for_removals(2);
  assert_text(server.removed(), "1 waited, 2 waited");
  // The next client is served when there is a stream.
  server.set("wait-timeout", 600'000U);
  Client client(server);
  server.wait_for_clients(1);
  server.begin();
  server.push(clip().bytes);
  client.wait_for_head();
  assert_equals_int(client.status(), 200);
}
GST_END_TEST

GST_START_TEST(leaves_before_the_stream) {
  Server server("wait-timeout=600000");
  Client plain(server);
  Client framed(server, Transport::WebSocket);
  server.wait_for_clients(2);
  framed.wait_for_head();
  framed.send_frame(kClose, {});
  framed.wait_for_close();
  plain.reset();
  server.wait_for_removals(2);
  assert_text(server.removed(), "1 closed, 2 closed");
}
GST_END_TEST

// Half-closed and closed connections look the same to a server that does not send. Before the
// stream starts, the server sends nothing; the client counts as gone after a moment.
GST_START_TEST(closes_before_the_stream) {
  const bool shown = __i__ % 2 == 1; // the header is known from the caps, so the client has its 200
  Server server("wait-timeout=600000 client-timeout=600000");
  if (shown)
    server.begin(caps_of("video/x-matroska", {payload(100)}));
  Client plain(server);
  Client framed(server, Transport::WebSocket);
  Client staying(server);
  server.wait_for_clients(3);
  framed.wait_for_head();
  if (shown)
    plain.wait_for_head();
  const Stopwatch stopwatch;
  plain.close();
  framed.close();
  server.wait_for_removals(2);
  fail_unless(stopwatch.seconds() < 1, "after %f s", stopwatch.seconds());
  assert_text(server.removed(), "1 closed, 2 closed");
  fail_if(staying.is_closed());
}
GST_END_TEST

// A half-closed client is served if the stream starts at once.
GST_START_TEST(half_closes_before_the_stream) {
  Server server("wait-timeout=600000 client-timeout=600000");
  Client client(server);
  server.wait_for_clients(1);
  client.shut_down();
  server.begin();
  const Stream stream = clip();
  server.push(stream.bytes);
  server.settle();
  g_usleep(1'000'000);
  client.wait_for_size(served(stream, 3).size());
  assert_equals_uint64(server.clients(), 1);
}
GST_END_TEST

// --- Statistics and metrics ---

GST_START_TEST(statistics) {
  const Live server("stats-path=/stats metrics-path=/metrics");
  Client client(server.port());
  client.ask("/live", "User-Agent: \"it\\\" \x01\xff\r\n");
  client.wait_for_size(served(server.stream, 3).size());
  const Answer json(server, "GET", "/stats");
  assert_text(json.client.header("Content-Type"), "application/json");
  assert_text(json.client.header("Cache-Control"), "no-cache, no-store");
  fail_unless(json.text().starts_with("{"), "%s", json.text().c_str());
  fail_unless(g_utf8_validate(json.text().c_str(), -1, nullptr));
  for (const char *words :
       {"\"clients-now\":1,", "\"clients-served\":1,", "\"id\":1,",
        "\"address\":\"127.0.0.1:", "\"transport\":\"http\"", "\\\"it\\\\\\\" "})
    fail_unless(has(json.text(), words), "no %s in %s", words, json.text().c_str());
  const Answer metrics(server, "GET", "/metrics");
  assert_text(metrics.client.header("Content-Type"), "text/plain; version=0.0.4");
  for (const char *words :
       {"httpserversink_clients{path=\"/live\"} 1.000\n", "# TYPE httpserversink_clients gauge\n",
        "httpserversink_clients_total{path=\"/live\"} 1.000\n"})
    fail_unless(has(metrics.text(), words), "no %s in %s", words, metrics.text().c_str());
  // These responses are not streams.
  const Answer head(server, "HEAD", "/stats");
  assert_equals_int(head.client.status(), 200);
  assert_text(head.text(), "");
  assert_equals_uint64(server.stat("clients-served"), 1);
}
GST_END_TEST

// A user agent is shown up to 256 bytes, without partial characters.
GST_START_TEST(long_user_agents) {
  const std::string filler(253, 'x');
  const std::pair<std::string, std::string> rows[] = {
      {std::string(256, 'x'), std::string(256, 'x')},
      {std::string(257, 'x'), std::string(256, 'x')},
      {std::string(7000, 'x'), std::string(256, 'x')},
      {filler + "\xE2\x82\xAC!", filler + "\xE2\x82\xAC"}, // byte 256 is the end of the character
      {filler + "y\xE2\x82\xAC!", filler + "y"},           // byte 256 is within the character
      {filler + "yz\xC3\xA4!", filler + "yz"},
  };
  const auto &[agent, shown] = rows[__i__];
  const Live server("stats-path=/stats");
  Client client(server.port());
  client.ask("/live", "User-Agent: " + agent + "\r\n");
  client.wait_for_head();
  server.wait_for_clients(1);
  assert_text(text(client_of(server.stats().get()), "user-agent"), shown);
  const Answer json(server, "GET", "/stats");
  fail_unless(has(json.text(), "\"user-agent\":\"" + shown + "\""), "%s", json.text().c_str());
}
GST_END_TEST

// A response is cached for 250 ms for all clients; the property is always current.
GST_START_TEST(kept_statistics) {
  const char *const paths[] = {"/stats", "/metrics"};
  const char *const path = paths[__i__];
  const Live server("stats-path=/stats metrics-path=/metrics");
  const Stopwatch stopwatch;
  const std::string first = Answer(server, "GET", path).text();
  Client client(server);
  server.wait_for_clients(1);
  const std::string second = Answer(server, "GET", path).text();
  if (stopwatch.seconds() < 0.25)
    assert_text(second, first);
  g_usleep(260'000);
  const std::string third = Answer(server, "GET", path).text();
  fail_if(third == first);
  fail_unless(has(third, __i__ == 0 ? "\"clients-now\":1," : "clients{path=\"/live\"} 1.000\n"),
              "%s", third.c_str());
  // Many requests at once, and some clients that do not wait for the response.
  std::vector<std::unique_ptr<Client>> many;
  for (int i = 0; i < 50; ++i) {
    many.push_back(std::make_unique<Client>(server.port()));
    many.back()->ask(path);
    if (i % 3 == 0)
      many.back()->reset();
  }
  for (int i = 0; i < 50; ++i) {
    if (i % 3 == 0)
      continue;
    many[static_cast<std::size_t>(i)]->wait_for_close();
    assert_equals_int(many[static_cast<std::size_t>(i)]->status(), 200);
  }
}
GST_END_TEST

static Suite *httpserversink_requests_suite() {
  Suite *suite = suite_create("httpserversink_requests");
  TCase *tcase = tcase_create("requests");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, the_stream);
  tcase_add_test(tcase, other_spellings_of_the_path);
  tcase_add_loop_test(tcase, head_request, 0, 2);
  tcase_add_test(tcase, refused_requests);
  tcase_add_test(tcase, before_a_script_asks);
  tcase_add_test(tcase, allowed_origins);
  tcase_add_test(tcase, a_websocket);
  tcase_add_test(tcase, websocket_of_another_origin);
  tcase_add_test(tcase, invalid_handshakes);
  tcase_add_loop_test(tcase, waits_for_the_stream, 0, static_cast<int>(std::size(kTransports)));
  tcase_add_loop_test(tcase, waits_until_the_timeout, 0, 2);
  tcase_add_test(tcase, leaves_before_the_stream);
  tcase_add_loop_test(tcase, closes_before_the_stream, 0, 2);
  tcase_add_test(tcase, half_closes_before_the_stream);
  tcase_add_test(tcase, statistics);
  tcase_add_loop_test(tcase, long_user_agents, 0, 6);
  tcase_add_loop_test(tcase, kept_statistics, 0, 2);
  return suite;
}

GST_CHECK_MAIN(httpserversink_requests);
