// SPDX-License-Identifier: LGPL-2.1-or-later
#include "download_thread.h"

#include <csignal>
#include <mutex>
#include <utility>
#include <vector>

#include <pthread.h>

#include "categories.h"

#define GST_CAT_DEFAULT gst_http_server_download_debug

namespace flvhttp {

using std::chrono::milliseconds;

namespace {

// The poller and the inbox are checked at least this often, even if many clients can be served.
constexpr milliseconds kTurn{10};

} // namespace

// What other threads have for the thread. Exchanges share it, because they may outlive the thread.
struct DownloadThread::Inbox {
  struct Arrival {
    std::uint64_t id = 0;
    DownloadClient client;
    std::weak_ptr<Exchange> exchange;
  };
  enum class State : std::uint8_t { Open, Stopping, Closed };

  Poller poller;
  std::mutex mutex;
  // Guarded by mutex.
  State state = State::Open;
  std::vector<Arrival> arrivals;
  std::vector<std::pair<std::uint64_t, Response>> responses;
  guint64 count = 0; // sessions and arrivals

  void respond(std::uint64_t id, Response response) {
    {
      const std::lock_guard lock(mutex);
      if (state == State::Closed)
        return;
      responses.emplace_back(id, std::move(response));
    }
    poller.wake();
  }
};

DownloadThread::DownloadThread() : inbox_(std::make_shared<Inbox>()) {}

DownloadThread::~DownloadThread() {
  {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->state = Inbox::State::Stopping;
  }
  inbox_->poller.wake();
  if (thread_.joinable())
    thread_.join();
}

guint64 DownloadThread::count() const {
  const std::lock_guard lock(inbox_->mutex);
  return inbox_->count;
}

std::shared_ptr<Exchange> DownloadThread::add(DownloadClient client) {
  const std::uint64_t id = ++last_id_;
  auto exchange =
      std::make_shared<Exchange>(client.request, [inbox = inbox_, id](Response response) {
        inbox->respond(id, std::move(response));
      });
  {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->arrivals.push_back({id, std::move(client), exchange});
    inbox_->count++;
  }
  if (!thread_.joinable())
    thread_ = std::thread([this] { run(); });
  inbox_->poller.wake();
  return exchange;
}

// sendfile() raises SIGPIPE where send() does not.
void DownloadThread::run() {
  pthread_setname_np(pthread_self(), "httpserver-file");
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (true) {
    const auto deadline =
        context_.to_serve.empty() ? context_.timers.next() : std::optional(Clock::time_point());
    for (const Poller::Ready &ready : inbox_->poller.wait(deadline))
      static_cast<DownloadSession *>(ready.owner)->note_readiness(ready.readiness);
    context_.now = Clock::now();
    context_.timeout = timeout_;
    {
      const std::lock_guard lock(inbox_->mutex);
      if (inbox_->state == Inbox::State::Stopping)
        break;
    }
    take_inbox();
    fire_timers();
    serve_some();
    remove_closed();
  }
  close_all();
}

void DownloadThread::take_inbox() {
  std::vector<Inbox::Arrival> arrivals;
  std::vector<std::pair<std::uint64_t, Response>> responses;
  {
    const std::lock_guard lock(inbox_->mutex);
    arrivals.swap(inbox_->arrivals);
    responses.swap(inbox_->responses);
  }
  for (Inbox::Arrival &each : arrivals)
    take(each.id, std::move(each.client), std::move(each.exchange));
  for (auto &[id, response] : responses) {
    if (const auto session = sessions_.find(id); session != sessions_.end())
      session->second->respond(std::move(response));
  }
}

void DownloadThread::take(std::uint64_t id, DownloadClient client,
                          std::weak_ptr<Exchange> exchange) {
  auto session = std::make_unique<DownloadSession>(id, std::move(client), context_);
  session->set_exchange(std::move(exchange));
  if (!inbox_->poller.add(session->transport().descriptor(), session.get()))
    session->close(Reason::Broken);
  sessions_.emplace(id, std::move(session));
}

void DownloadThread::fire_timers() {
  while (DownloadSession *session = context_.timers.due(context_.now))
    session->on_timer();
}

// All clients whose timer has fired, which are the paced ones, and others for a limited time.
void DownloadThread::serve_some() {
  for (DownloadSession *each : std::exchange(context_.due, {}))
    each->serve();
  const Clock::time_point end = context_.now + kTurn;
  const std::vector<DownloadSession *> turn = std::exchange(context_.to_serve, {});
  auto next = turn.begin();
  while (next != turn.end() && context_.now < end) {
    (*next++)->serve();
    context_.now = Clock::now();
  }
  context_.to_serve.insert(context_.to_serve.begin(), next, turn.end());
}

void DownloadThread::remove_closed() {
  if (context_.closed.empty())
    return;
  for (auto *list : {&context_.due, &context_.to_serve})
    std::erase_if(*list, [](const DownloadSession *each) { return each->is_closed(); });
  for (const DownloadSession *each : context_.closed) {
    inbox_->poller.remove(each->transport().descriptor());
    sessions_.erase(each->id());
  }
  const std::lock_guard lock(inbox_->mutex);
  inbox_->count -= context_.closed.size();
  context_.closed.clear();
}

void DownloadThread::close_all() {
  take_inbox();
  for (const auto &[id, session] : sessions_)
    session->close(Reason::Stopped);
  remove_closed();
  const std::lock_guard lock(inbox_->mutex);
  inbox_->state = Inbox::State::Closed;
  inbox_->responses.clear();
}

} // namespace flvhttp
