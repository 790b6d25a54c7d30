// SPDX-License-Identifier: LGPL-2.1-or-later
// The thread that writes to all clients of all channels of a listener.
#pragma once

#include <memory>
#include <thread>

#include "channel.h"

namespace flvhttp {

class FanOut {
public:
  FanOut();
  ~FanOut();
  FanOut(const FanOut &) = delete;
  FanOut &operator=(const FanOut &) = delete;

  // From any thread.
  void add(std::shared_ptr<Channel> channel);
  // The channel is closed already.
  void remove(const Channel *channel);
  void wake() const { poller_.wake(); }

private:
  void run();

  Poller poller_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Channel>> channels_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace flvhttp
