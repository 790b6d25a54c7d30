// SPDX-License-Identifier: LGPL-2.1-or-later
// What the clients of a site receive, whatever the clients and the files do meanwhile.
#include <cstring>
#include <memory>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "sitetest.h"

using namespace flvtest;
using namespace sitetest;
using flvhttp::Part;
using flvhttp::SharedBytes;
using std::chrono::milliseconds;

namespace {

// More than the system's buffers hold.
constexpr std::size_t kLarge = 10 << 20;

struct Download {
  explicit Download(const SiteServer &server, int receive_buffer = 0,
                    const std::string &method = "GET")
      : client(server.port(), receive_buffer) {
    client.ask(SiteServer::kPath, "", method);
  }

  Client client;
};

// Reads little more than `size` bytes of the body.
void receive_some(Client &client, std::size_t size) {
  constexpr std::size_t kRead = 4096;
  wait_for(
      [&] {
        client.receive_at_most(kRead);
        return client.body().size() >= size;
      },
      "nothing comes");
}

void assert_same(Bytes is, Bytes should) {
  const bool same = is.size() == should.size() &&
                    (is.empty() || std::memcmp(is.data(), should.data(), is.size()) == 0);
  fail_unless(same, "%s", same ? "" : pacetest::difference(is, should).c_str());
}

void assert_body(const Client &client, Bytes expected) {
  fail_unless(client.status() == 200, "%s", client.head().c_str());
  assert_same(client.body(), expected);
}

// A prefix of the expected bytes, and not all of them.
void assert_broken_off(const Client &client, Bytes expected) {
  fail_unless(client.body().size() < expected.size());
  assert_same(client.body(), expected.first(client.body().size()));
}

// Parts of all kinds and sizes, and their bytes.
struct Mixed {
  Mixed() : content(pattern(300'000)), file(content) {
    const auto shared = std::make_shared<const Buffer>(pattern(5000, 7));
    const flvhttp::FilePtr open = file.open();
    const std::size_t sizes[] = {0, 1, 17, 1000, 4096, 70'000};
    for (const std::size_t size : sizes) {
      add(std::string(size, 'm'), Buffer(size, 'm'));
      add(FileRange{open, size, size}, Bytes(content).subspan(size, size));
      add(FileRange{open, content.size() - size, size}, Bytes(content).last(size));
      const std::size_t part = std::min<std::size_t>(size, 4000);
      add(SharedBytes{shared, 1000, part}, Bytes(*shared).subspan(1000, part));
      add(std::string("x"), Buffer{'x'});
    }
  }

  void add(Part part, Bytes bytes) {
    response.parts.push_back(std::move(part));
    append(expected, bytes);
  }

  Buffer content;
  TestFile file;
  Response response;
  Buffer expected;
};

// A table with `rate` bytes in each of `seconds` seconds.
fanout::ByteSchedule steady_schedule(std::uint64_t rate, unsigned seconds, milliseconds burst,
                                     std::uint64_t offset = 0) {
  fanout::ByteSchedule::Points points;
  for (unsigned second = 0; second <= seconds; second++)
    points.push_back({rate * second, std::int64_t{1000} * second});
  return {fanout::ByteSchedule::make_table(points), 0, offset, burst, 0};
}

} // namespace

GST_START_TEST(parts) {
  const Mixed mixed;
  const SiteServer server(with([&] { return mixed.response; }));
  Download download(server);
  download.client.wait_for_close();
  assert_body(download.client, mixed.expected);
  assert_text(download.client.header("Content-Length"), std::to_string(mixed.expected.size()));
  const auto logged = server.log->first();
  assert_text(logged.reason, "ended");
  assert_equals_uint64(logged.bytes, mixed.expected.size());
  server.wait_for_none();
}
GST_END_TEST

GST_START_TEST(parts_over_tls) {
  const Mixed mixed;
  const Certificate certificate;
  const SiteServer server(with([&] {
                            Response response = mixed.response;
                            if (__i__ == 1)
                              response.schedule = steady_schedule(2'000'000, 10, milliseconds(0));
                            return response;
                          }),
                          certificate.path());
  TlsClient client(server.port());
  client.wait_for_close();
  assert_same(client.body(), mixed.expected);
  fail_unless(server.log->first().secure);
}
GST_END_TEST

GST_START_TEST(head_request) {
  const Mixed mixed;
  const SiteServer server(with([&] { return mixed.response; }));
  Download download(server, 0, "HEAD");
  download.client.wait_for_close();
  assert_equals_int(download.client.status(), 200);
  assert_text(download.client.header("Content-Length"), std::to_string(mixed.expected.size()));
  assert_equals_int(static_cast<int>(download.client.body().size()), 0);
  assert_equals_uint64(server.log->first().bytes, 0);
}
GST_END_TEST

GST_START_TEST(empty_bodies) {
  const SiteServer server(with([&] {
    Response response;
    if (__i__ == 1)
      response.parts.emplace_back(std::string());
    if (__i__ == 2)
      response.schedule = steady_schedule(1000, 10, milliseconds(0));
    return response;
  }));
  Download download(server);
  download.client.wait_for_close();
  assert_body(download.client, {});
  assert_text(download.client.header("Content-Length"), "0");
}
GST_END_TEST

GST_START_TEST(responses_without_a_body) {
  const unsigned statuses[] = {204, 304};
  const SiteServer server(with([&] { return text_response("text", statuses[__i__]); }));
  Download download(server);
  download.client.wait_for_close();
  assert_equals_int(download.client.status(), static_cast<int>(statuses[__i__]));
  assert_text(download.client.header("Content-Length"), "");
  assert_equals_int(static_cast<int>(download.client.body().size()), 0);
}
GST_END_TEST

// The clients read a lot, a little at a time, or with a pause.
GST_START_TEST(a_large_file) {
  const Buffer content = pattern(kLarge);
  const TestFile file(content);
  const SiteServer server(with([&] { return file.whole(); }));
  Download fast(server);
  Download slow(server, 16 << 10);
  Download late(server, 16 << 10);
  fast.client.wait_for_close();
  assert_body(fast.client, content);
  while (slow.client.body().size() < (2U << 20))
    slow.client.receive_at_most(1000);
  slow.client.wait_for_close();
  assert_body(slow.client, content);
  late.client.wait_for_close();
  assert_body(late.client, content);
  server.wait_for_none();
}
GST_END_TEST

GST_START_TEST(behind_4_gb) {
  constexpr std::uint64_t kOffset = (std::uint64_t{9} << 29) - 10'000;
  const Buffer content = pattern(20'000);
  const TestFile file(Bytes{});
  file.overwrite(kOffset, content);
  const SiteServer server(with([&] {
    Response response = file.whole();
    response.parts = {FileRange{file.open(), kOffset, content.size()}};
    return response;
  }));
  Download download(server);
  download.client.wait_for_close();
  assert_body(download.client, content);
}
GST_END_TEST

// --- Clients ---

GST_START_TEST(a_client_that_vanishes) {
  const TestFile file(pattern(kLarge));
  const SiteServer server(with([&] { return file.whole(); }));
  Download download(server, 16 << 10);
  receive_some(download.client, 100'000);
  if (__i__ == 0)
    download.client.close();
  else
    download.client.reset();
  server.wait_for_none();
  const auto logged = server.log->first();
  assert_text(logged.reason, "closed");
  assert_equals_int(static_cast<int>(logged.status), 200);
  fail_unless(logged.bytes >= 100'000 && logged.bytes < kLarge);
}
GST_END_TEST

// While it waits for the schedule, too.
GST_START_TEST(a_paced_client_that_vanishes) {
  const TestFile file(pattern(100'000));
  const SiteServer server(with([&] {
    Response response = file.whole();
    response.schedule = steady_schedule(10'000, 10, milliseconds(0));
    return response;
  }));
  Download download(server);
  receive_some(download.client, 1);
  download.client.reset();
  server.wait_for_none();
  assert_text(server.log->first().reason, "closed");
}
GST_END_TEST

GST_START_TEST(a_thousand_clients_that_vanish) {
  const std::size_t count = pacetest::is_short() ? 50 : 1000;
  const Buffer content = pattern(kLarge);
  const TestFile file(content);
  const SiteServer server(with([&] { return file.whole(); }));
  Download patient(server, 16 << 10);
  std::vector<std::unique_ptr<Download>> crowd;
  for (std::size_t i = 0; i < count; i++)
    crowd.push_back(std::make_unique<Download>(server, 4 << 10));
  wait_for([&] { return server->clients() == count + 1; }, "not all clients come");
  for (std::size_t i = 0; i < count; i++) {
    if (i % 2 == 0)
      crowd[i]->client.reset();
    else
      crowd[i]->client.close();
  }
  patient.client.wait_for_close();
  assert_body(patient.client, content);
  server.wait_for_none();
  assert_equals_int(static_cast<int>(server.log->requests().size()), static_cast<int>(count) + 1);
}
GST_END_TEST

GST_START_TEST(a_client_that_reads_nothing) {
  const TestFile file(pattern(kLarge));
  const SiteServer server(with([&] { return file.whole(); }));
  server->set_download_timeout(400);
  const Download download(server, 4 << 10);
  assert_text(server.log->first().reason, "slow");
  server.wait_for_none();
}
GST_END_TEST

// It reads so little that nothing is written for a long time.
GST_START_TEST(a_client_that_reads_slowly) {
  const TestFile file(pattern(kLarge));
  const SiteServer server(with([&] { return file.whole(); }));
  server->set_download_timeout(1000);
  Download download(server, 4 << 10);
  const httptest::Stopwatch stopwatch;
  while (stopwatch.seconds() < 2.5) {
    download.client.receive_at_most(4096);
    g_usleep(50'000);
  }
  assert_equals_uint64(server->clients(), 1);
}
GST_END_TEST

GST_START_TEST(without_a_timeout) {
  const Buffer content = pattern(kLarge);
  const TestFile file(content);
  const SiteServer server(with([&] { return file.whole(); }));
  server->set_download_timeout(0);
  Download download(server, 4 << 10);
  g_usleep(1'500'000);
  download.client.wait_for_close();
  assert_body(download.client, content);
}
GST_END_TEST

GST_START_TEST(a_client_that_sends_more) {
  const Buffer content = pattern(kLarge);
  const TestFile file(content);
  const SiteServer server(with([&] { return file.whole(); }));
  Download download(server);
  download.client.send("GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n");
  receive_some(download.client, 1 << 20);
  download.client.send(std::string(10'000, 'x'));
  download.client.wait_for_close();
  fail_if(download.client.was_reset());
  assert_body(download.client, content);
}
GST_END_TEST

GST_START_TEST(a_client_that_sends_too_much) {
  const TestFile file(pattern(kLarge));
  const SiteServer server(with([&] { return file.whole(); }));
  Download download(server, 4 << 10);
  const std::string more(10'000, 'x');
  for (int i = 0; i < 100 && download.client.send(more); i++) {
  }
  assert_text(server.log->first().reason, "protocol");
  server.wait_for_none();
}
GST_END_TEST

GST_START_TEST(a_client_that_closes_its_side) {
  const Buffer content = pattern(kLarge);
  const TestFile file(content);
  const SiteServer server(with([&] { return file.whole(); }));
  Download download(server);
  download.client.shut_down();
  download.client.wait_for_close();
  assert_body(download.client, content);
}
GST_END_TEST

// A client that has all, and does not close the connection, is closed.
GST_START_TEST(a_client_that_stays) {
  const SiteServer server(with([] { return text_response("text"); }));
  Download download(server);
  download.client.wait_for_size(4);
  server.wait_for_none();
  assert_text(server.log->first().reason, "ended");
}
GST_END_TEST

// --- Files ---

struct Change {
  const char *name;
  void (*function)(const TestFile &file);
  bool breaks_off; // otherwise, the client gets all bytes
};

constexpr Change kChanges[] = {
    {"shrinks", [](const TestFile &file) { file.truncate(kLarge / 2); }, true},
    {"is emptied", [](const TestFile &file) { file.truncate(0); }, true},
    {"is changed in place",
     [](const TestFile &file) { file.overwrite(kLarge - 100, pattern(10, 9)); }, true},
    {"is written anew with more",
     [](const TestFile &file) {
       file.truncate(0);
       file.append(pattern(kLarge + 1, 5));
     },
     true},
    {"is replaced", [](const TestFile &file) { file.replace(pattern(kLarge, 5)); }, true},
    {"is deleted", [](const TestFile &file) { unlink(file.path().c_str()); }, true},
    {"grows", [](const TestFile &file) { file.append(pattern(100'000, 3)); }, false},
    {"gets other permissions", [](const TestFile &file) { chmod(file.path().c_str(), 0644); },
     false},
};

GST_START_TEST(a_file_that_changes) {
  const Change &change = kChanges[__i__];
  const Buffer content = pattern(kLarge);
  const TestFile file(content);
  const SiteServer server(with([&] { return file.whole(); }));
  Download download(server, 64 << 10);
  receive_some(download.client, 100'000);
  change.function(file);
  download.client.wait_for_close();
  if (change.breaks_off)
    assert_broken_off(download.client, content);
  else
    assert_body(download.client, content);
  assert_text(server.log->first().reason, change.breaks_off ? "changed" : "ended");
}
GST_END_TEST

// The same over TLS; the system reads the file with another call.
GST_START_TEST(a_file_that_shrinks_under_tls) {
  const Buffer content = pattern(1'000'000);
  const TestFile file(content);
  const Certificate certificate;
  const SiteServer server(with([&] {
                            Response response = file.whole();
                            response.schedule = steady_schedule(200'000, 5, milliseconds(0));
                            if (__i__ == 1)
                              response.version.reset();
                            return response;
                          }),
                          certificate.path());
  TlsClient client(server.port());
  client.wait_for_size(1);
  file.truncate(100'000);
  client.wait_for_close();
  fail_unless(client.body().size() < content.size());
  assert_text(server.log->first().reason, "changed");
}
GST_END_TEST

GST_START_TEST(a_file_that_shrinks_without_a_version) {
  const Buffer content = pattern(kLarge);
  const TestFile file(content);
  const SiteServer server(with([&] {
    Response response = file.whole();
    response.version.reset();
    return response;
  }));
  Download download(server, 64 << 10);
  receive_some(download.client, 100'000);
  file.truncate(kLarge / 2);
  download.client.wait_for_close();
  fail_unless(download.client.body().size() < kLarge);
}
GST_END_TEST

// Nothing of it is sent.
GST_START_TEST(a_file_that_changed_before) {
  const TestFile file(pattern(1000));
  const SiteServer server(with([&] {
    Response response = file.whole();
    file.truncate(999);
    return response;
  }));
  Download download(server);
  download.client.wait_for_close();
  assert_equals_int(download.client.status(), 0);
}
GST_END_TEST

// --- Paced downloads ---

// The bytes never come later than the schedule, and not earlier than one write before it.
GST_START_TEST(a_paced_download) {
  constexpr std::uint64_t kRate = 100'000;
  constexpr milliseconds kBurst{1000};
  const std::uint64_t offset = __i__ == 0 ? 0 : 40'000;
  const Buffer content = pattern(4 * kRate);
  const TestFile file(content);
  const SiteServer server(with([&] {
    Response response = file.whole();
    std::get<FileRange>(response.parts[0]).offset = offset;
    std::get<FileRange>(response.parts[0]).size -= offset;
    response.schedule = steady_schedule(kRate, 4, kBurst, offset);
    return response;
  }));
  Download download(server);
  Client &client = download.client;
  client.wait_for_head();
  const httptest::Stopwatch stopwatch;
  // The slow reader of this test, and other processes, can delay both ends.
  const double slack = pacetest::is_short() ? 2 : 0.3;
  while (!client.is_closed()) {
    const double before = stopwatch.seconds();
    client.receive();
    const double media = static_cast<double>(client.body().size()) / kRate;
    const double all = static_cast<double>(content.size() - offset) / kRate;
    fail_unless(before < slack || media >= std::min(before + 1.0 - slack, all), "%f s at %f s",
                media, before);
    const double ahead = std::chrono::duration<double>(flvhttp::DownloadSession::kAhead).count();
    fail_unless(media <= stopwatch.seconds() + 1.0 + ahead + slack, "%f s at %f s", media, before);
    g_usleep(5'000);
  }
  assert_body(client, Bytes(content).subspan(offset));
}
GST_END_TEST

// The schedule goes on while the client does not read. Otherwise, the bytes would take 2 s more.
GST_START_TEST(a_paced_client_that_pauses) {
  constexpr std::uint64_t kRate = 4'000'000;
  const Buffer content = pattern(4 * kRate);
  const TestFile file(content);
  const SiteServer server(with([&] {
    Response response = file.whole();
    response.schedule = steady_schedule(kRate, 4, milliseconds(0));
    return response;
  }));
  Download download(server, 16 << 10);
  g_usleep(3'000'000);
  const httptest::Stopwatch stopwatch;
  download.client.wait_for_size(3 * kRate);
  fail_unless(stopwatch.seconds() < 1.8 || pacetest::is_short(), "%f", stopwatch.seconds());
  download.client.wait_for_close();
  assert_body(download.client, content);
}
GST_END_TEST

// Clients that take all that the system can send do not delay paced ones.
GST_START_TEST(paced_beside_unpaced) {
  constexpr std::uint64_t kRate = 100'000;
  const std::size_t count = pacetest::is_short() ? 2 : 20;
  const TestFile large(pattern(kLarge));
  const TestFile file(pattern(2 * kRate));
  SiteServer server(with([&] { return large.whole(); }));
  server.add_site("/paced", with([&] {
                    Response response = file.whole();
                    response.schedule = steady_schedule(kRate, 2, milliseconds(0));
                    return response;
                  }));
  Client paced(server.port());
  paced.ask("/paced");
  paced.wait_for_head();
  const httptest::Stopwatch stopwatch;
  std::vector<std::unique_ptr<Download>> others;
  for (std::size_t i = 0; i < count; i++)
    others.push_back(std::make_unique<Download>(server));
  while (!paced.is_closed()) {
    const double before = stopwatch.seconds();
    paced.receive();
    const double media = static_cast<double>(paced.body().size()) / kRate;
    fail_unless(media >= std::min(before - (pacetest::is_short() ? 3 : 0.5), 2.0), "%f s at %f s",
                media, before);
    for (const auto &each : others)
      each->client.receive_at_most(64 << 10);
  }
}
GST_END_TEST

// --- The end ---

GST_START_TEST(stop_while_downloads_run) {
  const Buffer content = pattern(kLarge);
  const TestFile file(content);
  SiteServer server(with([&] {
    Response response = file.whole();
    if (__i__ == 1)
      response.schedule = steady_schedule(kLarge / 10, 10, milliseconds(0));
    return response;
  }));
  Download download(server, 16 << 10);
  receive_some(download.client, 100'000);
  server.listener.reset();
  download.client.wait_for_close();
  assert_broken_off(download.client, content);
  assert_text(server.log->first().reason, "stopped");
}
GST_END_TEST

static Suite *httpserver_downloads_suite() {
  Suite *suite = suite_create("httpserver_downloads");
  TCase *tcase = tcase_create("downloads");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, parts);
  tcase_add_loop_test(tcase, parts_over_tls, 0, 2);
  tcase_add_test(tcase, head_request);
  tcase_add_loop_test(tcase, empty_bodies, 0, 3);
  tcase_add_loop_test(tcase, responses_without_a_body, 0, 2);
  tcase_add_test(tcase, a_large_file);
  tcase_add_test(tcase, behind_4_gb);
  tcase_add_loop_test(tcase, a_client_that_vanishes, 0, 2);
  tcase_add_test(tcase, a_paced_client_that_vanishes);
  tcase_add_test(tcase, a_thousand_clients_that_vanish);
  tcase_add_test(tcase, a_client_that_reads_nothing);
  tcase_add_test(tcase, a_client_that_reads_slowly);
  tcase_add_test(tcase, without_a_timeout);
  tcase_add_test(tcase, a_client_that_sends_more);
  tcase_add_test(tcase, a_client_that_sends_too_much);
  tcase_add_test(tcase, a_client_that_closes_its_side);
  tcase_add_test(tcase, a_client_that_stays);
  tcase_add_loop_test(tcase, a_file_that_changes, 0, static_cast<int>(std::size(kChanges)));
  tcase_add_loop_test(tcase, a_file_that_shrinks_under_tls, 0, 2);
  tcase_add_test(tcase, a_file_that_shrinks_without_a_version);
  tcase_add_test(tcase, a_file_that_changed_before);
  tcase_add_loop_test(tcase, a_paced_download, 0, 2);
  tcase_add_test(tcase, a_paced_client_that_pauses);
  tcase_add_test(tcase, paced_beside_unpaced);
  tcase_add_loop_test(tcase, stop_while_downloads_run, 0, 2);
  return suite;
}

GST_CHECK_MAIN(httpserver_downloads);
