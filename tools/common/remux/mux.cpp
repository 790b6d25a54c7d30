// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mux.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/state_change.h"
#include "caps_track.h"
#include "log.h"

#define GST_CAT_DEFAULT remux::debug_category()

namespace remux {

namespace {

constexpr Interleaver::Limits kFileLimits{10 * GST_SECOND, 64U << 20};
// A client waits as long for a track that is silent.
constexpr Interleaver::Limits kLiveLimits{GST_SECOND, 64U << 20};

} // namespace

Mux::Mux(GstElement *element, const Options &options, Complaint fail)
    : element_(element), source_(gst_pad_new("src", GST_PAD_SRC)), options_(options),
      fail_(std::move(fail)), interleaver_(options.live ? kLiveLimits : kFileLimits) {
  gst_pad_set_element_private(source_, this);
  gst_pad_set_event_function(source_, on_source_event);
  gst_pad_set_query_function(source_, on_source_query);
  gst_pad_use_fixed_caps(source_);
  gst_element_add_pad(element_, source_);
}

void Mux::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, element_, "Mux", state_, std::move(next));
}

void Mux::stop() {
  const std::lock_guard lock(wait_mutex_);
  wait_ = Wait::Stopped;
  wait_changed_.notify_all();
}

GstPad *Mux::add_input(TrackInput::Times times, std::int64_t shift) {
  const std::lock_guard lock(streaming_);
  const std::size_t index = interleaver_.add_track();
  const std::string name = "sink_" + std::to_string(index);
  GstPad *pad = gst_pad_new(name.c_str(), GST_PAD_SINK);
  gst_pad_set_element_private(pad, this);
  gst_pad_set_chain_function(pad, on_buffer);
  gst_pad_set_event_function(pad, on_event);
  gst_pad_set_query_function(pad, on_query);
  inputs_.push_back(std::make_unique<Input>(Input{pad, TrackInput(index, times, shift)}));
  gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element_, pad);
  return pad;
}

void Mux::set_complete() {
  const std::lock_guard lock(streaming_);
  GST_DEBUG_OBJECT(element_, "%zu tracks", inputs_.size());
  complete_ = true;
  if (!is_flushing())
    (void)process();
}

std::size_t Mux::index_of(GstPad *pad) const {
  const auto found =
      std::ranges::find_if(inputs_, [pad](const auto &one) { return one->pad == pad; });
  g_assert(found != inputs_.end());
  return static_cast<std::size_t>(found - inputs_.begin());
}

GstFlowReturn Mux::on_buffer(GstPad *pad, GstObject *, GstBuffer *buffer) noexcept {
  auto *self = static_cast<Mux *>(gst_pad_get_element_private(pad));
  const std::lock_guard lock(self->streaming_);
  return self->take(self->index_of(pad), gstflv::BufferPtr(buffer));
}

gboolean Mux::on_event(GstPad *pad, GstObject *, GstEvent *raw) noexcept {
  auto *self = static_cast<Mux *>(gst_pad_get_element_private(pad));
  const gstflv::EventPtr event(raw);
  if (GST_EVENT_TYPE(raw) == GST_EVENT_FLUSH_START) {
    self->begin_flush(raw);
    return TRUE;
  }
  const std::lock_guard lock(self->streaming_);
  const std::size_t index = self->index_of(pad);
  switch (GST_EVENT_TYPE(raw)) {
  case GST_EVENT_FLUSH_STOP:
    self->end_flush(raw);
    break;
  case GST_EVENT_CAPS: {
    GstCaps *caps = nullptr;
    gst_event_parse_caps(raw, &caps);
    return self->take_caps(index, caps) ? TRUE : FALSE;
  }
  case GST_EVENT_SEGMENT: {
    const GstSegment *segment = nullptr;
    gst_event_parse_segment(raw, &segment);
    if (segment->format == GST_FORMAT_TIME)
      self->inputs_[index]->track.set_segment(*segment);
    break;
  }
  case GST_EVENT_GAP:
    self->take_gap(index, raw);
    break;
  case GST_EVENT_EOS:
    self->take_end(index);
    break;
  default:
    break;
  }
  return TRUE;
}

// The pad has no template. Its current caps would be the only ones that it accepts.
gboolean Mux::on_query(GstPad *pad, GstObject *parent, GstQuery *query) noexcept {
  GstCaps *caps = nullptr;
  switch (GST_QUERY_TYPE(query)) {
  case GST_QUERY_ACCEPT_CAPS:
    gst_query_parse_accept_caps(query, &caps);
    gst_query_set_accept_caps_result(query, codec_of(caps) ? TRUE : FALSE);
    return TRUE;
  case GST_QUERY_CAPS: {
    gst_query_parse_caps(query, &caps);
    const gstflv::CapsPtr any(gst_caps_new_any());
    gst_query_set_caps_result(query, caps ? caps : any.get());
    return TRUE;
  }
  default:
    return gst_pad_query_default(pad, parent, query);
  }
}

// Each demuxer handles a seek on any of its pads for all of them.
gboolean Mux::on_source_event(GstPad *pad, GstObject *, GstEvent *event) noexcept {
  auto *self = static_cast<Mux *>(gst_pad_get_element_private(pad));
  if (self->inputs_.empty()) {
    gst_event_unref(event);
    return FALSE;
  }
  return gst_pad_push_event(self->inputs_.front()->pad, event);
}

gboolean Mux::on_source_query(GstPad *pad, GstObject *parent, GstQuery *query) noexcept {
  auto *self = static_cast<Mux *>(gst_pad_get_element_private(pad));
  GstFormat format = GST_FORMAT_UNDEFINED;
  if (GST_QUERY_TYPE(query) != GST_QUERY_DURATION || !self->duration_)
    return gst_pad_query_default(pad, parent, query);
  gst_query_parse_duration(query, &format, nullptr);
  if (format != GST_FORMAT_TIME)
    return FALSE;
  gst_query_set_duration(query, format, *self->duration_);
  return TRUE;
}

// The caps of a demuxer can be vague: MPEG-TS does not tell MP2 from MP3.
bool Mux::take_caps(std::size_t index, GstCaps *caps) {
  GST_DEBUG_OBJECT(element_, "track %zu: %" GST_PTR_FORMAT, index, caps);
  TrackInput &input = inputs_[index]->track;
  const auto codec = codec_of(caps);
  if (!codec || !carries(options_.format, *codec)) {
    fail_(std::string(name_of(options_.format)) + " cannot carry " + codec_name(caps));
    return false;
  }
  if (input.is_complete() && input.track()->codec != *codec) {
    fail_(std::string("the codec changes from ") + name_of(input.track()->codec) + " to " +
          name_of(*codec));
    return false;
  }
  return input.set_caps(caps);
}

void Mux::take_gap(std::size_t index, GstEvent *gap) {
  if (is_flushing())
    return;
  if (const auto time = inputs_[index]->track.time_of_gap(gap))
    interleaver_.note_gap(index, *time);
  (void)process();
}

bool Mux::is_flushing() {
  const std::lock_guard lock(wait_mutex_);
  return wait_ == Wait::Flushing || wait_ == Wait::Stopped;
}

void Mux::push_packets(std::vector<Packet> packets) {
  for (Packet &packet : packets)
    interleaver_.push(std::move(packet));
}

GstFlowReturn Mux::take(std::size_t index, gstflv::BufferPtr buffer) {
  if (is_flushing())
    return GST_FLOW_FLUSHING;
  GST_LOG_OBJECT(element_, "track %zu: %" GST_PTR_FORMAT, index, buffer.get());
  std::vector<Packet> packets;
  inputs_[index]->track.take(std::move(buffer), packets);
  push_packets(std::move(packets));
  return process();
}

void Mux::take_end(std::size_t index) {
  if (is_flushing())
    return;
  GST_DEBUG_OBJECT(element_, "track %zu ends", index);
  std::vector<Packet> packets;
  inputs_[index]->track.finish(packets);
  inputs_[index]->ended = true;
  push_packets(std::move(packets));
  interleaver_.finish(index);
  (void)process();
}

// Before the first bytes, downstream has nothing to flush.
void Mux::begin_flush(GstEvent *event) {
  {
    const std::lock_guard lock(wait_mutex_);
    if (wait_ == Wait::Seeking) {
      wait_ = Wait::Flushing;
      wait_changed_.notify_all();
      return;
    }
    if (wait_ == Wait::Flushing)
      return;
  }
  gst_pad_push_event(source_, gst_event_ref(event));
}

void Mux::end_flush(GstEvent *event) {
  const guint32 seqnum = gst_event_get_seqnum(event);
  if (std::exchange(flush_seqnum_, seqnum) == seqnum)
    return;
  bool is_own = false;
  {
    const std::lock_guard lock(wait_mutex_);
    is_own = std::exchange(wait_, Wait::None) == Wait::Flushing;
  }
  if (!is_own)
    gst_pad_push_event(source_, gst_event_ref(event));
  interleaver_ = Interleaver(options_.live ? kLiveLimits : kFileLimits);
  for (const auto &input : inputs_) {
    (void)interleaver_.add_track();
    input->track.flush();
    input->ended = false;
  }
  set_state(Collecting{after_flush_});
}

// A file's header lists a track without media, if its configuration is known. A live stream
// promises only what it has.
bool Mux::is_ready() const {
  if (interleaver_.is_over_limits())
    return true;
  return complete_ && std::ranges::all_of(inputs_, [](const auto &input) {
           return input->ended || input->track.is_complete();
         });
}

GstFlowReturn Mux::process() {
  if (std::holds_alternative<Ended>(state_))
    return GST_FLOW_EOS;
  if (auto *collecting = std::get_if<Collecting>(&state_)) {
    if (!is_ready())
      return GST_FLOW_OK;
    if (options_.start.value_or(0) > 0 && !is_at_start(*collecting))
      return GST_FLOW_FLUSHING;
    const GstFlowReturn flow = begin();
    if (flow != GST_FLOW_OK)
      return flow;
  }
  const GstFlowReturn flow = send(std::get<Flowing>(state_));
  return flow == GST_FLOW_OK && complete_ && interleaver_.is_finished() ? end() : flow;
}

} // namespace remux
