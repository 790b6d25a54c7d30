// SPDX-License-Identifier: LGPL-2.1-or-later
// The exact header fields of responses, and the spellings of a path.
#include <map>

#include "httptest.h"

using namespace flvtest;
using namespace httptest;

namespace {

constexpr const char *kSite = "https://example.org";

// A server with a stream, at /live unless `properties` set another path.
class Live : public Server {
public:
  explicit Live(const std::string &properties = "") : Server(properties) {
    begin();
    push(clip().bytes);
    settle();
  }
};

// Header fields by lower-case name. The values of a repeated field are joined with " | ".
std::map<std::string, std::string> fields_of(const Client &client) {
  std::map<std::string, std::string> fields;
  const std::string &head = client.head();
  for (std::size_t at = head.find("\r\n") + 2; at + 2 < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    std::string name = head.substr(at, colon - at);
    for (char &c : name)
      c = g_ascii_tolower(c);
    std::string &value = fields[name];
    value += (value.empty() ? "" : " | ") + head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  return fields;
}

int status_of(const Server &server, const std::string &path) {
  Client client(server.port());
  client.ask(path);
  client.wait_for_head();
  return client.status();
}

} // namespace

// --- The 101 ---

// Strict clients refuse a 101 whose Connection field has an option other than Upgrade.
GST_START_TEST(switching_protocols) {
  const char *const connections[] = {"Upgrade", "keep-alive, Upgrade", "upgrade"};
  const char *const origins[] = {"*", "", kSite};
  const Live server(std::string("allow-origin=\"") + origins[__i__] + "\"");
  for (const char *connection : connections) {
    Client client(server.port());
    client.ask("/live", std::string("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                    "Connection: ") +
                            connection + "\r\n");
    client.wait_for_head();
    fail_unless(client.head().starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "%s",
                client.head().c_str());
    auto fields = fields_of(client);
    assert_text(fields["connection"], "Upgrade");
    assert_text(fields["upgrade"], "websocket");
    assert_text(fields["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    // No field that announces a body, a subprotocol or an extension.
    for (const char *name : {"content-length", "transfer-encoding", "content-type",
                             "sec-websocket-protocol", "sec-websocket-extensions"})
      fail_if(fields.contains(name), "%s: %s", name, fields[name].c_str());
    for (const auto &[name, value] : fields)
      fail_if(value.find(" | ") != std::string::npos, "%s twice: %s", name.c_str(), value.c_str());
  }
}
GST_END_TEST

// A refused handshake still closes the connection.
GST_START_TEST(refused_handshakes) {
  const Live server;
  for (const char *rest : {"", "Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Version: 8\r\n"}) {
    Client client(server.port());
    client.ask("/live", std::string("Upgrade: websocket\r\nConnection: Upgrade\r\n") + rest);
    client.wait_for_close();
    fail_if(client.status() == 101);
    assert_text(fields_of(client)["connection"], "close");
  }
}
GST_END_TEST

// --- Cross-origin requests, and proxies ---

GST_START_TEST(cross_origin_fields) {
  const struct {
    const char *origin;
    const char *allowed;
    const char *credentials;
    const char *vary;
  } rows[] = {{"*", "*", "", ""}, {kSite, kSite, "true", "Origin"}, {"", "", "", ""}};
  const auto &row = rows[__i__];
  const std::string exposed = *row.origin ? "Accept-Ranges, Content-Length, Content-Range, "
                                            "Content-Type, Date, ETag, Last-Modified, "
                                            "Retry-After, Server"
                                          : "";
  const Live server(std::string("max-clients=2 request-timeout=300 stats-path=/stats "
                                "allow-origin=\"") +
                    row.origin + "\"");
  const std::pair<std::string, int> requests[] = {
      {"GET /live HTTP/1.1\r\nHost: a\r\n\r\n", 200},
      {"GET /live HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
       101},
      {"GET /live HTTP/1.1\r\nHost: a\r\n\r\n", 503},
      {"HEAD /live HTTP/1.1\r\nHost: a\r\n\r\n", 200},
      {"OPTIONS /live HTTP/1.1\r\nHost: a\r\n\r\n", 204},
      {"GET /stats HTTP/1.1\r\nHost: a\r\n\r\n", 200},
      {"GET /other HTTP/1.1\r\nHost: a\r\n\r\n", 404},
      {"POST /live HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {std::string(9000, 'x'), 431},
      {"GET /live", 408}};
  Client first(server);
  first.wait_for_head();
  std::vector<std::unique_ptr<Client>> clients;
  for (const auto &[text, status] : requests) {
    if (status == 200 && text.starts_with("GET /live"))
      first.reset();
    server.wait_for_clients(clients.size() < 2 ? clients.size() : 2);
    clients.push_back(std::make_unique<Client>(server.port()));
    Client &client = *clients.back();
    client.send(text);
    client.wait_for_head();
    fail_unless(client.status() == status, "%d, not %d: %s", client.status(), status,
                text.substr(0, 60).c_str());
    auto fields = fields_of(client);
    assert_text(fields["access-control-allow-origin"], row.allowed);
    assert_text(fields["access-control-allow-credentials"], row.credentials);
    assert_text(fields["access-control-expose-headers"], exposed);
    assert_text(fields["vary"], row.vary);
    const bool is_stream = status == 200 && text.find(" /live ") != std::string::npos;
    if (is_stream)
      assert_text(fields["x-accel-buffering"], "no");
  }
}
GST_END_TEST

// --- Paths ---

// The property and the request may spell the same path differently.
GST_START_TEST(spellings_of_a_path) {
  const std::vector<std::vector<std::string>> rows = {
      {"/live%20cam.flv", "/l%69ve%20cam.flv", "/./live%20cam.flv", "/a/../live%20cam.flv",
       "/a/%2e%2E/live%20cam.flv", "/../live%20cam.flv", "/live cam.flv"},
      {"/k%C3%A4se.flv", "/k%c3%a4se.flv", "/k\xC3\xA4se.flv"},
      {"/a%2Fb", "/a%2fb", "/%61%2Fb"},
      {"//live", "/a/..//live"},
      {"/live/", "/live/.", "/live/a/.."},
      {"/100%25.flv", "/100%25%2Eflv"},
      {"/a+b;c=d@e:f,g", "/a%2Bb%3Bc%3Dd%40e%3Af%2Cg"},
      {"/%3Fquery%23fragment", "/%3fquery%23fragment"},
      {"/\"quoted\"\\back", "/%22quoted%22%5Cback"},
  };
  const auto &row = rows[static_cast<std::size_t>(__i__)];
  for (const std::string &property : row) {
    Server server("", GST_STATE_NULL);
    server.set("path", property.c_str());
    server.set_state(GST_STATE_PLAYING);
    server.begin();
    server.push(clip().bytes);
    server.settle();
    for (const std::string &request : row) {
      // A URL cannot contain a space, a quote or a backslash.
      if (request.find_first_of(" \"\\") != std::string::npos)
        continue;
      const int status = status_of(server, request + "?query=/%20");
      fail_unless(status == 200, "%d for %s at %s", status, request.c_str(), property.c_str());
    }
  }
}
GST_END_TEST

GST_START_TEST(other_paths) {
  const std::pair<const char *, std::vector<const char *>> rows[] = {
      {"/a/b", {"/a%2Fb", "/a//b", "//a/b", "/a/b/", "/A/b", "/a/./", "/a%00/b", "/a/b%20"}},
      {"/a%2Fb", {"/a/b", "/a%252Fb"}},
      {"/live cam.flv", {"/live+cam.flv", "/live%2520cam.flv", "/live", "/live%20"}},
      {"/%E4.flv", {"/%C3%A4.flv", "/%E4.FLV"}},
  };
  for (const auto &[property, requests] : rows) {
    Server server("", GST_STATE_NULL);
    server.set("path", property);
    server.set_state(GST_STATE_PLAYING);
    for (const char *request : requests) {
      const int status = status_of(server, request);
      fail_unless(status == 404, "%d for %s at %s", status, request, property);
    }
    // A URL with an invalid escape is invalid.
    for (const char *request : {"/a%", "/a%2", "/a%zz", "/%%20"})
      assert_equals_int(status_of(server, request), 400);
  }
}
GST_END_TEST

GST_START_TEST(invalid_paths) {
  const std::pair<const char *, const char *> rows[] = {
      {"live", "\"live\" does not begin with a slash"},
      {"/live?a=b", "has a \"?\" at character 6, which ends a path: write %3F"},
      {"/li#ve", "has a \"#\" at character 4, which ends a path: write %23"},
      {"/live%2", "has no valid escape at character 6: \"%2\""},
      {"/50%.flv", "has no valid escape at character 4: \"%.f\""},
      {"/%20%zz", "has no valid escape at character 5: \"%zz\""},
      {"/a%00", "has no valid escape at character 3: \"%00\""},
      {"/%", "has no valid escape at character 2: \"%\""},
  };
  for (const char *property : {"path", "stats-path", "metrics-path"}) {
    for (const auto &[value, words] : rows) {
      Server server("", GST_STATE_NULL);
      server.set(property, value);
      assert_equals_int(server.set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
      const Problem problem = server.problem();
      fail_unless(problem.found && problem.error && problem.domain == GST_RESOURCE_ERROR &&
                  problem.code == GST_RESOURCE_ERROR_SETTINGS);
      fail_unless(problem.text.find(std::string(property) + " \"") != std::string::npos &&
                      problem.text.find(words) != std::string::npos,
                  "%s: %s", value, problem.text.c_str());
    }
  }
}
GST_END_TEST

// Two spellings of a path are the same path, for one element and for two.
GST_START_TEST(spellings_that_collide) {
  Server both("", GST_STATE_NULL);
  both.set("path", "/a b");
  both.set("stats-path", "/a%20b");
  assert_equals_int(both.set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  Problem problem = both.problem();
  fail_unless(problem.text.find("path and stats-path are both \"/a b\"") != std::string::npos, "%s",
              problem.text.c_str());

  Server first("path=/cam%2fone");
  first.keep_port();
  Server second("", GST_STATE_NULL);
  second.set("port", first.port());
  second.set("path", "/c%61m%2Fone");
  assert_equals_int(second.set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  problem = second.problem();
  assert_equals_int(problem.code, GST_RESOURCE_ERROR_BUSY);
  fail_unless(problem.text.find("/c%61m%2Fone") != std::string::npos, "%s", problem.text.c_str());
}
GST_END_TEST

static Suite *httpserversink_answers_suite() {
  Suite *suite = suite_create("httpserversink_answers");
  TCase *tcase = tcase_create("answers");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, switching_protocols, 0, 3);
  tcase_add_test(tcase, refused_handshakes);
  tcase_add_loop_test(tcase, cross_origin_fields, 0, 3);
  tcase_add_loop_test(tcase, spellings_of_a_path, 0, 9);
  tcase_add_test(tcase, other_paths);
  tcase_add_test(tcase, invalid_paths);
  tcase_add_test(tcase, spellings_that_collide);
  return suite;
}

GST_CHECK_MAIN(httpserversink_answers);
