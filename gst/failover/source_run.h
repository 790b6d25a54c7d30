// SPDX-License-Identifier: LGPL-2.1-or-later
// One attempt to use a URI: a pipeline with the source element, on a thread of its own. The source
// can block in any of its state changes without blocking anything else.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/gst_ptr.h"
#include "failover/health.h"
#include "states/transition.h"

namespace gstfailover {

// Receives what the source does. The calls come from several threads, also after stop().
class SourceListener {
public:
  SourceListener() = default;
  virtual ~SourceListener() = default;
  SourceListener(const SourceListener &) = delete;
  SourceListener &operator=(const SourceListener &) = delete;

  // The source element was made, and has not started.
  virtual void set_up(GstElement *source) = 0;
  // `is_finite`: the source knows its length, so it is a file. May block the source.
  [[nodiscard]] virtual GstFlowReturn take(gstflv::BufferPtr buffer, bool is_finite) = 0;
  virtual void end(bool is_finite) = 0;
  virtual void fail(failover::Loss loss, const std::string &text) = 0;
};

class SourceRun : public std::enable_shared_from_this<SourceRun> {
public:
  //    Starting ---> Running ---> Stopping ---> Ended
  //        |                          ^
  //        +--------------------------+
  struct Starting {
    static constexpr const char *kName = "Starting";
  };
  struct Running {
    static constexpr const char *kName = "Running";
  };
  struct Stopping {
    static constexpr const char *kName = "Stopping";
  };
  struct Ended {
    static constexpr const char *kName = "Ended";
  };
  using State = std::variant<Starting, Running, Stopping, Ended>;
  using Transitions = states::TransitionTable<
      states::Transition<Starting, Running>, states::Transition<Starting, Stopping>,
      states::Transition<Running, Stopping>, states::Transition<Stopping, Ended>>;

  SourceRun(std::string uri, std::shared_ptr<SourceListener> listener)
      : uri_(std::move(uri)), listener_(std::move(listener)) {}

  // Starts the thread.
  void start();
  // Returns at once. The thread ends the source, which may take any time.
  void stop();
  [[nodiscard]] bool has_ended();
  // Returns whether the source has ended at the deadline.
  [[nodiscard]] bool wait(std::chrono::steady_clock::time_point deadline);

private:
  void run();
  [[nodiscard]] bool open();
  [[nodiscard]] bool link(GstElement *source);
  void close();
  [[nodiscard]] bool is_stopping();
  void wait_for_stop();
  void set_state(State next);
  void fail(failover::Loss loss, const std::string &text);
  [[nodiscard]] GstFlowReturn take(gstflv::BufferPtr buffer);

  static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer) noexcept;
  static gboolean take_event(GstPad *pad, GstObject *parent, GstEvent *event) noexcept;
  static GstBusSyncReply take_message(GstBus *bus, GstMessage *message, gpointer run) noexcept;

  const std::string uri_;
  const std::shared_ptr<SourceListener> listener_;
  gstflv::ElementPtr pipeline_;
  gstflv::PadPtr pad_;                           // takes the source's buffers
  std::optional<bool> is_finite_ = std::nullopt; // known from the first buffer on

  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = Starting{}; // guarded by mutex_
};

} // namespace gstfailover
