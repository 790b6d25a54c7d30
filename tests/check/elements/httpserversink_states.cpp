// SPDX-License-Identifier: LGPL-2.1-or-later
// Starts and stops, several elements on a port, and errors that prevent a start.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "holdings.h"
#include "httptest.h"

using namespace flvtest;
using namespace httptest;

namespace {

std::string port_of(const Server &server) {
  return "port=" + std::to_string(server.port()) + " ";
}

// Clients in all states.
class Crowd {
public:
  explicit Crowd(Server &server) {
    for (const Transport transport : kTransports)
      add(server, transport);
    add(server, Transport::Http).send("and some more");
    clients_.push_back(std::make_unique<Client>(server.port()));
    clients_.back()->send("GET /live HTT");
    clients_.push_back(std::make_unique<Client>(server.port()));
    clients_.back()->ask("/nowhere");
    clients_.push_back(std::make_unique<Client>(server.port()));
  }

private:
  Client &add(Server &server, Transport transport) {
    clients_.push_back(std::make_unique<Client>(server, transport));
    return *clients_.back();
  }

  std::vector<std::unique_ptr<Client>> clients_;
};

// Stops with clients that wait, that are served, and that connect.
void run_cycles(Server &server, unsigned count) {
  const Stream stream = clip();
  for (unsigned cycle = 0; cycle < count; ++cycle) {
    server.set_state(GST_STATE_PLAYING);
    if (cycle % 2 == 0) {
      server.begin();
      server.push(stream.bytes);
    }
    const Crowd crowd(server);
    if (cycle % 3 != 0)
      server.wait_for_clients(3);
    if (cycle % 5 == 0)
      server.set_state(GST_STATE_READY);
    fail_unless(server.set_state(GST_STATE_NULL) == GST_STATE_CHANGE_SUCCESS);
    server.settle();
  }
}

void assert_does_not_start(const std::string &properties, int code, const std::string &words) {
  Server server(properties, GST_STATE_NULL);
  fail_unless(server.set_state(GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
  assert_problem(server, true, GST_RESOURCE_ERROR, code, words);
  fail_if(server.problem().found);
  assert_equals_int(server.port(), 0);
}

} // namespace

GST_START_TEST(two_hundred_starts) {
  constexpr unsigned kFirst = 40;
  constexpr unsigned kAll = 200;
  Server server;
  run_cycles(server, kFirst);
  server.set_state(GST_STATE_NULL);
  const Holdings before = holdings();
  run_cycles(server, is_watched() ? kFirst : kAll - kFirst);
  server.set_state(GST_STATE_NULL);
  assert_no_more_than(before);
}
GST_END_TEST

GST_START_TEST(serves_again) {
  const Stream stream = clip({.start = 5000});
  Server server("", GST_STATE_NULL);
  for (int turn = 0; turn < 3; ++turn) {
    server.set_state(GST_STATE_PLAYING);
    server.begin();
    server.push(part(stream, 0, 10));
    server.settle();
    Client client(server);
    client.wait_for_size(served(stream, 0, 10).size());
    server.push(part(stream, 10));
    server.end();
    client.wait_for_close();
    assert_bytes(client.body(), served(stream));
    wait_for([&] { return server.idle(); }, "the end is not over");
    server.set_state(GST_STATE_NULL);
  }
  assert_text(server.removed(), "1 ended, 1 ended, 1 ended");
}
GST_END_TEST

// Clients get a close frame or a response, if their protocol has one.
GST_START_TEST(stops_in_order) {
  const Stream stream = clip();
  Server server;
  server.begin();
  server.push(stream.bytes);
  server.settle();
  Client plain(server);
  Client framed(server, Transport::WebSocket);
  server.wait_for_clients(2);
  plain.wait_for_size(1);
  framed.wait_for_size(1);
  server.set_state(GST_STATE_NULL);
  for (Client *client : {&plain, &framed}) {
    client->wait_for_close();
    fail_if(client->was_reset());
    assert_bytes(client->body(), served(stream, 3));
  }
  assert_equals_int(framed.close_code(), 1001);
  assert_text(server.removed(), "1 stopped, 2 stopped");
  assert_equals_uint64(server.clients(), 0);
}
GST_END_TEST

// The clients stay, and receive the next data in PLAYING.
GST_START_TEST(pauses) {
  const Stream stream = clip();
  Server server;
  server.begin();
  server.push(part(stream, 0, 10));
  server.settle();
  Client client(server);
  client.wait_for_size(served(stream, 0, 10).size());
  for (int turn = 0; turn < 3; ++turn) {
    server.set_state(GST_STATE_PAUSED);
    server.set_state(GST_STATE_PLAYING);
  }
  server.push(part(stream, 10));
  client.wait_for_size(served(stream).size());
  assert_bytes(client.body(), served(stream));
}
GST_END_TEST

// It listens from READY on.
GST_START_TEST(another_stream_for_connected_clients) {
  const Stream one = clip({.start = 5000});
  const Stream other = clip({.start = 100, .groups = 2, .variant = 1});
  Server server("", GST_STATE_READY);
  Client client(server, kTransports[__i__]);
  server.wait_for_clients(1);
  server.set_state(GST_STATE_PLAYING);
  server.begin();
  const std::size_t end = keys(one)[1] + 3;
  server.push(part(one, 0, end));
  server.push(one.at(end).first(20));
  server.settle();
  client.wait_for_size(served(one, 0, end).size());
  server.set_state(GST_STATE_READY);
  server.set_state(GST_STATE_PLAYING);
  server.begin();
  server.push(other.bytes);
  const std::size_t first = keys(other)[0];
  const Buffer should =
      joined({served(one, 0, end), configurations(other, first, 480), rebased(other, first, 480)});
  client.wait_for_size(should.size());
  assert_bytes(client.body(), should);
}
GST_END_TEST

// --- A port for many ---

GST_START_TEST(several_paths_on_a_port) {
  const Stream one = clip({.start = 5000});
  const Stream other = clip({.start = 700, .variant = 1});
  Server live;
  live.keep_port();
  Server beside(port_of(live) + "path=/other");
  assert_equals_int(beside.port(), live.port());
  live.begin();
  beside.begin();
  Client of_live(live.port());
  of_live.ask("/live");
  Client of_other(live.port());
  of_other.ask("/other");
  live.wait_for_clients(1);
  beside.wait_for_clients(1);
  live.push(part(one, 0, 10));
  beside.push(part(other, 0, 10));
  of_live.wait_for_size(served(one, 0, 10).size());
  of_other.wait_for_size(served(other, 0, 10).size());
  // One element leaves, and comes back.
  live.set_state(GST_STATE_NULL);
  of_live.wait_for_close();
  Client lost(beside.port());
  lost.ask("/live");
  lost.wait_for_head();
  assert_equals_int(lost.status(), 404);
  beside.push(part(other, 10));
  of_other.wait_for_size(served(other).size());
  assert_bytes(of_other.body(), served(other));
  live.set_state(GST_STATE_PLAYING);
  live.begin();
  live.push(one.bytes);
  live.settle();
  Client back(live);
  back.wait_for_size(served(one, 3).size());
  assert_bytes(back.body(), served(one, 3));
}
GST_END_TEST

GST_START_TEST(path_in_use) {
  Server live("stats-path=/stats metrics-path=/metrics request-timeout=300");
  live.keep_port();
  const std::string port = port_of(live);
  assert_does_not_start(port, GST_RESOURCE_ERROR_BUSY, "\"/live\"");
  assert_does_not_start(port + "path=/stats", GST_RESOURCE_ERROR_BUSY, "\"/stats\"");
  assert_does_not_start(port + "path=/a stats-path=/live", GST_RESOURCE_ERROR_BUSY, "\"/live\"");
  assert_does_not_start(port + "path=/a metrics-path=/stats", GST_RESOURCE_ERROR_BUSY,
                        "\"/stats\"");
  // The failed elements leave nothing on the port.
  assert_does_not_start(port + "request-timeout=600000", GST_RESOURCE_ERROR_BUSY, "\"/live\"");
  Client silent(live.port());
  silent.wait_for_close();
  assert_equals_int(silent.status(), 408);
  const Server last(port + "path=/a stats-path=/b");
  assert_equals_int(last.port(), live.port());
}
GST_END_TEST

GST_START_TEST(same_path_twice) {
  assert_does_not_start("stats-path=/live", GST_RESOURCE_ERROR_SETTINGS,
                        "path and stats-path are both \"/live\"");
  assert_does_not_start("stats-path=/s metrics-path=/s", GST_RESOURCE_ERROR_SETTINGS,
                        "stats-path and metrics-path are both \"/s\"");
}
GST_END_TEST

// A path is free after its element is gone.
GST_START_TEST(path_is_free_again) {
  Server first;
  first.keep_port();
  Server second(port_of(first), GST_STATE_NULL);
  for (int turn = 0; turn < 10; ++turn) {
    fail_unless(second.set_state(GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
    assert_problem(second, true, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY, "/live");
    second.set_state(GST_STATE_NULL);
    first.set_state(GST_STATE_NULL);
    fail_if(second.set_state(GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
    second.set_state(GST_STATE_NULL);
    fail_if(first.set_state(GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
  }
}
GST_END_TEST

// Many elements at once, each in a separate thread, with and without a permanent user of the port.
GST_START_TEST(starts_in_threads) {
  constexpr std::size_t kThreads = 4;
  Server holds;
  holds.keep_port();
  const std::string port = port_of(holds);
  if (__i__ == 1)
    holds.set_state(GST_STATE_NULL);
  std::vector<std::unique_ptr<Server>> servers;
  for (std::size_t i = 0; i < kThreads; ++i)
    servers.push_back(
        std::make_unique<Server>(port + "path=/" + std::to_string(i), GST_STATE_NULL));
  std::vector<GThread *> threads;
  for (const auto &server : servers) {
    threads.push_back(g_thread_new(
        "starts",
        [](gpointer data) -> gpointer {
          auto *own = static_cast<Server *>(data);
          for (int turn = 0; turn < 50; ++turn) {
            fail_if(own->set_state(GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
            own->set_state(GST_STATE_NULL);
          }
          return nullptr;
        },
        server.get()));
  }
  for (GThread *thread : threads)
    g_thread_join(thread);
}
GST_END_TEST

// --- Errors that prevent a start ---

GST_START_TEST(a_port_in_use) {
  const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto *place = reinterpret_cast<sockaddr *>(&address);
  fail_unless(bind(taken, place, size) == 0 && listen(taken, 1) == 0);
  fail_unless(getsockname(taken, place, &size) == 0);
  const std::string port = std::to_string(ntohs(address.sin_port));
  assert_does_not_start("port=" + port, GST_RESOURCE_ERROR_OPEN_READ_WRITE, "port " + port);
  assert_does_not_start("address=localhost port=" + port, GST_RESOURCE_ERROR_OPEN_READ_WRITE,
                        "port " + port);
  close(taken);
  Server server("port=" + port);
  assert_equals_int(server.port(), ntohs(address.sin_port));
}
GST_END_TEST

GST_START_TEST(foreign_address) {
  assert_does_not_start("address=192.0.2.1", GST_RESOURCE_ERROR_OPEN_READ_WRITE, "192.0.2.1");
}
GST_END_TEST

GST_START_TEST(a_path_without_a_slash) {
  for (const char *property : {"path=", "stats-path=", "metrics-path="}) {
    assert_does_not_start(property + std::string("live.flv"), GST_RESOURCE_ERROR_SETTINGS,
                          "\"live.flv\"");
  }
  assert_does_not_start("path=\"\"", GST_RESOURCE_ERROR_SETTINGS, "\"\"");
}
GST_END_TEST

GST_START_TEST(missing_certificate) {
  assert_does_not_start("tls-certificate=/nowhere/certificate.pem",
                        GST_RESOURCE_ERROR_OPEN_READ_WRITE, "/nowhere/certificate.pem");
}
GST_END_TEST

GST_START_TEST(a_key_without_a_certificate) {
  assert_does_not_start("tls-key=key.pem", GST_RESOURCE_ERROR_SETTINGS, "tls-key \"key.pem\"");
}
GST_END_TEST

// A client that waits for a stream gets an error response.
GST_START_TEST(stops_without_data) {
  Server server("wait-timeout=600000");
  Client client(server);
  Client framed(server, Transport::WebSocket);
  server.wait_for_clients(2);
  server.set_state(GST_STATE_NULL);
  client.wait_for_close();
  assert_equals_int(client.status(), 503);
  fail_if(client.header("Retry-After").empty());
  assert_text(client.header("Access-Control-Allow-Origin"), "*");
  framed.wait_for_close();
  assert_equals_int(framed.close_code(), 1001);
}
GST_END_TEST

// A start is possible after the error is corrected.
GST_START_TEST(starts_after_an_error) {
  Server server("path=live", GST_STATE_NULL);
  fail_unless(server.set_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
  fail_unless(server.problem().says("live"));
  server.set_state(GST_STATE_NULL);
  server.set("path", "/live");
  fail_if(server.set_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
  const Stream stream = clip();
  server.begin();
  server.push(stream.bytes);
  server.settle();
  Client client(server);
  client.wait_for_size(served(stream, 3).size());
}
GST_END_TEST

// The names that a debugger shows. The system refuses names of more than 15 bytes.
GST_START_TEST(threads_have_names) {
  const Server server("stats-path=/stats");
  Client client(server.port());
  client.ask("/stats");
  client.wait_for_close();
  std::set<std::string> names;
  for (const auto &thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(thread.path() / "comm"), name);
    names.insert(name);
  }
  for (const char *name : {"httpserversink", "httpserver-http", "httpserver-stat"})
    fail_unless(names.contains(name), "%s", name);
}
GST_END_TEST

static Suite *httpserversink_states_suite() {
  Suite *suite = suite_create("httpserversink_states");
  TCase *tcase = tcase_create("states");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, two_hundred_starts);
  tcase_add_test(tcase, serves_again);
  tcase_add_test(tcase, stops_in_order);
  tcase_add_test(tcase, pauses);
  tcase_add_loop_test(tcase, another_stream_for_connected_clients, 0,
                      static_cast<int>(std::size(kTransports)));
  tcase_add_test(tcase, several_paths_on_a_port);
  tcase_add_test(tcase, path_in_use);
  tcase_add_test(tcase, same_path_twice);
  tcase_add_test(tcase, path_is_free_again);
  tcase_add_loop_test(tcase, starts_in_threads, 0, 2);
  tcase_add_test(tcase, a_port_in_use);
  tcase_add_test(tcase, foreign_address);
  tcase_add_test(tcase, a_path_without_a_slash);
  tcase_add_test(tcase, missing_certificate);
  tcase_add_test(tcase, a_key_without_a_certificate);
  tcase_add_test(tcase, stops_without_data);
  tcase_add_test(tcase, starts_after_an_error);
  tcase_add_test(tcase, threads_have_names);
  return suite;
}

GST_CHECK_MAIN(httpserversink_states);
