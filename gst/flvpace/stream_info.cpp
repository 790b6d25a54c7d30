// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream_info.h"

#include <cmath>
#include <utility>

#include "flv/format/codec.h"
#include "flv/format/metadata.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_pace_debug);
#define GST_CAT_DEFAULT gst_flv_pace_debug

namespace flvpace {

namespace {

void add_bitrate(guint &total, const std::optional<double> &kilobits) {
  if (kilobits && *kilobits < 1e6)
    total += static_cast<guint>(std::lround(*kilobits * 1000));
}

gstflv::TagListPtr tags_of(const flv::Metadata &metadata) {
  gstflv::TagListPtr tags(gst_tag_list_new_empty());
  const auto add = [&tags](const char *name, const auto &value) {
    gst_tag_list_add(tags.get(), GST_TAG_MERGE_REPLACE, name, value, nullptr);
  };
  if (!metadata.encoder.empty() &&
      g_utf8_validate(metadata.encoder.data(), static_cast<gssize>(metadata.encoder.size()),
                      nullptr))
    add(GST_TAG_ENCODER, metadata.encoder.c_str());
  if (metadata.video_codec)
    add(GST_TAG_VIDEO_CODEC, flv::video_codec_name(*metadata.video_codec).c_str());
  if (metadata.audio_codec)
    add(GST_TAG_AUDIO_CODEC, flv::audio_codec_name(*metadata.audio_codec).c_str());
  guint bitrate = 0;
  add_bitrate(bitrate, metadata.video_data_rate);
  add_bitrate(bitrate, metadata.audio_data_rate);
  if (bitrate > 0)
    add(GST_TAG_BITRATE, bitrate);
  return gst_tag_list_is_empty(tags.get()) ? nullptr : std::move(tags);
}

} // namespace

std::optional<GstClockTime> StreamInfo::duration() const {
  const std::int64_t duration = duration_;
  if (duration == kUnknown)
    return std::nullopt;
  return static_cast<GstClockTime>(duration);
}

void StreamInfo::note(flv::Bytes data) {
  flv::amf0::Value object;
  if (flv::read_on_metadata(data, object) != flv::Status::Ok) {
    GST_INFO_OBJECT(element_, "onMetaData cannot be read; it is passed on as it is");
    return;
  }
  const flv::Metadata metadata = flv::summarize(object);
  tags_ = tags_of(metadata);
  constexpr double kLongest = 1e9; // seconds
  const std::int64_t duration = metadata.duration && *metadata.duration < kLongest
                                    ? std::llround(*metadata.duration * GST_SECOND)
                                    : kUnknown;
  if (duration == duration_)
    return;
  duration_ = duration;
  gst_element_post_message(element_, gst_message_new_duration_changed(GST_OBJECT(element_)));
}

} // namespace flvpace
