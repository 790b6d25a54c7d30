// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes a pipeline's state in a thread of its own: a change opens files and connects to hosts,
// which may never end, and the user must be able to stop the program meanwhile.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <gst/gst.h>

namespace flvstream {

// On the bus after a failed change, behind the messages that say why.
inline constexpr const char *kNoStart = "flvstream-no-start";
// On the bus when PAUSED was reached: servers listen.
inline constexpr const char *kReady = "flvstream-ready";

class States {
public:
  explicit States(GstElement *pipeline); // borrowed
  ~States();                             // waits
  States(const States &) = delete;
  States &operator=(const States &) = delete;

  // Returns at once. The last request counts.
  void request(GstState state);
  [[nodiscard]] bool is_busy();
  // Changes to NULL. False: not within a second, and perhaps never.
  [[nodiscard]] bool close();

private:
  void run();
  void post(const char *name);

  GstElement *pipeline_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<GstState> wanted_;
  bool busy_ = false;
  bool closed_ = false;
  std::thread thread_; // declared after what it uses
};

} // namespace flvstream
