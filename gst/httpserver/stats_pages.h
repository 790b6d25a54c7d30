// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts about streams. A separate thread builds them, so that other requests are not delayed. Each
// text is cached for a short time.
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

// One text. All members except `build` belong to the thread that calls ask().
struct Report {
  using Deliver = std::function<void(GBytes *)>;

  explicit Report(std::function<std::string()> builder) : build(std::move(builder)) {}

  const std::function<std::string()> build;
  BytesPtr text;                                 // the last result
  std::chrono::steady_clock::time_point expires; // when `text` expires
  std::vector<Deliver> waiting;                  // callbacks for the build in progress
};

class Reports {
public:
  // ms, from the start of a build: during this time, all requests get the same text.
  static constexpr std::chrono::milliseconds kKeep{250};

  // `run_soon` runs a function in the thread that calls ask().
  explicit Reports(std::function<void(std::function<void()>)> run_soon)
      : run_soon_(std::move(run_soon)) {}
  // Drops the reports whose build has not begun.
  ~Reports();
  Reports(const Reports &) = delete;
  Reports &operator=(const Reports &) = delete;

  // Calls `deliver` at once, or later from the same thread.
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
  std::thread thread_; // runs from the first build on
};

} // namespace flvhttp
