// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pacetest.h"

#include <algorithm>

#include "pusher.h"
#include "sinklog.h"

namespace pacetest {

Pace::Pace(const std::string &properties, GstState state) {
  build(properties, "sink");
  if (state != GST_STATE_PLAYING) {
    // A harness starts an element in PLAYING.
    set_state(GST_STATE_READY);
    set_state(state);
  }
  if (state != GST_STATE_READY) {
    const GstSegment segment = bytes_segment();
    gst_pad_push_event(upstream(), gst_event_new_stream_start("pacetest"));
    gst_pad_push_event(upstream(), gst_event_new_segment(&segment));
  }
  settle();
  (void)order();
}

Pace::Pace(const std::string &properties, Unlinked) {
  build(properties, nullptr);
  set_state(GST_STATE_READY);
  (void)order();
}

void Pace::build(const std::string &properties, const char *sink_pad) {
  static GstStaticPadTemplate source =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  static GstStaticPadTemplate sink =
      GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GError *error = nullptr;
  GstElement *element = gst_parse_launch(("flvpace " + properties).c_str(), &error);
  fail_unless(element != nullptr && error == nullptr, "flvpace %s: %s", properties.c_str(),
              error ? error->message : "");
  gst_object_ref_sink(element);
  bus_ = gst_bus_new();
  gst_element_set_bus(element, bus_);
  harness_ = gst_harness_new_full(element, &source, sink_pad, &sink, "src");
  gst_object_unref(element);
  clock_ = gst_harness_get_testclock(harness_);
  gst_harness_set_live(harness_, FALSE);
  log_ = std::make_unique<SinkLog>(downstream(), this->element(), clock_);
  pusher_ = std::make_unique<Pusher>(upstream());
}

Pace::~Pace() {
  set_state(GST_STATE_NULL);
  pusher_.reset();
  log_.reset();
  const Problem left = problem();
  gst_element_set_bus(element(), nullptr);
  gst_object_unref(bus_);
  gst_object_unref(clock_);
  gst_harness_teardown(harness_);
  fail_if(left.found, "unexpected message: %s", left.text.c_str());
}

// --- Upstream ---

void Pace::push(Bytes data, std::size_t chunk) {
  if (chunk == 0)
    chunk = std::max<std::size_t>(data.size(), 1);
  for (std::size_t offset = 0; offset < data.size(); offset += chunk) {
    const Bytes piece = data.subspan(offset, std::min(chunk, data.size() - offset));
    push_buffer(gst_buffer_new_memdup(piece.data(), piece.size()));
  }
}

void Pace::push_buffer(GstBuffer *buffer) {
  pusher_->add(BufferPtr(buffer));
}

void Pace::push_event(GstEvent *event) {
  pusher_->add(EventPtr(event));
}

GstFlowReturn Pace::flow() {
  settle();
  return pusher_->flow();
}

EventPtr Pace::upstream_event(GstEventType type) {
  EventPtr last;
  while (GstEvent *event = gst_harness_try_pull_upstream_event(harness_)) {
    EventPtr owned(event);
    if (GST_EVENT_TYPE(event) == type)
      last = std::move(owned);
  }
  return last;
}

void Pace::flush_start() {
  gst_pad_push_event(upstream(), gst_event_new_flush_start());
  wait_for([this] { return idle(); });
}

void Pace::flush_stop(const GstSegment *segment) {
  const GstSegment from_start = bytes_segment();
  gst_pad_push_event(upstream(), gst_event_new_flush_stop(TRUE));
  gst_element_set_base_time(element(), now());
  gst_pad_push_event(upstream(), gst_event_new_segment(segment ? segment : &from_start));
}

// --- Time ---

bool Pace::idle() {
  return pusher_->idle();
}

bool is_short() {
  return g_getenv("FLV_TEST_SHORT") != nullptr;
}

bool next_wait(GstTestClock *clock, GstClockTime &time) {
  GstClockID id = nullptr;
  if (!gst_test_clock_peek_next_pending_id(clock, &id))
    return false;
  const gstflv::ClockIdPtr owned(id);
  time = gst_clock_id_get_time(id);
  if (time > gst_clock_get_time(GST_CLOCK(clock)))
    return true;
  const GList due{.data = id, .next = nullptr, .prev = nullptr};
  gst_test_clock_process_id_list(clock, &due);
  return false;
}

bool Pace::settled() {
  GstClockTime time = 0;
  return idle() || next_wait(clock_, time);
}

void Pace::settle() {
  wait_for([this] { return settled(); });
}

void Pace::wait_for(const std::function<bool()> &condition) {
  constexpr gint64 kPoll = 50;              // µs
  constexpr gint64 kHangs = 60 * 1'000'000; // µs; valgrind is slow
  const gint64 start = g_get_monotonic_time();
  while (!condition()) {
    fail_if(g_get_monotonic_time() - start > kHangs, "nothing moves");
    g_usleep(kPoll);
  }
}

bool Pace::stays_blocked() {
  const std::size_t before = count();
  for (int turn = 0; turn < 100; ++turn) {
    if (idle() || count() != before)
      return false;
    g_usleep(200);
  }
  return true;
}

void Pace::run_until(guint64 ms) {
  const GstClockTime target = ms * GST_MSECOND;
  settle();
  GstClockTime time = 0;
  while (next_wait(clock_, time) && time <= target) {
    gst_test_clock_set_time(clock_, time);
    settle();
  }
  if (target > now())
    gst_test_clock_set_time(clock_, target);
  settle();
}

void Pace::run() {
  GstClockTime time = 0;
  for (settle(); !idle(); settle()) {
    if (next_wait(clock_, time))
      gst_test_clock_set_time(clock_, time);
  }
}

std::string Pace::waits_until() {
  settle();
  GstClockTime time = 0;
  return next_wait(clock_, time) ? milliseconds(time) : "";
}

void Pace::advance(guint64 ms) {
  gst_test_clock_advance_time(clock_, static_cast<GstClockTimeDiff>(ms * GST_MSECOND));
}

GstClockTime Pace::now() const {
  return gst_clock_get_time(GST_CLOCK(clock_));
}

// --- State ---

void Pace::set_state(GstState state) {
  const GstStateChangeReturn result = gst_element_set_state(element(), state);
  fail_unless(result == GST_STATE_CHANGE_SUCCESS || result == GST_STATE_CHANGE_NO_PREROLL,
              "to %s: %s", gst_element_state_get_name(state),
              gst_element_state_change_return_get_name(result));
}

void Pace::pause() {
  set_state(GST_STATE_PAUSED);
  paused_at_ = now() - gst_element_get_base_time(element());
}

void Pace::resume() {
  gst_element_set_base_time(element(), now() - paused_at_);
  set_state(GST_STATE_PLAYING);
}

namespace {

using StructurePtr = gstflv::StructurePtr;

StructurePtr stats_of(GstElement *element) {
  GstStructure *stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  fail_unless(stats != nullptr, "no stats");
  return StructurePtr(stats);
}

} // namespace

guint64 Pace::stat(const char *field) const {
  guint64 value = 0;
  fail_unless(gst_structure_get_uint64(stats_of(element()).get(), field, &value), "no %s", field);
  return value;
}

gint64 Pace::lead() const {
  gint64 value = 0;
  fail_unless(gst_structure_get_int64(stats_of(element()).get(), "lead", &value), "no lead");
  return value;
}

// --- Downstream ---

Arrivals Pace::take() {
  return log_->take();
}

std::size_t Pace::count() const {
  return log_->count();
}

std::string Pace::order() {
  return log_->order();
}

EventPtr Pace::last_event(GstEventType type) const {
  return log_->last_event(type);
}

std::size_t Pace::count_events(GstEventType type) const {
  return log_->count_events(type);
}

void Pace::set_sink(Sink sink) {
  log_->set_sink(std::move(sink));
}

void Pace::block_sink(std::size_t index, guint64 ms) {
  set_sink([this, index, ms](std::size_t at) {
    if (at == index)
      advance(ms);
    return GST_FLOW_OK;
  });
}

// --- Messages ---

std::string Pace::element_messages() {
  std::string text;
  while (GstMessage *message = gst_bus_pop_filtered(bus_, GST_MESSAGE_ELEMENT)) {
    const GstStructure *structure = gst_message_get_structure(message);
    text += text.empty() ? "" : "; ";
    text += gst_structure_get_name(structure);
    for (gint i = 0; i < gst_structure_n_fields(structure); ++i) {
      const gchar *field = gst_structure_nth_field_name(structure, static_cast<guint>(i));
      const gstflv::StringPtr value(gst_value_serialize(gst_structure_get_value(structure, field)));
      text += std::string(" ") + field + "=" + value.get();
    }
    gst_message_unref(message);
  }
  return text;
}

Problem Pace::problem() {
  Problem problem;
  GstMessage *message = gst_bus_pop_filtered(
      bus_, static_cast<GstMessageType>(GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
  if (!message)
    return problem;
  GError *error = nullptr;
  gchar *debug = nullptr;
  problem.found = true;
  problem.error = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
  if (problem.error)
    gst_message_parse_error(message, &error, &debug);
  else
    gst_message_parse_warning(message, &error, &debug);
  problem.domain = error->domain;
  problem.code = error->code;
  problem.text = error->message;
  g_clear_error(&error);
  g_free(debug);
  gst_message_unref(message);
  return problem;
}

} // namespace pacetest
