// SPDX-License-Identifier: LGPL-2.1-or-later
#include "writer_thread.h"

#include <algorithm>
#include <utility>

#include <pthread.h>

namespace flvhttp {

FanOut::FanOut() : thread_([this] { run(); }) {}

FanOut::~FanOut() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
}

void FanOut::add(std::shared_ptr<Channel> channel) {
  const std::lock_guard lock(mutex_);
  channels_.push_back(std::move(channel));
}

void FanOut::remove(const Channel *channel) {
  std::unique_lock lock(mutex_);
  std::erase_if(channels_, [channel](const auto &each) { return each.get() == channel; });
  const std::uint64_t turn = turns_;
  turned_.wait(lock, [this, turn] { return !in_turn_ || turns_ != turn; });
}

void FanOut::run() {
  pthread_setname_np(pthread_self(), "httpserversink");
  std::optional<Clock::time_point> deadline;
  std::vector<std::shared_ptr<Channel>> channels;
  while (true) {
    for (const Poller::Ready &ready : poller_.wait(deadline)) {
      auto &client = *static_cast<Client *>(ready.owner);
      client.readable |= ready.readable;
      client.writable |= ready.writable;
      client.broken |= ready.broken;
      client.channel->note(client);
    }
    {
      const std::lock_guard lock(mutex_);
      if (stopping_)
        return;
      channels = channels_;
      in_turn_ = true;
    }
    deadline.reset();
    for (const auto &channel : channels) {
      if (const auto next = channel->turn(poller_))
        deadline = deadline ? std::min(*deadline, *next) : *next;
    }
    channels.clear();
    {
      const std::lock_guard lock(mutex_);
      in_turn_ = false;
      turns_++;
    }
    turned_.notify_all();
  }
}

} // namespace flvhttp
