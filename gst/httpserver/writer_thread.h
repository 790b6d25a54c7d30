// SPDX-License-Identifier: LGPL-2.1-or-later
// The thread that writes to all clients of all channels of a listener.
#pragma once

#include <memory>
#include <thread>

#include "broadcast.h"

namespace flvhttp {

class FanOut {
public:
  FanOut();
  ~FanOut();
  FanOut(const FanOut &) = delete;
  FanOut &operator=(const FanOut &) = delete;

  // From any thread.
  void add(std::shared_ptr<Channel> channel);
  // The channel is closed already. It is done with it when it returns.
  void remove(const Channel *channel);
  void wake() const { poller_.wake(); }

private:
  void run();

  Poller poller_;
  std::mutex mutex_;
  std::condition_variable turned_;
  std::uint64_t turns_ = 0; // that are over
  bool in_turn_ = false;
  bool stopping_ = false;
  std::vector<std::shared_ptr<Channel>> channels_;
  std::thread thread_;
};

} // namespace flvhttp
