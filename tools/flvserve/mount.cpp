// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mount.h"

#include <algorithm>
#include <utility>

#include <pthread.h>

#include "base/state_change.h"
#include "categories.h"
#include "httpserver/gsthttpserversink.h"

#define GST_CAT_DEFAULT flvserve_debug

namespace flvserve {

namespace {

constexpr unsigned kFirstDelay = 1000; // ms
constexpr unsigned kLongestDelay = 15'000;
constexpr unsigned kNextWriter = 100; // ms: a FIFO is opened again at once
constexpr GstClockTime kPatience = GST_SECOND;
constexpr const char *kStream = "flvserve-stream";

using Work = std::function<void()>;

gboolean run_work(gpointer data) {
  (*static_cast<Work *>(data))();
  return G_SOURCE_REMOVE;
}

void delete_work(gpointer data) {
  delete static_cast<Work *>(data);
}

void run_in(GMainContext *context, Work work) {
  g_main_context_invoke_full(context, G_PRIORITY_DEFAULT, run_work, new Work(std::move(work)),
                             delete_work);
}

std::string text_of(GstMessage *message) {
  GError *error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  std::string text = error->message;
  g_error_free(error);
  while (text.ends_with('.'))
    text.pop_back();
  return text;
}

} // namespace

Mount::Mount(MountSettings settings, std::shared_ptr<flvhttp::Listener> listener,
             std::shared_ptr<Tap> tap, std::shared_ptr<Tap> from, Watch watch)
    : settings_(settings), stream_(std::move(settings)), listener_(std::move(listener)),
      tap_(std::move(tap)), from_(std::move(from)), watch_(std::move(watch)),
      context_(g_main_context_new()), loop_(g_main_loop_new(context_, FALSE)), delay_(kFirstDelay),
      thread_([this] { run(); }) {}

Mount::~Mount() {
  thread_.join();
  g_main_loop_unref(loop_);
  g_main_context_unref(context_);
}

void Mount::change(const MountSettings &settings) {
  settings_ = settings;
  invoke([this, settings] {
    apply(effective_sink(settings));
    if (chain_)
      chain_->set_burst(burst_of(settings));
    stream_ = settings;
  });
}

void Mount::stop() {
  invoke([this] { finish(); });
}

void Mount::invoke(std::function<void()> work) {
  run_in(context_, std::move(work));
}

void Mount::emit(Event event) {
  run_in(nullptr, [watch = watch_, event = std::move(event)] { watch(event); });
}

// The mount's thread.

void Mount::set_state(State state) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, pipeline_.get(), "Mount", state_, state);
}

void Mount::run() {
  pthread_setname_np(pthread_self(), "flvserve-mount");
  g_main_context_push_thread_default(context_);
  pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  GstBus *bus = gst_element_get_bus(pipeline_.get());
  gst_bus_add_watch(bus, on_message, this);
  const bool is_served = make_sink();
  emit({Event::Kind::Served, {}});
  if (is_served)
    open();
  g_main_loop_run(loop_);
  gst_bus_remove_watch(bus);
  gst_object_unref(bus);
  chain_.reset();
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  pipeline_.reset();
  g_main_context_pop_thread_default(context_);
  emit({Event::Kind::Stopped, {}});
}

// The sink listens from READY on, so that the path answers before there is a stream.
bool Mount::make_sink() {
  sink_ = gst_element_factory_make("httpserversink", nullptr);
  gst_bin_add(GST_BIN(pipeline_.get()), sink_);
  g_object_set(sink_, "path", stream_.path.c_str(), nullptr);
  gst_http_server_sink_set_listener(sink_, listener_);
  apply(effective_sink(stream_));
  const gstflv::PadPtr pad(gst_element_get_static_pad(sink_, "sink"));
  gst_pad_add_probe(
      pad.get(),
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      on_data, this, nullptr);
  tap_->attach(pad.get());
  if (gst_element_set_state(pipeline_.get(), GST_STATE_READY) != GST_STATE_CHANGE_FAILURE)
    return true;
  fail("the path cannot be served");
  return false;
}

// Properties that are not set get their default.
void Mount::apply(const std::map<std::string, std::string> &sink) {
  GObject *object = G_OBJECT(sink_);
  for (const std::string &key : sink_keys()) {
    if (const auto value = sink.find(key); value != sink.end()) {
      gst_util_set_object_arg(object, key.c_str(), value->second.c_str());
      continue;
    }
    GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(object), key.c_str());
    g_object_set_property(object, key.c_str(), g_param_spec_get_default_value(spec));
  }
}

void Mount::open() {
  if (std::holds_alternative<Waiting>(state_))
    set_state(Opening{});
  awaits_data_ = true;
  chain_ = std::make_unique<Chain>(pipeline_.get(), sink_, stream_, from_);
  chain_->open();
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    gst_element_post_message(
        pipeline_.get(),
        gst_message_new_application(GST_OBJECT(pipeline_.get()),
                                    gst_structure_new(kFailed, "text", G_TYPE_STRING,
                                                      "the source cannot be opened", nullptr)));
}

GstPadProbeReturn Mount::on_data(GstPad *, GstPadProbeInfo *, gpointer data) {
  auto *self = static_cast<Mount *>(data);
  if (self->awaits_data_.exchange(false))
    gst_element_post_message(self->pipeline_.get(),
                             gst_message_new_application(GST_OBJECT(self->pipeline_.get()),
                                                         gst_structure_new_empty(kStream)));
  return GST_PAD_PROBE_OK;
}

gboolean Mount::on_message(GstBus *, GstMessage *message, gpointer data) {
  static_cast<Mount *>(data)->handle(message);
  return G_SOURCE_CONTINUE;
}

// The messages of a stream that has ended are not handled any more.
void Mount::handle(GstMessage *message) {
  if (!std::holds_alternative<Opening>(state_) && !std::holds_alternative<Running>(state_))
    return;
  switch (GST_MESSAGE_TYPE(message)) {
  case GST_MESSAGE_ERROR:
    fail(text_of(message));
    break;
  case GST_MESSAGE_EOS:
    handle_end();
    break;
  case GST_MESSAGE_APPLICATION: {
    const GstStructure *structure = gst_message_get_structure(message);
    if (gst_structure_has_name(structure, kStream))
      handle_stream();
    else if (gst_structure_has_name(structure, kRound))
      chain_->begin_round();
    else if (gst_structure_has_name(structure, kFailed))
      fail(gst_structure_get_string(structure, "text"));
    break;
  }
  default:
    break;
  }
}

void Mount::handle_stream() {
  if (!std::holds_alternative<Opening>(state_))
    return;
  set_state(Running{});
  delay_ = kFirstDelay;
  emit({Event::Kind::Running, {}});
}

// A file, standard input and a pipeline have an end. The other end of a connection may come back.
void Mount::handle_end() {
  const Source::Kind kind = chain_->kind();
  const bool may_return =
      !from_ ? kind == Source::Kind::Pipe || (kind == Source::Kind::Network && chain_->is_live())
             : true;
  end_stream();
  if (may_return) {
    const bool is_at_once = kind == Source::Kind::Pipe || from_;
    emit({Event::Kind::Failed, "the source has ended"});
    return wait(is_at_once ? kNextWriter : delay_);
  }
  set_state(Ended{});
  emit({Event::Kind::Ended, {}});
}

void Mount::fail(const std::string &text) {
  end_stream();
  emit({Event::Kind::Failed, text});
  wait(delay_);
  delay_ = std::min(delay_ * 2, kLongestDelay);
}

void Mount::wait(unsigned delay) {
  GSource *timer = g_timeout_source_new(delay);
  g_source_set_callback(
      timer,
      [](gpointer self) -> gboolean {
        static_cast<Mount *>(self)->open();
        return G_SOURCE_REMOVE;
      },
      this, nullptr);
  g_source_attach(timer, context_);
  g_source_unref(timer);
  set_state(Waiting{timer});
}

// A sink that is not in PLAYING would hold its EOS until it is.
bool Mount::is_playing() const {
  GstState state = GST_STATE_NULL;
  return gst_element_get_state(sink_, &state, nullptr, kPatience) == GST_STATE_CHANGE_SUCCESS &&
         state == GST_STATE_PLAYING;
}

// Clients get the data that is left, and are closed. From then on, the path answers 503.
void Mount::end_stream() {
  const bool has_stream = std::holds_alternative<Running>(state_) && is_playing();
  if (chain_)
    chain_->close();
  tap_->end();
  if (has_stream) {
    const gstflv::PadPtr pad(gst_element_get_static_pad(sink_, "sink"));
    gst_pad_send_event(pad.get(), gst_event_new_eos());
  }
  gst_element_set_state(pipeline_.get(), GST_STATE_READY);
  chain_.reset();
  GstBus *bus = gst_element_get_bus(pipeline_.get());
  while (GstMessage *message = gst_bus_pop(bus))
    gst_message_unref(message);
  gst_object_unref(bus);
}

void Mount::finish() {
  if (std::holds_alternative<Stopped>(state_))
    return;
  if (auto *waiting = std::get_if<Waiting>(&state_))
    g_source_destroy(waiting->timer);
  end_stream();
  set_state(Stopped{});
  g_main_loop_quit(loop_);
}

} // namespace flvserve
