// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts about streams: built in a thread of their own, so that no request waits for another's, and
// kept for a moment.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <glib.h>

namespace flvhttp {

struct UnrefBytes {
  void operator()(GBytes *bytes) const { g_bytes_unref(bytes); }
};
using BytesPtr = std::unique_ptr<GBytes, UnrefBytes>;

// One text. All but `build` belongs to the thread that asks.
struct Report {
  using Deliver = std::function<void(GBytes *)>;

  explicit Report(std::function<std::string()> builder) : build(std::move(builder)) {}

  const std::function<std::string()> build;
  BytesPtr text;                                 // the last one
  std::chrono::steady_clock::time_point expires; // when it is too old
  std::vector<Deliver> waiting;                  // for the one that is being built
};

class Reports {
public:
  // ms: so long a text is given to all who ask.
  static constexpr std::chrono::milliseconds kKeep{250};

  // `run_soon` runs something in the thread that asks.
  explicit Reports(std::function<void(std::function<void()>)> run_soon)
      : run_soon_(std::move(run_soon)) {}
  // Drops the reports that were not delivered.
  ~Reports();
  Reports(const Reports &) = delete;
  Reports &operator=(const Reports &) = delete;

  // Delivers at once, or later from the same thread.
  void ask(const std::shared_ptr<Report> &report, Report::Deliver deliver);

private:
  void run();
  static void finish(Report &report, const std::string &text,
                     std::chrono::steady_clock::time_point begin);

  std::function<void(std::function<void()>)> run_soon_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Report>> to_build_;
  bool stopping_ = false;
  std::thread thread_; // from the first request on
};

} // namespace flvhttp
