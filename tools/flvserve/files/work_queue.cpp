// SPDX-License-Identifier: LGPL-2.1-or-later
#include "work_queue.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace flvserve {

namespace {

constexpr int kNice = 10;

// <linux/ioprio.h> is not in all versions of the headers.
constexpr int kThisThread = 1; // IOPRIO_WHO_PROCESS
constexpr int kLastOfBestEffort = 2 << 13 | 7;

// Errors are ignored: the priority is not necessary.
void lower_priority() {
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  setpriority(PRIO_PROCESS, thread, kNice);
  syscall(SYS_ioprio_set, kThisThread, 0, kLastOfBestEffort);
}

} // namespace

WorkQueue::WorkQueue(const std::string &name, unsigned threads, std::size_t max_waiting,
                     Priority priority)
    : max_waiting_(max_waiting) {
  for (unsigned i = 0; i < threads; i++)
    threads_.emplace_back([this, name, priority] { run(name, priority); });
}

void WorkQueue::stop() {
  std::deque<Work> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(waiting_);
  }
  dropped.clear(); // without the lock
  changed_.notify_all();
  for (std::thread &thread : threads_)
    thread.join();
  threads_.clear();
}

bool WorkQueue::add(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= max_waiting_)
      return false;
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void WorkQueue::add_again(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_)
      return;
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void WorkQueue::run(const std::string &name, Priority priority) {
  pthread_setname_np(pthread_self(), name.c_str());
  if (priority == Priority::Low)
    lower_priority();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_)
      return;
    Work work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    work = nullptr; // destroyed without the lock
    lock.lock();
  }
}

} // namespace flvserve
