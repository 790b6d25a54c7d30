// SPDX-License-Identifier: LGPL-2.1-or-later
// Mux: the seek to the start, and the output.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/state_change.h"
#include "log.h"
#include "mux.h"

#define GST_CAT_DEFAULT remux::debug_category()

namespace remux {

namespace {

GstCaps *caps_of(Format format, const std::vector<Track> &tracks) {
  const bool video = std::ranges::any_of(tracks, is_video, &Track::codec);
  switch (format) {
  case Format::Flv:
    return gst_caps_new_empty_simple("video/x-flv");
  case Format::Matroska:
    return gst_caps_new_empty_simple(video ? "video/x-matroska" : "audio/x-matroska");
  case Format::WebM:
    return gst_caps_new_empty_simple(video ? "video/webm" : "audio/webm");
  case Format::MpegTs:
    return gst_caps_new_simple("video/mpegts", "systemstream", G_TYPE_BOOLEAN, TRUE, "packetsize",
                               G_TYPE_INT, 188, nullptr);
  case Format::Mp3:
    return gst_caps_new_simple("audio/mpeg", "mpegversion", G_TYPE_INT, 1, "layer", G_TYPE_INT, 3,
                               nullptr);
  case Format::Ogg:
    break;
  }
  return gst_caps_new_empty_simple("audio/ogg");
}

void add_stream_header(GstCaps *caps, const Output &header) {
  if (header.empty())
    return;
  GValue list = G_VALUE_INIT;
  GValue value = G_VALUE_INIT;
  g_value_init(&list, GST_TYPE_ARRAY);
  g_value_init(&value, GST_TYPE_BUFFER);
  GstBuffer *buffer = gst_buffer_new_memdup(header.data(), header.size());
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_HEADER);
  gst_value_take_buffer(&value, buffer);
  gst_value_array_append_and_take_value(&list, &value);
  gst_structure_take_value(gst_caps_get_structure(caps, 0), "streamheader", &list);
}

} // namespace

const TrackInput *Mux::leading_track() const {
  const TrackInput *leading = nullptr;
  for (const auto &input : inputs_) {
    const auto &track = input->track.track();
    if (track && (!leading || (is_video(track->codec) && !is_video(leading->track()->codec))))
      leading = &input->track;
  }
  return leading;
}

// false: the packets are flushed.
bool Mux::is_at_start(Collecting collecting) {
  using enum Collecting::Position;
  const TrackInput *leading = leading_track();
  const auto first = leading ? leading->first_position() : std::nullopt;
  const bool has_first = first.has_value();
  const std::int64_t position = first.value_or(0);
  if (!origin_)
    origin_ = position;
  if (collecting.position == Beginning || !can_seek_)
    return true;
  const std::int64_t target = *origin_ + static_cast<std::int64_t>(*options_.start);
  if (collecting.position == Unknown)
    return !seek(std::max<std::int64_t>(target - (leading ? leading->shift() : 0), 0), Start);
  if (has_first && position <= target)
    return true;
  GST_INFO_OBJECT(element_, "the demuxer did not find the start; reads from the beginning");
  return !seek(0, Beginning);
}

// A flushing seek from the streaming thread would wait for itself.
void Mux::send_seek(GstElement *element, gpointer data) {
  auto *self = static_cast<Mux *>(data);
  unsigned number = 0;
  {
    const std::lock_guard lock(self->wait_mutex_);
    number = self->seeks_;
  }
  const auto flags = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT |
                                               GST_SEEK_FLAG_SNAP_BEFORE);
  GstEvent *seek = gst_event_new_seek(1.0, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET,
                                      self->seek_target_, GST_SEEK_TYPE_NONE, -1);
  const bool done = gst_pad_push_event(self->inputs_.front()->pad, seek);
  GST_DEBUG_OBJECT(element, "the seek %s", done ? "succeeded" : "failed");
  // After its flush, another seek may have begun.
  const std::lock_guard lock(self->wait_mutex_);
  if (self->wait_ == Wait::Seeking && self->seeks_ == number) {
    self->wait_ = Wait::Failed;
    self->wait_changed_.notify_all();
  }
}

// true: the packets are flushed. false: the source cannot seek, and the packets before the start
// are dropped.
bool Mux::seek(std::int64_t target, Collecting::Position position) {
  seek_target_ = target;
  after_flush_ = position;
  set_state(Seeking{});
  std::unique_lock lock(wait_mutex_);
  if (wait_ == Wait::None) {
    wait_ = Wait::Seeking;
    ++seeks_;
    gst_element_call_async(element_, send_seek, this, nullptr);
    wait_changed_.wait(lock, [this] { return wait_ != Wait::Seeking; });
  }
  const bool failed = wait_ == Wait::Failed;
  if (failed)
    wait_ = Wait::None;
  set_state(Collecting{Collecting::Position::Beginning});
  return !failed;
}

void Mux::send_start(const std::vector<Track> &tracks, const Output &header) {
  gst_pad_push_event(source_, gst_event_new_stream_start("remux"));
  const gstflv::CapsPtr caps(caps_of(options_.format, tracks));
  add_stream_header(caps.get(), header);
  gst_pad_push_event(source_, gst_event_new_caps(caps.get()));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(source_, gst_event_new_segment(&segment));
}

// Of a file, after the start that was asked for.
std::optional<std::int64_t> Mux::rest_duration() const {
  gint64 duration = duration_.value_or(0);
  if (options_.live || (!duration_ && !gst_pad_peer_query_duration(inputs_.front()->pad,
                                                                   GST_FORMAT_TIME, &duration)))
    return std::nullopt;
  const auto rest = duration - static_cast<gint64>(options_.start.value_or(0));
  return rest > 0 ? std::optional<std::int64_t>(rest) : std::nullopt;
}

GstFlowReturn Mux::begin() {
  std::vector<Track> tracks;
  Flowing flowing{
      make_writer(options_.format), StartGate(std::nullopt, false), std::nullopt, 0, {}};
  bool has_video = false;
  for (const auto &input : inputs_) {
    const bool is_known = input->track.track() && !options_.live && !input->ended;
    if (!input->track.is_complete() && !is_known) {
      flowing.tracks.emplace_back();
      continue;
    }
    flowing.tracks.emplace_back(tracks.size());
    tracks.push_back(*input->track.track());
    has_video |= is_video(tracks.back().codec);
  }
  if (tracks.empty()) {
    FLV_ELEMENT_ERROR(element_, STREAM, DEMUX, ("There is no audio or video"), (nullptr));
    set_state(Ended{});
    return GST_FLOW_ERROR;
  }
  if (options_.start.value_or(0) > 0)
    flowing.gate = StartGate(*origin_ + static_cast<std::int64_t>(*options_.start), has_video);
  Output header;
  flowing.writer->begin(tracks, rest_duration(), header);
  set_state(std::move(flowing));
  send_start(tracks, header);
  return header.empty() ? GST_FLOW_OK : push(header, 0, GST_BUFFER_FLAG_HEADER);
}

GstFlowReturn Mux::send(Flowing &flowing) {
  std::vector<Packet> packets;
  while (auto packet = interleaver_.pop()) {
    flowing.gate.push(std::move(*packet), packets);
    for (const Packet &each : packets) {
      const GstFlowReturn flow = write(flowing, each);
      if (flow != GST_FLOW_OK)
        return flow;
    }
    packets.clear();
  }
  return GST_FLOW_OK;
}

std::optional<std::size_t> Mux::writer_track(Flowing &flowing, std::size_t index, Output &out) {
  flowing.tracks.resize(inputs_.size());
  auto &track = flowing.tracks[index];
  if (track)
    return track;
  const auto count = std::ranges::count_if(flowing.tracks, [](const auto &one) { return !!one; });
  if (flowing.writer->add(*inputs_[index]->track.track(), out))
    track = static_cast<std::size_t>(count);
  else
    GST_DEBUG_OBJECT(element_, "track %zu began too late, and is left out", index);
  return track;
}

GstFlowReturn Mux::write(Flowing &flowing, const Packet &packet, bool is_last) {
  if (!flowing.base) {
    const std::int64_t dts = packet.dts;
    constexpr auto kMs = static_cast<std::int64_t>(GST_MSECOND);
    flowing.base = dts - (dts % kMs + kMs) % kMs;
    post_start(packet, is_last);
  }
  Output out;
  const auto track = writer_track(flowing, packet.track, out);
  if (!track)
    return GST_FLOW_OK;
  if (packet.change)
    flowing.writer->change(*track, *packet.change, out);
  const gstflv::MappedBuffer mapped(packet.buffer.get());
  const Sample sample{*track, mapped.bytes(), packet.pts - *flowing.base,
                      std::max<std::int64_t>(packet.dts - *flowing.base, 0), packet.key};
  const bool joins = flowing.writer->write(sample, out);
  if (out.empty())
    return GST_FLOW_OK;
  flowing.last = sample.dts;
  return push(out, sample.dts, joins ? 0 : GST_BUFFER_FLAG_DELTA_UNIT);
}

void Mux::post_start(const Packet &first, bool is_last) {
  const std::int64_t time = first.position - origin_.value_or(first.position);
  const guint64 position = time > 0 ? static_cast<guint64>(time) : 0;
  GST_INFO_OBJECT(element_, "starts at %" GST_TIME_FORMAT, GST_TIME_ARGS(position));
  gst_element_post_message(
      element_, gst_message_new_element(
                    GST_OBJECT(element_),
                    gst_structure_new("remux-start", "position", G_TYPE_UINT64, position, "is-last",
                                      G_TYPE_BOOLEAN, static_cast<gboolean>(is_last), nullptr)));
}

GstFlowReturn Mux::push(const Output &bytes, std::int64_t time, guint flags) {
  GstBuffer *buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(time);
  GST_BUFFER_DTS(buffer) = static_cast<GstClockTime>(time);
  GST_BUFFER_FLAG_SET(buffer, flags);
  return gst_pad_push(source_, buffer);
}

GstFlowReturn Mux::end() {
  auto &flowing = std::get<Flowing>(state_);
  std::vector<Packet> packets;
  flowing.gate.finish(packets);
  for (const Packet &packet : packets) {
    const GstFlowReturn flow = write(flowing, packet, true);
    if (flow != GST_FLOW_OK)
      return flow;
  }
  Output out;
  flowing.writer->end(out);
  if (!out.empty())
    (void)push(out, flowing.last, GST_BUFFER_FLAG_DELTA_UNIT);
  set_state(Ended{});
  gst_pad_push_event(source_, gst_event_new_eos());
  return GST_FLOW_EOS;
}

} // namespace remux
