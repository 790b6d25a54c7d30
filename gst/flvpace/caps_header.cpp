// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caps_header.h"

#include "flv/format/tag.h"

namespace flvpace {

std::vector<gstflv::BufferPtr> stream_header_of(const GstCaps *caps) {
  std::vector<gstflv::BufferPtr> buffers;
  const GValue *array = gst_structure_get_value(gst_caps_get_structure(caps, 0), "streamheader");
  if (!array || !GST_VALUE_HOLDS_ARRAY(array))
    return buffers;
  for (guint i = 0; i < gst_value_array_get_size(array); ++i) {
    const GValue *value = gst_value_array_get_value(array, i);
    if (GST_VALUE_HOLDS_BUFFER(value))
      buffers.emplace_back(gst_buffer_ref(gst_value_get_buffer(value)));
  }
  return buffers;
}

bool is_file_header(GstBuffer *buffer) {
  const gstflv::MappedBuffer map(buffer);
  flv::FileHeader header;
  return map.bytes().size() >= flv::kFileHeaderSize &&
         flv::read_file_header(map.bytes().data(), header) == flv::Fault();
}

} // namespace flvpace
