// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stats_pages.h"

#include <utility>

#include <pthread.h>

namespace flvhttp {

using Clock = std::chrono::steady_clock;

Reports::~Reports() {
  if (!thread_.joinable())
    return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Reports::ask(const std::shared_ptr<Report> &report, Report::Deliver deliver) {
  if (report->text && Clock::now() < report->expires)
    return deliver(report->text.get());
  report->waiting.push_back(std::move(deliver));
  if (report->waiting.size() > 1)
    return; // a build is in progress
  {
    const std::lock_guard lock(mutex_);
    to_build_.push_back(report);
  }
  changed_.notify_all();
  if (!thread_.joinable())
    thread_ = std::thread([this] { run(); });
}

void Reports::run() {
  pthread_setname_np(pthread_self(), "httpserver-stat");
  while (true) {
    std::vector<std::shared_ptr<Report>> reports;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !to_build_.empty(); });
      if (stopping_)
        return;
      reports.swap(to_build_);
    }
    for (const auto &report : reports) {
      const auto begin = Clock::now();
      run_soon_([report, text = report->build(), begin] { finish(*report, text, begin); });
    }
  }
}

void Reports::finish(Report &report, const std::string &text, Clock::time_point begin) {
  report.text.reset(g_bytes_new(text.data(), text.size()));
  report.expires = begin + kKeep;
  for (const auto &deliver : std::exchange(report.waiting, {}))
    deliver(report.text.get());
}

} // namespace flvhttp
