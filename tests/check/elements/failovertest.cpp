// SPDX-License-Identifier: LGPL-2.1-or-later
#include "failovertest.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include <gst/base/gstpushsrc.h>

#include "watched.h"

using namespace flvtest;

namespace failovertest {

namespace {

constexpr GstClockTime kStart = GST_SECOND; // the time of the test clock at the start

struct Fakes {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<Fake>> by_name;
};

Line *current_line = nullptr;

Fakes &fakes() {
  static auto *all = new Fakes; // threads that hang at the end of the program use it
  return *all;
}

} // namespace

void wait_for(const std::function<bool()> &condition, const char *what) {
  const std::chrono::seconds kHangs(is_watched() ? 60 : 15);
  constexpr gulong kPoll = 200; // us
  const auto deadline = std::chrono::steady_clock::now() + kHangs;
  while (!condition()) {
    if (current_line)
      current_line->run_due();
    fail_if(std::chrono::steady_clock::now() > deadline, "%s", what);
    g_usleep(kPoll);
  }
}

// --- Fake ---

Fake &Fake::named(const std::string &name) {
  const std::lock_guard lock(fakes().mutex);
  auto &fake = fakes().by_name[name];
  if (!fake)
    fake = std::make_unique<Fake>();
  return *fake;
}

void Fake::set_mode(Mode mode) {
  const std::lock_guard lock(mutex_);
  mode_ = mode;
}

void Fake::set_finite(bool is_finite) {
  const std::lock_guard lock(mutex_);
  is_finite_ = is_finite;
}

void Fake::set_opening(Buffer bytes) {
  const std::lock_guard lock(mutex_);
  opening_ = std::move(bytes);
}

void Fake::send(Bytes bytes) {
  const std::lock_guard lock(mutex_);
  items_.emplace_back(Buffer(bytes.begin(), bytes.end()));
  changed_.notify_all();
}

void Fake::end() {
  const std::lock_guard lock(mutex_);
  items_.emplace_back(End{});
  changed_.notify_all();
}

void Fake::reset(const std::string &text) {
  const std::lock_guard lock(mutex_);
  items_.emplace_back(Failure{text});
  changed_.notify_all();
}

void Fake::release() {
  const std::lock_guard lock(mutex_);
  releases_++;
  changed_.notify_all();
}

std::size_t Fake::starts() {
  const std::lock_guard lock(mutex_);
  return starts_;
}

std::size_t Fake::running() {
  const std::lock_guard lock(mutex_);
  return running_;
}

bool Fake::is_drained() {
  const std::lock_guard lock(mutex_);
  return items_.empty() && waiting_ > 0;
}

bool Fake::is_finite() {
  const std::lock_guard lock(mutex_);
  return is_finite_;
}

bool Fake::start(std::string &problem) {
  std::unique_lock lock(mutex_);
  starts_++;
  if (mode_ == Mode::Refuses) {
    problem = "Not Found";
    return false;
  }
  if (mode_ == Mode::HangsInStart) {
    const std::size_t releases = releases_;
    changed_.wait(lock, [&] { return releases_ != releases; });
    return false;
  }
  running_++;
  if (!opening_.empty())
    items_.emplace_front(opening_);
  return true;
}

void Fake::stop() {
  const std::lock_guard lock(mutex_);
  running_--;
  items_.clear();
}

std::optional<Fake::Item> Fake::next(const bool &is_flushing) {
  std::unique_lock lock(mutex_);
  waiting_++;
  const std::size_t releases = releases_;
  changed_.wait(lock, [&] {
    if (mode_ == Mode::IgnoresUnlock)
      return releases_ != releases;
    return is_flushing || !items_.empty();
  });
  waiting_--;
  if (items_.empty() || is_flushing)
    return std::nullopt;
  Item item = std::move(items_.front());
  items_.pop_front();
  return item;
}

void Fake::flush(bool &is_flushing, bool value) {
  const std::lock_guard lock(mutex_);
  is_flushing = value;
  changed_.notify_all();
}

} // namespace failovertest

// --- The source element ---

using failovertest::Fake;

struct FakeSrc {
  GstPushSrc parent;
  Fake *fake;
  gchar *uri;
  bool is_flushing; // guarded by the fake
};
struct FakeSrcClass {
  GstPushSrcClass parent;
};

static void fake_src_handler_init(gpointer interface, gpointer);

G_DEFINE_TYPE_WITH_CODE(FakeSrc, fake_src, GST_TYPE_PUSH_SRC,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, fake_src_handler_init))

static FakeSrc *fake_src(gpointer object) {
  return static_cast<FakeSrc *>(object);
}

static gboolean fake_src_start(GstBaseSrc *source) {
  std::string problem;
  if (fake_src(source)->fake->start(problem))
    return TRUE;
  if (!problem.empty())
    GST_ELEMENT_ERROR(source, RESOURCE, NOT_FOUND, ("%s", problem.c_str()), (nullptr));
  return FALSE;
}

static gboolean fake_src_stop(GstBaseSrc *source) {
  fake_src(source)->fake->stop();
  return TRUE;
}

static gboolean fake_src_unlock(GstBaseSrc *source) {
  fake_src(source)->fake->flush(fake_src(source)->is_flushing, true);
  return TRUE;
}

static gboolean fake_src_unlock_stop(GstBaseSrc *source) {
  fake_src(source)->fake->flush(fake_src(source)->is_flushing, false);
  return TRUE;
}

static gboolean fake_src_get_size(GstBaseSrc *source, guint64 *size) {
  constexpr guint64 kSize = 1 << 30;
  *size = kSize;
  return fake_src(source)->fake->is_finite();
}

static GstFlowReturn fake_src_create(GstPushSrc *source, GstBuffer **buffer) {
  FakeSrc *self = fake_src(source);
  const auto item = self->fake->next(self->is_flushing);
  if (!item)
    return GST_FLOW_FLUSHING;
  if (const auto *bytes = std::get_if<flvtest::Buffer>(&*item)) {
    *buffer = gst_buffer_new_memdup(bytes->data(), bytes->size());
    return GST_FLOW_OK;
  }
  if (const auto *failure = std::get_if<Fake::Failure>(&*item)) {
    GST_ELEMENT_ERROR(source, RESOURCE, READ, ("%s", failure->text.c_str()), (nullptr));
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_EOS;
}

static void fake_src_finalize(GObject *object) {
  g_free(fake_src(object)->uri);
  G_OBJECT_CLASS(fake_src_parent_class)->finalize(object);
}

static void fake_src_class_init(FakeSrcClass *klass) {
  static GstStaticPadTemplate source_template =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  auto *base = GST_BASE_SRC_CLASS(klass);
  base->start = fake_src_start;
  base->stop = fake_src_stop;
  base->unlock = fake_src_unlock;
  base->unlock_stop = fake_src_unlock_stop;
  base->get_size = fake_src_get_size;
  GST_PUSH_SRC_CLASS(klass)->create = fake_src_create;
  G_OBJECT_CLASS(klass)->finalize = fake_src_finalize;
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &source_template);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Fake", "Source", "Fake", "Test");
}

static void fake_src_init(FakeSrc *) {}

static GstURIType fake_src_uri_type(GType) {
  return GST_URI_SRC;
}

static const gchar *const *fake_src_protocols(GType) {
  static const gchar *const kProtocols[] = {"fake", nullptr};
  return kProtocols;
}

static gchar *fake_src_get_uri(GstURIHandler *handler) {
  return g_strdup(fake_src(handler)->uri);
}

static gboolean fake_src_set_uri(GstURIHandler *handler, const gchar *uri, GError **) {
  constexpr const char *kPrefix = "fake://";
  const std::string name(uri + std::string(kPrefix).size());
  // Credentials and a query do not belong to the name.
  const std::size_t at = name.find('@');
  const std::string rest = name.substr(at == std::string::npos ? 0 : at + 1);
  fake_src(handler)->fake = &Fake::named(rest.substr(0, rest.find('?')));
  fake_src(handler)->uri = g_strdup(uri);
  return TRUE;
}

static void fake_src_handler_init(gpointer interface, gpointer) {
  auto *handler = static_cast<GstURIHandlerInterface *>(interface);
  handler->get_type = fake_src_uri_type;
  handler->get_protocols = fake_src_protocols;
  handler->get_uri = fake_src_get_uri;
  handler->set_uri = fake_src_set_uri;
}

namespace failovertest {

// --- Live ---

Buffer Live::header() const {
  Stream stream;
  stream.header(false, true).metadata({{"variant", {static_cast<double>(variant_)}}});
  stream.video(start_, avc_config(variant_));
  return stream.bytes;
}

Buffer Live::frame(std::uint32_t number) const {
  constexpr std::uint32_t kFrame = 40; // ms
  const bool key = is_key(number);
  return whole_tag(TagType::Video, start_ + number * kFrame,
                   avc_frame(key, key ? 400 : 100, number * 7 + variant_));
}

Buffer Live::frames(std::uint32_t first, std::uint32_t end) const {
  Buffer bytes;
  for (std::uint32_t number = first; number < end; ++number)
    append(bytes, frame(number));
  return bytes;
}

// --- Line ---

Line::Line(const std::string &properties, GstState state, const std::string &caps)
    : clock_(GST_TEST_CLOCK(gst_test_clock_new_with_start_time(kStart))) {
  static const bool is_registered =
      gst_element_register(nullptr, "fakeurisrc", GST_RANK_PRIMARY, fake_src_get_type());
  fail_unless(is_registered);
  gst_system_clock_set_default(GST_CLOCK(clock_.get()));
  GError *error = nullptr;
  element_.reset(GST_ELEMENT(
      gst_object_ref_sink(gst_parse_launch(("failoversrc " + properties).c_str(), &error))));
  fail_unless(error == nullptr, "%s", error ? error->message : "");
  bus_ = gst_bus_new();
  gst_bus_set_sync_handler(bus_, take_message, this, nullptr);
  gst_element_set_bus(element(), bus_);

  const CapsPtr accepted(gst_caps_from_string(caps.c_str()));
  const gstflv::ObjectPtr<GstPadTemplate> pad_template(GST_PAD_TEMPLATE(gst_object_ref_sink(
      gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, accepted.get()))));
  pad_ = GST_PAD(gst_object_ref_sink(gst_pad_new_from_template(pad_template.get(), "sink")));
  gst_pad_set_element_private(pad_, this);
  gst_pad_set_chain_function(pad_, chain);
  gst_pad_set_event_function(pad_, take_event);
  const gstflv::PadPtr source(gst_element_get_static_pad(element(), "src"));
  fail_unless(gst_pad_link(source.get(), pad_) == GST_PAD_LINK_OK);
  gst_pad_set_active(pad_, TRUE);
  current_line = this;
  if (state != GST_STATE_NULL)
    set_state(state);
}

Line::~Line() {
  current_line = nullptr;
  block(false);
  set_state(GST_STATE_NULL);
  gst_pad_set_active(pad_, FALSE);
  fail_unless(errors_.empty(), "%s", errors_.empty() ? "" : errors_.front().c_str());
  fail_unless(warnings_.empty(), "%s", warnings_.empty() ? "" : warnings_.front().c_str());
  gst_element_set_bus(element(), nullptr);
  element_.reset();
  gst_object_unref(pad_);
  gst_object_unref(bus_);
  gst_system_clock_set_default(nullptr);
}

guint64 Line::now() const {
  return (gst_clock_get_time(GST_CLOCK(clock_.get())) - kStart) / GST_MSECOND;
}

// The engine's wait. nullptr: it does not wait for a time.
GstClockID Line::next_wait() const {
  GstClockID id = nullptr;
  return gst_test_clock_peek_next_pending_id(clock_.get(), &id) ? id : nullptr;
}

void Line::process_wait(GstClockID id) {
  const GstClockTime time = gst_clock_id_get_time(id);
  if (time > gst_clock_get_time(GST_CLOCK(clock_.get())))
    gst_test_clock_set_time(clock_.get(), time);
  const gstflv::ClockIdPtr done(gst_test_clock_process_next_clock_id(clock_.get()));
}

void Line::run_until(const std::function<bool()> &condition, guint64 limit) {
  constexpr int kPatience = 50; // polls: an engine that does not wait may be about to
  constexpr int kSettled = 3;   // polls
  constexpr gulong kPoll = 200; // us
  const GstClockTime end = kStart + limit * GST_MSECOND;
  for (int polls = 0; polls < kPatience && !condition();) {
    const gstflv::ClockIdPtr id(next_wait());
    if (!id) {
      polls++;
      g_usleep(kPoll);
    } else if (gst_clock_id_get_time(id.get()) > end) {
      polls += kPatience / kSettled;
      g_usleep(kPoll);
    } else {
      polls = 0;
      process_wait(id.get());
      g_usleep(kPoll);
    }
  }
}

void Line::run_due() {
  const gstflv::ClockIdPtr id(next_wait());
  if (id && gst_clock_id_get_time(id.get()) <= gst_clock_get_time(GST_CLOCK(clock_.get())))
    process_wait(id.get());
}

void Line::advance(guint64 ms) {
  const guint64 end = now() + ms;
  run_until([] { return false; }, end);
  if (now() < end)
    gst_test_clock_set_time(clock_.get(), kStart + end * GST_MSECOND);
}

void Line::run_to_next_attempt(Fake &fake, std::size_t index, guint64 ms) {
  wait_for([&] { return source_stat(index, "state") == "waiting"; }, "the source is not lost");
  const std::size_t starts = fake.starts();
  const std::string attempts = source_stat(index, "attempts");
  run_until([&] { return source_stat(index, "attempts") != attempts; }, now() + ms);
  wait_for([&] { return fake.starts() > starts; }, "no attempt");
}

static bool is_over(Fake &fake) {
  return fake.starts() > 0 && fake.running() == 0;
}

void Line::play(const std::vector<std::pair<Fake *, Live>> &streams, std::uint32_t first,
                std::uint32_t end) {
  for (std::uint32_t number = first; number < end; ++number) {
    for (const auto &[fake, live] : streams) {
      if (is_over(*fake))
        continue;
      fake->send(live.frame(number));
      wait_for([&fake = fake] { return fake->is_drained() || is_over(*fake); },
               "the source is blocked");
    }
    advance(40);
  }
}

void Line::play(Fake &fake, const Live &live, std::uint32_t first, std::uint32_t end) {
  play({{&fake, live}}, first, end);
}

// --- Messages ---

GstBusSyncReply Line::take_message(GstBus *, GstMessage *message, gpointer data) {
  auto *line = static_cast<Line *>(data);
  const std::lock_guard lock(line->mutex_);
  GError *error = nullptr;
  switch (GST_MESSAGE_TYPE(message)) {
  case GST_MESSAGE_ERROR:
    gst_message_parse_error(message, &error, nullptr);
    line->errors_.emplace_back(error->message);
    break;
  case GST_MESSAGE_WARNING:
    gst_message_parse_warning(message, &error, nullptr);
    line->warnings_.emplace_back(error->message);
    break;
  case GST_MESSAGE_ELEMENT: {
    const GstStructure *fields = gst_message_get_structure(message);
    guint index = 0;
    gst_structure_get_uint(fields, "index", &index);
    std::string text = std::string(gst_structure_get_name(fields)).substr(sizeof "source");
    text += " " + std::to_string(index);
    if (const char *reason = gst_structure_get_string(fields, "reason"))
      text.append(" ").append(reason);
    line->messages_.push_back({text, StructurePtr(gst_structure_copy(fields)), line->now()});
    break;
  }
  default:
    break;
  }
  g_clear_error(&error);
  gst_message_unref(message);
  return GST_BUS_DROP;
}

std::string Line::messages() {
  const std::lock_guard lock(mutex_);
  std::string all;
  for (const Message &message : messages_)
    all.append(all.empty() ? "" : ", ").append(message.text);
  return all;
}

bool Line::has(const std::string &message) {
  const std::lock_guard lock(mutex_);
  return std::any_of(messages_.begin(), messages_.end(),
                     [&](const Message &each) { return each.text == message; });
}

void Line::wait_for_message(const std::string &message) {
  wait_for([&] { return has(message); }, message.c_str());
}

guint64 Line::time_of(const std::string &message) {
  wait_for_message(message);
  const std::lock_guard lock(mutex_);
  return std::find_if(messages_.begin(), messages_.end(),
                      [&](const Message &each) { return each.text == message; })
      ->time;
}

StructurePtr Line::fields_of(const std::string &message) {
  wait_for_message(message);
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(messages_.begin(), messages_.end(),
                                  [&](const Message &each) { return each.text == message; });
  return StructurePtr(gst_structure_copy(found->fields.get()));
}

std::string Line::error() {
  const std::lock_guard lock(mutex_);
  if (errors_.empty())
    return {};
  const std::string text = errors_.front();
  errors_.erase(errors_.begin());
  return text;
}

std::string Line::warning() {
  const std::lock_guard lock(mutex_);
  if (warnings_.empty())
    return {};
  const std::string text = warnings_.front();
  warnings_.erase(warnings_.begin());
  return text;
}

// --- Output ---

GstFlowReturn Line::chain(GstPad *pad, GstObject *, GstBuffer *raw) {
  auto *line = static_cast<Line *>(gst_pad_get_element_private(pad));
  const BufferPtr buffer(raw);
  std::unique_lock lock(line->mutex_);
  line->unblocked_.wait(lock, [line] { return !line->is_blocked_; });
  const gstflv::MappedBuffer mapped(raw);
  line->arrivals_.push_back(
      {Buffer(mapped.bytes().begin(), mapped.bytes().end()), GST_BUFFER_FLAGS(raw), line->caps_});
  return GST_FLOW_OK;
}

gboolean Line::take_event(GstPad *pad, GstObject *, GstEvent *event) {
  auto *line = static_cast<Line *>(gst_pad_get_element_private(pad));
  const std::lock_guard lock(line->mutex_);
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
    GstCaps *caps = nullptr;
    gst_event_parse_caps(event, &caps);
    line->caps_ = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    line->ends_++;
  }
  gst_event_unref(event);
  return TRUE;
}

std::vector<Arrival> Line::arrivals() {
  const std::lock_guard lock(mutex_);
  return arrivals_;
}

Buffer Line::output() {
  Buffer bytes;
  for (const Arrival &arrival : arrivals())
    append(bytes, arrival.bytes);
  return bytes;
}

std::vector<Buffer> Line::parts() {
  std::vector<Buffer> parts;
  for (const Arrival &arrival : arrivals()) {
    if (arrival.is_discont() || parts.empty())
      parts.emplace_back();
    append(parts.back(), arrival.bytes);
  }
  return parts;
}

void Line::wait_for_size(std::size_t size) {
  wait_for([&] { return output().size() >= size; }, "the output is too short");
}

void Line::block(bool is_blocked) {
  const std::lock_guard lock(mutex_);
  is_blocked_ = is_blocked;
  unblocked_.notify_all();
}

std::size_t Line::ends() {
  const std::lock_guard lock(mutex_);
  return ends_;
}

StructurePtr Line::stats() const {
  GstStructure *stats = nullptr;
  g_object_get(element(), "stats", &stats, nullptr);
  return StructurePtr(stats);
}

std::string Line::source_stat(std::size_t index, const char *field) const {
  const StructurePtr all = stats();
  const GValue *list = gst_structure_get_value(all.get(), "sources");
  const GValue *value = gst_value_array_get_value(list, static_cast<guint>(index));
  const GValue *found = gst_structure_get_value(gst_value_get_structure(value), field);
  fail_unless(found != nullptr, "no statistic %s", field);
  if (G_VALUE_HOLDS_STRING(found))
    return g_value_get_string(found);
  const gstflv::StringPtr text(gst_value_serialize(found));
  return text.get();
}

void assert_bytes(Bytes got, Bytes expected) {
  const auto [a, b] = std::mismatch(got.begin(), got.end(), expected.begin(), expected.end());
  fail_unless(a == got.end() && b == expected.end(), "%zu bytes, %zu expected, different at %zu",
              got.size(), expected.size(), static_cast<std::size_t>(a - got.begin()));
}

void assert_same(const std::string &got, const std::string &expected) {
  fail_unless(got == expected, "\"%s\" instead of \"%s\"", got.c_str(), expected.c_str());
}

} // namespace failovertest
