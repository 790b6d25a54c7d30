// SPDX-License-Identifier: LGPL-2.1-or-later
#include "outlet.h"

#include <algorithm>

namespace flvpace {

using gstflv::BufferPtr;
using gstflv::EventPtr;

namespace {

// As many as a chunk usually holds.
constexpr guint kUsualTags = 32;

BufferPtr copy_of(flv::Bytes bytes) {
  BufferPtr buffer(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_DELTA_UNIT);
  return buffer;
}

// What became of an event that may fail for no other reason than a flush.
GstFlowReturn flow_after(GstPad *pad, gboolean sent) {
  return !sent && GST_PAD_IS_FLUSHING(pad) ? GST_FLOW_FLUSHING : GST_FLOW_OK;
}

} // namespace

void Outlet::clear() {
  flush();
  waiting_.clear();
  seqnum_ = GST_SEQNUM_INVALID;
}

void Outlet::flush() {
  single_.reset();
  list_.reset();
  has_segment_ = false;
}

GstFlowReturn Outlet::send_caps(const std::vector<flv::Bytes> &parts) {
  GValue header = G_VALUE_INIT;
  gst_value_array_init(&header, static_cast<guint>(parts.size()));
  for (const flv::Bytes part : parts) {
    for (BufferPtr &buffer : cut(copy_of(part))) {
      GValue value = G_VALUE_INIT;
      g_value_init(&value, GST_TYPE_BUFFER);
      g_value_take_boxed(&value, buffer.release());
      gst_value_array_append_and_take_value(&header, &value);
    }
  }
  const gstflv::CapsPtr caps(gst_caps_new_empty_simple("video/x-flv"));
  gst_structure_take_value(gst_caps_get_structure(caps.get(), 0), "streamheader", &header);
  return flow_after(pad_, gst_pad_push_event(pad_, gst_event_new_caps(caps.get())));
}

GstFlowReturn Outlet::send_segment(const Departure &departure, std::int64_t position) {
  const auto start = static_cast<guint64>(std::max<std::int64_t>(position, 0)) * GST_MSECOND;
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  segment_.applied_rate = departure.speed;
  segment_.base = static_cast<guint64>(departure.due);
  segment_.start = start;
  segment_.time = start;
  segment_.position = start;
  last_stamp_ = start;
  has_segment_ = true;
  GstEvent *segment = gst_event_new_segment(&segment_);
  if (seqnum_ != GST_SEQNUM_INVALID)
    gst_event_set_seqnum(segment, seqnum_);
  const gboolean sent = gst_pad_push_event(pad_, segment);
  for (EventPtr &event : waiting_)
    gst_pad_push_event(pad_, event.release());
  waiting_.clear();
  return flow_after(pad_, sent);
}

void Outlet::send_gap() {
  gst_pad_push_event(pad_, gst_event_new_gap(last_stamp_, GST_CLOCK_TIME_NONE));
}

gboolean Outlet::send_event(EventPtr event) {
  if (!has_segment_) {
    waiting_.push_back(std::move(event));
    return TRUE;
  }
  if (send() == GST_FLOW_FLUSHING)
    return FALSE;
  return gst_pad_push_event(pad_, event.release());
}

void Outlet::gather(BufferPtr buffer, flv::Nanoseconds due) {
  const auto since_base =
      std::max<flv::Nanoseconds>(due - static_cast<flv::Nanoseconds>(segment_.base), 0);
  last_stamp_ = segment_.start + static_cast<guint64>(since_base);
  GST_BUFFER_PTS(buffer.get()) = last_stamp_;
  GST_BUFFER_DTS(buffer.get()) = last_stamp_;
  if (mtu_ == 0 || gst_buffer_get_size(buffer.get()) <= mtu_) {
    append(std::move(buffer));
    return;
  }
  for (BufferPtr &part : cut(std::move(buffer)))
    append(std::move(part));
}

void Outlet::append(BufferPtr buffer) {
  if (!single_ && !list_) {
    single_ = std::move(buffer);
    return;
  }
  if (!list_) {
    list_.reset(gst_buffer_list_new_sized(kUsualTags));
    gst_buffer_list_add(list_.get(), single_.release());
  }
  gst_buffer_list_add(list_.get(), buffer.release());
}

GstFlowReturn Outlet::send() {
  if (list_)
    return gst_pad_push_list(pad_, list_.release());
  if (single_)
    return gst_pad_push(pad_, single_.release());
  return GST_FLOW_OK;
}

std::vector<BufferPtr> Outlet::cut(BufferPtr buffer) const {
  std::vector<BufferPtr> parts;
  const gsize size = gst_buffer_get_size(buffer.get());
  if (mtu_ == 0 || size <= mtu_) {
    parts.push_back(std::move(buffer));
    return parts;
  }
  constexpr auto kCopied = static_cast<GstBufferCopyFlags>(
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_MEMORY);
  for (gsize offset = 0; offset < size; offset += mtu_) {
    BufferPtr part(gst_buffer_copy_region(buffer.get(), kCopied, offset,
                                          std::min<gsize>(mtu_, size - offset)));
    GST_BUFFER_PTS(part.get()) = GST_BUFFER_PTS(buffer.get());
    GST_BUFFER_DTS(part.get()) = GST_BUFFER_DTS(buffer.get());
    if (offset > 0) {
      GST_BUFFER_FLAG_SET(part.get(), GST_BUFFER_FLAG_DELTA_UNIT);
      GST_BUFFER_FLAG_UNSET(part.get(), GST_BUFFER_FLAG_DISCONT);
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

} // namespace flvpace
