// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tag_times.h"

#include <algorithm>

#include "tag_buffers.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_pace_debug);
#define GST_CAT_DEFAULT gst_flv_pace_debug

namespace flvpace {

void TagTimes::place(Tag &tag, Retimestamp retimestamp) {
  const bool video = tag.header.type == flv::TagType::Video;
  const std::uint32_t timestamp = tag.header.timestamp;
  const flv::Timeline::MediaTime place =
      tag.is_media()
          ? timeline_.media(video ? flv::Timeline::Kind::Video : flv::Timeline::Kind::Audio,
                            timestamp)
          : timeline_.other(timestamp);
  tag.time = place.time;
  if (place.discontinuity) {
    counters_.discontinuities.add(1);
    report_discontinuity(tag, place.timestamp);
  }

  std::uint32_t wanted = timestamp;
  if (retimestamp == Retimestamp::Continuous)
    wanted = place.timestamp;
  else if (retimestamp == Retimestamp::Zero)
    wanted = static_cast<std::uint32_t>(
        timeline_.first() ? std::max<std::int64_t>(place.time - *timeline_.first(), 0) : 0);
  // Script data at timestamp 0 describes the whole stream. At another timestamp, decoders read it
  // as text.
  if (tag.header.is_script() && timestamp == 0)
    wanted = 0;
  if (wanted == timestamp)
    return;
  tag.header.timestamp = wanted;
  tag.buffer = retimestamped(tag.buffer.get(), wanted);
}

// `timestamp`: the tag's timestamp on the continuous timeline.
void TagTimes::report_discontinuity(const Tag &tag, std::uint32_t timestamp) const {
  GST_INFO_OBJECT(element_,
                  "discontinuity at byte %" G_GUINT64_FORMAT ": timestamp %u continues as %u",
                  tag.position, tag.header.timestamp, timestamp);
  gst_element_post_message(
      element_, gst_message_new_element(
                    GST_OBJECT(element_),
                    gst_structure_new("flvpace-discontinuity", "byte", G_TYPE_UINT64, tag.position,
                                      "old-timestamp", G_TYPE_UINT, tag.header.timestamp,
                                      "new-timestamp", G_TYPE_UINT, timestamp, nullptr)));
}

} // namespace flvpace
