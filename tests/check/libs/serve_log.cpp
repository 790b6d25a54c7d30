// SPDX-License-Identifier: LGPL-2.1-or-later
// flvserve's access log: its formats, its thread, and the protocols of the service manager.
#include "access_log.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "base/gst_ptr.h"
#include "checkrun.h"
#include "service_manager.h"

using namespace flvserve;

namespace {

flvhttp::LoggedRequest request() {
  flvhttp::LoggedRequest one;
  one.time_us = 1'769'904'000'123'456; // 2026-02-01 00:00:00.123456 UTC
  one.address = "192.0.2.1";
  one.method = "GET";
  one.target = "/live.flv?a=b";
  one.protocol = "HTTP/1.1";
  one.agent = "VLC/3";
  one.status = 200;
  one.bytes = 5'000'000'000;
  one.duration_s = 1.25;
  one.reason = "closed";
  return one;
}

void check_text(const std::string &text, const char *expected) {
  ck_assert_str_eq(text.c_str(), expected);
}

START_TEST(test_common_format) {
  check_text(log_line(request(), LogFormat::Common),
             "192.0.2.1 - - [01/Feb/2026:00:00:00 +0000] \"GET /live.flv?a=b HTTP/1.1\" 200 "
             "5000000000\n");
}
END_TEST

START_TEST(test_combined_format) {
  flvhttp::LoggedRequest one = request();
  check_text(log_line(one, LogFormat::Combined),
             "192.0.2.1 - - [01/Feb/2026:00:00:00 +0000] \"GET /live.flv?a=b HTTP/1.1\" 200 "
             "5000000000 \"-\" \"VLC/3\"\n");
  one.referer = "http://a.example/";
  ck_assert(log_line(one, LogFormat::Combined).ends_with(" \"http://a.example/\" \"VLC/3\"\n"));
}
END_TEST

START_TEST(test_json_format) {
  check_text(log_line(request(), LogFormat::Json),
             "{\"time\":\"2026-02-01T00:00:00.123Z\",\"address\":\"192.0.2.1\",\"method\":\"GET\","
             "\"target\":\"/live.flv?a=b\",\"protocol\":\"HTTP/1.1\",\"status\":200,"
             "\"bytes\":5000000000,\"duration\":1250,\"reason\":\"closed\",\"referer\":\"\","
             "\"user-agent\":\"VLC/3\",\"secure\":false}\n");
}
END_TEST

// A client cannot add a line or a field.
START_TEST(test_hostile_texts) {
  flvhttp::LoggedRequest one = request();
  one.target = "/a\"b\\c\nd\xFF\x7F";
  one.agent = "x\" 500 \"\r\n";
  ck_assert(log_line(one, LogFormat::Combined)
                .ends_with("\"GET /a\\\"b\\\\c\\x0ad\\xff\\x7f HTTP/1.1\" 200 5000000000 \"-\" "
                           "\"x\\\" 500 \\\"\\x0d\\x0a\"\n"));
  const std::string json = log_line(one, LogFormat::Json);
  ck_assert(json.find("/a\\\"b\\\\c\\nd\xEF\xBF\xBD") != std::string::npos);
  ck_assert_uint_eq(json.find('\n'), json.size() - 1);
}
END_TEST

// A request line that is not three words is in the target.
START_TEST(test_invalid_request_line) {
  flvhttp::LoggedRequest one = request();
  one.method.clear();
  one.protocol.clear();
  one.target = std::string("GET\t/a  \"b\rc\0\\ x", 16);
  one.bytes = 7;
  one.status = 400;
  check_text(log_line(one, LogFormat::Common), "192.0.2.1 - - [01/Feb/2026:00:00:00 +0000] "
                                               "\"GET\\x09/a  \\\"b\\x0dc\\x00\\\\ x\" 400 7\n");
  const std::string json = log_line(one, LogFormat::Json);
  ck_assert_msg(json.find("\"method\":\"\",\"target\":\"GET\\t/a  \\\"b\\rc\xEF\xBF\xBD\\\\ x\","
                          "\"protocol\":\"\"") != std::string::npos,
                "%s", json.c_str());
}
END_TEST

START_TEST(test_request_that_was_not_read) {
  flvhttp::LoggedRequest one = request();
  one.method.clear();
  one.target.clear();
  one.address.clear();
  one.status = 400;
  check_text(log_line(one, LogFormat::Common),
             "- - - [01/Feb/2026:00:00:00 +0000] \"-\" 400 5000000000\n");
}
END_TEST

// A folder that is removed with its files.
class Folder {
public:
  Folder() : name_(g_dir_make_tmp("flv-XXXXXX", nullptr)) {}
  ~Folder() {
    for (const char *file : {"a.log", "a.log.1", "socket"})
      g_remove(path(file).c_str());
    g_rmdir(name_.get());
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;

  [[nodiscard]] std::string path(const char *file) const {
    return std::string(name_.get()) + '/' + file;
  }

private:
  gstflv::StringPtr name_;
};

std::string content(const std::string &path) {
  gchar *text = nullptr;
  g_file_get_contents(path.c_str(), &text, nullptr, nullptr);
  const gstflv::StringPtr owned(text);
  return owned ? owned.get() : "";
}

std::size_t lines_of(const std::string &path) {
  const std::string text = content(path);
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::shared_ptr<AccessLog> opened(const std::string &path) {
  std::string fault;
  auto log = AccessLog::open(path, LogFormat::Common, fault);
  check_text(fault, "");
  return log;
}

START_TEST(test_log_is_complete_at_its_end) {
  const Folder folder;
  const std::string path = folder.path("a.log");
  for (const std::size_t expected : {1000U, 2000U}) { // the second one appends
    auto log = opened(path);
    for (int count = 0; count < 1000; ++count)
      log->write(request());
    log.reset();
    ck_assert_uint_eq(lines_of(path), expected);
  }
}
END_TEST

START_TEST(test_log_is_opened_again) {
  const Folder folder;
  const std::string path = folder.path("a.log");
  auto log = opened(path);
  log->write(request());
  while (lines_of(path) < 1)
    g_usleep(1000);
  ck_assert_int_eq(g_rename(path.c_str(), folder.path("a.log.1").c_str()), 0);
  log->write(request());
  while (lines_of(folder.path("a.log.1")) < 2)
    g_usleep(1000);
  log->reopen();
  while (!g_file_test(path.c_str(), G_FILE_TEST_EXISTS))
    g_usleep(1000);
  log->write(request());
  log.reset();
  ck_assert_uint_eq(lines_of(folder.path("a.log.1")), 2);
  ck_assert_uint_eq(lines_of(path), 1);
}
END_TEST

// Nobody reads the pipe, so the thread blocks, but not the caller.
START_TEST(test_full_queue_drops) {
  std::array<int, 2> ends{};
  ck_assert_int_eq(pipe(ends.data()), 0);
  auto log = std::make_shared<AccessLog>(ends[1], "pipe", LogFormat::Common);
  std::size_t written = 0;
  for (; log->dropped() < 10; ++written)
    log->write(request());
  ck_assert_uint_ge(written, AccessLog::kLongest);
  std::size_t lines = 0;
  std::array<char, 65536> bytes{};
  const std::size_t expected = written - log->dropped();
  while (lines < expected) {
    const ssize_t size = read(ends[0], bytes.data(), bytes.size());
    ck_assert_int_gt(size, 0);
    lines += static_cast<std::size_t>(std::count(bytes.begin(), bytes.begin() + size, '\n'));
  }
  log.reset();
  ck_assert_uint_eq(lines, expected);
  close(ends[0]);
}
END_TEST

START_TEST(test_log_that_cannot_be_opened) {
  std::string fault;
  ck_assert_ptr_null(AccessLog::open("/nonexistent/a.log", LogFormat::Json, fault).get());
  check_text(fault, "cannot write the access log /nonexistent/a.log: No such file or directory");
}
END_TEST

// A service manager: a datagram socket.
class Manager {
public:
  explicit Manager(const std::string &name) : socket_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address.sun_path);
    if (name.front() == '@')
      address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ck_assert_int_eq(bind(socket_, reinterpret_cast<const sockaddr *>(&address), size), 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() { close(socket_); }
  Manager(const Manager &) = delete;
  Manager &operator=(const Manager &) = delete;

  [[nodiscard]] std::string receive() const {
    std::array<char, 4096> text{};
    const ssize_t size = recv(socket_, text.data(), text.size(), 0);
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "";
  }

private:
  int socket_;
};

START_TEST(test_notifications) {
  const Folder folder;
  for (const std::string &name : {folder.path("socket"), "@flv-test-" + std::to_string(getpid())}) {
    const Manager manager(name);
    const ServiceManager service;
    ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
    service.notify_ready("Serving 1 mount");
    check_text(manager.receive(), "READY=1\nSTATUS=Serving 1 mount");
    service.notify_reloading();
    ck_assert(manager.receive().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    service.notify_stopping();
    check_text(manager.receive(), "STOPPING=1");
    service.notify_alive();
    check_text(manager.receive(), "WATCHDOG=1");
    service.notify_status("idle");
    check_text(manager.receive(), "STATUS=idle");
  }
}
END_TEST

START_TEST(test_without_a_manager) {
  for (const char *name : {"", "relative", "/nonexistent/socket"}) {
    setenv("NOTIFY_SOCKET", name, 1);
    const ServiceManager service;
    service.notify_ready("nobody");
    ck_assert(!service.watchdog_interval());
  }
}
END_TEST

START_TEST(test_watchdog) {
  setenv("WATCHDOG_USEC", "30000000", 1);
  ck_assert_uint_eq(ServiceManager().watchdog_interval().value_or(0), 15'000);
  ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  ck_assert(!ServiceManager().watchdog_interval());
}
END_TEST

START_TEST(test_sockets) {
  const std::string pid = std::to_string(getpid());
  const int socket = dup(STDERR_FILENO);
  ck_assert_int_eq(dup2(socket, 3), 3);
  ck_assert_int_eq(dup2(socket, 4), 4);
  setenv("LISTEN_PID", pid.c_str(), 1);
  setenv("LISTEN_FDS", "2", 1);
  ServiceManager service;
  const std::vector<int> sockets = service.take_sockets();
  ck_assert_uint_eq(sockets.size(), 2);
  ck_assert_int_eq(sockets[0], 3);
  ck_assert_int_eq(fcntl(4, F_GETFD), FD_CLOEXEC);
  ck_assert(service.take_sockets().empty());
  ck_assert_ptr_null(getenv("LISTEN_FDS"));
  // The sockets of another process.
  setenv("LISTEN_PID", "1", 1);
  setenv("LISTEN_FDS", "2", 1);
  ck_assert(ServiceManager().take_sockets().empty());
}
END_TEST

} // namespace

int main() {
  return flvtest::run("serve_log", {
                                       {test_common_format},
                                       {test_combined_format},
                                       {test_json_format},
                                       {test_hostile_texts},
                                       {test_invalid_request_line},
                                       {test_request_that_was_not_read},
                                       {test_log_is_complete_at_its_end},
                                       {test_log_is_opened_again},
                                       {test_full_queue_drops},
                                       {test_log_that_cannot_be_opened},
                                       {test_notifications},
                                       {test_without_a_manager},
                                       {test_watchdog},
                                       {test_sockets},
                                   });
}
