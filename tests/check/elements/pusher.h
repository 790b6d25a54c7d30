// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <variant>

#include "base/gst_ptr.h"

namespace pacetest {

using gstflv::BufferPtr;
using gstflv::EventPtr;

// Pushes the given objects in order, in a separate thread.
class Pusher {
public:
  explicit Pusher(GstPad *pad) : pad_(pad), thread_([this] { work(); }) {}

  ~Pusher() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  using Job = std::variant<BufferPtr, EventPtr>;

  void add(Job job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    changed_.notify_all();
  }

  bool idle() {
    const std::lock_guard lock(mutex_);
    return jobs_.empty() && !busy_;
  }

  GstFlowReturn flow() {
    const std::lock_guard lock(mutex_);
    return flow_;
  }

private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      busy_ = false;
      changed_.wait(lock, [this] { return over_ || !jobs_.empty(); });
      if (over_)
        return;
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      busy_ = true;
      lock.unlock();
      if (auto *event = std::get_if<EventPtr>(&job)) {
        gst_pad_push_event(pad_, event->release());
        lock.lock();
        continue;
      }
      const GstFlowReturn flow = gst_pad_push(pad_, std::get<BufferPtr>(job).release());
      lock.lock();
      flow_ = flow;
      if (flow_ != GST_FLOW_OK)
        jobs_.clear();
    }
  }

  GstPad *pad_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool busy_ = false;
  bool over_ = false;
  GstFlowReturn flow_ = GST_FLOW_OK;
  std::thread thread_;
};

} // namespace pacetest
