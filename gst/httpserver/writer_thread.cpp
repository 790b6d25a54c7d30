// SPDX-License-Identifier: LGPL-2.1-or-later
#include "writer_thread.h"

#include <algorithm>
#include <utility>

#include <pthread.h>

namespace flvhttp {

WriterThread::WriterThread() : thread_([this] { run(); }) {}

WriterThread::~WriterThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
}

void WriterThread::add(std::shared_ptr<Broadcast> broadcast) {
  const std::lock_guard lock(mutex_);
  broadcasts_.push_back(std::move(broadcast));
}

void WriterThread::remove(const Broadcast *broadcast) {
  std::unique_lock lock(mutex_);
  std::erase_if(broadcasts_, [broadcast](const auto &each) { return each.get() == broadcast; });
  const std::uint64_t turn = turns_;
  turned_.wait(lock, [this, turn] { return !in_turn_ || turns_ != turn; });
}

void WriterThread::run() {
  pthread_setname_np(pthread_self(), "httpserversink");
  std::optional<Clock::time_point> deadline;
  std::vector<std::shared_ptr<Broadcast>> broadcasts;
  while (true) {
    for (const Poller::Ready &ready : poller_.wait(deadline)) {
      auto &client = *static_cast<ClientSession *>(ready.owner);
      client.broadcast().note_readiness(client, ready.readiness);
    }
    {
      const std::lock_guard lock(mutex_);
      if (stopping_)
        return;
      broadcasts = broadcasts_;
      in_turn_ = true;
    }
    deadline.reset();
    for (const auto &broadcast : broadcasts) {
      if (const auto next = broadcast->turn(poller_))
        deadline = deadline ? std::min(*deadline, *next) : *next;
    }
    broadcasts.clear();
    {
      const std::lock_guard lock(mutex_);
      in_turn_ = false;
      turns_++;
    }
    turned_.notify_all();
  }
}

} // namespace flvhttp
