// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes the access log in a thread of its own, so that a slow disk delays no client.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "log_line.h"

namespace flvserve {

class AccessLog final : public flvhttp::RequestLog {
public:
  static constexpr std::size_t kLongest = 8192; // requests in the queue

  // `path`: "-" is standard output. nullptr: `fault` has the reason.
  [[nodiscard]] static std::shared_ptr<AccessLog> open(const std::string &path, LogFormat format,
                                                       std::string &fault);
  AccessLog(int descriptor, std::string path, LogFormat format);
  // Writes the requests in the queue.
  ~AccessLog() override;
  AccessLog(const AccessLog &) = delete;
  AccessLog &operator=(const AccessLog &) = delete;

  // Queues the request. If the queue is full, drops and counts it.
  void write(const flvhttp::LoggedRequest &request) override;
  // Opens the file again before the next request: logrotate has renamed it.
  void reopen();
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
  enum class Task : std::uint8_t { Write, Reopen, End };

  void run();
  void open_again();
  void write_out(const std::string &text);

  const std::string path_;
  const LogFormat format_;
  int descriptor_;       // used by the thread
  bool failing_ = false; // the last write failed; used by the thread
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<flvhttp::LoggedRequest> queue_; // guarded by mutex_
  Task task_ = Task::Write;                  // guarded by mutex_
  std::atomic<std::uint64_t> dropped_ = 0;
  std::thread thread_; // declared after the members that it uses
};

} // namespace flvserve
