// SPDX-License-Identifier: LGPL-2.1-or-later
#include "notices.h"

#include "names.h"

namespace flvstream {

namespace {

std::optional<guint64> last_in(const GstStructure *structure, const char *field) {
  const GValue *array = structure ? gst_structure_get_value(structure, field) : nullptr;
  if (!array || !GST_VALUE_HOLDS_ARRAY(array) || gst_value_array_get_size(array) == 0)
    return std::nullopt;
  return g_value_get_uint64(gst_value_array_get_value(array, gst_value_array_get_size(array) - 1));
}

gstflv::StructurePtr index_of(const Pipeline &pipeline) {
  GstStructure *index = nullptr;
  g_object_get(pipeline.seek, "keyframes", &index, nullptr);
  return gstflv::StructurePtr(index);
}

} // namespace

std::string notice_of_start(const GstStructure *structure, const Options &options,
                            const Pipeline &pipeline) {
  const guint64 begin = number_in(structure, "actual-time");
  if (options.start && options.snap == "next" && !options.snap_named)
    return "no key frame at or before " + time_name(*options.start) +
           "; starts at the next one, at " + time_name(begin);
  const auto index = index_of(pipeline);
  const auto offset = last_in(index.get(), "offsets");
  const auto time = last_in(index.get(), "times");
  if (!offset || !time || number_in(structure, "actual-offset") != *offset)
    return {};
  const std::string place = "; starts at the last one, at " + time_name(*time);
  if (options.start && *options.start > *time)
    return "no key frame at or after " + time_name(*options.start) + place;
  if (options.offset && *options.offset > *offset)
    return "no key frame at or after byte " + std::to_string(*options.offset) + place + ", byte " +
           std::to_string(*offset);
  return {};
}

std::string notice_of_converted_start(const GstStructure *structure, const Options &options,
                                      guint64 begin) {
  if (!options.start)
    return {};
  gboolean is_last = FALSE;
  gst_structure_get_boolean(structure, "is-last", &is_last);
  if (is_last)
    return "no key frame at or after " + time_name(*options.start) +
           "; starts at the last one, at " + time_name(begin);
  return begin > *options.start ? "no key frame at or before " + time_name(*options.start) +
                                      "; starts at the next one, at " + time_name(begin)
                                : "";
}

std::string notice_of_discontinuity(const GstStructure *structure) {
  guint before = 0;
  guint behind = 0;
  gst_structure_get_uint(structure, "old-timestamp", &before);
  gst_structure_get_uint(structure, "new-timestamp", &behind);
  return "the timestamps jump to " + time_name(before) + " at byte " +
         std::to_string(number_in(structure, "byte")) + "; sent as " + time_name(behind);
}

} // namespace flvstream
