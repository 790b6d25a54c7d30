// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tap.h"

#include <utility>

namespace flvserve {

using gstflv::EventPtr;

void Tap::attach(GstPad *pad) {
  gst_pad_add_probe(pad,
                    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                                 GST_PAD_PROBE_TYPE_BUFFER_LIST |
                                                 GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
                    on_data, this, nullptr);
}

void Tap::add(GstPad *pad) {
  const std::lock_guard lock(mutex_);
  readers_.push_back({gstflv::PadPtr(GST_PAD(gst_object_ref(pad))), State::Waiting});
}

void Tap::remove(GstPad *pad) {
  const std::lock_guard lock(mutex_);
  std::erase_if(readers_, [pad](const Reader &reader) { return reader.pad.get() == pad; });
}

void Tap::end() {
  const std::lock_guard lock(mutex_);
  for (Reader &reader : readers_) {
    if (std::exchange(reader.state, State::Waiting) == State::Flowing)
      gst_pad_send_event(reader.pad.get(), gst_event_new_eos());
  }
}

GstPadProbeReturn Tap::on_data(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  auto *self = static_cast<Tap *>(data);
  const std::lock_guard lock(self->mutex_);
  if (self->readers_.empty())
    return GST_PAD_PROBE_OK;
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    self->pass(pad, GST_PAD_PROBE_INFO_BUFFER(info));
  } else if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0) {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    for (guint at = 0; at < gst_buffer_list_length(list); ++at)
      self->pass(pad, gst_buffer_list_get(list, at));
  } else {
    self->pass(GST_PAD_PROBE_INFO_EVENT(info));
  }
  return GST_PAD_PROBE_OK;
}

void Tap::pass(GstPad *from, GstBuffer *buffer) {
  for (Reader &reader : readers_) {
    if (reader.state != State::Flowing)
      begin_at(buffer, from, reader);
    if (reader.state == State::Flowing)
      gst_pad_chain(reader.pad.get(), gst_buffer_ref(buffer));
  }
}

// New caps have a new stream header. A stream's end is also the end for its readers.
void Tap::pass(GstEvent *event) {
  const GstEventType type = GST_EVENT_TYPE(event);
  if (type != GST_EVENT_CAPS && type != GST_EVENT_SEGMENT && type != GST_EVENT_EOS)
    return;
  for (Reader &reader : readers_) {
    if (reader.state != State::Flowing)
      continue;
    gst_pad_send_event(reader.pad.get(), gst_event_ref(event));
    if (type == GST_EVENT_EOS)
      reader.state = State::Waiting;
  }
}

// Headers are not passed on, because send_header() sends those of the caps.
void Tap::begin_at(GstBuffer *buffer, GstPad *from, Reader &reader) {
  const bool is_start = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER)) {
    reader.state = is_start ? State::AtNext : reader.state;
    return;
  }
  if (!is_start && reader.state == State::Waiting)
    return;
  send_header(from, reader);
  reader.state = State::Flowing;
}

void Tap::send_header(GstPad *from, const Reader &reader) {
  for (const GstEventType type : {GST_EVENT_STREAM_START, GST_EVENT_CAPS, GST_EVENT_SEGMENT}) {
    if (GstEvent *event = gst_pad_get_sticky_event(from, type, 0))
      gst_pad_send_event(reader.pad.get(), event);
  }
  const gstflv::CapsPtr caps(gst_pad_get_current_caps(from));
  const GValue *header =
      caps ? gst_structure_get_value(gst_caps_get_structure(caps.get(), 0), "streamheader")
           : nullptr;
  if (!header || !GST_VALUE_HOLDS_ARRAY(header))
    return;
  for (guint at = 0; at < gst_value_array_get_size(header); ++at) {
    const GValue *value = gst_value_array_get_value(header, at);
    GstBuffer *buffer = gst_buffer_copy(gst_value_get_buffer(value));
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_HEADER);
    gst_pad_chain(reader.pad.get(), buffer);
  }
}

} // namespace flvserve
