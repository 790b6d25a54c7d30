// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <mutex>

#include "pacetest.h"

namespace pacetest {

// Records the input of a pad. Consumes buffers, forwards events.
class SinkLog {
public:
  SinkLog(GstPad *pad, GstElement *element, GstTestClock *clock); // all are borrowed
  ~SinkLog();
  SinkLog(const SinkLog &) = delete;
  SinkLog &operator=(const SinkLog &) = delete;

  // From any thread. Pace documents the functions.
  void set_sink(Sink sink);
  [[nodiscard]] Arrivals take();
  [[nodiscard]] std::size_t count();
  [[nodiscard]] std::string order();
  [[nodiscard]] EventPtr last_event(GstEventType type);
  [[nodiscard]] std::size_t count_events(GstEventType type);

private:
  using Lock = std::unique_lock<std::mutex>;

  void see_event(GstEvent *event);
  [[nodiscard]] GstFlowReturn see_buffer(BufferPtr buffer);
  void add_to_order(const std::string &word);

  GstPad *pad_;
  GstElement *element_;
  GstTestClock *clock_;
  gulong probe_ = 0;
  std::mutex mutex_;
  Sink sink_;
  GstSegment segment_{};
  std::size_t arrived_ = 0;
  std::size_t caps_ = 0;
  Arrivals arrivals_;
  std::vector<EventPtr> events_;
  std::string order_;
};

} // namespace pacetest
