// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src_writer.h"

#include <algorithm>
#include <utility>

#include "base/state_change.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_seek_debug);
#define GST_CAT_DEFAULT gst_flv_seek_debug

namespace flvseek {

using gstflv::BufferPtr;

void SrcWriter::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, pad_, "SrcWriter", state_, next);
}

void SrcWriter::clear() {
  flush();
  has_caps_ = false;
  position_ = 0;
}

void SrcWriter::flush() {
  if (has_begun())
    set_state(Closed{});
  sent_ = 0;
  clock_.reset();
}

GstFlowReturn SrcWriter::begin(const flv::StreamStart &start, const Playback &playback,
                               guint32 seqnum) {
  position_ = start.position;
  stop_ = start.stop;
  cutter_.reset(start.position > 0 ? flv::Splitter::Start::Middle : flv::Splitter::Start::File,
                start.position);
  set_state(Begun{});
  if (!has_caps_) {
    const gstflv::CapsPtr caps(gst_caps_new_empty_simple("video/x-flv"));
    // The pad does not store an event that a flush drops.
    has_caps_ =
        gst_pad_push_event(pad_, gst_event_new_caps(caps.get())) || !GST_PAD_IS_FLUSHING(pad_);
  }
  const GstSegment segment = clock_.next(playback, start, sent_);
  GstEvent *event = gst_event_new_segment(&segment);
  if (seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum(event, seqnum);
  gst_pad_push_event(pad_, event);
  if (start.head.empty())
    return GST_PAD_IS_FLUSHING(pad_) ? GST_FLOW_FLUSHING : GST_FLOW_OK;
  BufferPtr head(gst_buffer_new_memdup(start.head.data(), start.head.size()));
  GST_BUFFER_FLAG_SET(head.get(), GST_BUFFER_FLAG_HEADER);
  return push(std::move(head), std::nullopt);
}

GstFlowReturn SrcWriter::send(BufferPtr buffer) {
  const gsize size = gst_buffer_get_size(buffer.get());
  const gsize part = look_at_tags(buffer.get());
  const guint64 begin = position_;
  position_ = begin + part;
  if (part == size)
    return push(std::move(buffer), begin);
  if (part > 0) {
    const GstFlowReturn flow =
        push(BufferPtr(gst_buffer_copy_region(buffer.get(), GST_BUFFER_COPY_ALL, 0, part)), begin);
    if (flow != GST_FLOW_OK)
      return flow;
  }
  return GST_FLOW_EOS;
}

// Returns the number of bytes that belong to tags before the stop.
gsize SrcWriter::look_at_tags(GstBuffer *buffer) {
  const guint64 begin = position_;
  const gstflv::MappedBuffer map(buffer);
  items_.clear();
  (void)cutter_.feed(map.bytes(), items_); // downstream handles damage
  for (const flv::Item &item : items_) {
    const bool is_media = item.kind == flv::Item::Kind::Tag && !item.tag.is_script();
    if (is_media && (stop_ == 0 || item.begin < stop_))
      clock_.note(item.tag.timestamp);
  }
  if (stop_ == 0)
    return map.bytes().size();
  const auto tag = std::find_if(items_.begin(), items_.end(), [this](const flv::Item &item) {
    return item.kind == flv::Item::Kind::Tag && item.begin >= stop_;
  });
  const guint64 cut = tag != items_.end() ? tag->begin : cutter_.keep_from();
  if (cut < stop_)
    return map.bytes().size();
  return static_cast<gsize>(std::clamp<guint64>(cut, begin, begin + map.bytes().size()) - begin);
}

// `offset`: the buffer's offset in the file. The stream header has none. Its OFFSET is 0, which
// tells flvdemux that a file header follows. Its OFFSET_END is not set.
GstFlowReturn SrcWriter::push(BufferPtr buffer, std::optional<guint64> offset) {
  buffer.reset(gst_buffer_make_writable(buffer.release()));
  const gsize size = gst_buffer_get_size(buffer.get());
  GST_BUFFER_PTS(buffer.get()) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DTS(buffer.get()) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET(buffer.get()) = offset.value_or(0);
  GST_BUFFER_OFFSET_END(buffer.get()) = offset ? *offset + size : GST_BUFFER_OFFSET_NONE;
  sent_ += size;
  if (std::holds_alternative<Sending>(state_)) {
    GST_BUFFER_FLAG_UNSET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  } else {
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
    if (has_begun())
      set_state(Sending{});
  }
  return gst_pad_push(pad_, buffer.release());
}

} // namespace flvseek
