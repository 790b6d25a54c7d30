// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_offsets.h"

#include <algorithm>

namespace flvpace {

// Some sources count frames in these fields. Byte offsets differ by the size of the buffer.
void FileOffsets::note(guint64 position, GstBuffer *buffer) {
  const guint64 offset = GST_BUFFER_OFFSET(buffer);
  const guint64 end = GST_BUFFER_OFFSET_END(buffer);
  const bool is_known = GST_BUFFER_OFFSET_IS_VALID(buffer) &&
                        GST_BUFFER_OFFSET_END_IS_VALID(buffer) &&
                        end - offset == gst_buffer_get_size(buffer);
  const guint64 shift = is_known ? offset - position : 0;
  if (stretches_[0].shift == shift && position >= stretches_[0].begin)
    return;
  std::move_backward(stretches_.begin(), stretches_.end() - 1, stretches_.end());
  stretches_[0] = {position, shift};
}

guint64 FileOffsets::of(guint64 position) const {
  const auto *stretch = std::ranges::find_if(
      stretches_, [position](const Stretch &each) { return each.begin <= position; });
  return position + (stretch != stretches_.end() ? stretch->shift : 0);
}

} // namespace flvpace
