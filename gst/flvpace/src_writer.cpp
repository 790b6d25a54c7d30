// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src_writer.h"

#include <algorithm>

#include "base/state_change.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_pace_debug);
#define GST_CAT_DEFAULT gst_flv_pace_debug

namespace flvpace {

using gstflv::BufferPtr;
using gstflv::EventPtr;

namespace {

// The usual number of tags in a chunk, and the maximum number of gathered buffers.
constexpr guint kUsualTags = 64;
constexpr guint kMaxGathered = 512;

// The maximum number of events that wait for the first segment.
constexpr std::size_t kMaxWaiting = 64;

// The reference count of a shared memory has 15 bits. If a tag is split into more parts, the parts
// are copies.
constexpr gsize kMaxShares = 16384;

BufferPtr buffer_of(flv::Bytes bytes) {
  BufferPtr buffer(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_DELTA_UNIT);
  return buffer;
}

// The result of a pushed event. Only a flush counts as a failure.
GstFlowReturn flow_after(GstPad *pad, gboolean sent) {
  return !sent && GST_PAD_IS_FLUSHING(pad) ? GST_FLOW_FLUSHING : GST_FLOW_OK;
}

} // namespace

void SrcWriter::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, pad_, "SrcWriter", state_, next);
}

void SrcWriter::clear() {
  flush();
  waiting_.clear();
  header_.clear();
  seqnum_ = GST_SEQNUM_INVALID;
}

void SrcWriter::flush() {
  single_.reset();
  list_.reset();
  if (has_segment())
    set_state(NoSegment{});
  std::erase_if(waiting_, [](const EventPtr &event) {
    return !gstflv::has_flag(event.get(), GST_EVENT_TYPE_STICKY);
  });
}

GstFlowReturn SrcWriter::send_caps(const std::vector<flv::SharedBytes> &parts) {
  std::vector<HeaderPart> header;
  header.reserve(parts.size());
  for (const flv::SharedBytes &part : parts)
    header.push_back(header_part(part));
  header_ = std::move(header);

  GValue array = G_VALUE_INIT;
  gst_value_array_init(&array, static_cast<guint>(parts.size()));
  for (const HeaderPart &part : header_) {
    for (const BufferPtr &buffer : part.buffers) {
      GValue value = G_VALUE_INIT;
      g_value_init(&value, GST_TYPE_BUFFER);
      g_value_set_boxed(&value, buffer.get());
      gst_value_array_append_and_take_value(&array, &value);
    }
  }
  const gstflv::CapsPtr caps(gst_caps_new_empty_simple("video/x-flv"));
  gst_structure_take_value(gst_caps_get_structure(caps.get(), 0), "streamheader", &array);
  return flow_after(pad_, gst_pad_push_event(pad_, gst_event_new_caps(caps.get())));
}

SrcWriter::HeaderPart SrcWriter::header_part(const flv::SharedBytes &bytes) {
  for (HeaderPart &part : header_) {
    if (part.bytes == bytes)
      return std::move(part);
  }
  HeaderPart part{bytes, {}};
  const BufferPtr whole = buffer_of(*bytes);
  for (gsize offset = 0; offset<bytes->size(); offset += mtu_> 0 ? mtu_ : bytes->size())
    part.buffers.push_back(piece(whole.get(), offset));
  return part;
}

GstFlowReturn SrcWriter::send_segment(const Departure &departure) {
  const auto media = static_cast<guint64>(std::max<std::int64_t>(departure.media, 0)) * GST_MSECOND;
  const guint64 reach = std::min(static_cast<guint64>(departure.reach), media);
  const guint64 start = media - reach;
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  segment_.applied_rate = departure.speed;
  segment_.base = static_cast<guint64>(departure.due) - reach;
  segment_.start = start;
  segment_.time = start;
  segment_.position = media;
  last_stamp_ = media;
  set_state(Current{});
  GstEvent *segment = gst_event_new_segment(&segment_);
  if (seqnum_ != GST_SEQNUM_INVALID)
    gst_event_set_seqnum(segment, seqnum_);
  const gboolean sent = gst_pad_push_event(pad_, segment);
  for (EventPtr &event : waiting_)
    gst_pad_push_event(pad_, event.release());
  waiting_.clear();
  return flow_after(pad_, sent);
}

void SrcWriter::outdate_segment() {
  if (is_segment_current())
    set_state(Outdated{});
}

void SrcWriter::send_gap() {
  gst_pad_push_event(pad_, gst_event_new_gap(last_stamp_, GST_CLOCK_TIME_NONE));
}

gboolean SrcWriter::send_event(EventPtr event) {
  if (!has_segment()) {
    if (waiting_.size() == kMaxWaiting)
      waiting_.erase(waiting_.begin());
    waiting_.push_back(std::move(event));
    return TRUE;
  }
  if (send() == GST_FLOW_FLUSHING)
    return FALSE;
  return gst_pad_push_event(pad_, event.release());
}

GstFlowReturn SrcWriter::queue(BufferPtr buffer, flv::Nanoseconds due) {
  const auto since_base =
      std::max<flv::Nanoseconds>(due - static_cast<flv::Nanoseconds>(segment_.base), 0);
  last_stamp_ = segment_.start + static_cast<guint64>(since_base);
  GST_BUFFER_PTS(buffer.get()) = last_stamp_;
  GST_BUFFER_DTS(buffer.get()) = last_stamp_;
  if (mtu_ == 0)
    return append(std::move(buffer));
  const gsize size = gst_buffer_get_size(buffer.get());
  if (size <= mtu_)
    return append(std::move(buffer));
  GstFlowReturn flow = GST_FLOW_OK;
  for (gsize offset = 0; offset < size && flow == GST_FLOW_OK; offset += mtu_)
    flow = append(piece(buffer.get(), offset));
  return flow;
}

GstFlowReturn SrcWriter::append(BufferPtr buffer) {
  if (!single_ && !list_) {
    single_ = std::move(buffer);
    return GST_FLOW_OK;
  }
  if (!list_) {
    list_.reset(gst_buffer_list_new_sized(kUsualTags));
    gst_buffer_list_add(list_.get(), single_.release());
  }
  gst_buffer_list_add(list_.get(), buffer.release());
  return gst_buffer_list_length(list_.get()) < kMaxGathered ? GST_FLOW_OK : send();
}

GstFlowReturn SrcWriter::send() {
  if (list_)
    return gst_pad_push_list(pad_, list_.release());
  if (single_)
    return gst_pad_push(pad_, single_.release());
  return GST_FLOW_OK;
}

// The part of `buffer` from `offset` on, with at most mtu_ bytes.
BufferPtr SrcWriter::piece(GstBuffer *buffer, gsize offset) const {
  const gsize left = gst_buffer_get_size(buffer) - offset;
  const gsize size = mtu_ > 0 ? std::min<gsize>(mtu_, left) : left;
  const bool copies = mtu_ > 0 && gst_buffer_get_size(buffer) / mtu_ >= kMaxShares;
  const auto copied = static_cast<GstBufferCopyFlags>(
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_MEMORY |
      (copies ? GST_BUFFER_COPY_DEEP : GST_BUFFER_COPY_NONE));
  BufferPtr piece(gst_buffer_copy_region(buffer, copied, offset, size));
  GST_BUFFER_PTS(piece.get()) = GST_BUFFER_PTS(buffer);
  GST_BUFFER_DTS(piece.get()) = GST_BUFFER_DTS(buffer);
  if (offset > 0) {
    GST_BUFFER_FLAG_SET(piece.get(), GST_BUFFER_FLAG_DELTA_UNIT);
    GST_BUFFER_FLAG_UNSET(piece.get(), GST_BUFFER_FLAG_DISCONT);
  }
  return piece;
}

} // namespace flvpace
