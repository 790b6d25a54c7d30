// SPDX-License-Identifier: LGPL-2.1-or-later
#include "states.h"

#include <chrono>
#include <utility>

namespace flvstream {

States::States(GstElement *pipeline) : pipeline_(pipeline), thread_([this] { run(); }) {}

States::~States() {
  request(GST_STATE_NULL);
  thread_.join();
}

void States::request(GstState state) {
  const std::lock_guard lock(mutex_);
  wanted_ = state;
  changed_.notify_all();
}

bool States::is_busy() {
  const std::lock_guard lock(mutex_);
  return busy_ || wanted_;
}

bool States::close() {
  constexpr std::chrono::seconds kPatience(1);
  request(GST_STATE_NULL);
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [this] { return closed_; });
}

void States::post(const char *name) {
  gst_element_post_message(
      pipeline_, gst_message_new_application(GST_OBJECT(pipeline_), gst_structure_new_empty(name)));
}

void States::run() {
  std::unique_lock lock(mutex_);
  while (!closed_) {
    changed_.wait(lock, [this] { return wanted_.has_value(); });
    const GstState state = *std::exchange(wanted_, std::nullopt);
    busy_ = true;
    lock.unlock();
    const auto outcome = gst_element_set_state(pipeline_, state);
    if (outcome == GST_STATE_CHANGE_FAILURE)
      post(kNoStart);
    else if (state != GST_STATE_NULL)
      post(kReady);
    lock.lock();
    busy_ = false;
    closed_ = state == GST_STATE_NULL;
    changed_.notify_all();
  }
}

} // namespace flvstream
