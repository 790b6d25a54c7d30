// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "client.h"

namespace load {

// All clients, and the data that they received in the measured time.
class Crowd {
public:
  Crowd(const Plan &plan, const Address &address);
  Crowd(const Crowd &) = delete;
  Crowd &operator=(const Crowd &) = delete;
  ~Crowd();

  // Calls `announce` when the measured time starts.
  [[nodiscard]] bool run(void (*announce)(const Crowd &));

  [[nodiscard]] const std::vector<Client> &clients() const { return clients_; }
  [[nodiscard]] std::size_t connected() const;
  [[nodiscard]] double mbit_per_client() const;
  [[nodiscard]] double cpu_percent() const;
  [[nodiscard]] double longest_round_ms() const;

private:
  // The consumption up to a time.
  struct Reading {
    Nanoseconds time = 0;
    std::uint64_t bytes = 0;
    double cpu_seconds = 0;
  };

  void connect_due(Nanoseconds now);
  [[nodiscard]] bool serve(Nanoseconds until);
  void follow(Client &client, std::uint32_t before, bool known);
  [[nodiscard]] Nanoseconds start_of(std::size_t index) const;
  [[nodiscard]] bool is_stalled(std::size_t index) const;
  [[nodiscard]] Reading read() const;

  const Plan &plan_;
  const Address &address_;
  int epoll_ = -1;
  Nanoseconds begin_ = 0;
  std::size_t next_ = 0; // the client to connect next
  Nanoseconds longest_round_ = 0;
  Reading first_;
  Reading last_;
  std::vector<Client> clients_;
  std::vector<std::uint8_t> scratch_;
};

} // namespace load
