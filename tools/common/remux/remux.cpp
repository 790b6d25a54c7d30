// SPDX-License-Identifier: LGPL-2.1-or-later
//   sink -> typefind -> demuxer -> parser -> capsfilter --+
//                          |                              +-> Mux -> src
//                          +----> parser -> capsfilter ---+
// The demuxer is chosen by the content, and the parsers by the caps. No rank of an element and no
// decoder has an influence.
#include "remux.h"

#include <array>
#include <atomic>
#include <memory>
#include <string_view>
#include <utility>

#include "base/gst_ptr.h"
#include "base/log.h"
#include "caps_track.h"
#include "common/plugins.h"
#include "flv/format/codec.h"
#include "flv_demux.h"
#include "log.h"
#include "movie_probe.h"
#include "mux.h"

#define GST_CAT_DEFAULT remux::debug_category()

namespace remux {

GstDebugCategory *debug_category() {
  static GstDebugCategory *const category =
      _gst_debug_category_new("remux", 0, "conversion between containers");
  return category;
}

namespace {

struct Demuxer {
  const char *caps;
  const char *element; // nullptr: the caps are those of an elementary stream
  bool is_framed;      // each buffer has one access unit
};

constexpr const char *kFlvDemuxer = "FLV";

constexpr std::array kDemuxers{
    Demuxer{"video/x-flv", kFlvDemuxer, true},
    Demuxer{"video/quicktime", "qtdemux", true},
    Demuxer{"audio/x-m4a", "qtdemux", true},
    Demuxer{"application/x-3gp", "qtdemux", true},
    Demuxer{"video/x-matroska", "matroskademux", true},
    Demuxer{"audio/x-matroska", "matroskademux", true},
    Demuxer{"video/webm", "matroskademux", true},
    Demuxer{"audio/webm", "matroskademux", true},
    Demuxer{"application/ogg", "oggdemux", true},
    Demuxer{"audio/ogg", "oggdemux", true},
    Demuxer{"video/ogg", "oggdemux", true},
    Demuxer{"video/mpegts", "tsdemux", false},
    Demuxer{"application/x-id3", "id3demux", false},
    Demuxer{"audio/mpeg", nullptr, false},
};

const Demuxer *demuxer_for(const GstCaps *caps) {
  for (const Demuxer &demuxer : kDemuxers) {
    if (gst_structure_has_name(gst_caps_get_structure(caps, 0), demuxer.caps))
      return &demuxer;
  }
  return nullptr;
}

class Remuxer {
public:
  Remuxer(GstElement *bin, const Options &options, Complaint complaint)
      : bin_(bin), options_(options), complaint_(std::move(complaint)) {}
  Remuxer(const Remuxer &) = delete;
  Remuxer &operator=(const Remuxer &) = delete;
  ~Remuxer() = default;

  // false: an element is missing.
  [[nodiscard]] bool build();

private:
  static void on_type(GstElement *find, guint, GstCaps *caps, Remuxer *self) noexcept {
    self->choose_demuxer(find, caps);
  }
  static void on_pad(GstElement *, GstPad *pad, Remuxer *self) noexcept { self->add_stream(pad); }
  // tsdemux may add its pads later.
  static void on_no_more_pads(GstElement *, Remuxer *self) noexcept {
    if (self->mux_->has_inputs())
      self->set_complete();
  }
  static gboolean on_sink_event(GstPad *pad, GstObject *parent, GstEvent *event) noexcept;

  GstElement *add(GstElement *element);
  GstElement *add(const char *factory);
  void choose_demuxer(GstElement *find, GstCaps *caps);
  void find_behind(GstElement *find, GstElement *tag);
  void watch_end(GstElement *demuxer);
  void add_stream(GstPad *pad);
  [[nodiscard]] bool is_extra(Media media);
  void link_stream(GstPad *pad, const GstCaps *caps);
  [[nodiscard]] std::int64_t shift_of(Media media);
  void set_complete();
  void fail(const std::string &reason);

  GstElement *bin_; // borrowed: it owns this object
  Options options_;
  Complaint complaint_;
  std::atomic<bool> has_failed_ = false;
  Mux *mux_ = nullptr; // owned by its element
  GstElement *mux_element_ = nullptr;
  bool is_framed_ = true;
  TrackInput::Times times_ = TrackInput::Times::Segment;
  std::string input_;               // the name of its container
  std::optional<MovieProbe> movie_; // of MP4
  std::array<int, 2> counts_{};     // of video and audio streams
  GstPadEventFunction demuxer_event_ = nullptr;
};

void Remuxer::fail(const std::string &reason) {
  if (has_failed_.exchange(true))
    return;
  if (complaint_)
    complaint_(reason);
  FLV_ELEMENT_ERROR(bin_, STREAM, FORMAT, ("%s", reason.c_str()), (nullptr));
}

GstElement *Remuxer::add(GstElement *element) {
  gst_bin_add(GST_BIN(bin_), element);
  return element;
}

GstElement *Remuxer::add(const char *factory) {
  if (GstElement *element = gst_element_factory_make(factory, nullptr))
    return add(element);
  fail(tools::missing_element(factory));
  return nullptr;
}

bool Remuxer::build() {
  GstElement *find = gst_element_factory_make("typefind", nullptr);
  if (!find) {
    if (complaint_)
      complaint_(tools::missing_element("typefind"));
    return false;
  }
  add(find);
  g_signal_connect(find, "have-type", G_CALLBACK(on_type), this);
  mux_element_ = add(make_host("mux"));
  auto mux = std::make_unique<Mux>(mux_element_, options_,
                                   [this](const std::string &reason) { fail(reason); });
  mux_ = mux.get();
  set_body(mux_element_, std::move(mux));
  const gstflv::PadPtr sink(gst_element_get_static_pad(find, "sink"));
  const gstflv::PadPtr source(gst_element_get_static_pad(mux_element_, "src"));
  gst_element_add_pad(bin_, gst_ghost_pad_new("sink", sink.get()));
  gst_element_add_pad(bin_, gst_ghost_pad_new("src", source.get()));
  return true;
}

// tsdemux changes its times even if a seek fails.
bool can_seek(GstElement *find) {
  const gstflv::PadPtr sink(gst_element_get_static_pad(find, "sink"));
  GstQuery *query = gst_query_new_seeking(GST_FORMAT_BYTES);
  gboolean seekable = FALSE;
  if (gst_pad_peer_query(sink.get(), query))
    gst_query_parse_seeking(query, nullptr, &seekable, nullptr, nullptr);
  gst_query_unref(query);
  return seekable != FALSE;
}

void Remuxer::choose_demuxer(GstElement *find, GstCaps *caps) {
  input_ = container_name(caps);
  const Demuxer *known = demuxer_for(caps);
  GST_INFO_OBJECT(bin_, "the input is %s: %" GST_PTR_FORMAT, input_.c_str(), caps);
  if (!known) {
    fail("no container that can be converted, but " + input_);
    return;
  }
  is_framed_ = known->is_framed;
  if (!can_seek(find))
    mux_->disable_seeks();
  const std::string_view name = known->element ? known->element : "";
  if (name == "matroskademux")
    times_ = TrackInput::Times::Source;
  const gstflv::PadPtr source(gst_element_get_static_pad(find, "src"));
  if (!known->element) {
    add_stream(source.get());
    set_complete();
    return;
  }
  GstElement *demuxer = nullptr;
  if (known->element == kFlvDemuxer) {
    demuxer = add(make_host("demux"));
    set_body(demuxer, std::make_unique<FlvDemux>(demuxer));
  } else {
    demuxer = add(known->element);
  }
  if (!demuxer)
    return;
  if (name == "qtdemux") {
    const gstflv::PadPtr sink(gst_element_get_static_pad(demuxer, "sink"));
    movie_.emplace();
    movie_->watch(sink.get());
  }
  if (name == "id3demux") {
    find_behind(find, demuxer);
    return;
  }
  g_signal_connect(demuxer, "pad-added", G_CALLBACK(on_pad), this);
  g_signal_connect(demuxer, "no-more-pads", G_CALLBACK(on_no_more_pads), this);
  watch_end(demuxer);
  if (!gst_element_link(find, demuxer) || !gst_element_sync_state_with_parent(demuxer))
    fail(input_ + " cannot be read");
}

// The tag says nothing about the stream behind it.
void Remuxer::find_behind(GstElement *find, GstElement *tag) {
  GstElement *next = add("typefind");
  if (!next)
    return;
  g_signal_connect(next, "have-type", G_CALLBACK(on_type), this);
  gst_element_link_many(find, tag, next, nullptr);
  gst_element_sync_state_with_parent(next);
  gst_element_sync_state_with_parent(tag);
}

// Some demuxers end without a word if they have found no stream.
void Remuxer::watch_end(GstElement *demuxer) {
  const gstflv::PadPtr pad(gst_element_get_static_pad(demuxer, "sink"));
  demuxer_event_ = GST_PAD_EVENTFUNC(pad.get());
  g_object_set_data(G_OBJECT(pad.get()), "remuxer", this);
  gst_pad_set_event_function(pad.get(), on_sink_event);
}

gboolean Remuxer::on_sink_event(GstPad *pad, GstObject *parent, GstEvent *event) noexcept {
  auto *self = static_cast<Remuxer *>(g_object_get_data(G_OBJECT(pad), "remuxer"));
  const bool ends = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
  const gboolean handled = self->demuxer_event_(pad, parent, event);
  if (ends)
    self->set_complete();
  return handled;
}

void Remuxer::set_complete() {
  if (has_failed_)
    return;
  if (mux_->has_inputs())
    mux_->set_complete();
  else
    fail(input_ + " without audio or video");
}

// FLV has one track of each kind.
bool Remuxer::is_extra(Media media) {
  const bool is_first = counts_[media == Media::Video ? 0 : 1]++ == 0;
  if (is_first || !has_one_track_per_kind(options_.format))
    return false;
  FLV_ELEMENT_WARNING(bin_, STREAM, FORMAT,
                      ("%s has one %s track; only the first one of the input is sent",
                       name_of(options_.format), media == Media::Video ? "video" : "audio"),
                      (nullptr));
  return true;
}

void Remuxer::add_stream(GstPad *pad) {
  gstflv::CapsPtr caps(gst_pad_get_current_caps(pad));
  if (!caps)
    caps.reset(gst_pad_query_caps(pad, nullptr));
  const Media media = media_of(caps.get());
  GST_DEBUG_OBJECT(bin_, "stream %" GST_PTR_FORMAT, caps.get());
  // Subtitles, pictures and data are left out.
  if (media == Media::Other || has_failed_ || is_extra(media))
    return;
  const auto codec = codec_of(caps.get());
  if (!codec || !carries(options_.format, *codec)) {
    fail(std::string(name_of(options_.format)) + " cannot carry " + codec_name(caps.get()));
    return;
  }
  link_stream(pad, caps.get());
}

// qtdemux numbers the tracks of each kind in the order of the file.
std::int64_t Remuxer::shift_of(Media media) {
  if (!movie_)
    return 0;
  const bool is_video = media == Media::Video;
  if (const auto duration = movie_->lists().duration)
    mux_->set_duration(*duration);
  // qtdemux gives wrong times after a seek to a fragment.
  if (movie_->lists().is_fragmented)
    mux_->disable_seeks();
  const auto number = static_cast<std::size_t>(counts_[is_video ? 0 : 1] - 1);
  return movie_->lists().shift_of(flv::fourcc(is_video ? "vide" : "soun"), number);
}

void Remuxer::link_stream(GstPad *pad, const GstCaps *caps) {
  GstPad *input = mux_->add_input(times_, shift_of(media_of(caps)));
  const Parser parser = parser_for(caps, is_framed_);
  if (!parser.element) {
    if (GST_PAD_LINK_FAILED(gst_pad_link(pad, input)))
      fail(codec_name(caps) + " in " + input_ + " cannot be read");
    return;
  }
  GstElement *element = add(parser.element);
  GstElement *filter = element ? add("capsfilter") : nullptr;
  if (!filter)
    return;
  if (parser.caps)
    gst_util_set_object_arg(G_OBJECT(filter), "caps", parser.caps);
  const gstflv::PadPtr sink(gst_element_get_static_pad(element, "sink"));
  const gstflv::PadPtr source(gst_element_get_static_pad(filter, "src"));
  gst_element_link(element, filter);
  gst_pad_link(source.get(), input);
  gst_element_sync_state_with_parent(filter);
  gst_element_sync_state_with_parent(element);
  if (GST_PAD_LINK_FAILED(gst_pad_link(pad, sink.get())))
    fail(codec_name(caps) + " in " + input_ + " cannot be read");
}

void destroy(gpointer remuxer) {
  std::default_delete<Remuxer>()(static_cast<Remuxer *>(remuxer));
}

} // namespace

GstElement *make_bin(const Options &options, Complaint complaint) {
  GstElement *bin = gst_bin_new("remux");
  auto remuxer = std::make_unique<Remuxer>(bin, options, std::move(complaint));
  const bool is_built = remuxer->build();
  g_object_set_data_full(G_OBJECT(bin), "remuxer", remuxer.release(), destroy);
  if (is_built)
    return bin;
  gst_object_unref(gst_object_ref_sink(bin));
  return nullptr;
}

} // namespace remux
