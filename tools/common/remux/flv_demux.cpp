// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv_demux.h"

#include <algorithm>
#include <utility>

#include "base/gst_ptr.h"
#include "base/log.h"
#include "flv/format/metadata.h"
#include "log.h"

#define GST_CAT_DEFAULT remux::debug_category()

namespace remux {

namespace {

// ms of media after which a kind that has not come is not waited for.
constexpr std::int64_t kProbe = 2000;

// The segment starts here, so that buffers can have times before 0.
constexpr GstClockTime kOrigin = 1'000'000 * GST_SECOND;

GstCaps *caps_of(Codec codec) {
  switch (codec) {
  case Codec::H264:
    return gst_caps_new_simple("video/x-h264", "stream-format", G_TYPE_STRING, "avc", "alignment",
                               G_TYPE_STRING, "au", nullptr);
  case Codec::Hevc:
    return gst_caps_new_simple("video/x-h265", "stream-format", G_TYPE_STRING, "hvc1", "alignment",
                               G_TYPE_STRING, "au", nullptr);
  case Codec::Av1:
    return gst_caps_new_simple("video/x-av1", "stream-format", G_TYPE_STRING, "obu-stream",
                               "alignment", G_TYPE_STRING, "tu", nullptr);
  case Codec::Vp8:
    return gst_caps_new_empty_simple("video/x-vp8");
  case Codec::Vp9:
    return gst_caps_new_empty_simple("video/x-vp9");
  case Codec::Aac:
    return gst_caps_new_simple("audio/mpeg", "mpegversion", G_TYPE_INT, 4, "stream-format",
                               G_TYPE_STRING, "raw", nullptr);
  case Codec::Mp3:
  case Codec::Mp2:
    return gst_caps_new_simple("audio/mpeg", "mpegversion", G_TYPE_INT, 1, "layer", G_TYPE_INT, 3,
                               nullptr);
  case Codec::Opus:
    return gst_caps_new_empty_simple("audio/x-opus");
  case Codec::Flac:
    return gst_caps_new_empty_simple("audio/x-flac");
  case Codec::Ac3:
    return gst_caps_new_empty_simple("audio/x-ac3");
  case Codec::Eac3:
    return gst_caps_new_empty_simple("audio/x-eac3");
  case Codec::Vorbis:
    break;
  }
  return gst_caps_new_empty_simple("audio/x-vorbis");
}

bool has_stream_header(Codec codec) {
  return codec == Codec::Opus || codec == Codec::Flac;
}

// Whether the decoder needs a configuration that is not in the frames.
bool needs_config(Codec codec) {
  return codec == Codec::H264 || codec == Codec::Hevc || codec == Codec::Av1 ||
         codec == Codec::Aac || has_stream_header(codec);
}

void set_config(GstCaps *caps, Codec codec, const std::vector<std::uint8_t> &config) {
  GstBuffer *buffer = gst_buffer_new_memdup(config.data(), config.size());
  GstStructure *structure = gst_caps_get_structure(caps, 0);
  if (!has_stream_header(codec)) {
    gst_structure_set(structure, "codec_data", GST_TYPE_BUFFER, buffer, nullptr);
    gst_buffer_unref(buffer);
    return;
  }
  GValue list = G_VALUE_INIT;
  GValue value = G_VALUE_INIT;
  g_value_init(&list, GST_TYPE_ARRAY);
  g_value_init(&value, GST_TYPE_BUFFER);
  gst_value_take_buffer(&value, buffer);
  gst_value_array_append_and_take_value(&list, &value);
  gst_structure_take_value(structure, "streamheader", &list);
}

// 0: there is no such number, or it is not positive, or above `most`.
double number_in(const flv::amf0::Value &object, const char *name, double most) {
  const flv::amf0::Value *value = object.find(name);
  const auto *number = value ? std::get_if<double>(&value->data) : nullptr;
  return number && *number > 0 && *number <= most ? *number : 0;
}

} // namespace

FlvDemux::FlvDemux(GstElement *element) : element_(element) {
  GstPad *sink = gst_pad_new("sink", GST_PAD_SINK);
  gst_pad_set_element_private(sink, this);
  gst_pad_set_chain_function(sink, on_buffer);
  gst_pad_set_event_function(sink, on_event);
  gst_element_add_pad(element_, sink);
}

GstFlowReturn FlvDemux::on_buffer(GstPad *pad, GstObject *, GstBuffer *raw) noexcept {
  auto *self = static_cast<FlvDemux *>(gst_pad_get_element_private(pad));
  const gstflv::BufferPtr buffer(raw);
  const gstflv::MappedBuffer mapped(raw);
  return self->take(mapped.bytes());
}

gboolean FlvDemux::on_event(GstPad *pad, GstObject *, GstEvent *event) noexcept {
  auto *self = static_cast<FlvDemux *>(gst_pad_get_element_private(pad));
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_EOS:
    self->finish();
    break;
  case GST_EVENT_FLUSH_STOP:
    self->flush();
    self->push_event(gst_event_ref(event));
    break;
  case GST_EVENT_FLUSH_START:
    self->push_event(gst_event_ref(event));
    break;
  default:
    break;
  }
  gst_event_unref(event);
  return TRUE;
}

void FlvDemux::push_event(GstEvent *raw) {
  const gstflv::EventPtr event(raw);
  for (const Stream *stream : {&video_, &audio_}) {
    if (stream->pad)
      gst_pad_push_event(stream->pad, gst_event_ref(raw));
  }
}

void FlvDemux::flush() {
  splitter_.reset(flv::Splitter::Start::File);
  bytes_.clear();
  begin_ = 0;
  last_time_.reset();
  video_.flow = GST_FLOW_OK;
  audio_.flow = GST_FLOW_OK;
}

GstFlowReturn FlvDemux::take(flv::Bytes bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  std::vector<flv::Item> items;
  if (splitter_.feed(bytes, items) == flv::Status::Malformed) {
    FLV_ELEMENT_ERROR(element_, STREAM, DEMUX, ("%s", flv::describe(splitter_.fault()).c_str()),
                      (nullptr));
    return GST_FLOW_ERROR;
  }
  const GstFlowReturn flow = take_items(items);
  const std::uint64_t keep = std::min(splitter_.keep_from(), begin_ + bytes_.size());
  if (keep > begin_) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(keep - begin_));
    begin_ = keep;
  }
  return flow;
}

GstFlowReturn FlvDemux::take_items(const std::vector<flv::Item> &items) {
  for (const flv::Item &item : items) {
    if (item.kind == flv::Item::Kind::FileHeader)
      file_ = item.file;
    if (item.kind != flv::Item::Kind::Tag || item.tag.filtered)
      continue;
    const auto at = static_cast<std::size_t>(item.begin - begin_) + flv::kTagHeaderSize;
    const GstFlowReturn flow =
        take_tag(item.tag, flv::Bytes(bytes_).subspan(at, item.tag.data_size));
    if (flow != GST_FLOW_OK)
      return flow;
  }
  return GST_FLOW_OK;
}

void FlvDemux::take_metadata(flv::Bytes data) {
  flv::amf0::Value object;
  if (flv::read_on_metadata(data, object) != flv::Status::Ok)
    return;
  constexpr double kMostPixels = 65'535;
  constexpr double kMostFrames = 300; // per second
  width_ = static_cast<int>(number_in(object, "width", kMostPixels));
  height_ = static_cast<int>(number_in(object, "height", kMostPixels));
  frame_rate_ = number_in(object, "framerate", kMostFrames);
}

// A timestamp just below 2^32 at the start is negative.
std::int64_t FlvDemux::unwrap(std::uint32_t timestamp) {
  const auto before = static_cast<std::uint32_t>(last_time_.value_or(0));
  const auto step = static_cast<std::int32_t>(timestamp - before);
  last_time_ = last_time_.value_or(0) + step;
  if (!first_time_)
    first_time_ = last_time_;
  return *last_time_;
}

GstFlowReturn FlvDemux::take_tag(const flv::TagHeader &header, flv::Bytes data) {
  if (header.is_script()) {
    take_metadata(data);
    return GST_FLOW_OK;
  }
  const bool is_video = header.type == flv::TagType::Video;
  const auto payload = read_payload(header.type, data);
  if (!payload || payload->kind == FlvPayload::Kind::Other)
    return GST_FLOW_OK;
  Stream &stream = is_video ? video_ : audio_;
  if (payload->kind == FlvPayload::Kind::Config) {
    take_config(stream, *payload, is_video);
    return GST_FLOW_OK;
  }
  const auto time =
      unwrap(header.timestamp) * static_cast<std::int64_t>(GST_MSECOND) + payload->offset;
  const bool is_usable =
      !payload->codec || !needs_config(*payload->codec) || !stream.config.empty();
  if (!stream.pad && is_usable)
    add_pad(stream, *payload, is_video);
  check_pads();
  if (!stream.pad || payload->codec != stream.codec || payload->data.empty())
    return GST_FLOW_OK;
  GstBuffer *buffer = gst_buffer_new_memdup(payload->data.data(), payload->data.size());
  const std::int64_t shown = time + payload->composition * static_cast<std::int64_t>(GST_MSECOND);
  GST_BUFFER_DTS(buffer) = kOrigin + static_cast<GstClockTime>(time);
  GST_BUFFER_PTS(buffer) = kOrigin + static_cast<GstClockTime>(shown);
  if (!payload->key)
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  stream.flow = gst_pad_push(stream.pad, buffer);
  return combined_flow();
}

// A pad that is not linked does not stop the other.
GstFlowReturn FlvDemux::combined_flow() const {
  GstFlowReturn flow = GST_FLOW_NOT_LINKED;
  for (const Stream *stream : {&video_, &audio_}) {
    if (!stream->pad || stream->flow == GST_FLOW_NOT_LINKED)
      continue;
    if (stream->flow < GST_FLOW_EOS || stream->flow == GST_FLOW_FLUSHING)
      return stream->flow;
    flow = flow == GST_FLOW_OK ? flow : stream->flow;
  }
  return flow;
}

void FlvDemux::take_config(Stream &stream, const FlvPayload &payload, bool is_video) {
  std::vector<std::uint8_t> config(payload.data.begin(), payload.data.end());
  if (config.empty() || (stream.config == config && stream.codec == payload.codec))
    return;
  stream.config = std::move(config);
  if (!stream.pad)
    add_pad(stream, payload, is_video);
  else if (stream.codec == payload.codec)
    send_caps(stream, payload);
  check_pads();
}

void FlvDemux::add_pad(Stream &stream, const FlvPayload &payload, bool is_video) {
  const char *name = is_video ? "video" : "audio";
  stream.codec = payload.codec;
  stream.pad = gst_pad_new(name, GST_PAD_SRC);
  gst_pad_use_fixed_caps(stream.pad);
  gst_pad_set_active(stream.pad, TRUE);
  const gstflv::StringPtr id(gst_pad_create_stream_id(stream.pad, element_, name));
  gst_pad_push_event(stream.pad, gst_event_new_stream_start(id.get()));
  send_caps(stream, payload);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = kOrigin;
  segment.position = kOrigin;
  gst_pad_push_event(stream.pad, gst_event_new_segment(&segment));
  gst_element_add_pad(element_, stream.pad);
}

void FlvDemux::send_caps(Stream &stream, const FlvPayload &payload) {
  if (!payload.codec) {
    // Only the name counts: no container carries the codec.
    const bool is_video = &stream == &video_;
    const gstflv::CapsPtr caps(gst_caps_new_simple(is_video ? "video/x-unknown" : "audio/x-unknown",
                                                   "codec", G_TYPE_STRING, payload.name.c_str(),
                                                   nullptr));
    gst_pad_push_event(stream.pad, gst_event_new_caps(caps.get()));
    return;
  }
  const gstflv::CapsPtr caps(caps_of(*payload.codec));
  if (needs_config(*payload.codec) && !stream.config.empty())
    set_config(caps.get(), *payload.codec, stream.config);
  // H.264 and HEVC have the size in the configuration, which is right more often.
  const bool is_sized = *payload.codec == Codec::H264 || *payload.codec == Codec::Hevc;
  if (&stream == &video_ && !is_sized && width_ > 0 && height_ > 0)
    gst_caps_set_simple(caps.get(), "width", G_TYPE_INT, width_, "height", G_TYPE_INT, height_,
                        nullptr);
  if (&stream == &video_ && frame_rate_ >= 1) {
    int numerator = 0;
    int denominator = 1;
    gst_util_double_to_fraction(frame_rate_, &numerator, &denominator);
    gst_caps_set_simple(caps.get(), "framerate", GST_TYPE_FRACTION, numerator, denominator,
                        nullptr);
  }
  gst_pad_push_event(stream.pad, gst_event_new_caps(caps.get()));
}

// The file header announces the kinds, and can be wrong.
void FlvDemux::check_pads() {
  if (pads_ == Pads::Signalled)
    return;
  const bool announces = file_.has_audio || file_.has_video;
  const bool has_all = (video_.pad || (announces && !file_.has_video)) &&
                       (audio_.pad || (announces && !file_.has_audio));
  const bool is_late = first_time_ && *last_time_ - *first_time_ >= kProbe;
  if (!has_all && !(is_late && (video_.pad || audio_.pad)))
    return;
  pads_ = Pads::Signalled;
  gst_element_no_more_pads(element_);
}

void FlvDemux::finish() {
  std::vector<flv::Item> items;
  if (splitter_.finish(items) == flv::Status::Ok)
    (void)take_items(items);
  if (std::exchange(pads_, Pads::Signalled) == Pads::Growing)
    gst_element_no_more_pads(element_);
  push_event(gst_event_new_eos());
}

} // namespace remux
