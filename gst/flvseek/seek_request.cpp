// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seek_request.h"

#include <algorithm>
#include <cmath>

#include "base/gst_ptr.h"
#include "base/log.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_seek_debug);
#define GST_CAT_DEFAULT gst_flv_seek_debug

namespace flvseek {

using flv::Snap;
using flv::StartError;
using flv::StartRequest;

namespace {

// Without SNAP flags, a TIME seek goes to the key frame before, so that the stream contains the
// requested frame. A BYTES seek then uses `otherwise`.
Snap snap_of(GstSeekFlags flags, StartRequest::Measure measure, Snap otherwise) {
  const bool before = (flags & GST_SEEK_FLAG_SNAP_BEFORE) != 0;
  const bool after = (flags & GST_SEEK_FLAG_SNAP_AFTER) != 0;
  if (before && after)
    return Snap::Nearest;
  if (after)
    return Snap::Next;
  if (before || measure == StartRequest::Measure::Time)
    return Snap::Previous;
  return otherwise;
}

// The absolute start or stop of a seek. nullopt: it is relative to an unknown end.
std::optional<guint64> absolute(GstSeekType type, gint64 value, const Reached &reached) {
  if (type == GST_SEEK_TYPE_SET)
    return static_cast<guint64>(std::max<gint64>(value, 0));
  if (!reached.duration)
    return std::nullopt;
  const auto end = static_cast<gint64>(*reached.duration);
  return static_cast<guint64>(std::max<gint64>(end + std::max(value, -end), 0));
}

Playback playback_of(GstFormat format, gdouble rate, GstSeekFlags flags) {
  constexpr guint kKept = GST_SEGMENT_FLAG_RESET | GST_SEGMENT_FLAG_SEGMENT |
                          GST_SEGMENT_FLAG_TRICKMODE | GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS |
                          GST_SEGMENT_FLAG_TRICKMODE_FORWARD_PREDICTED |
                          GST_SEGMENT_FLAG_TRICKMODE_NO_AUDIO;
  Playback playback;
  playback.format = format;
  playback.rate = rate;
  // The two enumerations have the same values for these.
  playback.flags = static_cast<GstSegmentFlags>(static_cast<guint>(flags) & kKept);
  playback.at_key_frame =
      (flags & (GST_SEEK_FLAG_KEY_UNIT | GST_SEEK_FLAG_SNAP_BEFORE | GST_SEEK_FLAG_SNAP_AFTER)) !=
      0;
  return playback;
}

void append(GValue *array, guint64 number) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_UINT64);
  g_value_set_uint64(&value, number);
  gst_value_array_append_and_take_value(array, &value);
}

} // namespace

bool are_consistent(GstElement *element, const Properties &properties) {
  const guint64 offset = properties.offset;
  const guint64 stop = properties.stop_offset;
  if (offset > 0 && properties.start_time > 0) {
    FLV_ELEMENT_ERROR(element, RESOURCE, SETTINGS,
                      ("Both offset=%" G_GUINT64_FORMAT " and start-time=%" G_GUINT64_FORMAT
                       " are set; only one can be.",
                       offset, properties.start_time),
                      (nullptr));
    return false;
  }
  if (stop > 0 && stop <= offset) {
    FLV_ELEMENT_ERROR(element, RESOURCE, SETTINGS,
                      ("stop-offset=%" G_GUINT64_FORMAT " is not after offset=%" G_GUINT64_FORMAT
                       ".",
                       stop, offset),
                      (nullptr));
    return false;
  }
  return true;
}

flv::StartSettings settings_of(const Properties &properties) {
  flv::StartSettings settings;
  if (properties.offset > 0)
    settings.request = {StartRequest::Measure::Offset, properties.offset, properties.snap};
  else if (properties.start_time > 0)
    settings.request = {StartRequest::Measure::Time, properties.start_time, properties.snap};
  settings.stop = properties.stop_offset;
  settings.index = properties.index;
  settings.reinsert = {(properties.reinsert & REINSERT_HEADER) != 0,
                       (properties.reinsert & REINSERT_METADATA) != 0,
                       (properties.reinsert & REINSERT_CONFIG) != 0};
  settings.keyframes = properties.metadata_keyframes;
  return settings;
}

bool sends_all(const Properties &properties) {
  return properties.offset == 0 && properties.start_time == 0 && properties.stop_offset == 0;
}

GstFormat format_of(GstEvent *seek) {
  GstFormat format = GST_FORMAT_UNDEFINED;
  gst_event_parse_seek(seek, nullptr, &format, nullptr, nullptr, nullptr, nullptr, nullptr);
  return format;
}

std::optional<Request> request_of_seek(GstElement *element, GstEvent *seek,
                                       const Properties &properties, const Reached &reached) {
  gdouble rate = 1.0;
  GstFormat format = GST_FORMAT_UNDEFINED;
  GstSeekFlags flags = GST_SEEK_FLAG_NONE;
  GstSeekType start_type = GST_SEEK_TYPE_NONE;
  GstSeekType stop_type = GST_SEEK_TYPE_NONE;
  gint64 start_value = 0;
  gint64 stop_value = 0;
  gst_event_parse_seek(seek, &rate, &format, &flags, &start_type, &start_value, &stop_type,
                       &stop_value);
  const bool in_time = format == GST_FORMAT_TIME;
  if (!in_time && format != GST_FORMAT_BYTES) {
    GST_WARNING_OBJECT(element, "cannot seek in %s, only in time and bytes",
                       gst_format_get_name(format));
    return std::nullopt;
  }
  if (rate <= 0) {
    GST_WARNING_OBJECT(element, "cannot seek with rate %g: FLV can only be played forward", rate);
    return std::nullopt;
  }
  const std::optional<guint64> start = start_type == GST_SEEK_TYPE_NONE
                                           ? reached.position
                                           : absolute(start_type, start_value, reached);
  std::optional<guint64> stop;
  if (stop_type != GST_SEEK_TYPE_NONE && (stop_type != GST_SEEK_TYPE_SET || stop_value >= 0))
    stop = absolute(stop_type, stop_value, reached);
  if (!start || (stop_type == GST_SEEK_TYPE_END && !stop)) {
    GST_WARNING_OBJECT(element, "cannot seek: the position or the duration is unknown");
    return std::nullopt;
  }
  if (stop && *stop <= *start) {
    GST_WARNING_OBJECT(element,
                       "cannot seek: the stop %" G_GUINT64_FORMAT
                       " is not after the start %" G_GUINT64_FORMAT,
                       *stop, *start);
    return std::nullopt;
  }
  Request request{settings_of(properties), {}};
  flv::StartSettings &settings = request.start;
  settings.request.reset();
  const auto measure = in_time ? StartRequest::Measure::Time : StartRequest::Measure::Offset;
  const guint64 value = *start / (in_time ? GST_MSECOND : 1);
  if (value > 0)
    settings.request = {measure, value, snap_of(flags, measure, properties.snap)};
  if (stop_type != GST_SEEK_TYPE_NONE)
    settings.stop = in_time ? 0 : stop.value_or(0);
  if (stop && in_time)
    settings.stop_time = *stop / GST_MSECOND;
  if (!in_time && settings.stop > 0 && settings.stop <= value)
    return std::nullopt;
  request.playback = playback_of(format, rate, flags);
  request.playback.start = *start;
  request.playback.stop = stop;
  return request;
}

bool fit(flv::StartSettings &settings, const flv::KeyframeIndex &index) {
  if (!settings.request || index.positions.empty())
    return true;
  const StartRequest &request = *settings.request;
  const bool in_time = request.measure == StartRequest::Measure::Time;
  const auto value = static_cast<double>(request.value);
  const double first =
      in_time ? index.times.front() * 1000 : static_cast<double>(index.positions.front());
  const double last =
      in_time ? index.times.back() * 1000 : static_cast<double>(index.positions.back());
  if (value < first && request.snap != Snap::Next && request.snap != Snap::Exact)
    settings.request.reset();
  return value <= last || request.snap != Snap::Next;
}

void post(GstElement *element, const StartError &error) {
  const char *text = error.text.c_str();
  switch (error.kind) {
  case StartError::Kind::None:
    break;
  case StartError::Kind::NotFlv:
    FLV_ELEMENT_ERROR(element, STREAM, WRONG_TYPE, ("Not an FLV file: %s.", text), (nullptr));
    break;
  case StartError::Kind::Unreadable:
  case StartError::Kind::NoIndex:
  case StartError::Kind::Mismatch:
    FLV_ELEMENT_ERROR(element, STREAM, DEMUX, ("No start position: %s.", text), (nullptr));
    break;
  case StartError::Kind::Place:
    FLV_ELEMENT_ERROR(element, RESOURCE, SEEK, ("No start position: %s.", text), (nullptr));
    break;
  case StartError::Kind::Stop:
    FLV_ELEMENT_ERROR(element, RESOURCE, SETTINGS, ("Nothing to send: %s.", text), (nullptr));
    break;
  }
}

GstStructure *structure_of(const flv::KeyframeIndex &index) {
  GValue offsets = G_VALUE_INIT;
  GValue times = G_VALUE_INIT;
  gst_value_array_init(&offsets, static_cast<guint>(index.positions.size()));
  gst_value_array_init(&times, static_cast<guint>(index.times.size()));
  for (const std::uint64_t position : index.positions)
    append(&offsets, position);
  for (const double time : index.times)
    append(&times, static_cast<guint64>(std::llround(std::min(time, 1e12) * 1000)));
  GstStructure *structure = gst_structure_new_empty("keyframes");
  gst_structure_take_value(structure, "offsets", &offsets);
  gst_structure_take_value(structure, "times", &times);
  return structure;
}

} // namespace flvseek
