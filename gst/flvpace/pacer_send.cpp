// SPDX-License-Identifier: LGPL-2.1-or-later
// The output of the Pacer: holds the start, then sends each tag at its due time.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "pacer.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_pace_debug);
#define GST_CAT_DEFAULT gst_flv_pace_debug

namespace flvpace {

using gstflv::BufferPtr;

namespace {

// The limits for holding tags at the start: ms of media, and bytes.
constexpr flv::KindProbe::Limits kHoldLimits = {500, 1 << 20};

} // namespace

void Pacer::hold(Probing &probing, Tag tag) {
  probing.bytes += tag.header.tag_size();
  if (tag.is_media()) {
    if (!probing.first_timestamp)
      probing.first_timestamp = tag.header.timestamp;
    const auto span = static_cast<std::int32_t>(tag.header.timestamp - *probing.first_timestamp);
    probing.probe.note_media(tag.header.type, span);
  }
  probing.tags.push_back(std::move(tag));
}

// If the file header was sent before a flush, only the origin of the schedule is unknown.
bool Pacer::is_held_enough(const Probing &probing) const {
  const flv::KindProbe &probe = probing.probe;
  if (probe.has_reached(kHoldLimits, probing.bytes))
    return true;
  if (header_.is_sent())
    return !probe.seen().empty();
  return probe.knows_kinds(header_.announced(), flv::KindProbe::Unannounced::Limit);
}

// Sends caps, segment and file header, then the held tags.
GstFlowReturn Pacer::release() {
  auto &probing = std::get<Probing>(state_);
  if (const flv::KindSet seen = probing.probe.seen(); header_.is_provisional())
    header_.announce(seen.contains(flv::TagType::Audio), seen.contains(flv::TagType::Video));
  std::vector<Tag> tags = std::move(probing.tags);
  for (Tag &tag : tags) {
    place(tag);
    note_head(tag);
    if (tag.head_change == flv::StreamHeader::Change::Changed)
      tag.head_change = flv::StreamHeader::Change::Repeated; // the caps that follow contain it
  }
  if (times_.first())
    set_state(Flowing{});
  else
    set_state(AwaitMedia{});
  const Departure departure = pacing_.start(times_.first().value_or(0));
  GstFlowReturn flow = writer_.send_caps(header_.parts());
  if (flow == GST_FLOW_OK)
    flow = writer_.send_segment(departure);
  if (flow == GST_FLOW_OK)
    flow = send_file_header(departure.due);
  send_tags();
  for (Tag &tag : tags) {
    // A flush by this thread, from within a push, drops the rest.
    if (flow != GST_FLOW_OK || is_probing())
      return flow;
    flow = deliver(tag);
  }
  return flow;
}

// Sends the file header, even in PAUSED, so that sinks can preroll. After a flush, the file header
// was already sent, and sinks get a GAP event instead.
GstFlowReturn Pacer::send_file_header(flv::Nanoseconds due) {
  GstBuffer *unsent = header_.unsent();
  if (!unsent) {
    writer_.send_gap();
    return GST_FLOW_OK;
  }
  const gsize size = gst_buffer_get_size(unsent);
  GstFlowReturn flow = writer_.queue(BufferPtr(gst_buffer_copy(unsent)), due);
  if (flow == GST_FLOW_OK)
    flow = writer_.send();
  if (flow != GST_FLOW_OK)
    return flow;
  header_.mark_sent();
  counters_.bytes_out.add(size);
  return flow;
}

// Handles a GAP event from upstream. Its timestamps are not valid downstream.
gboolean Pacer::send_gap() {
  if (writer_.has_segment())
    writer_.send_gap();
  return TRUE;
}

void Pacer::send_tags() {
  if (gstflv::TagListPtr tags = info_.take_tags())
    writer_.send_event(gstflv::EventPtr(gst_event_new_tag(tags.release())));
}

void Pacer::place(Tag &tag) {
  take_settings();
  times_.place(tag, settings_.current().retimestamp);
  video_seen_ |= tag.header.type == flv::TagType::Video && flv::is_media(tag.info.role);
}

void Pacer::note_head(Tag &tag) {
  if (tag.is_media())
    return;
  const gstflv::MappedBuffer map(tag.buffer.get());
  tag.head_change = header_.note(tag.header, tag.info, map.bytes());
  if (tag.header.is_script() && tag.head_change == flv::StreamHeader::Change::Changed)
    info_.note(map.bytes().subspan(flv::kTagHeaderSize, tag.header.data_size));
}

// A sink that returns to PAUSED needs data to preroll, and the pipeline waits for the sink.
template <typename Waiting> GstFlowReturn Pacer::wait(Waiting waiting) {
  for (;;) {
    switch (waiting()) {
    case Wait::Over:
      return GST_FLOW_OK;
    case Wait::Preroll:
      writer_.send_gap();
      break;
    case Wait::Flushing:
      return GST_FLOW_FLUSHING;
    }
  }
}

GstFlowReturn Pacer::deliver(Tag &tag) {
  GstFlowReturn flow = GST_FLOW_OK;
  if (std::holds_alternative<AwaitMedia>(state_) && tag.is_media()) {
    set_state(Flowing{});
    flow = writer_.send();
    if (flow == GST_FLOW_OK)
      flow = writer_.send_segment(pacing_.start(tag.time));
    if (flow != GST_FLOW_OK)
      return flow;
  }
  std::optional<Departure> departure = pacing_.try_leave(tag.time, tag.arrival);
  if (!departure) {
    flow = writer_.send();
    departure.emplace();
    if (flow == GST_FLOW_OK)
      flow = wait([&] { return pacing_.wait(*departure); });
    if (flow != GST_FLOW_OK)
      return flow;
  }
  if (departure->needs_segment || !writer_.is_segment_current() ||
      departure->speed != writer_.speed()) {
    flow = writer_.send();
    if (flow == GST_FLOW_OK)
      flow = writer_.send_segment(*departure);
    if (flow != GST_FLOW_OK)
      return flow;
  }
  // A flush by this thread, from within a push, has dropped the tag.
  if (is_probing())
    return GST_FLOW_OK;
  log_departure(tag, *departure);
  if (is_first_of_its_kind(tag))
    pacing_.renew_segment();
  set_flags(tag);
  count(tag);
  flow = writer_.queue(std::move(tag.buffer), departure->due);
  if (flow != GST_FLOW_OK || tag.head_change != flv::StreamHeader::Change::Changed)
    return flow;
  // The caps follow the tag. Sinks do not send a buffer that is in the caps' stream header, but
  // clients that have already joined need the tag.
  flow = writer_.send();
  if (flow == GST_FLOW_OK)
    flow = writer_.send_caps(header_.parts());
  send_tags();
  return flow;
}

void Pacer::log_departure(const Tag &tag, const Departure &departure) const {
  GST_LOG_OBJECT(element_,
                 "tag of type %u at byte %" G_GUINT64_FORMAT
                 ": %zu bytes, timestamp %u, due at %" GST_TIME_FORMAT ", late by %" G_GINT64_FORMAT
                 " us",
                 static_cast<unsigned>(tag.header.type), tag.position, tag.size,
                 tag.header.timestamp, GST_TIME_ARGS(departure.due), departure.late / 1000);
  if (departure.late > flv::Schedule::kTolerance)
    GST_DEBUG_OBJECT(element_,
                     "late tag: the one at byte %" G_GUINT64_FORMAT
                     ", timestamp %u, is sent %" G_GINT64_FORMAT " ms after it was due",
                     tag.position, tag.header.timestamp, departure.late / 1'000'000);
}

// Whether the tag is the first media of its kind since the start or a flush.
bool Pacer::is_first_of_its_kind(const Tag &tag) {
  return tag.is_media() && std::get<Flowing>(state_).sent.insert(tag.header.type);
}

void Pacer::set_flags(const Tag &tag) const {
  const bool start = tag.info.role == flv::Role::KeyFrame ||
                     (tag.header.type == flv::TagType::Audio && !video_seen_);
  if (!start)
    GST_BUFFER_FLAG_SET(tag.buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  if (tag.head_change != flv::StreamHeader::Change::None)
    GST_BUFFER_FLAG_SET(tag.buffer.get(), GST_BUFFER_FLAG_HEADER);
  if (tag.discont)
    GST_BUFFER_FLAG_SET(tag.buffer.get(), GST_BUFFER_FLAG_DISCONT);
}

void Pacer::count(const Tag &tag) {
  if (tag.header.is_script())
    counters_.script_tags.add(1);
  else if (tag.header.type == flv::TagType::Audio)
    counters_.audio_tags.add(1);
  else
    counters_.video_tags.add(1);
  if (tag.info.role == flv::Role::KeyFrame)
    counters_.key_frames.add(1);
  counters_.bytes_out.add(tag.size);
  if (tag.is_media())
    position_ = std::max<std::int64_t>(tag.time, position_);
}

GstFlowReturn Pacer::finish() {
  // Downstream has stopped earlier: the rest of the data is not the end of the stream.
  if (last_flow_ != GST_FLOW_OK)
    return last_flow_;
  GstFlowReturn flow = finish_splitting(More::EndOfStream);
  if (flow == GST_FLOW_OK && is_probing())
    flow = has_no_tag() ? no_tag() : release();
  if (flow == GST_FLOW_OK)
    flow = writer_.send();
  if (flow == GST_FLOW_OK && std::holds_alternative<Flowing>(state_))
    flow = wait([this] { return pacing_.wait_for_end(times_.end()); });
  return flow;
}

// Whether the stream had bytes after its file header, but no tag.
bool Pacer::has_no_tag() const {
  return std::get<Probing>(state_).tags.empty() && counters_.bytes_skipped > 0 &&
         counters_.audio_tags + counters_.video_tags + counters_.script_tags == 0;
}

GstFlowReturn Pacer::no_tag() {
  FLV_ELEMENT_ERROR(element_, STREAM, DEMUX,
                    ("There is no whole tag in the %" G_GUINT64_FORMAT
                     " bytes after the FLV file header.",
                     guint64{counters_.bytes_skipped}),
                    (nullptr));
  return GST_FLOW_ERROR;
}

} // namespace flvpace
