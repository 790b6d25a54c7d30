// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sinklog.h"

#include <algorithm>
#include <utility>

namespace pacetest {

SinkLog::SinkLog(GstPad *pad, GstElement *element, GstTestClock *clock)
    : pad_(pad), element_(element), clock_(clock) {
  constexpr auto kSeen =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                   GST_PAD_PROBE_TYPE_EVENT_FLUSH);
  const auto see = [](GstPad *, GstPadProbeInfo *info, gpointer log) {
    auto &self = *static_cast<SinkLog *>(log);
    if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) == 0) {
      self.see_event(GST_PAD_PROBE_INFO_EVENT(info));
      return GST_PAD_PROBE_OK;
    }
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) =
        self.see_buffer(BufferPtr(GST_PAD_PROBE_INFO_BUFFER(info)));
    return GST_PAD_PROBE_HANDLED;
  };
  probe_ = gst_pad_add_probe(pad_, kSeen, see, this, nullptr);
}

SinkLog::~SinkLog() {
  gst_pad_remove_probe(pad_, probe_);
}

void SinkLog::set_sink(Sink sink) {
  const Lock lock(mutex_);
  sink_ = std::move(sink);
}

Arrivals SinkLog::take() {
  const Lock lock(mutex_);
  return std::exchange(arrivals_, {});
}

std::size_t SinkLog::count() {
  const Lock lock(mutex_);
  return arrivals_.size();
}

std::string SinkLog::order() {
  const Lock lock(mutex_);
  return std::exchange(order_, {});
}

EventPtr SinkLog::last_event(GstEventType type) {
  const Lock lock(mutex_);
  for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
    if (GST_EVENT_TYPE(event->get()) == type)
      return EventPtr(gst_event_ref(event->get()));
  }
  return nullptr;
}

std::size_t SinkLog::count_events(GstEventType type) {
  const Lock lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(events_.begin(), events_.end(),
                    [type](const EventPtr &event) { return GST_EVENT_TYPE(event.get()) == type; }));
}

void SinkLog::see_event(GstEvent *event) {
  const Lock lock(mutex_);
  events_.emplace_back(gst_event_ref(event));
  add_to_order(GST_EVENT_TYPE_NAME(event));
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS)
    ++caps_;
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT)
    gst_event_copy_segment(event, &segment_);
}

GstFlowReturn SinkLog::see_buffer(BufferPtr buffer) {
  Arrival arrival;
  // Not mapped: a map would join the memories of the buffer.
  arrival.bytes.resize(gst_buffer_get_size(buffer.get()));
  gst_buffer_extract(buffer.get(), 0, arrival.bytes.data(), arrival.bytes.size());
  arrival.clock = gst_clock_get_time(GST_CLOCK(clock_));
  arrival.state = GST_STATE(element_);

  Lock lock(mutex_);
  const GstClockTime stamp = GST_BUFFER_PTS(buffer.get());
  // If the two timestamps differ, the time is NaN, so that every comparison fails.
  if (stamp == GST_BUFFER_DTS(buffer.get())) {
    arrival.running = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, stamp);
    arrival.stream = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, stamp);
  }
  arrival.first = arrived_ == 0;
  arrival.caps = caps_;
  arrival.buffer = std::move(buffer);
  const std::size_t index = arrived_++;
  if (const Sink sink = sink_) {
    lock.unlock();
    if (const GstFlowReturn flow = sink(index); flow != GST_FLOW_OK)
      return flow;
    lock.lock();
  }
  arrivals_.push_back(std::move(arrival));
  add_to_order("B");
  return GST_FLOW_OK;
}

void SinkLog::add_to_order(const std::string &word) {
  const bool repeated = word == "B" && !order_.empty() && order_.back() == 'B';
  if (!repeated)
    order_ += (order_.empty() ? "" : " ") + word;
}

} // namespace pacetest
