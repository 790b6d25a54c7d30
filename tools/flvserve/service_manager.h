// SPDX-License-Identifier: LGPL-2.1-or-later
// The protocols of systemd: readiness, status, watchdog (sd_notify) and socket activation. Without
// systemd, nothing is sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flvserve {

class ServiceManager {
public:
  // Reads the environment, and removes the variables, so that no child process uses them.
  ServiceManager();

  // Sends lines of NAME=VALUE. An error is ignored: the service works without a manager.
  void notify(std::string_view lines) const;
  void notify_ready(const std::string &status) const;
  void notify_status(const std::string &status) const;
  void notify_reloading() const;
  void notify_stopping() const;
  void notify_alive() const;

  // ms between two calls of notify_alive(); nullopt: the manager does not watch this process.
  [[nodiscard]] std::optional<unsigned> watchdog_interval() const { return watchdog_interval_; }
  // The listening sockets that the manager has opened, for the caller to own. Later calls return
  // none.
  [[nodiscard]] std::vector<int> take_sockets();

private:
  std::string socket_; // of the manager; empty: there is none
  std::optional<unsigned> watchdog_interval_;
  int inherited_ = 0; // the number of sockets
};

} // namespace flvserve
