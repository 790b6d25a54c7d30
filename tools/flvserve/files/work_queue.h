// SPDX-License-Identifier: LGPL-2.1-or-later
// Threads that do the work that reads the disk.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace flvserve {

class WorkQueue {
public:
  enum class Priority : std::uint8_t {
    Normal,
    Low, // for the CPU and the disk
  };
  using Work = std::function<void()>;

  // `name`: of the threads, up to 15 characters. `max_waiting`: of add().
  WorkQueue(const std::string &name, unsigned threads, std::size_t max_waiting, Priority priority);
  ~WorkQueue() { stop(); }
  WorkQueue(const WorkQueue &) = delete;
  WorkQueue &operator=(const WorkQueue &) = delete;

  // false: too much work is waiting; nothing was added.
  [[nodiscard]] bool add(Work work);
  // For work that was added before and continues. Does nothing after stop().
  void add_again(Work work);
  // Drops the waiting work, and waits for the work that runs. Then add() returns false.
  void stop();

private:
  void run(const std::string &name, Priority priority);

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace flvserve
