// SPDX-License-Identifier: LGPL-2.1-or-later
// Hostile paths, files that change while they are sent, and many clients at once.
#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <string>

#include "filetest.h"

#include "texts.h"
#include "watched.h"
#include "without_plugins.h"

using namespace filetest;

namespace {

std::size_t descriptors() {
  std::size_t count = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (readdir(folder))
    count++;
  closedir(folder);
  return count;
}

// Counts the scans, by the log of the category flvserve-files.
class ScanCount {
public:
  ScanCount() {
    gst_debug_set_threshold_for_name("flvserve-files", GST_LEVEL_INFO);
    gst_debug_remove_log_function(gst_debug_log_default);
    gst_debug_add_log_function(note, this, nullptr);
  }
  ~ScanCount() { gst_debug_remove_log_function(note); }
  ScanCount(const ScanCount &) = delete;
  ScanCount &operator=(const ScanCount &) = delete;

  [[nodiscard]] int begun() const { return begun_; }
  [[nodiscard]] int ended() const { return ended_; }

private:
  static void note(GstDebugCategory *category, GstDebugLevel, const gchar *, const gchar *, gint,
                   GObject *, GstDebugMessage *message, gpointer data) {
    auto *self = static_cast<ScanCount *>(data);
    const std::string_view name = gst_debug_category_get_name(category);
    const std::string_view text = gst_debug_message_get(message);
    if (name != "flvserve-files")
      return;
    self->begun_ += text.starts_with("scanning");
    self->ended_ += text.starts_with("scanned");
  }

  std::atomic<int> begun_ = 0;
  std::atomic<int> ended_ = 0;
};

// --- Paths ---

constexpr const char *kPaths[] = {
    "/vod/../secret.flv",
    "/vod/../../../../../../etc/passwd",
    "/vod/%2e%2e/secret.flv",
    "/vod/%2E%2E%2Fsecret.flv",
    "/vod/..%2fsecret.flv",
    "/vod/sub/..%2f..%2fsecret.flv",
    "/vod/.%2e/secret.flv",
    "/vod/%252e%252e/secret.flv",
    "/vod/..\\secret.flv",
    "/vod/movie.flv%00",
    "/vod/movie.flv%00.mp4",
    "/vod/%00",
    "/vod//movie.flv",
    "/vod/./.hidden",
    "/vod/link.flv",
    "/vod/link/secret.flv",
    "/vod/fifo",
    "/vod/null",
    "/vod/sub",
    "//etc/passwd",
    "/vod/movie.flv;.mp4",
    "/vod/%ff%fe",
};

START_TEST(test_paths) {
  const Folder outside;
  outside.write("secret.flv", "secret");
  outside.make_folder("root");
  const Folder folder;
  folder.write("movie.flv", movie(1).bytes);
  folder.write(".hidden", "secret");
  folder.make_folder("sub");
  folder.link("link.flv", outside.path("secret.flv"));
  folder.link("link", outside.path());
  folder.link("null", "/dev/null");
  ck_assert_int_eq(mkfifo(folder.path("fifo").c_str(), 0600), 0);
  const Server server(folder);
  for (const char *path : kPaths) {
    const Reply reply = server.get(path);
    ck_assert_msg(reply.status == 404 || reply.status == 400, "%s: %d", path, reply.status);
    ck_assert_msg(reply.text().find("secret") == std::string::npos, "%s", path);
    ck_assert_msg(reply.text().find(folder.path()) == std::string::npos, "%s", path);
  }
  ck_assert_int_eq(server.get("/vod/" + std::string(4000, 'a')).status, 404);
  ck_assert_int_eq(server.get("/vod/sub/../movie.flv").status, 200);
}
END_TEST

// --- Files that change while they are sent ---

constexpr std::size_t kLarge = 12 << 20; // more than the buffers of both sockets
constexpr int kSmallBuffer = 4096;

// Requests a large file and reads only its first bytes.
Client begin_download(const Server &server, const char *path) {
  Client client(server.port(), kSmallBuffer);
  client.ask(path);
  client.wait_for_size(1000);
  return client;
}

void assert_broken_off(Client &client) {
  client.wait_for_close();
  ck_assert_int_eq(client.reply().status, 200);
  CK_ASSERT_TEXT_EQ(client.reply().field("Content-Length"), std::to_string(kLarge));
  ck_assert_uint_lt(client.reply().body.size(), kLarge);
}

START_TEST(test_file_shrinks) {
  const Folder folder;
  folder.write("large.mp4", flvtest::payload(kLarge));
  const Server server(folder);
  Client client = begin_download(server, "/vod/large.mp4");
  folder.truncate("large.mp4", 100'000);
  assert_broken_off(client);
}
END_TEST

START_TEST(test_file_is_overwritten) {
  const Folder folder;
  folder.write("large.mp4", flvtest::payload(kLarge));
  const Server server(folder);
  Client client = begin_download(server, "/vod/large.mp4");
  folder.overwrite("large.mp4", kLarge - 1000, flvtest::payload(1000, 7));
  assert_broken_off(client);
}
END_TEST

START_TEST(test_file_is_replaced) {
  const Folder folder;
  folder.write("large.mp4", flvtest::payload(kLarge));
  const Server server(folder);
  Client client = begin_download(server, "/vod/large.mp4");
  folder.write("large.mp4", flvtest::payload(kLarge, 2));
  assert_broken_off(client);
}
END_TEST

// A recording: the response has the bytes that were there at its start.
START_TEST(test_file_grows) {
  const Folder folder;
  const flvtest::Buffer bytes = flvtest::payload(kLarge);
  folder.write("large.mp4", bytes);
  const Server server(folder);
  Client client = begin_download(server, "/vod/large.mp4");
  folder.append("large.mp4", flvtest::payload(5000, 3));
  client.wait_for_size(kLarge);
  client.close();
  ck_assert(client.reply().body == bytes);
  ck_assert_uint_eq(server.get("/vod/large.mp4").body.size(), kLarge + 5000);
}
END_TEST

// --- Many clients ---

START_TEST(test_one_scan) {
  const ScanCount scans;
  const Folder folder;
  folder.write("movie.flv", movie(1800).bytes); // 120 000 tags
  const Server server(folder);
  std::vector<Client> clients;
  for (int i = 0; i < 100; i++) {
    clients.emplace_back(server.port());
    clients.back().ask(i % 3 == 0   ? "/vod/movie.flv?start=100000"
                       : i % 3 == 1 ? "/vod/movie.flv?t=900"
                                    : "/vod/movie.flv",
                       "Connection: close\r\n", i % 2 == 0 ? "HEAD" : "GET");
  }
  for (Client &client : clients) {
    client.wait_for_close();
    ck_assert_int_eq(client.reply().status, 200);
  }
  ck_assert_int_eq(scans.begun(), 1);
  ck_assert_int_eq(server.get("/vod/movie.flv?t=5").status, 200);
  ck_assert_int_eq(scans.begun(), 1);
}
END_TEST

// A scan does not delay the clients of other files.
START_TEST(test_others_during_a_scan) {
  const ScanCount scans;
  const Folder folder;
  folder.write("large.flv", movie(3600).bytes);
  folder.write("small.flv", indexed_movie(2).bytes);
  folder.write("small.mp4", "x");
  const Server server(folder);
  Client waiting(server.port());
  waiting.ask("/vod/large.flv", "Connection: close\r\n", "HEAD");
  wait_for([&] { return scans.begun() == 1; }, "no scan");
  ck_assert_int_eq(server.get("/vod/small.mp4").status, 200);
  ck_assert_int_eq(server.get("/vod/small.flv").status, 200);
  ck_assert_int_eq(server.get("/vod/small.flv?t=1").status, 200);
  ck_assert(flvtest::is_watched() || scans.ended() == 0);
  waiting.wait_for_close();
  ck_assert_int_eq(waiting.reply().status, 200);
  ck_assert_int_eq(scans.ended(), 1);
}
END_TEST

// The site can be removed during a scan.
START_TEST(test_end_during_a_scan) {
  const ScanCount scans;
  const Folder folder;
  folder.write("large.flv", movie(3600).bytes);
  std::unique_ptr<Server> server = std::make_unique<Server>(folder);
  Client waiting(server->port());
  waiting.ask("/vod/large.flv");
  wait_for([&] { return scans.begun() == 1; }, "no scan");
  server.reset();
  ck_assert_int_eq(scans.begun(), 1);
}
END_TEST

START_TEST(test_vanishing_clients) {
  const Folder folder;
  folder.write("large.mp4", flvtest::payload(kLarge));
  folder.write("movie.flv", movie(60).bytes);
  const Server server(folder);
  ck_assert_int_eq(server.head("/vod/large.mp4").status, 200);
  const std::size_t before = descriptors();
  const std::size_t count = rounds(1000, 50);
  for (std::size_t i = 0; i < count; i++) {
    Client client(server.port(), kSmallBuffer);
    client.ask(i % 2 == 0 ? "/vod/large.mp4" : "/vod/movie.flv?t=30");
    if (i % 3 == 0)
      client.wait_for_size(100);
    i % 4 == 0 ? client.close() : client.reset();
  }
  wait_for([&] { return server.listener().clients() == 0; }, "clients stay");
  wait_for([&] { return descriptors() <= before + 2; }, "descriptors stay open");
  ck_assert_int_eq(server.get("/vod/movie.flv").status, 200);
}
END_TEST

// One client after another asks for other files.
START_TEST(test_many_files) {
  const Folder folder;
  const std::size_t count = rounds(10'000, 100);
  const flvtest::Buffer bytes = movie(1).bytes;
  const std::string first = folder.path("0.flv");
  folder.write("0.flv", bytes);
  for (std::size_t i = 1; i < count; i++)
    folder.write(std::to_string(i) + ".flv", bytes);
  const Server server(folder);
  const std::size_t before = descriptors();
  rusage usage{};
  long resident = 0;
  for (std::size_t i = 0; i < count; i++) {
    const Reply reply = server.head("/vod/" + std::to_string(i) + ".flv?t=0.5");
    ck_assert_int_eq(reply.status, 200);
    if (i == count / 4) {
      getrusage(RUSAGE_SELF, &usage);
      resident = usage.ru_maxrss;
    }
  }
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%ld kB more from a quarter of the files to all\n", usage.ru_maxrss - resident);
  ck_assert(flvtest::is_watched() || usage.ru_maxrss - resident < 20'000);
  wait_for([&] { return descriptors() <= before + 2; }, "descriptors stay open");
}
END_TEST

} // namespace

int main(int argc, char **argv) {
  flvtest::init_without_plugins(&argc, &argv);
  return flvtest::run("files_hostile", {{test_paths},
                                        {test_file_shrinks},
                                        {test_file_is_overwritten},
                                        {test_file_is_replaced},
                                        {test_file_grows},
                                        {test_one_scan},
                                        {test_others_during_a_scan},
                                        {test_end_during_a_scan},
                                        {test_vanishing_clients},
                                        {test_many_files}});
}
