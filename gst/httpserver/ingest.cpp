// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ingest.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/state_change.h"
#include "categories.h"

#define GST_CAT_DEFAULT gst_http_server_ingest_debug

namespace flvhttp {

using fanout::Entry;
using fanout::JoinHeader;

namespace {

constexpr const char *kFlv = "video/x-flv";
constexpr const char *kUnknown = "application/octet-stream";

// A buffer that stays mapped.
class Mapping {
public:
  explicit Mapping(GstBuffer *buffer) : buffer_(gst_buffer_ref(buffer)), mapped_(buffer) {}

  [[nodiscard]] flv::Bytes bytes() const { return mapped_.bytes(); }

private:
  gstflv::BufferPtr buffer_; // outlives mapped_
  gstflv::MappedBuffer mapped_;
};

// The media type, as browsers and players name it.
std::string type_of(const GstStructure *structure) {
  std::string name = gst_structure_get_name(structure);
  if (name == "video/mpegts")
    return "video/mp2t";
  if (name == "multipart/x-mixed-replace") {
    const char *boundary = gst_structure_get_string(structure, "boundary");
    return boundary ? name + ";boundary=" + boundary : name;
  }
  if (name == "video/quicktime" || name == "video/x-mp4")
    return "video/mp4";
  if (name == "audio/mpeg") {
    gint version = 0;
    const bool aac = gst_structure_get_int(structure, "mpegversion", &version) && version != 1;
    return aac ? "audio/aac" : name;
  }
  return name;
}

// Whether a container can be read only with the header at its start. Others, such as MPEG-TS,
// multipart, MP3 and ADTS, repeat the data that a reader needs.
bool begins_with_header(const std::string &type) {
  constexpr std::array kTypes = {"video/mp4",       "audio/x-m4a",      "application/x-3gp",
                                 "video/mj2",       "video/x-matroska", "audio/x-matroska",
                                 "video/webm",      "audio/webm",       "video/x-matroska-3d",
                                 "application/ogg", "audio/ogg",        "video/ogg",
                                 "video/x-ms-asf",  "video/x-msvideo",  "application/mxf",
                                 "video/x-nut",     "video/x-ivf",      "application/x-yuv4mpeg",
                                 "audio/x-wav",     "audio/x-rf64",     "audio/x-aiff",
                                 "audio/x-au",      "audio/x-caf",      "audio/x-flac"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

ContainerHeader header_of(const std::string &type, bool is_in_caps) {
  if (is_in_caps)
    return ContainerHeader::InCaps;
  return begins_with_header(type) ? ContainerHeader::AtStart : ContainerHeader::InStream;
}

std::vector<std::vector<std::uint8_t>> stream_header(const GstStructure *structure) {
  std::vector<std::vector<std::uint8_t>> parts;
  const GValue *list = gst_structure_get_value(structure, "streamheader");
  if (!list || !GST_VALUE_HOLDS_ARRAY(list))
    return parts;
  for (guint i = 0; i < gst_value_array_get_size(list); i++) {
    const GValue *value = gst_value_array_get_value(list, i);
    if (!GST_VALUE_HOLDS_BUFFER(value))
      continue;
    const gstflv::MappedBuffer mapped(gst_value_get_buffer(value));
    const flv::Bytes bytes = mapped.bytes();
    parts.emplace_back(bytes.begin(), bytes.end());
  }
  return parts;
}

} // namespace

void Ingest::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, element_, container_.type.c_str(), state_,
                                    next);
}

Ingest::AwaitStartPoint &Ingest::await_start_point() {
  if (!std::holds_alternative<AwaitStartPoint>(state_))
    set_state(AwaitStartPoint{});
  return std::get<AwaitStartPoint>(state_);
}

bool Ingest::is_flv() const {
  return container_.type == kFlv;
}

void Ingest::clear() {
  *this = Ingest(element_);
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
}

void Ingest::set_segment(const GstSegment &segment) {
  segment_ = segment;
}

void Ingest::set_caps(GstCaps *caps) {
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  std::vector<std::vector<std::uint8_t>> parts = stream_header(structure);
  container_.type = type_of(structure);
  container_.header = header_of(container_.type, !parts.empty());
  if (is_flv()) {
    if (!has_entries_) {
      for (const auto &part : parts)
        flv_.note_stream_header(part);
    }
    return;
  }
  JoinHeader head;
  for (const auto &part : parts)
    head.container_header.insert(head.container_header.end(), part.begin(), part.end());
  if (join_header_ && *join_header_ == head)
    return;
  join_header_ = std::make_shared<const JoinHeader>(std::move(head));
  parts_ = std::move(parts);
  (void)await_start_point();
}

void Ingest::interrupt() {
  flv_.interrupt();
  await_start_point().is_interrupted = has_entries_;
}

// Without caps, the first bytes determine the type, even if they are fewer than the signature.
void Ingest::find_out(flv::Bytes start) {
  constexpr std::string_view kSignature = "FLV";
  const std::size_t size = std::min(start.size(), kSignature.size());
  const bool is_flv = std::equal(start.begin(), start.begin() + static_cast<std::ptrdiff_t>(size),
                                 kSignature.begin());
  container_.type = is_flv ? kFlv : kUnknown;
}

flv::Status Ingest::take(GstBuffer *buffer, std::vector<Entry> &out) {
  const auto mapping = std::make_shared<const Mapping>(buffer);
  const flv::Bytes bytes = mapping->bytes();
  if (bytes.empty())
    return flv::Status::Ok;
  if (container_.type.empty())
    find_out(bytes);
  if (!is_flv())
    return take_opaque(buffer, mapping, bytes, out);
  const flv::Status status = flv_.take(mapping, bytes, out);
  has_entries_ |= !out.empty();
  return status;
}

// ms of running time, or of the monotonic clock if there is none. After an interruption, or a step
// of more than kLongestStep in either direction, the time continues from the last one.
std::int64_t Ingest::time_of(GstBuffer *buffer, bool is_interrupted) {
  const GstClockTime stamp = GST_BUFFER_DTS_OR_PTS(buffer);
  GstClockTime running = GST_CLOCK_TIME_NONE;
  if (segment_.format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID(stamp))
    running = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, stamp);
  const std::int64_t now = GST_CLOCK_TIME_IS_VALID(running)
                               ? static_cast<std::int64_t>(running / GST_MSECOND)
                               : g_get_monotonic_time() / 1000;
  constexpr std::int64_t kLongestStep = 10'000;
  const std::int64_t step = now + shift_ - time_;
  if (has_entries_ && (is_interrupted || step < -kLongestStep || step > kLongestStep))
    shift_ = time_ - now;
  time_ = now + shift_;
  return time_;
}

flv::Status Ingest::take_opaque(GstBuffer *buffer, const std::shared_ptr<const void> &owner,
                                flv::Bytes bytes, std::vector<Entry> &out) {
  const auto is_part = [bytes](const std::vector<std::uint8_t> &part) {
    return std::equal(bytes.begin(), bytes.end(), part.begin(), part.end());
  };
  // Clients get the header from the caps. A header buffer without DELTA_UNIT makes the next buffer
  // a start point: mpegtsmux omits DELTA_UNIT only on the first packet.
  bool can_join = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  bool is_interrupted = false;
  if (auto *waiting = std::get_if<AwaitStartPoint>(&state_)) {
    if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER) &&
        std::any_of(parts_.begin(), parts_.end(), is_part)) {
      waiting->header_joins |= can_join;
      return flv::Status::Ok;
    }
    can_join |= waiting->header_joins;
    if (!can_join)
      return flv::Status::Ok;
    is_interrupted = waiting->is_interrupted;
    set_state(Flowing{});
  }
  if (!join_header_)
    join_header_ = std::make_shared<const JoinHeader>();
  Entry entry;
  entry.owner = owner;
  entry.bytes = bytes;
  entry.time = time_of(buffer, is_interrupted);
  if (can_join)
    entry.join_header = join_header_;
  if (has_entries_ && join_header_ != sent_join_header_) {
    Entry header;
    header.owner = join_header_;
    header.bytes = join_header_->container_header;
    header.time = entry.time;
    out.push_back(std::move(header));
  }
  sent_join_header_ = join_header_;
  has_entries_ = true;
  out.push_back(std::move(entry));
  return flv::Status::Ok;
}

void Ingest::finish(std::vector<Entry> &out) {
  if (is_flv())
    flv_.finish(out);
}

} // namespace flvhttp
