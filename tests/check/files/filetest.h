// SPDX-License-Identifier: LGPL-2.1-or-later
// Folders of test files, and a listener that serves them in the test's process.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flvbuild.h"
#include "httpserver/listener.h"
#include "settings.h"

namespace filetest {

using flvtest::Buffer;
using flvtest::Bytes;
using flvtest::Stream;

// A folder that is removed with everything in it.
class Folder {
public:
  Folder();
  ~Folder();
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;

  [[nodiscard]] std::string path(const std::string &name = "") const;
  void make_folder(const std::string &name) const;
  // Writes to a new file, and renames it.
  void write(const std::string &name, Bytes bytes) const;
  void write(const std::string &name, const std::string &text) const;
  // Writes into the existing file.
  void overwrite(const std::string &name, std::size_t offset, Bytes bytes) const;
  void append(const std::string &name, Bytes bytes) const;
  void truncate(const std::string &name, std::size_t size) const;
  void link(const std::string &name, const std::string &target) const;
  // Sets the modification time, in s since 1970.
  void set_time(const std::string &name, std::int64_t seconds) const;

private:
  std::string path_;
};

struct Reply {
  int status = 0;
  std::string head;
  Buffer body;

  [[nodiscard]] std::string field(const std::string &name) const; // "": missing
  [[nodiscard]] std::string text() const { return {body.begin(), body.end()}; }
};

// Waits until `condition` is true; fails the test after a timeout.
void wait_for(const std::function<bool()> &condition, const char *what);

// A client that is a socket.
class Client {
public:
  // `receive_buffer` in bytes; 0: the system's default.
  explicit Client(unsigned port, int receive_buffer = 0);
  ~Client() { close(); }
  Client(Client &&other) noexcept;
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;

  void send(const std::string &text);
  // `headers`: whole lines.
  void ask(const std::string &path, const std::string &headers = "",
           const std::string &method = "GET");
  void close();
  void reset(); // closes with a TCP reset

  // Reads what is there, at most `size` bytes.
  void receive(std::size_t size = SIZE_MAX);
  // Reads until the body has `size` bytes, in small steps, so that the server has to wait.
  void wait_for_size(std::size_t size);
  void wait_for_head();
  void wait_for_close();

  [[nodiscard]] const Reply &reply() const { return reply_; }
  [[nodiscard]] bool is_closed() const { return closed_; }

private:
  void take(Bytes bytes);
  void wait(const std::function<bool()> &condition, const char *what, std::size_t block = SIZE_MAX);

  int socket_ = -1;
  bool closed_ = false;
  Reply reply_;
};

// Serves a folder at /vod.
class Server {
public:
  explicit Server(const Folder &folder, flvserve::FilesSettings settings = {});
  ~Server();
  Server(const Server &) = delete;
  Server &operator=(const Server &) = delete;

  [[nodiscard]] guint port() const { return listener_->port(); }
  [[nodiscard]] flvhttp::Listener &listener() const { return *listener_; }
  // The whole response. `headers`: whole lines.
  [[nodiscard]] Reply get(const std::string &path, const std::string &headers = "",
                          const std::string &method = "GET") const;
  [[nodiscard]] Reply head(const std::string &path, const std::string &headers = "") const {
    return get(path, headers, "HEAD");
  }

private:
  std::shared_ptr<flvhttp::Listener> listener_;
  std::shared_ptr<flvhttp::Site> site_;
};

// The default settings with one other value.
[[nodiscard]] flvserve::FilesSettings settings(const std::string &key, const std::string &value);

// The number of repetitions, fewer under valgrind.
[[nodiscard]] std::size_t rounds(std::size_t usual, std::size_t few);

// A file of `seconds` seconds with a keyframe each second, without an index.
[[nodiscard]] Stream movie(std::uint32_t seconds = 10);
// The same with an index.
[[nodiscard]] Stream indexed_movie(std::uint32_t seconds = 10);
// The positions of the keyframes.
[[nodiscard]] std::vector<std::size_t> key_positions(const Stream &stream);

} // namespace filetest
