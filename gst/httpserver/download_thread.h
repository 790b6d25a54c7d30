// SPDX-License-Identifier: LGPL-2.1-or-later
// The thread that sends all downloads of a listener. It is not the writer thread, so that slow
// disks do not delay the clients of streams.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <unordered_map>

#include "download_session.h"

namespace flvhttp {

class DownloadThread {
public:
  DownloadThread();
  // Closes all downloads.
  ~DownloadThread();
  DownloadThread(const DownloadThread &) = delete;
  DownloadThread &operator=(const DownloadThread &) = delete;

  // Called from any thread. In ms, for downloads that begin later; 0: no timeout.
  void set_timeout(guint timeout) { timeout_ = timeout; }
  // Clients that wait for a response, or get one.
  [[nodiscard]] guint64 count() const;

  // Called from the listener's thread. The exchange answers the client; it may outlive the thread.
  [[nodiscard]] std::shared_ptr<Exchange> add(DownloadClient client);

private:
  struct Inbox;
  using Sessions = std::unordered_map<std::uint64_t, std::unique_ptr<DownloadSession>>;

  void run();
  void take_inbox();
  void take(std::uint64_t id, DownloadClient client, std::weak_ptr<Exchange> exchange);
  void fire_timers();
  void serve_some();
  void remove_closed();
  void close_all();

  std::atomic<guint> timeout_ = 30'000;
  std::uint64_t last_id_ = 0; // used by the listener's thread
  std::shared_ptr<Inbox> inbox_;

  // Used by the thread.
  DownloadContext context_;
  Sessions sessions_;
  std::thread thread_; // runs from the first client on
};

} // namespace flvhttp
