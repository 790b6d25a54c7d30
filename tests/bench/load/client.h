// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "framing.h"
#include "meter.h" // for Nanoseconds
#include "plan.h"
#include "tagscan.h"

namespace load {

using bench::Nanoseconds;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// A client's times, on the monotonic clock (0: not yet), and its bytes.
struct Sight {
  Nanoseconds requested = 0;
  Nanoseconds first_byte = 0;
  Nanoseconds last_byte = 0;
  Nanoseconds key_frame = 0;
  Nanoseconds longest_gap = 0;
  std::uint64_t bytes = 0;
  // The least lead of the received media over real time, since begin_measuring().
  std::optional<Nanoseconds> least_lead;
};

class Client {
public:
  enum class State : std::uint8_t {
    Idle,
    Connecting,
    Head,    // reads the response head
    Stream,  // reads the stream
    Stalled, // does not read the stream
    Closed,  // by the server
    Refused,
  };

  Client() = default;
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;
  ~Client();

  // `plan` and `path` outlive the client.
  void connect(const Plan &plan, const std::string &path, const Address &address, bool stalled);
  // Handles the socket's events, and reads once. `scratch` is overwritten.
  void on_ready(const Plan &plan, std::span<std::uint8_t> scratch);
  void begin_measuring(Nanoseconds now);
  // For a connected client, the end of the measurement ends the last gap, as a byte would.
  void finish(Nanoseconds now);

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::uint32_t events() const; // for epoll
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool stalls() const { return stalls_; }
  [[nodiscard]] bool was_accepted() const { return accepted_; }
  [[nodiscard]] const Sight &sight() const { return sight_; }
  [[nodiscard]] const TagScan &scan() const { return scan_; }
  [[nodiscard]] std::uint32_t frame_errors() const { return frame_errors_; }
  // The reason, if the client was refused.
  [[nodiscard]] const std::string &why() const { return head_; }

private:
  enum class Carrier : std::uint8_t { Bare, Chunks, Frames };

  void on_connected(const Plan &plan);
  void on_bytes(const Plan &plan, flv::Bytes bytes, Nanoseconds now);
  void take_head(const Plan &plan, flv::Bytes &bytes);
  void take_pieces(flv::Bytes bytes, Nanoseconds now);
  void take_stream(flv::Bytes bytes, Nanoseconds now);
  void note_lead(Nanoseconds now);
  void accept();
  void refuse(std::string why);
  void leave(State state);

  int fd_ = -1;
  State state_ = State::Idle;
  Carrier carrier_ = Carrier::Bare;
  bool stalls_ = false;
  bool accepted_ = false;
  const std::string *path_ = nullptr;
  std::uint32_t frame_errors_ = 0;
  Sight sight_;
  TagScan scan_;
  std::string head_;
  FrameReader frames_;
  ChunkReader chunks_;
};

} // namespace load
