// SPDX-License-Identifier: LGPL-2.1-or-later
// Sites: which one answers, what it learns of the request, and when and from where it responds.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "httpserver/gsthttpserversink.h"
#include "sitetest.h"

using namespace flvtest;
using namespace sitetest;

namespace {

std::string body_of(const Client &client) {
  return {client.body().begin(), client.body().end()};
}

// A request and its complete response.
struct Answer {
  explicit Answer(guint port, const std::string &path = SiteServer::kPath,
                  const std::string &headers = "", const std::string &method = "GET")
      : client(port) {
    client.ask(path, headers, method);
    client.wait_for_close();
    fail_if(client.was_reset());
  }

  [[nodiscard]] std::string text() const { return body_of(client); }
  [[nodiscard]] int status() const { return client.status(); }

  Client client;
};

// A site that keeps its exchanges.
struct Keeper {
  [[nodiscard]] TestSite::Answer keep() {
    return [this](std::shared_ptr<Exchange> exchange) {
      const std::lock_guard lock(mutex);
      exchanges.push_back(std::move(exchange));
    };
  }
  // Waits for an exchange, and takes it.
  [[nodiscard]] std::shared_ptr<Exchange> take() {
    std::shared_ptr<Exchange> taken;
    wait_for(
        [&] {
          const std::lock_guard lock(mutex);
          if (!exchanges.empty()) {
            taken = exchanges.back();
            exchanges.pop_back();
          }
          return taken != nullptr;
        },
        "no request comes");
    return taken;
  }

  std::mutex mutex;
  std::vector<std::shared_ptr<Exchange>> exchanges;
};

TestSite::Answer says(const std::string &text) {
  return with([text] { return text_response(text); });
}

// A socket that listens at a free port of 127.0.0.1.
struct Inherited {
  Inherited() : descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    fail_unless(bind(descriptor, reinterpret_cast<sockaddr *>(&address), size) == 0);
    fail_unless(listen(descriptor, 10) == 0);
    getsockname(descriptor, reinterpret_cast<sockaddr *>(&address), &size);
    port = ntohs(address.sin_port);
  }

  int descriptor;
  guint16 port = 0;
};

bool is_refused(guint port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int result = connect(descriptor, reinterpret_cast<sockaddr *>(&address), sizeof address);
  close(descriptor);
  return result != 0;
}

} // namespace

// --- Paths ---

GST_START_TEST(prefixes) {
  SiteServer server;
  server.add_site("/", says("root"));
  server.add_site("/vod", says("vod"));
  server.add_site("/vod/a%62c/", says("abc"));
  const std::pair<const char *, const char *> kRows[] = {
      {"http://localhost", "root"},
      {"/", "root"},
      {"/vo", "root"},
      {"/vod", "vod"},
      {"/vod/", "vod"},
      {"/vodka", "root"},
      {"/vod/x/y.flv?start=7", "vod"},
      {"/vod/abc", "abc"},
      {"/vod/%61bc/d", "abc"},
      {"/vod/abcd", "vod"},
      {"/vod/../x", "root"},
      {"/vod/x/..", "vod"},
      {"/vod%2Fabc", "root"},
  };
  for (const auto &[path, text] : kRows)
    assert_text(Answer(server.port(), path).text(), text);
  assert_text(server->add_site("/vod/", nullptr).value_or(""), "/vod/");
}
GST_END_TEST

GST_START_TEST(no_site) {
  SiteServer server;
  server.add_site("/vod", says("vod"));
  const Answer missing(server.port(), "/live");
  assert_equals_int(missing.status(), 404);
  assert_text(missing.client.header("Access-Control-Allow-Origin"), "*");
  assert_equals_int(Answer(server.port(), "/vod/%zz").status(), 400);
}
GST_END_TEST

// A stream wins over the site at the same path.
GST_START_TEST(a_stream_beside) {
  SiteServer server(says("site"));
  server.listener->set_max_clients(2);
  GstElement *sink = static_cast<GstElement *>(gst_object_ref_sink(
      g_object_new(GST_TYPE_HTTP_SERVER_SINK, "path", "/live", "port", 1U, nullptr)));
  // After NULL -> READY, too.
  if (__i__ == 1)
    g_object_set(sink, "port", 0U, nullptr);
  if (__i__ == 1)
    fail_unless(gst_element_set_state(sink, GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS);
  gst_http_server_sink_set_listener(sink, server.listener);
  fail_if(gst_element_set_state(sink, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
  guint port = 0;
  g_object_get(sink, "current-port", &port, nullptr);
  assert_equals_int(static_cast<int>(port), static_cast<int>(server.port()));
  const Answer stream(server.port(), "/live", "", "HEAD");
  assert_equals_int(stream.status(), 503);
  assert_text(Answer(server.port(), "/live/more").text(), "site");
  // The clients of streams count.
  wait_for([&] { return server->clients() == 0; }, "the clients stay");
  Client waiting[] = {Client(server.port()), Client(server.port()), Client(server.port())};
  for (Client &each : waiting)
    each.ask("/live", "User-Agent: me\r\nReferer: you\r\n");
  wait_for([&] { return server->clients() == 2; }, "the clients do not come");
  const Answer refused(server.port());
  assert_equals_int(refused.status(), 503);
  assert_text(refused.client.header("Retry-After"), "2");
  gst_element_set_state(sink, GST_STATE_NULL);
  assert_equals_uint64(server->clients(), 0);
  assert_text(Answer(server.port(), "/live").text(), "site");
  gst_object_unref(sink);
  bool logged = false;
  for (const auto &each : server.log->requests()) {
    if (each.reason != "stopped")
      continue;
    logged = true;
    assert_text(each.target, "/live");
    assert_text(each.method, "GET");
    assert_text(each.agent, "me");
    assert_text(each.referer, "you");
    assert_equals_int(static_cast<int>(each.status), 503);
    assert_equals_uint64(each.bytes, 0); // without the head
  }
  fail_unless(logged, "no client of the stream is logged");
}
GST_END_TEST

// --- The request and the response ---

GST_START_TEST(the_request) {
  Keeper keeper;
  const SiteServer server(keeper.keep());
  Client client(server.port());
  client.ask("/a/../b%20c/%7Ed?x=%20y&z", "Range: bytes=0-\r\nX-One: 1\r\nx-one: 2\r\n", "HEAD");
  const auto exchange = keeper.take();
  const flvhttp::Request &request = exchange->request();
  fail_unless(request.is_head && !request.secure);
  assert_text(request.path, "/b%20c/~d");
  assert_text(request.query, "x=%20y&z");
  assert_text(request.address, "127.0.0.1");
  fail_unless(request.field("range") && request.field("RANGE"));
  assert_text(*request.field("range"), "bytes=0-");
  assert_text(*request.field("X-ONE"), "1, 2");
  fail_if(request.field("If-Range"));
  fail_if(exchange->is_cancelled());
}
GST_END_TEST

GST_START_TEST(the_response) {
  const SiteServer server(with([] {
    Response response = text_response("text", 206);
    response.fields = {{"ETag", "\"1\""}, {"X-Bad", "a\r\nX-Worse: b"}, {"X-Last", "c"}};
    return response;
  }));
  const Answer answer(server.port());
  const Client &client = answer.client;
  fail_unless(client.head().starts_with("HTTP/1.1 206 Partial Content\r\n"));
  assert_text(client.header("ETag"), "\"1\"");
  assert_text(client.header("X-Last"), "c");
  assert_text(client.header("X-Bad"), "");
  assert_text(client.header("X-Worse"), "");
  assert_text(client.header("Content-Length"), "4");
  assert_text(client.header("Connection"), "close");
  assert_text(client.header("Access-Control-Allow-Origin"), "*");
  fail_unless(client.header("Access-Control-Expose-Headers").find("ETag") != std::string::npos);
  fail_unless(client.header("Date").ends_with(" GMT"));
  fail_unless(client.header("Server").starts_with("gst-flv-streaming/"));
  assert_text(answer.text(), "text");
}
GST_END_TEST

GST_START_TEST(other_methods) {
  const SiteServer server;
  fail_if(server->add_site("/", std::make_shared<TestSite>(says("text"), "https://a.example")));
  const Answer preflight(server.port(), "/x", "Access-Control-Request-Headers: range\r\n",
                         "OPTIONS");
  assert_equals_int(preflight.status(), 204);
  assert_text(preflight.client.header("Access-Control-Allow-Headers"), "range");
  assert_text(preflight.client.header("Access-Control-Allow-Origin"), "https://a.example");
  const Answer post(server.port(), "/x", "Content-Length: 0\r\n", "POST");
  assert_equals_int(post.status(), 405);
  assert_text(post.client.header("Allow"), "GET, HEAD, OPTIONS");
  assert_text(Answer(server.port(), "/x").client.header("Access-Control-Allow-Origin"),
              "https://a.example");
}
GST_END_TEST

// --- Exchanges ---

GST_START_TEST(a_response_from_another_thread) {
  Keeper keeper;
  const SiteServer server(keeper.keep());
  Client client(server.port());
  client.ask();
  std::thread other([exchange = keeper.take()] {
    g_usleep(20'000);
    exchange->respond(text_response("first"));
    exchange->respond(text_response("second"));
  });
  client.wait_for_close();
  other.join();
  assert_text(body_of(client), "first");
}
GST_END_TEST

GST_START_TEST(no_response) {
  Keeper keeper;
  const SiteServer server(__i__ == 0 ? keeper.keep() : [](const std::shared_ptr<Exchange> &) {});
  Client client(server.port());
  client.ask();
  if (__i__ == 0)
    keeper.take().reset();
  client.wait_for_close();
  assert_equals_int(client.status(), 500);
  assert_text(client.header("Content-Length"), "0");
}
GST_END_TEST

GST_START_TEST(a_response_after_the_client_left) {
  Keeper keeper;
  const SiteServer server(keeper.keep());
  Client client(server.port());
  client.ask();
  const auto exchange = keeper.take();
  client.reset();
  server.wait_for_none();
  fail_unless(exchange->is_cancelled());
  exchange->respond(text_response("late"));
  const auto logged = server.log->first();
  assert_equals_int(static_cast<int>(logged.status), 499);
  assert_text(logged.reason, "closed");
}
GST_END_TEST

// The client may still read.
GST_START_TEST(a_response_after_the_client_closed_its_side) {
  Keeper keeper;
  const SiteServer server(keeper.keep());
  Client client(server.port());
  client.ask();
  client.shut_down();
  const auto exchange = keeper.take();
  const httptest::Stopwatch stopwatch;
  wait_for([&] { return exchange->is_cancelled(); }, "the exchange is not cancelled");
  fail_unless(stopwatch.seconds() > 0.3);
  exchange->respond(text_response("text"));
  client.wait_for_close();
  assert_text(body_of(client), "text");
}
GST_END_TEST

GST_START_TEST(a_response_after_the_site_was_removed) {
  Keeper keeper;
  const SiteServer server;
  auto site = std::make_shared<TestSite>(keeper.keep());
  fail_if(server->add_site("/", site));
  fail_if(server->add_site("/other", std::make_shared<TestSite>(says("other"))));
  Client client(server.port());
  client.ask();
  const auto exchange = keeper.take();
  server->remove_site(site.get());
  assert_equals_int(static_cast<int>(site.use_count()), 1);
  site.reset();
  assert_equals_int(Answer(server.port()).status(), 404);
  exchange->respond(text_response("text"));
  client.wait_for_close();
  assert_text(body_of(client), "text");
}
GST_END_TEST

// remove_site() waits for answer(), also if a client asks all the time. A site may remove itself.
GST_START_TEST(a_site_is_removed_while_it_answers) {
  const SiteServer server;
  std::atomic<bool> begun = false;
  std::atomic<bool> ended = false;
  std::shared_ptr<TestSite> site;
  site = std::make_shared<TestSite>([&](const std::shared_ptr<Exchange> &exchange) {
    begun = true;
    if (__i__ == 1)
      server->remove_site(site.get());
    g_usleep(100'000);
    exchange->respond(text_response("text"));
    ended = true;
  });
  fail_if(server->add_site("/", site));
  Client client(server.port());
  client.ask();
  wait_for([&] { return begun.load(); }, "no request comes");
  server->remove_site(site.get());
  fail_unless(ended);
  client.wait_for_close();
  assert_text(body_of(client), "text");
}
GST_END_TEST

GST_START_TEST(an_exchange_outlives_the_listener) {
  Keeper keeper;
  SiteServer server(keeper.keep());
  Client client(server.port());
  client.ask();
  auto exchange = keeper.take();
  server.listener.reset();
  client.wait_for_close();
  assert_equals_int(client.status(), 0);
  fail_unless(exchange->is_cancelled());
  if (__i__ == 0)
    exchange->respond(text_response("late"));
  exchange.reset();
  assert_text(server.log->first().reason, "stopped");
}
GST_END_TEST

// Many requests at once, from many threads.
GST_START_TEST(many_exchanges) {
  const std::size_t count = pacetest::is_short() ? 20 : 300;
  Keeper keeper;
  const SiteServer server(keeper.keep());
  std::atomic<bool> stopping = false;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; i++) {
    workers.emplace_back([&] {
      while (!stopping) {
        std::shared_ptr<Exchange> exchange;
        {
          const std::lock_guard lock(keeper.mutex);
          if (!keeper.exchanges.empty()) {
            exchange = keeper.exchanges.back();
            keeper.exchanges.pop_back();
          }
        }
        if (exchange)
          exchange->respond(text_response(exchange->request().path));
        else
          g_usleep(100);
      }
    });
  }
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < count; i++) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->ask("/" + std::to_string(i));
    if (i % 5 == 0)
      clients.back()->reset();
  }
  for (std::size_t i = 0; i < count; i++) {
    if (i % 5 == 0)
      continue;
    clients[i]->wait_for_close();
    assert_text(body_of(*clients[i]), "/" + std::to_string(i));
  }
  server.wait_for_none();
  stopping = true;
  for (std::thread &each : workers)
    each.join();
}
GST_END_TEST

// --- The listener ---

GST_START_TEST(several_addresses) {
  const Inherited inherited;
  const Inherited other;
  const Certificate certificate;
  GError *error = nullptr;
  // The second place is one of the inherited sockets.
  const auto listener = Listener::open({{"127.0.0.1", 0, certificate.path(), {}},
                                        {"localhost", inherited.port, {}, {}},
                                        {"127.0.0.1", 0, {}, {}}},
                                       {inherited.descriptor, other.descriptor}, &error);
  fail_unless(listener != nullptr, "%s", error ? error->message : "");
  fail_if(listener->add_site("/", std::make_shared<TestSite>(says("text"))));
  const std::vector<guint16> ports = listener->ports();
  assert_equals_int(static_cast<int>(ports.size()), 4);
  assert_equals_int(listener->port(), ports[0]);
  assert_equals_int(ports[1], inherited.port);
  assert_equals_int(ports[3], other.port);
  assert_text(Answer(ports[1]).text(), "text");
  assert_text(Answer(ports[2]).text(), "text");
  // The other socket has the certificate of the first place.
  for (const guint16 port : {ports[0], ports[3]}) {
    TlsClient client(port);
    client.wait_for_close();
    fail_unless(client.body() == (Buffer{'t', 'e', 'x', 't'}));
  }
}
GST_END_TEST

GST_START_TEST(all_addresses) {
  GError *error = nullptr;
  const auto listener = Listener::open({{"", 0, {}, {}}}, {}, &error);
  fail_unless(listener != nullptr, "%s", error ? error->message : "");
  fail_if(listener->add_site("/", std::make_shared<TestSite>(says("text"))));
  assert_text(Answer(listener->port()).text(), "text");
}
GST_END_TEST

GST_START_TEST(addresses_that_cannot_be_used) {
  const Inherited taken;
  const int file = dup(STDERR_FILENO);
  const struct {
    std::vector<flvhttp::ListenAddress> places;
    std::vector<int> sockets;
  } kRows[] = {
      {{}, {}},
      {{{"127.0.0.1", 0, {}, {}}, {"127.0.0.1", taken.port, {}, {}}}, {}},
      {{{"127.0.0.1", 0, "/no/such/file", {}}}, {}},
      {{}, {file}},
      {{}, {socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}}, // does not listen
      {{}, {socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)}},
  };
  for (const auto &row : kRows) {
    GError *error = nullptr;
    fail_unless(Listener::open(row.places, row.sockets, &error) == nullptr);
    fail_unless(error != nullptr);
    g_clear_error(&error);
  }
  close(taken.descriptor);
}
GST_END_TEST

// Connections before the start wait.
GST_START_TEST(explicit_start) {
  GError *error = nullptr;
  const auto listener =
      Listener::open({{"127.0.0.1", 0, {}, {}}}, {}, &error, Listener::Start::Explicit);
  fail_unless(listener != nullptr);
  Client client(listener->port());
  client.ask(SiteServer::kPath);
  fail_if(listener->add_site("/a", std::make_shared<TestSite>(says("a"))));
  g_usleep(20'000);
  fail_if(listener->add_site("/file", std::make_shared<TestSite>(says("text"))));
  listener->start();
  listener->start();
  client.wait_for_close();
  assert_text(body_of(client), "text");
  assert_equals_int(Answer(listener->port(), "/other").status(), 404);
}
GST_END_TEST

GST_START_TEST(maximum_of_clients) {
  Keeper keeper;
  const SiteServer server(keeper.keep());
  server->set_max_clients(1);
  Client first(server.port());
  first.ask();
  auto exchange = keeper.take();
  const Answer refused(server.port());
  assert_equals_int(refused.status(), 503);
  assert_text(refused.client.header("Retry-After"), "2");
  exchange.reset();
  first.wait_for_close();
  first.close();
  server.wait_for_none();
  Client second(server.port());
  second.ask();
  exchange = keeper.take();
}
GST_END_TEST

GST_START_TEST(stop_accepting) {
  const TestFile file(pattern(8 << 20));
  SiteServer server(with([&] { return file.whole(); }));
  Client client(server.port(), 16 << 10);
  client.ask();
  client.wait_for_head();
  server->stop_accepting();
  server->stop_accepting();
  fail_unless(is_refused(server.port()));
  client.wait_for_close();
  assert_equals_int(static_cast<int>(client.body().size()), 8 << 20);
}
GST_END_TEST

GST_START_TEST(the_log) {
  SiteServer server;
  server.add_site("/vod", says("text"));
  const gint64 before = g_get_real_time();
  (void)Answer(server.port(), "/vod/a?b", "Referer: you\r\nUser-Agent: me\r\n");
  (void)Answer(server.port(), "/none");
  (void)Answer(server.port(), "/vod", "", "DELETE");
  wait_for([&] { return server.log->requests().size() == 3; }, "nothing is logged");
  g_usleep(10'000);
  const auto all = server.log->requests();
  assert_equals_int(static_cast<int>(all.size()), 3);
  const struct {
    const char *method;
    const char *target;
    unsigned status;
  } kRows[] = {{"GET", "/vod/a?b", 200}, {"GET", "/none", 404}, {"DELETE", "/vod", 405}};
  for (const auto &row : kRows) {
    const auto found = std::find_if(all.begin(), all.end(), [&row](const auto &each) {
      return each.target == row.target && each.method == row.method;
    });
    fail_unless(found != all.end(), "%s is not logged", row.target);
    assert_equals_int(static_cast<int>(found->status), static_cast<int>(row.status));
    assert_text(found->protocol, "HTTP/1.1");
    assert_text(found->address, "127.0.0.1");
    assert_text(found->reason, "ended");
    fail_unless(found->time_us >= before && found->time_us <= g_get_real_time());
    fail_unless(found->duration_s >= 0 && found->duration_s < 60);
    assert_text(found->agent, row.status == 200 ? "me" : "");
    assert_text(found->referer, row.status == 200 ? "you" : "");
    assert_equals_uint64(found->bytes, row.status == 200 ? 4 : 0);
  }
}
GST_END_TEST

const std::string kAsk = "GET /vod HTTP/1.1\r\n";
const std::string kAskHost = kAsk + "Host: a\r\n";

const struct {
  std::string request;
  int status;
  const char *line; // as it is logged: the method, the target and the protocol, or the target only
  const char *text; // of the response
} kRefused[] = {
    {"GET  /vod HTTP/1.1\r\nHost: a\r\n\r\n", 400, "|GET  /vod HTTP/1.1|", "The request line"},
    {"GET\t/vod\tHTTP/1.1\r\nHost: a\r\n\r\n", 400, "|GET\t/vod\tHTTP/1.1|", "The request line"},
    {"\r\nnonsense\n\n", 400, "|nonsense|", "The request line"},
    {"HEAD  /vod HTTP/1.1\r\nHost: a\r\n\r\n", 400, "|HEAD  /vod HTTP/1.1|", ""},
    {kAsk + "\r\n", 400, "GET|/vod|HTTP/1.1", "There is no Host field."},
    {kAskHost + "Host: a\r\n\r\n", 400, "GET|/vod|HTTP/1.1", "There are 2 Host fields."},
    {kAskHost + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400, "GET|/vod|HTTP/1.1",
     "There are 2 Content-Length fields."},
    {kAskHost + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "GET|/vod|HTTP/1.1",
     "There are both"},
    {kAskHost + "X\r\n\r\n", 400, "GET|/vod|HTTP/1.1", "Header line 2 has no colon."},
    {kAskHost + "X : a\r\n\r\n", 400, "GET|/vod|HTTP/1.1", "Header line 2 has a space"},
    {kAskHost + "X: a\r\n b\r\n\r\n", 400, "GET|/vod|HTTP/1.1", "Header line 3 begins with"},
    {kAskHost + ": a\r\n\r\n", 400, "GET|/vod|HTTP/1.1", "Header line 2 has no name"},
    {kAskHost + "X\x01: a\r\n\r\n", 400, "GET|/vod|HTTP/1.1", "Header line 2"},
    {"GET vod HTTP/1.1\r\nHost: a\r\n\r\n", 400, "GET|vod|HTTP/1.1", ""},
    {"GET /vod HTTP/2.0\r\nHost: a\r\n\r\n", 505, "GET|/vod|HTTP/2.0", "The version is HTTP/2.0"},
    {kAskHost + "Expect: x\r\n\r\n", 417, "GET|/vod|HTTP/1.1", "The value of Expect"},
    {kAskHost + "X: " + std::string(9000, 'x'), 431, "GET|/vod|HTTP/1.1", ""},
    {std::string(9000, 'x'), 431, nullptr, ""},
    {"GET /v", 408, "|GET /v|", ""},
    {"", 408, "||", ""},
};

// Each request that is answered is logged once.
GST_START_TEST(the_log_of_refused_requests) {
  const auto &row = kRefused[__i__];
  SiteServer server;
  server.add_site("/vod", says("text"));
  server->set_request_timeout(row.status == 408 ? 200 : 60'000);
  Client client(server.port());
  client.send(row.request);
  client.wait_for_close();
  const std::string what = row.request.substr(0, 100);
  fail_unless(client.status() == row.status, "%s: %d", what.c_str(), client.status());
  fail_unless(body_of(client).starts_with(row.text), "%s: %s", what.c_str(),
              body_of(client).c_str());
  const auto logged = server.log->first();
  g_usleep(20'000);
  assert_equals_int(static_cast<int>(server.log->requests().size()), 1);
  assert_equals_int(static_cast<int>(logged.status), row.status);
  assert_equals_uint64(logged.bytes, client.body().size());
  assert_text(logged.address, "127.0.0.1");
  assert_text(logged.reason, "ended");
  assert_text(logged.method + '|' + logged.target + '|' + logged.protocol,
              row.line ? row.line : '|' + row.request.substr(0, logged.target.size()) + '|');
  // The server serves the next request.
  assert_text(Answer(server.port(), "/vod").text(), "text");
}
GST_END_TEST

// The client leaves before the body that it has announced.
GST_START_TEST(the_log_of_a_request_without_its_body) {
  SiteServer server(says("text"));
  Client client(server.port());
  client.ask("/vod", "Content-Length: 3\r\n", "POST");
  g_usleep(20'000);
  client.close();
  const auto logged = server.log->first();
  assert_equals_int(static_cast<int>(logged.status), 499);
  assert_text(logged.reason, "closed");
  assert_text(logged.method, "POST");
  assert_equals_uint64(logged.bytes, 0);
}
GST_END_TEST

static Suite *httpserver_sites_suite() {
  Suite *suite = suite_create("httpserver_sites");
  TCase *tcase = tcase_create("sites");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, prefixes);
  tcase_add_test(tcase, no_site);
  tcase_add_loop_test(tcase, a_stream_beside, 0, 2);
  tcase_add_test(tcase, the_request);
  tcase_add_test(tcase, the_response);
  tcase_add_test(tcase, other_methods);
  tcase_add_test(tcase, a_response_from_another_thread);
  tcase_add_loop_test(tcase, no_response, 0, 2);
  tcase_add_test(tcase, a_response_after_the_client_left);
  tcase_add_test(tcase, a_response_after_the_client_closed_its_side);
  tcase_add_test(tcase, a_response_after_the_site_was_removed);
  tcase_add_loop_test(tcase, a_site_is_removed_while_it_answers, 0, 2);
  tcase_add_loop_test(tcase, an_exchange_outlives_the_listener, 0, 2);
  tcase_add_test(tcase, many_exchanges);
  tcase_add_test(tcase, several_addresses);
  tcase_add_test(tcase, all_addresses);
  tcase_add_test(tcase, addresses_that_cannot_be_used);
  tcase_add_test(tcase, explicit_start);
  tcase_add_test(tcase, maximum_of_clients);
  tcase_add_test(tcase, stop_accepting);
  tcase_add_test(tcase, the_log);
  tcase_add_test(tcase, the_log_of_a_request_without_its_body);
  tcase_add_loop_test(tcase, the_log_of_refused_requests, 0, static_cast<int>(std::size(kRefused)));
  return suite;
}

GST_CHECK_MAIN(httpserver_sites);
