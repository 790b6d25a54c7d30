// SPDX-License-Identifier: LGPL-2.1-or-later
#include "access_log.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <glib.h>

#include "report.h"

namespace flvserve {

namespace {

constexpr mode_t kMode = 0640; // the addresses of clients are not for every user

int open_file(const std::string &path) {
  if (path == "-")
    return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode);
}

std::string open_fault(const std::string &path) {
  return "cannot write the access log " + path + ": " + g_strerror(errno);
}

} // namespace

std::shared_ptr<AccessLog> AccessLog::open(const std::string &path, LogFormat format,
                                           std::string &fault) {
  const int descriptor = open_file(path);
  if (descriptor < 0) {
    fault = open_fault(path);
    return nullptr;
  }
  return std::make_shared<AccessLog>(descriptor, path, format);
}

AccessLog::AccessLog(int descriptor, std::string path, LogFormat format)
    : path_(std::move(path)), format_(format), descriptor_(descriptor), thread_([this] { run(); }) {
}

AccessLog::~AccessLog() {
  {
    const std::lock_guard lock(mutex_);
    task_ = Task::End;
  }
  changed_.notify_one();
  thread_.join();
  close(descriptor_);
}

void AccessLog::write(const flvhttp::LoggedRequest &request) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kLongest) {
      ++dropped_;
      return;
    }
    queue_.push_back(request);
  }
  changed_.notify_one();
}

void AccessLog::reopen() {
  {
    const std::lock_guard lock(mutex_);
    task_ = Task::Reopen;
  }
  changed_.notify_one();
}

void AccessLog::run() {
  pthread_setname_np(pthread_self(), "flvserve-log");
  std::uint64_t reported = 0;
  std::unique_lock lock(mutex_);
  while (task_ != Task::End || !queue_.empty()) {
    changed_.wait(lock, [this] { return task_ != Task::Write || !queue_.empty(); });
    const std::deque<flvhttp::LoggedRequest> requests = std::exchange(queue_, {});
    const bool reopens = task_ == Task::Reopen;
    if (reopens)
      task_ = Task::Write;
    lock.unlock();
    std::string text;
    for (const flvhttp::LoggedRequest &request : requests)
      text += log_line(request, format_);
    write_out(text);
    if (reopens)
      open_again();
    if (const std::uint64_t dropped = dropped_; dropped > reported) {
      report(Level::Warning, "the access log is too slow: " + std::to_string(dropped - reported) +
                                 " requests are not in it");
      reported = dropped;
    }
    lock.lock();
  }
}

void AccessLog::open_again() {
  const int descriptor = open_file(path_);
  if (descriptor < 0)
    return report(Level::Error, open_fault(path_) + "; the old file stays in use");
  close(std::exchange(descriptor_, descriptor));
}

void AccessLog::write_out(const std::string &text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t written = ::write(descriptor_, text.data() + at, text.size() - at);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0) {
      if (!std::exchange(failing_, true))
        report(Level::Error, open_fault(path_));
      return;
    }
    at += static_cast<std::size_t>(written);
    failing_ = false;
  }
}

} // namespace flvserve
