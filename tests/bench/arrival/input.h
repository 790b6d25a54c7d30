// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads from stdin, a TCP server or UDP datagrams. Each chunk has the time at which its read
// returned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "meter.h"
#include "options.h"

namespace bench {

[[nodiscard]] Nanoseconds monotonic_now();

class Input {
public:
  enum class Event {
    Bytes,
    End,
    Timeout,
    Interrupted, // by SIGINT or SIGTERM
    Failed,      // error() has the reason
  };

  Input();
  ~Input();
  Input(const Input &) = delete;
  Input &operator=(const Input &) = delete;

  // Event::Bytes: the input is open.
  [[nodiscard]] Event open(const Options &options);
  // Waits for bytes, at most until `deadline`.
  [[nodiscard]] Event next(std::optional<Nanoseconds> deadline);

  // The bytes of the last next(), and their arrival time.
  [[nodiscard]] flv::Bytes bytes() const { return flv::Bytes(buffer_).first(size_); }
  [[nodiscard]] Nanoseconds arrived() const { return arrived_; }

  [[nodiscard]] const std::string &error() const { return error_; }
  // Datagrams that the kernel has dropped for lack of space.
  [[nodiscard]] std::uint64_t lost_datagrams() const { return lost_; }

private:
  Event connect(const Options &options);
  Event try_connect(const Options &options, Nanoseconds deadline);
  Event bind(const Options &options);
  // Waits for `events` on `fd`. -1: only waits for the deadline.
  Event wait(int fd, short events, std::optional<Nanoseconds> deadline);
  Event fail(const char *what, int code);
  Event receive();
  Event receive_datagram();

  int fd_ = -1;
  int signals_ = -1;
  bool datagrams_ = false;
  std::vector<std::uint8_t> buffer_;
  std::size_t size_ = 0;
  Nanoseconds arrived_ = 0;
  std::uint64_t lost_ = 0;
  std::string error_;
};

} // namespace bench
