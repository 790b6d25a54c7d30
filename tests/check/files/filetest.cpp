// SPDX-License-Identifier: LGPL-2.1-or-later
#include "filetest.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "drive.h"
#include "files_site.h"

#include "checkrun.h"

namespace filetest {

namespace {

constexpr std::chrono::seconds kHangs{60}; // valgrind is slow
constexpr std::string_view kHeadEnd = "\r\n\r\n";

void write_all(int descriptor, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(descriptor, bytes.data(), bytes.size());
    ck_assert_int_gt(size, 0);
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
}

Bytes bytes_of(const std::string &text) {
  return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

} // namespace

// --- Folder ---

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "flv-files-XXXXXX").string();
  ck_assert_ptr_nonnull(mkdtemp(name.data()));
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::path(const std::string &name) const {
  return name.empty() ? path_ : path_ + "/" + name;
}

void Folder::make_folder(const std::string &name) const {
  ck_assert_int_eq(mkdir(path(name).c_str(), 0755), 0);
}

void Folder::write(const std::string &name, Bytes bytes) const {
  const std::string part = path(".part");
  const int file = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  ck_assert_int_ge(file, 0);
  write_all(file, bytes);
  ::close(file);
  ck_assert_int_eq(rename(part.c_str(), path(name).c_str()), 0);
}

void Folder::write(const std::string &name, const std::string &text) const {
  write(name, bytes_of(text));
}

void Folder::overwrite(const std::string &name, std::size_t offset, Bytes bytes) const {
  const int file = open(path(name).c_str(), O_WRONLY | O_CLOEXEC);
  ck_assert_int_ge(file, 0);
  ck_assert_int_ge(lseek(file, static_cast<off_t>(offset), SEEK_SET), 0);
  write_all(file, bytes);
  ::close(file);
}

void Folder::append(const std::string &name, Bytes bytes) const {
  const int file = open(path(name).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  ck_assert_int_ge(file, 0);
  write_all(file, bytes);
  ::close(file);
}

void Folder::truncate(const std::string &name, std::size_t size) const {
  ck_assert_int_eq(::truncate(path(name).c_str(), static_cast<off_t>(size)), 0);
}

void Folder::link(const std::string &name, const std::string &target) const {
  ck_assert_int_eq(symlink(target.c_str(), path(name).c_str()), 0);
}

void Folder::set_time(const std::string &name, std::int64_t seconds) const {
  const timespec times[] = {{seconds, 0}, {seconds, 0}};
  ck_assert_int_eq(utimensat(AT_FDCWD, path(name).c_str(), times, 0), 0);
}

// --- Client ---

void wait_for(const std::function<bool()> &condition, const char *what) {
  constexpr useconds_t kPoll = 200;
  const auto begin = std::chrono::steady_clock::now();
  while (!condition()) {
    ck_assert_msg(std::chrono::steady_clock::now() - begin < kHangs, "%s", what);
    usleep(kPoll);
  }
}

Client::Client(unsigned port, int receive_buffer)
    : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0)
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ck_assert_int_eq(connect(socket_, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
}

Client::Client(Client &&other) noexcept
    : socket_(std::exchange(other.socket_, -1)), closed_(other.closed_),
      reply_(std::move(other.reply_)) {}

void Client::send(const std::string &text) {
  (void)::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
}

void Client::ask(const std::string &path, const std::string &headers, const std::string &method) {
  send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
}

void Client::close() {
  if (socket_ >= 0)
    ::close(std::exchange(socket_, -1));
}

void Client::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Client::receive(std::size_t size) {
  std::array<std::uint8_t, 65536> bytes;
  while (!closed_ && size > 0) {
    const ssize_t got = recv(socket_, bytes.data(), std::min(size, bytes.size()), MSG_DONTWAIT);
    if (got > 0) {
      take(Bytes(bytes).first(static_cast<std::size_t>(got)));
      size -= static_cast<std::size_t>(got);
      continue;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    closed_ = true;
  }
}

void Client::take(Bytes bytes) {
  if (!reply_.head.ends_with(kHeadEnd)) {
    const std::size_t before = reply_.head.size();
    reply_.head.append(bytes.begin(), bytes.end());
    const std::size_t end = reply_.head.find(kHeadEnd);
    if (end == std::string::npos)
      return;
    reply_.head.resize(end + kHeadEnd.size());
    bytes = bytes.subspan(reply_.head.size() - before);
    constexpr std::string_view kStart = "HTTP/1.1 ";
    ck_assert_msg(reply_.head.starts_with(kStart), "%s", reply_.head.c_str());
    reply_.status = std::atoi(reply_.head.c_str() + kStart.size());
  }
  flvtest::append(reply_.body, bytes);
}

void Client::wait(const std::function<bool()> &condition, const char *what, std::size_t block) {
  constexpr int kPoll = 100; // ms
  const auto begin = std::chrono::steady_clock::now();
  for (receive(block); !condition(); receive(block)) {
    ck_assert_msg(!closed_, "%s: closed: %s", what, reply_.head.c_str());
    ck_assert_msg(std::chrono::steady_clock::now() - begin < kHangs, "%s: %s", what,
                  reply_.head.c_str());
    pollfd ready{socket_, POLLIN, 0};
    poll(&ready, 1, kPoll);
  }
}

void Client::wait_for_size(std::size_t size) {
  wait([this, size] { return reply_.body.size() >= size; }, "the body does not come", 1024);
}

void Client::wait_for_head() {
  wait([this] { return reply_.status != 0; }, "no head comes");
}

void Client::wait_for_close() {
  wait([this] { return closed_; }, "it is not closed");
}

// --- Server ---

std::string Reply::field(const std::string &name) const {
  const std::string line = "\r\n" + name + ": ";
  const std::size_t begin = head.find(line);
  if (begin == std::string::npos)
    return "";
  const std::size_t from = begin + line.size();
  return head.substr(from, head.find("\r\n", from) - from);
}

Server::Server(const Folder &folder, flvserve::FilesSettings settings) {
  if (settings.root.empty())
    settings.root = folder.path();
  GError *error = nullptr;
  listener_ = flvhttp::Listener::open({{"127.0.0.1", 0, "", ""}}, {}, &error);
  ck_assert_msg(listener_ != nullptr, "%s", error ? error->message : "");
  site_ = flvserve::make_files_site("/vod", settings, &error);
  ck_assert_msg(site_ != nullptr, "%s", error ? error->message : "");
  ck_assert(!listener_->add_site("/vod", site_));
}

Server::~Server() {
  listener_->remove_site(site_.get());
}

Reply Server::get(const std::string &path, const std::string &headers,
                  const std::string &method) const {
  Client client(port());
  client.ask(path, headers + "Connection: close\r\n", method);
  client.wait_for_close();
  return client.reply();
}

flvserve::FilesSettings settings(const std::string &key, const std::string &value) {
  flvserve::FilesSettings settings;
  const auto fault = flvserve::set_files_key(settings, key, value);
  ck_assert_msg(!fault, "%s", fault.value_or("").c_str());
  return settings;
}

// --- Files ---

std::size_t rounds(std::size_t usual, std::size_t few) {
  return std::getenv("FLV_TEST_SHORT") ? few : usual;
}

Stream movie(std::uint32_t seconds) {
  return flvtest::file({.duration = seconds * 1000, .gop = 25});
}

Stream indexed_movie(std::uint32_t seconds) {
  return flvtest::indexed(flvtest::media_of({.duration = seconds * 1000, .gop = 25}),
                          flvtest::key_frames_of, {{"duration", {double(seconds)}}});
}

std::vector<std::size_t> key_positions(const Stream &stream) {
  std::vector<std::size_t> positions;
  for (std::size_t tag = 0; tag < stream.tags.size(); tag++) {
    if (flvtest::role_of(stream, tag) == flv::Role::KeyFrame)
      positions.push_back(stream.tags[tag].begin);
  }
  return positions;
}

} // namespace filetest
