// SPDX-License-Identifier: LGPL-2.1-or-later
#include "session.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/log.h"
#include "base/pull_pad.h"
#include "read_ahead.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_seek_debug);
#define GST_CAT_DEFAULT gst_flv_seek_debug

namespace flvseek {

using flv::Access;
using flv::StartError;
using gstflv::BufferPtr;
using gstflv::EventPtr;

namespace {

guint64 size_of(GstPad *pad) {
  gint64 size = 0;
  return gst_pad_peer_query_duration(pad, GST_FORMAT_BYTES, &size) && size > 0
             ? static_cast<guint64>(size)
             : 0;
}

bool can_seek(GstPad *pad) {
  GstQuery *query = gst_query_new_seeking(GST_FORMAT_BYTES);
  gboolean seekable = FALSE;
  if (gst_pad_peer_query(pad, query))
    gst_query_parse_seeking(query, nullptr, &seekable, nullptr, nullptr);
  gst_query_unref(query);
  return seekable;
}

} // namespace

void Session::open(bool by_pulling, const Properties &properties) {
  const std::lock_guard asking(asking_); // waits for the seek of another thread
  const std::lock_guard lock(deciding_);
  writer_.clear();
  pull_.clear();
  push_.reset(0);
  next_jump_.reset();
  must_jump_ = false;
  upstream_.reset();
  waiting_.clear();
  told_.clear();
  seqnum_ = GST_SEQNUM_INVALID;
  stream_started_ = !by_pulling; // in push mode, upstream sends STREAM_START
  access_ = by_pulling ? Access::Anywhere : Access::Forward;
  file_size_ = by_pulling ? size_of(sink_pad_) : 0;
  const Request request{settings_of(properties), {}};
  search_.begin(request, GST_SEQNUM_INVALID);
  playback_ = {};
  planner_.reset();
  if (by_pulling)
    planner_.emplace(Access::Anywhere, file_size_).look_for(request.start);
  const std::lock_guard known(known_mutex_);
  started_ = {};
  index_ = {};
  duration_.reset();
}

// Upstream's answer may depend on its own upstream, so it is queried after the first bytes have
// arrived. Without any bytes, it is not queried: a source that has failed may not answer.
void Session::find_out_access(bool has_bytes) {
  if (access_ == Access::Anywhere || !upstream_.is_unknown())
    return;
  access_ = has_bytes && can_seek(sink_pad_) ? Access::Seekable : Access::Forward;
  file_size_ = has_bytes ? size_of(sink_pad_) : 0;
  const std::lock_guard lock(deciding_);
  planner_.emplace(access_, file_size_).look_for(search_.request().start);
  upstream_.start();
}

GstFlowReturn Session::cannot_read(guint64 position) {
  FLV_ELEMENT_ERROR(element_, RESOURCE, READ,
                    ("Upstream cannot give the bytes from %" G_GUINT64_FORMAT " on.", position),
                    (nullptr));
  return GST_FLOW_ERROR;
}

GstFlowReturn Session::pull_request(const flv::ReadRequest &wanted) {
  BufferPtr buffer;
  const GstFlowReturn flow = pull_.read(wanted, buffer);
  if (flow != GST_FLOW_OK)
    return flow;
  planner_->supply(gstflv::MappedBuffer(buffer.get()).bytes());
  read_ahead(sink_pad_, planner_->take_likely_requests());
  return GST_FLOW_OK;
}

bool Session::look_ahead() {
  const GstFlowReturn flow = look_by_pulling(false);
  return flow == GST_FLOW_OK || flow == kMore;
}

GstFlowReturn Session::look_by_pulling(bool may_scan) {
  const std::lock_guard lock(deciding_);
  while (const auto wanted = planner_->next_request()) {
    if (!may_scan && planner_->is_scanning())
      return kMore;
    const GstFlowReturn flow = pull_request(*wanted);
    if (flow == GST_FLOW_FLUSHING)
      return flow;
    // The streaming thread reports read errors.
    if (flow != GST_FLOW_OK)
      return may_scan ? cannot_read(wanted->offset) : kMore;
  }
  return search_.is_searching() ? decide() : GST_FLOW_OK;
}

// Ends the search: posts its error, or finds the start.
GstFlowReturn Session::decide() {
  if (const guint32 seqnum = search_.seqnum(); seqnum != GST_SEQNUM_INVALID)
    seqnum_ = seqnum;
  note_file();
  if (planner_->error().kind != StartError::Kind::None) {
    search_.fail();
    flvseek::post(element_, planner_->error());
    return GST_FLOW_ERROR;
  }
  search_.found(decision_for(search_.request()));
  return GST_FLOW_OK;
}

Decision Session::decision_for(const Request &request) const {
  return {request, planner_->start(), planner_->rejected(), planner_->notes()};
}

void Session::note_file() {
  const std::lock_guard known(known_mutex_);
  index_ = planner_->index();
  if (!planner_->facts())
    return;
  constexpr double kLongest = 1e9; // seconds
  const auto duration = planner_->duration();
  if (duration && *duration < kLongest)
    duration_ = static_cast<GstClockTime>(std::llround(*duration * GST_SECOND));
}

GstFlowReturn Session::start_stream() {
  if (stream_started_)
    return GST_FLOW_OK;
  const GstFlowReturn flow = gstflv::push_stream_start(writer_.pad());
  stream_started_ = flow == GST_FLOW_OK;
  return flow;
}

GstFlowReturn Session::begin() {
  const std::optional<Decision> found = search_.take();
  if (!found)
    return GST_FLOW_OK;
  const Decision &decision = *found;
  announce(decision);
  // After an EOS that was not flushed, a new stream must start.
  stream_started_ = stream_started_ && !GST_PAD_IS_EOS(writer_.pad());
  GstFlowReturn flow = start_stream();
  if (flow != GST_FLOW_OK)
    return flow;
  playback_ = decision.request.playback;
  start_segment(decision);
  flow = writer_.begin(decision.start, playback_, seqnum_);
  for (EventPtr &event : waiting_)
    gst_pad_push_event(writer_.pad(), event.release());
  waiting_.clear();
  return flow;
}

// Posts each warning about the file once, not at every seek.
void Session::warn(const Decision &decision) {
  for (const std::string &note : decision.notes) {
    if (std::ranges::find(told_, note) != told_.end())
      continue;
    told_.push_back(note);
    std::string text = note + ".";
    text[0] = g_ascii_toupper(text[0]);
    FLV_ELEMENT_WARNING(element_, STREAM, DEMUX, ("%s", text.c_str()), (nullptr));
  }
  if (!decision.rejected.empty())
    FLV_ELEMENT_WARNING(element_, STREAM, DEMUX,
                        ("Passed over %" G_GSIZE_FORMAT " entries of the keyframe index, which are "
                         "no key frames, the first at byte %" G_GUINT64_FORMAT ".",
                         decision.rejected.size(), guint64{decision.rejected.front()}),
                        (nullptr));
}

void Session::announce(const Decision &decision) {
  Started started;
  if (decision.start.place)
    started = {decision.start.place->position, decision.start.time};
  {
    const std::lock_guard known(known_mutex_);
    started_ = started;
  }
  warn(decision);
  guint64 offset = 0;
  guint64 time = 0;
  if (const auto &request = decision.request.start.request)
    (request->measure == flv::StartRequest::Measure::Time ? time : offset) = request->value;
  GST_INFO_OBJECT(element_,
                  "start found: byte %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
                  " ms; requested was byte %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " ms",
                  started.offset, started.time, offset, time);
  GstStructure *told =
      gst_structure_new("flvseek", "requested-offset", G_TYPE_UINT64, offset, "requested-time",
                        G_TYPE_UINT64, time, "actual-offset", G_TYPE_UINT64, started.offset,
                        "actual-time", G_TYPE_UINT64, started.time, nullptr);
  gst_element_post_message(element_, gst_message_new_element(GST_OBJECT(element_), told));
  g_object_notify(G_OBJECT(element_), "actual-offset");
  g_object_notify(G_OBJECT(element_), "actual-time");
  g_object_notify(G_OBJECT(element_), "keyframes");
}

void Session::start_segment(const Decision &decision) {
  if (!is_segment())
    return;
  const guint64 time = playback_.at_key_frame ? decision.start.time * GST_MSECOND : playback_.start;
  gstflv::start_segment(element_, playback_.format,
                        playback_.format == GST_FORMAT_TIME ? time : decision.start.position,
                        seqnum_);
}

gboolean Session::end_segment() {
  guint64 position = writer_.position();
  if (playback_.format == GST_FORMAT_TIME)
    position = playback_.stop ? *playback_.stop : duration().value_or(writer_.time().value_or(0));
  writer_.end_segment();
  return gstflv::end_segment(element_, writer_.pad(), playback_.format, position, seqnum_);
}

GstFlowReturn Session::send_block() {
  GstFlowReturn flow = start_stream();
  if (flow == GST_FLOW_OK && search_.is_searching())
    flow = look_by_pulling(true);
  if (flow == GST_FLOW_OK)
    flow = begin();
  if (flow != GST_FLOW_OK)
    return flow;
  BufferPtr block;
  flow = pull_.next(writer_.position(), block);
  if (flow == GST_FLOW_OK)
    return writer_.send(std::move(block));
  return flow == GST_FLOW_EOS || flow == GST_FLOW_FLUSHING ? flow : cannot_read(writer_.position());
}

std::optional<Decision> Session::prepare(const Request &request) {
  const std::lock_guard lock(deciding_);
  if (!planner_)
    return std::nullopt;
  planner_->look_for(request.start);
  bool found = true;
  while (const auto wanted = planner_->next_request()) {
    found = pull_request(*wanted) == GST_FLOW_OK;
    if (!found)
      break;
  }
  found = found && planner_->error().kind == StartError::Kind::None;
  std::optional<Decision> decision;
  if (found)
    decision = decision_for(request);
  else
    GST_WARNING_OBJECT(element_, "cannot seek: %s", planner_->error().text.c_str());
  note_file();
  if (search_.is_searching())
    planner_->look_for(search_.request().start);
  return decision;
}

void Session::restart(Decision prepared) {
  const std::lock_guard lock(deciding_);
  search_.found(std::move(prepared));
}

Started Session::started() const {
  const std::lock_guard known(known_mutex_);
  return started_;
}

flv::KeyframeIndex Session::index() const {
  const std::lock_guard known(known_mutex_);
  return index_;
}

std::optional<GstClockTime> Session::duration() const {
  const std::lock_guard known(known_mutex_);
  return duration_;
}

// The time of the last key frame at or before the next byte to send.
std::optional<GstClockTime> Session::position() const {
  const std::lock_guard known(known_mutex_);
  const guint64 position = writer_.position();
  const auto next = std::upper_bound(index_.positions.begin(), index_.positions.end(), position);
  if (next == index_.positions.begin())
    return position == 0 ? std::optional<GstClockTime>(0) : std::nullopt;
  const auto entry = static_cast<std::size_t>(next - index_.positions.begin()) - 1;
  return static_cast<GstClockTime>(std::llround(std::min(index_.times[entry], 1e9) * GST_SECOND));
}

} // namespace flvseek
