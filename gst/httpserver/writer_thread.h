// SPDX-License-Identifier: LGPL-2.1-or-later
// The thread that writes to all clients of all broadcasts of a listener.
#pragma once

#include <memory>
#include <thread>

#include "broadcast.h"

namespace flvhttp {

class WriterThread {
public:
  WriterThread();
  ~WriterThread();
  WriterThread(const WriterThread &) = delete;
  WriterThread &operator=(const WriterThread &) = delete;

  // Called from any thread.
  void add(std::shared_ptr<Broadcast> broadcast);
  // The broadcast must be closed. When remove() returns, the thread no longer uses it.
  void remove(const Broadcast *broadcast);
  void wake() const { poller_.wake(); }

private:
  void run();

  Poller poller_;
  std::mutex mutex_;
  std::condition_variable turned_;
  std::uint64_t turns_ = 0; // completed turns
  bool in_turn_ = false;
  bool stopping_ = false;
  std::vector<std::shared_ptr<Broadcast>> broadcasts_;
  std::thread thread_;
};

} // namespace flvhttp
