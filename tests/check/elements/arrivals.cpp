// SPDX-License-Identifier: LGPL-2.1-or-later
// Formats the output as text and bytes for comparison.
#include "pacetest.h"

#include <algorithm>

namespace pacetest {

namespace {

template <typename Word> std::string listed(const Arrivals &arrivals, Word word) {
  std::string text;
  for (const Arrival &arrival : arrivals)
    text += (text.empty() ? "" : " ") + std::string(word(arrival));
  return text;
}

std::string timestamp_of(Bytes tag) {
  if (tag.size() < flv::kTagHeaderSize || tag[0] == 'F')
    return "h";
  flv::TagHeader header;
  const flv::Fault fault = flv::read_tag_header(tag.data(), flv::kMaxDataSize, header);
  return fault.kind == flv::Fault::Kind::None ? std::to_string(header.timestamp) : "?";
}

std::string flags_of(const Arrival &arrival) {
  std::string text;
  if (arrival.has(GST_BUFFER_FLAG_HEADER))
    text += "H";
  if (arrival.has(GST_BUFFER_FLAG_DELTA_UNIT))
    text += "D";
  if (arrival.has(GST_BUFFER_FLAG_DISCONT) && !arrival.first)
    text += "X";
  return text.empty() ? "-" : text;
}

} // namespace

std::string milliseconds(GstClockTime time) {
  if (!GST_CLOCK_TIME_IS_VALID(time))
    return "none";
  std::string text = std::to_string(time / GST_MSECOND);
  if (const GstClockTime rest = time % GST_MSECOND; rest != 0)
    text += "+" + std::to_string(rest) + "ns";
  return text;
}

std::string due_times(const Arrivals &arrivals) {
  return listed(arrivals, [](const Arrival &arrival) { return milliseconds(arrival.running); });
}

std::string stream_times(const Arrivals &arrivals) {
  return listed(arrivals, [](const Arrival &arrival) { return milliseconds(arrival.stream); });
}

std::string arrival_times(const Arrivals &arrivals) {
  return listed(arrivals, [](const Arrival &arrival) { return milliseconds(arrival.clock); });
}

std::string sizes(const Arrivals &arrivals) {
  return listed(arrivals,
                [](const Arrival &arrival) { return std::to_string(arrival.bytes.size()); });
}

std::string timestamps(const Arrivals &arrivals) {
  return listed(arrivals, [](const Arrival &arrival) { return timestamp_of(arrival.bytes); });
}

std::string flags(const Arrivals &arrivals) {
  return listed(arrivals, flags_of);
}

std::string caps_before(const Arrivals &arrivals) {
  return listed(arrivals, [](const Arrival &arrival) { return std::to_string(arrival.caps); });
}

Buffer bytes(const Arrivals &arrivals) {
  Buffer out;
  for (const Arrival &arrival : arrivals)
    flvtest::append(out, arrival.bytes);
  return out;
}

std::string everything(const Arrivals &arrivals) {
  std::string text;
  for (const Arrival &arrival : arrivals) {
    const std::string_view raw(reinterpret_cast<const char *>(arrival.bytes.data()),
                               arrival.bytes.size());
    text += std::to_string(raw.size()) + " " + std::to_string(std::hash<std::string_view>()(raw)) +
            " " + milliseconds(arrival.running) + " " + milliseconds(arrival.stream) + " " +
            flags_of(arrival) + "\n";
  }
  return text;
}

std::string timestamps_of(const flvtest::Stream &stream) {
  std::string text = "h";
  for (const flvtest::Stream::Tag &tag : stream.tags)
    text += " " + std::to_string(tag.timestamp);
  return text;
}

std::string difference(Bytes is, Bytes should) {
  const auto [left, right] = std::mismatch(is.begin(), is.end(), should.begin(), should.end());
  if (left == is.end() && right == should.end())
    return {};
  return std::to_string(is.size()) + " and " + std::to_string(should.size()) +
         " bytes part at byte " + std::to_string(left - is.begin());
}

std::vector<Buffer> stream_header(const Pace &pace) {
  std::vector<Buffer> parts;
  const EventPtr event = pace.last_event(GST_EVENT_CAPS);
  fail_unless(event != nullptr, "no caps");
  GstCaps *caps = nullptr;
  gst_event_parse_caps(event.get(), &caps);
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  fail_unless(gst_structure_has_name(structure, "video/x-flv"));
  const GValue *header = gst_structure_get_value(structure, "streamheader");
  fail_unless(header != nullptr && GST_VALUE_HOLDS_ARRAY(header), "no streamheader");
  for (guint i = 0; i < gst_value_array_get_size(header); ++i) {
    GstBuffer *buffer = gst_value_get_buffer(gst_value_array_get_value(header, i));
    fail_unless(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER));
    const gstflv::MappedBuffer mapped(buffer);
    parts.emplace_back(mapped.bytes().begin(), mapped.bytes().end());
  }
  return parts;
}

GstSegment bytes_segment(guint64 start) {
  GstSegment segment{};
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  segment.start = segment.time = segment.position = start;
  return segment;
}

flvtest::Stream video_at(std::initializer_list<std::uint32_t> times) {
  flvtest::Stream stream;
  stream.header(false, true);
  for (const std::uint32_t time : times)
    stream.tags.empty() ? stream.key(time) : stream.inter(time);
  return stream;
}

flvtest::Stream steady(std::uint32_t last) {
  flvtest::Stream stream = video_at({0});
  for (std::uint32_t time = 100; time <= last; time += 100)
    stream.inter(time);
  return stream;
}

Arrivals passed(Bytes data, const std::string &properties, std::size_t chunk) {
  Pace pace(properties);
  pace.push(data, chunk);
  pace.end();
  pace.run();
  return pace.take();
}

} // namespace pacetest
