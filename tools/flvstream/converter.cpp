// SPDX-License-Identifier: LGPL-2.1-or-later
#include "converter.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "base/gst_ptr.h"
#include "common/remux/remux.h"
#include "flv/format/other_format.h"
#include "names.h"

namespace flvstream {

namespace {

// The names of tools::identify().
constexpr std::array<std::string_view, 9> kContainers = {
    "MP4",       "QuickTime", "Matroska", "WebM",
    "MPEG-TS",   "Ogg",       "MP3",      "MP3 (an ID3 tag comes first)",
    "AAC (ADTS)"};

// What only FLV has: byte offsets, its index, and a start that is found again.
std::string refusal_of(const Options &options, const std::string &container) {
  const char *option = options.offset        ? "--offset"
                       : options.loop        ? "--loop"
                       : options.snap_named  ? "--snap"
                       : options.index_named ? "--index"
                                             : nullptr;
  return option
             ? std::string(option) + " needs FLV, but " + input_name(options) + " is " + container
             : "";
}

} // namespace

bool is_converted(const tools::Container &container) {
  return std::ranges::find(kContainers, container.name) != kContainers.end();
}

Converter::Converter(const Options &options, GstElement *pipeline, GstElement *source,
                     GstElement *next)
    : options_(options), pipeline_(pipeline), source_(source), next_(next) {}

void Converter::set_state(State state) {
  g_assert(state_ == State::Undecided);
  state_ = state;
}

bool Converter::owns(GstObject *object) const {
  GstElement *remuxer = remuxer_;
  return remuxer && object && gst_object_has_as_ancestor(object, GST_OBJECT(remuxer));
}

std::string Converter::decide(const tools::Container &container) {
  if (!is_converted(container)) {
    set_state(State::Flv);
    return {};
  }
  std::string refusal = refusal_of(options_, container.name.substr(0, container.name.find(" (")));
  if (refusal.empty())
    refusal = insert();
  set_state(refusal.empty() ? State::Converting : State::Refused);
  return refusal;
}

std::string Converter::insert() {
  remux::Options options;
  options.format = remux::Format::Flv;
  if (options_.start)
    options.start = *options_.start * GST_MSECOND;
  // Called here, or later from another thread, when the bus has the error, too.
  const auto complaint = std::make_shared<std::string>();
  GstElement *remuxer =
      remux::make_bin(options, [complaint](const std::string &text) { *complaint = text; });
  if (!remuxer)
    return *complaint;
  gst_element_unlink(source_, next_);
  gst_bin_add(GST_BIN(pipeline_), remuxer);
  // The start is the converter's.
  g_object_set(next_, "start-time", guint64{0}, nullptr);
  if (!gst_element_link_many(source_, remuxer, next_, nullptr))
    return "the converter to FLV cannot be linked";
  remuxer_ = remuxer;
  gst_element_sync_state_with_parent(remuxer);
  return {};
}

// flvseek reads its start when it starts, so it starts after the decision.
void Converter::watch() {
  gst_element_set_locked_state(next_, TRUE);
  const gstflv::PadPtr pad(gst_element_get_static_pad(source_, "src"));
  gst_pad_add_probe(pad.get(),
                    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                                 GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                                 GST_PAD_PROBE_TYPE_PUSH),
                    on_data, this, nullptr);
}

GstPadProbeReturn Converter::on_data(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  auto *self = static_cast<Converter *>(data);
  if (self->state_ != State::Undecided)
    return GST_PAD_PROBE_REMOVE;
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0)
    return self->take(info);
  // The link of the decision sends the other events again.
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS)
    return GST_PAD_PROBE_DROP;
  self->decide_by_start();
  self->send_short_input(pad);
  return GST_PAD_PROBE_DROP;
}

// At the end of the stream, the source's pad takes no more data, so its peer gets the events and
// the data directly.
void Converter::send_short_input(GstPad *source) {
  const gstflv::PadPtr peer(gst_pad_get_peer(source));
  for (const GstEventType type : {GST_EVENT_STREAM_START, GST_EVENT_CAPS, GST_EVENT_SEGMENT}) {
    if (GstEvent *event = gst_pad_get_sticky_event(source, type, 0))
      gst_pad_send_event(peer.get(), event);
  }
  if (!start_.empty())
    gst_pad_chain(peer.get(), held_bytes());
  gst_pad_send_event(peer.get(), gst_event_new_eos());
}

GstBuffer *Converter::held_bytes() const {
  GstBuffer *buffer = gst_buffer_new_memdup(start_.data(), start_.size());
  GST_BUFFER_OFFSET(buffer) = 0;
  return buffer;
}

GstPadProbeReturn Converter::take(GstPadProbeInfo *info) {
  {
    const gstflv::MappedBuffer mapped(GST_PAD_PROBE_INFO_BUFFER(info));
    start_.insert(start_.end(), mapped.bytes().begin(), mapped.bytes().end());
  }
  constexpr std::string_view kFlv = "FLV";
  const bool is_flv =
      std::equal(start_.begin(),
                 start_.begin() + static_cast<std::ptrdiff_t>(std::min(start_.size(), kFlv.size())),
                 kFlv.begin());
  if (!is_flv && start_.size() < flv::kOtherFormatBytes)
    return GST_PAD_PROBE_DROP;
  decide_by_start();
  // The first buffer has all bytes so far.
  gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = held_bytes();
  start_ = {};
  return GST_PAD_PROBE_OK;
}

void Converter::decide_by_start() {
  container_ = tools::identify(tools::MemoryBytes(start_));
  const std::string refusal = decide(container_);
  if (state_ != State::Converting) {
    gst_element_unlink(source_, next_);
    gst_element_link(source_, next_);
  }
  gst_element_set_locked_state(next_, FALSE);
  gst_element_sync_state_with_parent(next_);
  if (!refusal.empty())
    GST_ELEMENT_ERROR(pipeline_, STREAM, WRONG_TYPE, ("%s", refusal.c_str()), (nullptr));
}

} // namespace flvstream
