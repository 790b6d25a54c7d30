// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes a pipeline's state in a separate thread. A change opens files and connects to hosts, and
// may never end. The user must be able to stop the program during a change.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <gst/gst.h>

namespace flvstream {

// Posted on the bus after a failed change, after the messages with the reason.
inline constexpr const char *kNoStart = "flvstream-no-start";
// Posted on the bus after a change to PAUSED or PLAYING. Servers listen from then on.
inline constexpr const char *kReady = "flvstream-ready";

class States {
public:
  explicit States(GstElement *pipeline); // borrowed
  ~States();                             // changes to NULL and waits
  States(const States &) = delete;
  States &operator=(const States &) = delete;

  // Returns at once. A new request replaces one that has not begun.
  void request(GstState state);
  [[nodiscard]] bool is_busy();
  // Changes to NULL. false: the change did not end within a second, and may never end.
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
  std::thread thread_; // declared after the members that it uses
};

} // namespace flvstream
