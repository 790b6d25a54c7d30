// SPDX-License-Identifier: LGPL-2.1-or-later
#include "chain.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/state_change.h"
#include "categories.h"
#include "common/plugins.h"
#include "source_check.h"

#define GST_CAT_DEFAULT flvserve_debug

namespace flvserve {

using gstflv::BufferPtr;
using gstflv::PadPtr;
using remux::Format;

namespace {

constexpr guint kTapBytes = 16 << 20; // of the queue between two mounts

std::vector<std::uint8_t> first_bytes(GstBuffer *buffer) {
  std::vector<std::uint8_t> bytes(std::min<gsize>(gst_buffer_get_size(buffer), 512));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

bool is_eos(GstPadProbeInfo *info) {
  return (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) != 0 &&
         GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS;
}

} // namespace

Chain::Chain(GstElement *pipeline, GstElement *sink, MountSettings mount, std::shared_ptr<Tap> tap)
    : pipeline_(pipeline), sink_(sink), mount_(std::move(mount)), tap_(std::move(tap)) {}

Chain::~Chain() {
  close();
}

void Chain::set_state(State state) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, pipeline_, "Chain", state_, std::move(state));
}

void Chain::post(const char *name, const std::string &text) const {
  const gstflv::StringPtr valid(g_utf8_make_valid(text.c_str(), -1)); // file names may be anything
  GstStructure *structure = gst_structure_new(name, "text", G_TYPE_STRING, valid.get(), nullptr);
  gst_element_post_message(pipeline_,
                           gst_message_new_application(GST_OBJECT(pipeline_), structure));
}

void Chain::fail(const std::string &text) {
  if (!std::holds_alternative<Failed>(state_))
    set_state(Failed{});
  post(kFailed, text);
}

bool Chain::is_live() const {
  const std::lock_guard lock(mutex_);
  return live_;
}

void Chain::set_burst(guint burst) {
  const std::lock_guard lock(mutex_);
  if (live_ || !std::holds_alternative<Linked>(state_))
    return;
  gboolean is_synchronized = FALSE;
  g_object_get(sink_, "sync", &is_synchronized, nullptr);
  if (pace_)
    g_object_set(pace_, "burst", burst, nullptr);
  else if (is_synchronized)
    g_object_set(sink_, "ts-offset", -gint64{burst} * GST_MSECOND, nullptr);
}

void Chain::open() {
  const std::lock_guard lock(mutex_);
  if (!mount_.from.empty()) {
    if (add_tap_reader() && convert({streamed_format(mount_.from), true, true}))
      set_state(Linked{});
    return;
  }
  source_ = open_source(mount_);
  if (!source_.element)
    return fail(source_.complaint);
  if (!add_source())
    return;
  if (source_.kind == Source::Kind::File)
    open_file();
  else
    open_stream();
}

// A file can be identified before the start. Its elements may then read it in pull mode.
void Chain::open_file() {
  gchar *text = nullptr;
  g_object_get(elements_.front(), "location", &text, nullptr);
  const gstflv::StringPtr name(text);
  const PadPtr pad(gst_element_get_static_pad(elements_.front(), "src"));
  if (take_content(pad.get(), identify_file(name.get()), false))
    set_state(Linked{});
}

void Chain::open_stream() {
  const PadPtr pad(gst_element_get_static_pad(elements_.front(), "src"));
  if (!pad)
    return fail("the source has no output");
  gst_pad_add_probe(pad.get(),
                    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                                 GST_PAD_PROBE_TYPE_BUFFER_LIST |
                                                 GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
                    on_start, this, nullptr);
  set_state(Identifying{nullptr});
}

void Chain::close() {
  std::vector<GstElement *> elements;
  {
    const std::lock_guard lock(mutex_);
    if (!std::holds_alternative<Closed>(state_))
      set_state(Closed{});
    elements = std::exchange(elements_, {});
    pace_ = nullptr;
    seek_ = nullptr;
    if (tapped_)
      tap_->remove(tapped_.get());
    tapped_.reset();
  }
  for (GstElement *element : elements) {
    gst_element_set_locked_state(element, TRUE);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_bin_remove(GST_BIN(pipeline_), element);
  }
  source_ = {};
}

// Streaming threads.

GstPadProbeReturn Chain::on_start(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  return static_cast<Chain *>(data)->take_start(pad, info);
}

GstPadProbeReturn Chain::take_start(GstPad *pad, GstPadProbeInfo *info) {
  const std::lock_guard lock(mutex_);
  if (std::holds_alternative<Linked>(state_))
    return GST_PAD_PROBE_REMOVE;
  if (!std::holds_alternative<Identifying>(state_))
    return GST_PAD_PROBE_DROP;
  if (is_eos(info)) {
    const BufferPtr &start = std::get<Identifying>(state_).start;
    const auto bytes = start ? first_bytes(start.get()) : std::vector<std::uint8_t>();
    const std::string name = identify(bytes, true).name;
    fail(bytes.empty() ? "the source ended without any data"
                       : "the source ended after " + std::to_string(bytes.size()) + " bytes" +
                             (name.empty() ? "" : " of " + name));
    return GST_PAD_PROBE_DROP;
  }
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) != 0)
    return GST_PAD_PROBE_OK;
  return take_buffer(pad, info);
}

// A muxer has its container in its caps, and the header as buffers of its own, which stay as they
// are. Otherwise the buffers are joined until there are enough bytes.
GstPadProbeReturn Chain::take_buffer(GstPad *pad, GstPadProbeInfo *info) {
  const gstflv::CapsPtr caps(gst_pad_get_current_caps(pad));
  const auto format = format_of_caps(caps.get());
  const bool is_list = (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0;
  BufferPtr &start = std::get<Identifying>(state_).start;
  if (!is_list) {
    BufferPtr buffer(gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info)));
    start.reset(start ? gst_buffer_append(start.release(), buffer.release()) : buffer.release());
  }
  GstBufferList *list = is_list ? GST_PAD_PROBE_INFO_BUFFER_LIST(info) : nullptr;
  const std::vector<std::uint8_t> bytes =
      first_bytes(is_list ? gst_buffer_list_get(list, 0) : start.get());
  const Content content = format ? Content{Content::Kind::Stream, format, remux::name_of(*format)}
                                 : identify(bytes, is_list);
  if (content.kind == Content::Kind::NeedMore)
    return GST_PAD_PROBE_DROP;
  BufferPtr joined = std::move(start);
  if (!take_content(pad, content, format.has_value()))
    return GST_PAD_PROBE_DROP;
  set_state(Linked{});
  if (!is_list) {
    gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_DATA(info) = joined.release();
  }
  return GST_PAD_PROBE_REMOVE;
}

bool Chain::take_content(GstPad *pad, const Content &content, bool is_muxed) {
  if (content.kind == Content::Kind::Refused) {
    fail("the source is " + content.name);
    return false;
  }
  GST_INFO_OBJECT(pipeline_, "the source is %s",
                  content.name.empty() ? "of an unknown container" : content.name.c_str());
  live_ = mount_.live == Live::Auto ? is_live_source(pad) : mount_.live == Live::Yes;
  return convert({content.format, live_, is_muxed});
}

// A source of a known size is a recording, also on another server.
bool Chain::is_live_source(GstPad *pad) const {
  if (source_.kind == Source::Kind::File)
    return false;
  GstQuery *query = gst_query_new_latency();
  gboolean live = FALSE;
  if (gst_pad_query(pad, query))
    gst_query_parse_latency(query, &live, nullptr, nullptr);
  gst_query_unref(query);
  gint64 size = 0;
  const bool has_size = gst_pad_query_duration(pad, GST_FORMAT_BYTES, &size) != FALSE && size > 0;
  return live || (source_.kind != Source::Kind::Launch && !has_size);
}

GstPadProbeReturn Chain::on_file_end(GstPad *, GstPadProbeInfo *info, gpointer data) {
  if (!is_eos(info))
    return GST_PAD_PROBE_OK;
  static_cast<Chain *>(data)->post(kRound);
  return GST_PAD_PROBE_DROP;
}

// The elements.

bool Chain::add_source() {
  return add(source_.element.release());
}

// The queue is leaky, so that this mount cannot block the other one.
bool Chain::add_tap_reader() {
  if (!add("queue"))
    return false;
  GstElement *queue = elements_.back();
  g_object_set(queue, "max-size-buffers", 0U, "max-size-time", guint64{0}, "max-size-bytes",
               kTapBytes, nullptr);
  gst_util_set_object_arg(G_OBJECT(queue), "leaky", "downstream");
  tapped_.reset(gst_element_get_static_pad(queue, "sink"));
  tap_->add(tapped_.get());
  live_ = true;
  return true;
}

// Takes ownership of the element, and links it after the last one.
bool Chain::add(GstElement *element) {
  gst_object_set_name(GST_OBJECT(element), nullptr); // a chain may have two remuxers
  gst_bin_add(GST_BIN(pipeline_), element);
  if (!elements_.empty() && !gst_element_link(elements_.back(), element)) {
    fail("the source cannot be linked to " + std::string(GST_ELEMENT_NAME(element)));
    return false;
  }
  elements_.push_back(element);
  return true;
}

bool Chain::add(const char *factory) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  if (!element) {
    fail(tools::missing_element(factory));
    return false;
  }
  return add(element);
}

// If an element is missing, make_bin() has called the complaint.
bool Chain::add_remux(Format format, bool live) {
  remux::Options options;
  options.format = format;
  options.live = live;
  GstElement *bin = remux::make_bin(options, [this](const std::string &text) {
    GST_WARNING_OBJECT(pipeline_, "%s", text.c_str());
    post(kFailed, text);
  });
  if (bin)
    return add(bin);
  set_state(Failed{});
  return false;
}

bool Chain::add_pace(bool live) {
  if (!add("flvpace"))
    return false;
  pace_ = elements_.back();
  gst_util_set_object_arg(G_OBJECT(pace_), "live", live ? "yes" : "no");
  if (!live)
    g_object_set(pace_, "burst", burst_of(mount_), nullptr);
  return true;
}

bool Chain::link_sink(bool is_synchronized) {
  const auto lead = is_synchronized ? gint64{burst_of(mount_)} * GST_MSECOND : gint64{0};
  g_object_set(sink_, "sync", static_cast<gboolean>(is_synchronized), "ts-offset", -lead, nullptr);
  if (!gst_element_link(elements_.back(), sink_)) {
    fail("the stream cannot be linked to the server");
    return false;
  }
  start_elements(1); // the source starts with the pipeline
  return true;
}

// From the sink to the source, so that no element gets data before it has started.
void Chain::start_elements(std::size_t first) {
  for (std::size_t at = elements_.size(); at > first; --at)
    gst_element_sync_state_with_parent(elements_[at - 1]);
}

bool Chain::convert(const Input &input) {
  const Format format = format_of(mount_);
  if (input.format == Format::Flv || format == Format::Flv || mount_.loop)
    return convert_by_pace(input);
  // The stream of a muxer, or of another mount, has its header and its start points already.
  const bool is_ready = input.format == format && input.is_muxed;
  if (input.format == format && format == Format::Mp3) {
    if (!add("mpegaudioparse"))
      return false;
  } else if (!is_ready && !add_remux(format, true)) {
    return false;
  }
  return link_sink(!input.is_live);
}

// FLV on the way is paced by flvpace.
bool Chain::convert_by_pace(const Input &input) {
  const Format format = format_of(mount_);
  const bool is_flv = input.format == Format::Flv;
  if (tapped_) {
    if (input.format != format && !add_remux(format, true))
      return false;
    return link_sink(false);
  }
  if (!is_flv && !add_remux(Format::Flv, true))
    return false;
  if (is_flv && mount_.loop) {
    if (!add("flvseek"))
      return false;
    seek_ = elements_.back();
  }
  round_ = elements_.size();
  if (mount_.loop)
    watch_file_end();
  if (!add_pace(input.is_live))
    return false;
  if (format != Format::Flv && !add_remux(format, true))
    return false;
  return link_sink(false);
}

void Chain::watch_file_end() {
  const PadPtr pad(gst_element_get_static_pad(elements_[round_ - 1], "src"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_file_end, this, nullptr);
}

// flvseek reads FLV again. Of other containers, the elements that make FLV of it are replaced:
// flvpace continues its timeline at the file header.
void Chain::begin_round() {
  const std::lock_guard lock(mutex_);
  if (!std::holds_alternative<Linked>(state_))
    return;
  if (seek_) {
    const PadPtr pad(gst_element_get_static_pad(seek_, "src"));
    GstEvent *seek = gst_event_new_seek(1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_NONE,
                                        GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, 0);
    if (!gst_pad_send_event(pad.get(), seek))
      fail("the file cannot be read again");
    return;
  }
  const std::vector<GstElement *> rest(elements_.begin() + static_cast<std::ptrdiff_t>(round_),
                                       elements_.end());
  for (std::size_t at = 0; at < round_; ++at) {
    gst_element_set_state(elements_[at], GST_STATE_NULL);
    gst_bin_remove(GST_BIN(pipeline_), elements_[at]);
  }
  elements_.clear();
  source_ = open_source(mount_);
  if (!source_.element) {
    elements_ = rest;
    return fail(source_.complaint);
  }
  const bool added = add_source() && add_remux(Format::Flv, true);
  if (added && gst_element_link(elements_.back(), rest.front())) {
    watch_file_end();
    start_elements(0);
  }
  elements_.insert(elements_.end(), rest.begin(), rest.end());
}

} // namespace flvserve
