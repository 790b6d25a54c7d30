// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seektest.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <glib/gstdio.h>
#include <gst/base/gstbasesrc.h>

using namespace flvtest;

namespace seektest {

// --- Files ---

Stream clip(std::size_t scale, const Pick &pick, bool changes) {
  const auto media = [=](Stream &stream) {
    stream.configs(0);
    for (std::uint32_t group = 0; group < 8; ++group) {
      const std::uint32_t time = group * 400;
      if (changes && group == 4)
        stream.configs(time, 1);
      stream.key(time, 400 * scale).aac(time, 50 * scale);
      for (std::uint32_t frame = 1; frame < 10; ++frame)
        stream.inter(time + frame * 40, 100 * scale).aac(time + frame * 40, 50 * scale);
    }
  };
  const auto of_size = [&](double size) {
    return indexed(media, pick, {{"filesize", {size}}, {"duration", {3.2}}});
  };
  return of_size(static_cast<double>(of_size(0).bytes.size()));
}

std::vector<std::size_t> keys(const Stream &stream) {
  std::vector<std::size_t> found;
  for (std::size_t tag = 0; tag < stream.tags.size(); ++tag) {
    if (role_of(stream, tag) == flv::Role::KeyFrame)
      found.push_back(tag);
  }
  return found;
}

guint64 position(const Stream &stream, std::size_t key) {
  return stream.tags.at(keys(stream).at(key)).begin;
}

Buffer head(const Stream &stream, std::size_t key, Parts parts) {
  const std::size_t place = keys(stream).at(key);
  Bytes video;
  Bytes audio;
  for (std::size_t tag = 0; parts.configurations && tag < place; ++tag) {
    if (role_of(stream, tag) == flv::Role::DecoderConfig)
      (stream.tags[tag].type == TagType::Video ? video : audio) = stream.at(tag);
  }
  constexpr std::size_t kHeader = flv::kFileHeaderSize + flv::kPreviousTagSizeSize;
  return joined({Bytes(stream.bytes).first(parts.header ? kHeader : 0),
                 parts.metadata ? stream.at(0) : Bytes(), video, audio});
}

Buffer started(const Stream &stream, std::size_t key, Parts parts) {
  return joined({head(stream, key, parts), Bytes(stream.bytes).subspan(position(stream, key))});
}

void assert_true_index(Bytes bytes, std::size_t entries) {
  const Bytes tag = bytes.subspan(flv::kFileHeaderSize + flv::kPreviousTagSizeSize);
  flv::TagHeader header;
  fail_unless(flv::read_tag_header(tag.data(), flv::kMaxDataSize, header) == flv::Fault());
  flv::amf0::Value metadata;
  fail_unless(flv::read_on_metadata(tag.subspan(flv::kTagHeaderSize, header.data_size), metadata) ==
              flv::Status::Ok);
  flv::KeyframeIndex index;
  const flv::IndexFault fault = flv::read_keyframe_index(metadata, bytes.size(), index);
  fail_unless(fault.kind == flv::IndexFault::Kind::None, "%s", flv::describe(fault).c_str());
  assert_equals_uint64(index.positions.size(), entries);
  for (std::size_t i = 0; i < index.positions.size(); ++i) {
    const Bytes place = bytes.subspan(index.positions[i]);
    fail_unless(flv::read_tag_header(place.data(), flv::kMaxDataSize, header) == flv::Fault());
    fail_unless(flv::classify(header.type, place.subspan(flv::kTagHeaderSize)).role ==
                flv::Role::KeyFrame);
    fail_unless(header.timestamp == static_cast<std::uint32_t>(index.times[i] * 1000 + 0.5));
  }
  const auto *size = metadata.find("filesize");
  fail_unless(size != nullptr);
  fail_unless(std::get<double>(size->data) == static_cast<double>(bytes.size()));
}

TemporaryFile::TemporaryFile(Bytes bytes) {
  const int descriptor = g_file_open_tmp("flvseekXXXXXX.flv", &path_, nullptr);
  fail_unless(descriptor >= 0);
  g_close(descriptor, nullptr);
  fail_unless(g_file_set_contents(path_, reinterpret_cast<const char *>(bytes.data()),
                                  static_cast<gssize>(bytes.size()), nullptr));
}

TemporaryFile::~TemporaryFile() {
  g_unlink(path_);
  g_free(path_);
}

// --- Upstream ---

struct SourceState {
  Source source;
  std::mutex mutex;
  std::vector<guint64> seeks;
  guint64 read = 0;
};

} // namespace seektest

using seektest::Access;
using seektest::SourceState;

struct SeekTestSrc {
  GstBaseSrc parent;
  std::shared_ptr<SourceState> state; // a thread may hold the source after the end of the test
};
struct SeekTestSrcClass {
  GstBaseSrcClass parent;
};

// NOLINTNEXTLINE
G_DEFINE_TYPE(SeekTestSrc, seek_test_src, GST_TYPE_BASE_SRC)

namespace {

SourceState &state_of(gpointer source) {
  return *static_cast<SeekTestSrc *>(source)->state;
}

GstFlowReturn create(GstBaseSrc *source, guint64 offset, guint size, GstBuffer **buffer) {
  SourceState &state = state_of(source);
  if (offset >= state.source.fails_at)
    return GST_FLOW_ERROR;
  if (offset >= state.source.bytes.size())
    return GST_FLOW_EOS;
  const Bytes left = Bytes(state.source.bytes).subspan(offset);
  const gsize count = std::min<gsize>(size, left.size());
  *buffer = gst_buffer_new_memdup(left.data(), count);
  const std::lock_guard lock(state.mutex);
  state.read += count;
  return GST_FLOW_OK;
}

gboolean get_size(GstBaseSrc *source, guint64 *size) {
  *size = state_of(source).source.bytes.size();
  return state_of(source).source.size_known;
}

gboolean is_seekable(GstBaseSrc *source) {
  return state_of(source).source.access != Access::Forward;
}

gboolean query(GstBaseSrc *source, GstQuery *query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_SCHEDULING ||
      state_of(source).source.access == Access::Pull)
    return GST_BASE_SRC_CLASS(seek_test_src_parent_class)->query(source, query);
  gst_query_set_scheduling(query, GST_SCHEDULING_FLAG_SEQUENTIAL, 1, -1, 0);
  gst_query_add_scheduling_mode(query, GST_PAD_MODE_PUSH);
  return TRUE;
}

gboolean event(GstBaseSrc *source, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK) {
    SourceState &state = state_of(source);
    GstFormat format = GST_FORMAT_UNDEFINED;
    gint64 start = 0;
    gst_event_parse_seek(event, nullptr, &format, nullptr, nullptr, &start, nullptr, nullptr);
    {
      const std::lock_guard lock(state.mutex);
      state.seeks.push_back(static_cast<guint64>(start));
    }
    if (state.source.refuses_seeks || format != GST_FORMAT_BYTES)
      return FALSE;
  }
  const gboolean taken = GST_BASE_SRC_CLASS(seek_test_src_parent_class)->event(source, event);
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK && state_of(source).source.seeks_slowly)
    g_usleep(50'000);
  return taken;
}

void finalize(GObject *object) {
  std::destroy_at(&reinterpret_cast<SeekTestSrc *>(object)->state);
  G_OBJECT_CLASS(seek_test_src_parent_class)->finalize(object);
}

} // namespace

static void seek_test_src_class_init(SeekTestSrcClass *klass) {
  static GstStaticPadTemplate pad =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  G_OBJECT_CLASS(klass)->finalize = finalize;
  auto *base_class = GST_BASE_SRC_CLASS(klass);
  base_class->create = create;
  base_class->get_size = get_size;
  base_class->is_seekable = is_seekable;
  base_class->query = query;
  base_class->event = event;
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &pad);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Source", "Source", "Bytes",
                                        "The gst-flv-streaming authors");
}

static void seek_test_src_init(SeekTestSrc *self) {
  std::construct_at(&self->state);
}

namespace seektest {

// --- Downstream ---

struct Sink {
  GstPad *pad = nullptr; // owned by the sink
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Piece> pieces;
  std::size_t arrived = 0;
  std::size_t block_at = G_MAXSIZE;
  bool blocked = false;
  bool ended = false;
  std::string order;
  std::vector<EventPtr> events;
  std::vector<Problem> problems;
  std::vector<Start> starts;
  std::size_t received = 0; // bytes since the last flush
  std::size_t segment_begin = 0;

  void note(const std::string &word) {
    if (word != "B" || order.empty() || order.back() != 'B')
      order += (order.empty() ? "" : " ") + word;
  }

  void see_event(GstEvent *event) {
    const std::lock_guard lock(mutex);
    events.emplace_back(gst_event_ref(event));
    note(GST_EVENT_TYPE_NAME(event));
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
      ended = true;
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) {
      pieces.clear();
      ended = false;
      received = 0;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT)
      segment_begin = received;
  }

  GstFlowReturn see_buffer(BufferPtr buffer) {
    Piece piece;
    const gstflv::MappedBuffer mapped(buffer.get());
    piece.bytes.assign(mapped.bytes().begin(), mapped.bytes().end());
    piece.offset = GST_BUFFER_OFFSET(buffer.get());
    piece.offset_end = GST_BUFFER_OFFSET_END(buffer.get());
    piece.header = GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_HEADER);
    piece.discont = GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
    piece.stamped = GST_BUFFER_PTS_IS_VALID(buffer.get()) || GST_BUFFER_DTS_IS_VALID(buffer.get());
    std::unique_lock lock(mutex);
    const std::size_t index = arrived++;
    while (index >= block_at && !GST_PAD_IS_FLUSHING(pad)) {
      blocked = true;
      changed.wait_for(lock, std::chrono::milliseconds(1));
    }
    blocked = false;
    if (GST_PAD_IS_FLUSHING(pad))
      return GST_FLOW_FLUSHING;
    received += piece.bytes.size();
    pieces.push_back(std::move(piece));
    note("B");
    return GST_FLOW_OK;
  }

  void see_problem(GstMessage *message) {
    GError *error = nullptr;
    Problem problem;
    problem.found = true;
    problem.error = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
    if (problem.error)
      gst_message_parse_error(message, &error, nullptr);
    else
      gst_message_parse_warning(message, &error, nullptr);
    problem.domain = error->domain;
    problem.code = error->code;
    problem.text = error->message;
    g_clear_error(&error);
    const std::lock_guard lock(mutex);
    problems.push_back(std::move(problem));
    // Output before an error counts.
    ended |= problems.back().error;
  }

  void see_start(const GstStructure *told) {
    const auto number = [told](const char *name) {
      guint64 value = 0;
      fail_unless(gst_structure_get_uint64(told, name, &value), "no %s", name);
      return value;
    };
    const Start start{number("requested-offset"), number("requested-time"), number("actual-offset"),
                      number("actual-time")};
    const std::lock_guard lock(mutex);
    starts.push_back(start);
  }
};

namespace {

GstFlowReturn see_list(Sink &sink, GstBufferList *list) {
  GstFlowReturn flow = GST_FLOW_OK;
  for (guint i = 0; flow == GST_FLOW_OK && i < gst_buffer_list_length(list); ++i)
    flow = sink.see_buffer(BufferPtr(gst_buffer_ref(gst_buffer_list_get(list, i))));
  gst_buffer_list_unref(list);
  return flow;
}

GstPadProbeReturn see(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto &sink = *static_cast<Sink *>(data);
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) =
        sink.see_buffer(BufferPtr(GST_PAD_PROBE_INFO_BUFFER(info)));
    return GST_PAD_PROBE_HANDLED;
  }
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0) {
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = see_list(sink, GST_PAD_PROBE_INFO_BUFFER_LIST(info));
    return GST_PAD_PROBE_HANDLED;
  }
  sink.see_event(GST_PAD_PROBE_INFO_EVENT(info));
  return GST_PAD_PROBE_OK;
}

GstBusSyncReply hear(GstBus *, GstMessage *message, gpointer data) {
  auto &sink = *static_cast<Sink *>(data);
  GstObject *by = GST_MESSAGE_SRC(message);
  const bool ours = by && g_str_equal(GST_OBJECT_NAME(by), "seek");
  const GstMessageType type = GST_MESSAGE_TYPE(message);
  if (ours && (type == GST_MESSAGE_ERROR || type == GST_MESSAGE_WARNING))
    sink.see_problem(message);
  if (ours && type == GST_MESSAGE_ELEMENT && gst_message_has_name(message, "flvseek"))
    sink.see_start(gst_message_get_structure(message));
  gst_message_unref(message);
  return GST_BUS_DROP;
}

} // namespace

Seek::Seek(Source source, const std::string &properties, GstState state, const std::string &behind)
    : source_(std::make_shared<SourceState>()), sink_(std::make_unique<Sink>()) {
  source_->source = std::move(source);
  GError *error = nullptr;
  const std::string line =
      "flvseek name=seek " + properties + behind + " ! fakesink name=sink sync=false async=false";
  pipeline_ = gst_parse_launch(line.c_str(), &error);
  fail_unless(pipeline_ != nullptr && error == nullptr, "%s: %s", line.c_str(),
              error ? error->message : "");
  element_ = gst_bin_get_by_name(GST_BIN(pipeline_), "seek");
  sink_pad_ = gst_element_get_static_pad(element_, "sink");
  source_pad_ = gst_element_get_static_pad(element_, "src");
  auto *upstream = static_cast<SeekTestSrc *>(g_object_new(seek_test_src_get_type(), nullptr));
  upstream->state = source_;
  gst_base_src_set_blocksize(&upstream->parent, source_->source.chunk);
  gst_bin_add(GST_BIN(pipeline_), GST_ELEMENT(upstream));
  GstElement *last = GST_ELEMENT(upstream);
  if (source_->source.queued) {
    GstElement *queue = gst_element_factory_make("queue", nullptr);
    gst_bin_add(GST_BIN(pipeline_), queue);
    fail_unless(gst_element_link(last, queue));
    last = queue;
  }
  fail_unless(gst_element_link(last, element_));

  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline_), "sink");
  sink_->pad = gst_element_get_static_pad(sink, "sink");
  gst_object_unref(sink);
  constexpr auto kSeen = static_cast<GstPadProbeType>(
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST |
      GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH);
  gst_pad_add_probe(sink_->pad, kSeen, see, sink_.get(), nullptr);
  GstBus *bus = gst_element_get_bus(pipeline_);
  gst_bus_set_sync_handler(bus, hear, sink_.get(), nullptr);
  gst_object_unref(bus);
  if (state > GST_STATE_READY)
    set_state(state);
}

Seek::~Seek() {
  set_state(GST_STATE_NULL);
  gst_object_unref(sink_->pad);
  gst_object_unref(sink_pad_);
  gst_object_unref(source_pad_);
  gst_object_unref(element_);
  gst_object_unref(pipeline_);
  const Problem left = problem();
  fail_if(left.found, "unexpected message: %s", left.text.c_str());
}

guint64 Seek::get(const char *property) const {
  guint64 value = 0;
  g_object_get(element_, property, &value, nullptr);
  return value;
}

void Seek::wait_for(const std::function<bool()> &condition) {
  constexpr gint64 kHangs = 10 * 1'000'000; // µs; valgrind is slow
  const gint64 start = g_get_monotonic_time();
  while (!condition()) {
    fail_if(g_get_monotonic_time() - start > kHangs, "nothing moves");
    g_usleep(100);
  }
}

void Seek::run() {
  wait_for([this] {
    const std::lock_guard lock(sink_->mutex);
    return sink_->ended;
  });
}

std::vector<Piece> Seek::take_pieces() {
  const std::lock_guard lock(sink_->mutex);
  return std::exchange(sink_->pieces, {});
}

Buffer Seek::take() {
  Buffer all;
  for (const Piece &piece : take_pieces())
    append(all, piece.bytes);
  return all;
}

std::size_t Seek::size() {
  const std::lock_guard lock(sink_->mutex);
  std::size_t size = 0;
  for (const Piece &piece : sink_->pieces)
    size += piece.bytes.size();
  return size;
}

std::string Seek::order() {
  const std::lock_guard lock(sink_->mutex);
  return std::exchange(sink_->order, {});
}

EventPtr Seek::last_event(GstEventType type) {
  const std::lock_guard lock(sink_->mutex);
  for (auto event = sink_->events.rbegin(); event != sink_->events.rend(); ++event) {
    if (GST_EVENT_TYPE(event->get()) == type)
      return EventPtr(gst_event_ref(event->get()));
  }
  fail("no %s", gst_event_type_get_name(type));
  return nullptr;
}

std::size_t Seek::count_events(GstEventType type) {
  const std::lock_guard lock(sink_->mutex);
  return static_cast<std::size_t>(
      std::count_if(sink_->events.begin(), sink_->events.end(),
                    [type](const EventPtr &event) { return GST_EVENT_TYPE(event.get()) == type; }));
}

GstSegment Seek::segment() {
  GstSegment segment;
  gst_event_copy_segment(last_event(GST_EVENT_SEGMENT).get(), &segment);
  return segment;
}

void Seek::block(std::size_t index) {
  const std::lock_guard lock(sink_->mutex);
  sink_->arrived = 0;
  sink_->block_at = index;
}

void Seek::release() {
  const std::lock_guard lock(sink_->mutex);
  sink_->block_at = G_MAXSIZE;
  sink_->changed.notify_all();
}

void Seek::release_slowly(const std::function<bool()> &condition) {
  constexpr int kPolls = 200; // between two buffers
  int polls = 0;
  wait_for([&] {
    if (++polls % kPolls == 0) {
      const std::lock_guard lock(sink_->mutex);
      sink_->block_at = sink_->arrived;
      sink_->changed.notify_all();
    }
    return condition();
  });
  release();
}

void Seek::wait_until_blocked() {
  wait_for([this] {
    const std::lock_guard lock(sink_->mutex);
    return sink_->blocked;
  });
}

bool Seek::send(GstEvent *event) {
  return gst_pad_push_event(sink_->pad, event);
}

bool Seek::seek(GstFormat format, guint64 start, int flags) {
  return send(gst_event_new_seek(1.0, format, static_cast<GstSeekFlags>(flags), GST_SEEK_TYPE_SET,
                                 static_cast<gint64>(start), GST_SEEK_TYPE_NONE, -1));
}

std::vector<guint64> Seek::upstream_seeks() {
  const std::lock_guard lock(source_->mutex);
  return std::exchange(source_->seeks, {});
}

guint64 Seek::bytes_read() const {
  const std::lock_guard lock(source_->mutex);
  return source_->read;
}

Problem Seek::problem() {
  const std::lock_guard lock(sink_->mutex);
  if (sink_->problems.empty())
    return {};
  Problem first = sink_->problems.front();
  sink_->problems.erase(sink_->problems.begin());
  return first;
}

std::vector<Start> Seek::starts() {
  const std::lock_guard lock(sink_->mutex);
  return std::exchange(sink_->starts, {});
}

std::size_t Seek::count_starts() {
  const std::lock_guard lock(sink_->mutex);
  return sink_->starts.size();
}

std::size_t Seek::segment_begin() {
  const std::lock_guard lock(sink_->mutex);
  return sink_->segment_begin;
}

Buffer result(const Source &source, const std::string &properties) {
  Seek seek(source, properties);
  seek.run();
  return seek.take();
}

} // namespace seektest
