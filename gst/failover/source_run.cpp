// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source_run.h"

#include <string_view>
#include <thread>

#include <pthread.h>

#include "base/state_change.h"
#include "failover/uri_list.h"

GST_DEBUG_CATEGORY_EXTERN(gst_failover_src_debug);
#define GST_CAT_DEFAULT gst_failover_src_debug

namespace gstfailover {

using failover::Loss;
using gstflv::BufferPtr;
using gstflv::ElementPtr;
using gstflv::PadPtr;

namespace {

// Makes the source report a lost connection instead of hiding it.
void set_defaults(GstElement *source) {
  constexpr std::pair<const char *, const char *> kValues[] = {
      {"retries", "0"},         // souphttpsrc: a retry would continue in the middle of a tag
      {"iradio-mode", "false"}, // souphttpsrc: song titles inside the stream
  };
  for (const auto &[name, value] : kValues) {
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(source), name))
      gst_util_set_object_arg(G_OBJECT(source), name, value);
  }
}

// Error texts of sources can contain the URI.
std::string hide_secrets(std::string text, const std::string &uri) {
  const std::string shown = failover::without_secrets(uri);
  if (shown == uri)
    return text;
  for (std::size_t at = text.find(uri); at != std::string::npos;
       at = text.find(uri, at + shown.size()))
    text.replace(at, uri.size(), shown);
  return text;
}

} // namespace

void SourceRun::start() {
  std::thread([self = shared_from_this()] {
    pthread_setname_np(pthread_self(), "failover-source");
    self->run();
  }).detach();
}

void SourceRun::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, nullptr, "SourceRun", state_, next);
  changed_.notify_all();
}

void SourceRun::stop() {
  const std::lock_guard lock(mutex_);
  if (std::holds_alternative<Starting>(state_) || std::holds_alternative<Running>(state_))
    set_state(Stopping{});
}

bool SourceRun::has_ended() {
  const std::lock_guard lock(mutex_);
  return std::holds_alternative<Ended>(state_);
}

bool SourceRun::is_stopping() {
  const std::lock_guard lock(mutex_);
  return std::holds_alternative<Stopping>(state_);
}

bool SourceRun::wait(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline,
                             [this] { return std::holds_alternative<Ended>(state_); });
}

void SourceRun::wait_for_stop() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return std::holds_alternative<Stopping>(state_); });
}

void SourceRun::run() {
  if (!is_stopping() && open()) {
    const std::lock_guard lock(mutex_);
    if (std::holds_alternative<Starting>(state_))
      set_state(Running{});
  }
  wait_for_stop();
  close();
  const std::lock_guard lock(mutex_);
  set_state(Ended{});
}

void SourceRun::fail(Loss loss, const std::string &text) {
  listener_->fail(loss, hide_secrets(text, uri_));
}

bool SourceRun::open() {
  GError *error = nullptr;
  GstElement *source = gst_element_make_from_uri(GST_URI_SRC, uri_.c_str(), nullptr, &error);
  if (!source) {
    fail(Loss::NoSource, error ? error->message : "no element reads this URI");
    g_clear_error(&error);
    return false;
  }
  pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  gst_bin_add(GST_BIN(pipeline_.get()), source);
  const gstflv::ObjectPtr<GstBus> bus(gst_pipeline_get_bus(GST_PIPELINE(pipeline_.get())));
  gst_bus_set_sync_handler(bus.get(), take_message, this, nullptr);
  set_defaults(source);
  listener_->set_up(source);
  if (!link(source)) {
    fail(Loss::NoSource, std::string(GST_OBJECT_NAME(source)) + " has no source pad");
    return false;
  }
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    fail(Loss::Error, "the source element cannot start"); // usually a message came first
    return false;
  }
  return true;
}

bool SourceRun::link(GstElement *source) {
  const PadPtr output(gst_element_get_static_pad(source, "src"));
  if (!output)
    return false;
  pad_.reset(GST_PAD(gst_object_ref_sink(gst_pad_new("failover", GST_PAD_SINK))));
  gst_pad_set_element_private(pad_.get(), this);
  gst_pad_set_chain_function(pad_.get(), GST_DEBUG_FUNCPTR(chain));
  gst_pad_set_event_function(pad_.get(), GST_DEBUG_FUNCPTR(take_event));
  gst_pad_set_active(pad_.get(), TRUE);
  return gst_pad_link(output.get(), pad_.get()) == GST_PAD_LINK_OK;
}

void SourceRun::close() {
  if (!pipeline_)
    return;
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  if (pad_) {
    gst_pad_set_active(pad_.get(), FALSE);
    if (const PadPtr output(gst_pad_get_peer(pad_.get())); output)
      gst_pad_unlink(output.get(), pad_.get());
  }
  const gstflv::ObjectPtr<GstBus> bus(gst_pipeline_get_bus(GST_PIPELINE(pipeline_.get())));
  gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
  pipeline_.reset();
  pad_.reset();
}

GstFlowReturn SourceRun::take(BufferPtr buffer) {
  if (!is_finite_) {
    gint64 size = 0;
    is_finite_ = gst_pad_peer_query_duration(pad_.get(), GST_FORMAT_BYTES, &size) && size > 0;
  }
  return listener_->take(std::move(buffer), *is_finite_);
}

GstFlowReturn SourceRun::chain(GstPad *pad, GstObject *, GstBuffer *buffer) noexcept {
  return static_cast<SourceRun *>(gst_pad_get_element_private(pad))->take(BufferPtr(buffer));
}

gboolean SourceRun::take_event(GstPad *pad, GstObject *, GstEvent *event) noexcept {
  const gstflv::EventPtr owned(event);
  auto *run = static_cast<SourceRun *>(gst_pad_get_element_private(pad));
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
    run->listener_->end(run->is_finite_.value_or(false));
  return TRUE;
}

// All messages end here: the application learns of errors by the messages of failoversrc.
GstBusSyncReply SourceRun::take_message(GstBus *, GstMessage *message, gpointer data) noexcept {
  auto *run = static_cast<SourceRun *>(data);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError *error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    run->fail(Loss::Error, error->message);
    g_clear_error(&error);
  }
  gst_message_unref(message);
  return GST_BUS_DROP;
}

} // namespace gstfailover
