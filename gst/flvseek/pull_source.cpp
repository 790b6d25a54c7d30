// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pull_source.h"

#include <algorithm>

namespace flvseek {

using gstflv::BufferPtr;

namespace {

// Bytes per read of tag headers: a few audio tags, or one video tag.
constexpr gsize kAhead = 4096;
// Bytes per read of the stream: large enough that a read costs little compared with the copying.
constexpr gsize kBlockSize = 131072;

} // namespace

// At the end of the file, returns OK and an empty buffer.
GstFlowReturn PullSource::pull(guint64 offset, gsize size, BufferPtr &buffer) {
  GstBuffer *pulled = nullptr;
  const GstFlowReturn flow = gst_pad_pull_range(pad_, offset, static_cast<guint>(size), &pulled);
  if (flow != GST_FLOW_OK && flow != GST_FLOW_EOS)
    return flow;
  buffer.reset(pulled ? pulled : gst_buffer_new());
  return GST_FLOW_OK;
}

GstFlowReturn PullSource::read(const flv::ReadRequest &wanted, BufferPtr &buffer) {
  if (!wanted.in_order)
    return pull(wanted.offset, wanted.size, buffer);
  const gsize held = ahead_ ? gst_buffer_get_size(ahead_.get()) : 0;
  if (!ahead_ || wanted.offset < ahead_begin_ ||
      wanted.offset + wanted.size > ahead_begin_ + held) {
    const GstFlowReturn flow = pull(wanted.offset, std::max(wanted.size, kAhead), ahead_);
    if (flow != GST_FLOW_OK) {
      ahead_.reset();
      return flow;
    }
    ahead_begin_ = wanted.offset;
  }
  const gsize skip = wanted.offset - ahead_begin_;
  const gsize left = gst_buffer_get_size(ahead_.get()) - skip;
  buffer.reset(gst_buffer_copy_region(ahead_.get(), GST_BUFFER_COPY_MEMORY, skip,
                                      std::min(left, wanted.size)));
  return GST_FLOW_OK;
}

GstFlowReturn PullSource::next(guint64 offset, BufferPtr &buffer) {
  GstBuffer *pulled = nullptr;
  const GstFlowReturn flow = gst_pad_pull_range(pad_, offset, kBlockSize, &pulled);
  buffer.reset(pulled);
  return flow;
}

} // namespace flvseek
