// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes a pipeline's state in a thread of its own: files are opened and hosts connected to in it,
// which can take for ever, and whoever waits must be able to end that.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <gst/gst.h>

namespace flvstream {

// On the bus, where a change has failed, behind the messages that say why.
inline constexpr const char *kNoStart = "flvstream-no-start";

class States {
public:
  explicit States(GstElement *pipeline); // borrowed
  ~States();                             // waits
  States(const States &) = delete;
  States &operator=(const States &) = delete;

  // Returns at once. The last one counts.
  void request(GstState state);
  [[nodiscard]] bool is_busy();
  // To NULL. False: not within a second, and nobody knows when.
  [[nodiscard]] bool close();

private:
  void run();

  GstElement *pipeline_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<GstState> wanted_;
  bool busy_ = false;
  bool closed_ = false;
  std::thread thread_; // behind what it uses
};

} // namespace flvstream
