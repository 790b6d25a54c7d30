// SPDX-License-Identifier: LGPL-2.1-or-later
#include "engine.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <pthread.h>

#include "base/state_change.h"
#include "caps.h"
#include "failover/uri_list.h"

GST_DEBUG_CATEGORY_EXTERN(gst_failover_src_debug);
#define GST_CAT_DEFAULT gst_failover_src_debug

namespace gstfailover {

using failover::Action;
using failover::Buffer;
using failover::Index;
using failover::Loss;
using failover::Piece;
using failover::Settings;
using failover::Supervisor;
using failover::Time;
using gstflv::BufferPtr;

namespace {

double random_share() {
  return g_random_double();
}

} // namespace

// --- Feed ---

void Feed::set_up(GstElement *source) {
  engine_->set_up(*this, source);
}

GstFlowReturn Feed::take(BufferPtr buffer, bool is_finite) {
  return engine_->take(*this, std::move(buffer), is_finite);
}

void Feed::end(bool is_finite) {
  engine_->end(*this, is_finite);
}

void Feed::fail(Loss loss, const std::string &text) {
  engine_->fail(*this, loss, text);
}

// --- Start and stop ---

// The pipeline's clock can belong to an audio sink, and stands still without data.
Engine::Engine(GstElement *element, const std::vector<std::string> &uris, const Settings &settings,
               failover::ContainerSet accepted)
    : element_(element), clock_(gst_system_clock_obtain()),
      supervisor_(uris.size(), settings, random_share), slots_(uris.size()), accepted_(accepted) {
  for (std::size_t i = 0; i < uris.size(); i++)
    slots_[i].uri = uris[i];
}

void Engine::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, element_, "Engine", state_, next);
}

Time Engine::now() const {
  return static_cast<Time>(gst_clock_get_time(clock_.get()) / GST_MSECOND);
}

void Engine::start() {
  const std::lock_guard lock(mutex_);
  set_state(Running{});
  supervisor_.start(now());
  act();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "failoversrc");
    run();
  });
}

void Engine::stop() {
  std::vector<std::shared_ptr<SourceRun>> ending;
  {
    const std::lock_guard lock(mutex_);
    if (std::holds_alternative<Stopped>(state_))
      return;
    set_state(Stopped{});
    for (Index index = 0; index < slots_.size(); index++) {
      stop_source(index);
      std::move(slots_[index].ending.begin(), slots_[index].ending.end(),
                std::back_inserter(ending));
      slots_[index].ending.clear();
    }
    output_.clear();
    wake();
    data_.notify_all();
    space_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
  constexpr std::chrono::milliseconds kPatience(1000);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  const auto hanging = std::count_if(ending.begin(), ending.end(), [deadline](const auto &source) {
    return !source->wait(deadline);
  });
  if (hanging > 0)
    GST_WARNING_OBJECT(element_, "%d sources hang; their threads end when the sources return",
                       static_cast<int>(hanging));
}

// --- The streaming thread of the element ---

GstFlowReturn Engine::pop(Packet &packet) {
  Lock lock(mutex_);
  data_.wait(lock, [this] { return is_flushing_ || !is_running() || !output_.is_empty(); });
  if (is_flushing_ || !is_running())
    return GST_FLOW_FLUSHING;
  packet = output_.pop();
  space_.notify_all();
  return GST_FLOW_OK;
}

void Engine::set_flushing(bool is_flushing) {
  const std::lock_guard lock(mutex_);
  is_flushing_ = is_flushing;
  data_.notify_all();
}

bool Engine::is_stopped() {
  const std::lock_guard lock(mutex_);
  return std::holds_alternative<Stopped>(state_);
}

// --- Any thread ---

void Engine::set_settings(const Settings &settings) {
  const std::lock_guard lock(mutex_);
  supervisor_.set_settings(settings);
  if (is_running())
    wake();
}

void Engine::set_demand(bool is_wanted) {
  const std::lock_guard lock(mutex_);
  if (!is_running())
    return;
  supervisor_.set_demand(is_wanted, now());
  act();
}

bool Engine::request(guint index) {
  const std::lock_guard lock(mutex_);
  if (!is_running() || !supervisor_.request(index, now()))
    return false;
  GST_INFO_OBJECT(element_, "source %u was requested", index);
  act();
  return true;
}

// --- The engine's thread ---

void Engine::run() {
  Lock lock(mutex_);
  while (is_running()) {
    supervisor_.update(now());
    act();
    space_.notify_all();
    if (reports_.empty())
      wait_for_deadline(lock);
    else
      report(lock);
  }
}

std::optional<Time> Engine::next_deadline() const {
  const auto next = supervisor_.next_deadline(now());
  return next && due_ ? std::min(*next, *due_) : due_ ? due_ : next;
}

void Engine::wait_for_deadline(Lock &lock) {
  armed_ = next_deadline();
  if (!armed_) {
    wake_.wait(lock); // a spurious wakeup does no harm
    return;
  }
  const gstflv::ClockIdPtr id(
      gst_clock_new_single_shot_id(clock_.get(), static_cast<GstClockTime>(*armed_) * GST_MSECOND));
  wait_ = id.get();
  lock.unlock();
  gst_clock_id_wait(id.get(), nullptr);
  lock.lock();
  wait_ = nullptr;
  armed_.reset();
}

void Engine::wake() {
  if (wait_)
    gst_clock_id_unschedule(wait_);
  wake_.notify_all();
}

// --- Actions ---

void Engine::act() {
  for (auto actions = supervisor_.take_actions(); !actions.empty();
       actions = supervisor_.take_actions()) {
    for (Action &action : actions) {
      if (const auto *start = std::get_if<failover::StartSource>(&action))
        start_source(start->index);
      else if (const auto *stop = std::get_if<failover::StopSource>(&action))
        stop_source(stop->index);
      else
        reports_.push_back(std::move(action));
    }
    space_.notify_all(); // a source that is held may go on now
  }
  const auto next = next_deadline();
  if (!reports_.empty() || (next && (!armed_ || *next < *armed_)))
    wake();
}

bool Engine::hangs_too_often(Slot &slot) {
  std::erase_if(slot.ending, [](const auto &run) { return run->has_ended(); });
  return slot.ending.size() >= kMaxHanging;
}

void Engine::start_source(Index index) {
  Slot &slot = slots_[index];
  if (hangs_too_often(slot))
    return supervisor_.note_lost(index, Loss::Error, "earlier attempts still hang", now());
  GST_DEBUG_OBJECT(element_, "source %u starts: %s", static_cast<guint>(index),
                   failover::without_secrets(slot.uri).c_str());
  slot.feed = std::make_shared<Feed>(shared_from_this(), index);
  slot.run = std::make_shared<SourceRun>(slot.uri, slot.feed);
  slot.run->start();
}

void Engine::stop_source(Index index) {
  Slot &slot = slots_[index];
  if (!slot.feed)
    return;
  GST_DEBUG_OBJECT(element_, "source %u stops", static_cast<guint>(index));
  if (output_feed_ == slot.feed.get()) {
    output_feed_ = nullptr;
    due_.reset();
  }
  slot.run->stop();
  slot.ending.push_back(std::move(slot.run));
  slot.run = nullptr;
  slot.feed = nullptr;
  space_.notify_all();
}

// --- The sources' threads ---

void Engine::set_up(const Feed &feed, GstElement *source) {
  gstflv::ElementPtr element;
  {
    const std::lock_guard lock(mutex_);
    if (!is_current(feed))
      return;
    element.reset(GST_ELEMENT(gst_object_ref(element_)));
  }
  g_signal_emit_by_name(element.get(), "source-setup", source);
}

struct Engine::Batch {
  Buffer bytes;
  bool begins_with_start = false;
};

GstFlowReturn Engine::take(Feed &feed, BufferPtr buffer, bool is_finite) {
  const gstflv::MappedBuffer mapped(buffer.get());
  Lock lock(mutex_);
  if (!is_current(feed))
    return GST_FLOW_FLUSHING;
  const Index index = feed.index();
  supervisor_.note_bytes(index, now());
  slots_[index].bytes += mapped.bytes().size();
  feed.reader().begin(mapped.bytes());
  if (!is_wrong_type(feed))
    take_pieces(lock, feed, is_finite);
  if (is_current(feed)) {
    if (const std::string *failure = feed.reader().failure())
      supervisor_.note_lost(index, Loss::WrongType, *failure, now());
    else if (is_wrong_type(feed))
      supervisor_.note_lost(index, Loss::WrongType,
                            std::string("the source sends ") +
                                failover::name_of(*feed.reader().container()) + ", not " +
                                failover::names_of(accepted_),
                            now());
  }
  act();
  return is_current(feed) ? GST_FLOW_OK : GST_FLOW_FLUSHING;
}

bool Engine::is_wrong_type(Feed &feed) const {
  const auto container = feed.reader().container();
  return container && !accepted_.contains(*container);
}

void Engine::take_pieces(Lock &lock, Feed &feed, bool is_finite) {
  Batch batch;
  while (is_current(feed)) {
    std::optional<Piece> piece = feed.reader().next();
    if (!piece)
      break;
    take_piece(lock, feed, std::move(*piece), is_finite, batch);
  }
  send(lock, feed, batch);
}

void Engine::take_piece(Lock &lock, Feed &feed, Piece piece, bool is_finite, Batch &batch) {
  const Index index = feed.index();
  bool begins_with_start = false;
  if (piece.time)
    supervisor_.note_media(index, now(), *piece.time);
  else if (feed.reader().container() == failover::Container::MpegTs)
    supervisor_.note_untimed_media(index, now());
  if (piece.is_start) {
    supervisor_.note_start_point(index, now());
    act();
    if (output_feed_ == &feed) {
      send(lock, feed, batch);
    } else {
      const auto is_due = [&] { return supervisor_.wants_output(index, now()); };
      if (is_finite) // a file waits at its start
        block(lock, feed, is_due);
      if (is_current(feed) && !is_wrong_type(feed) && is_due())
        begin_output(feed);
    }
    begins_with_start = true;
  }
  if (output_feed_ == &feed && is_finite && piece.time)
    pace(lock, feed, *piece.time, batch);
  if (output_feed_ != &feed)
    return;
  batch.begins_with_start |= begins_with_start;
  batch.bytes.insert(batch.bytes.end(), piece.bytes.begin(), piece.bytes.end());
}

void Engine::begin_output(Feed &feed) {
  const Index index = feed.index();
  const auto in_use = supervisor_.in_use();
  if (in_use && *in_use != index)
    output_.clear();
  const failover::Container container = *feed.reader().container();
  accepted_ = failover::ContainerSet::only(container);
  output_.push(feed.reader().prefix(), GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_HEADER,
               caps_of(container, feed.reader().header()));
  output_feed_ = &feed;
  supervisor_.note_output(index, now());
  act();
  data_.notify_all();
}

// A file leaves in real time.
void Engine::pace(Lock &lock, Feed &feed, std::int64_t media, Batch &batch) {
  const Time due = feed.pace().due(now(), media);
  if (due <= now())
    return;
  send(lock, feed, batch);
  if (!is_current(feed))
    return;
  due_ = due;
  act();
  block(lock, feed, [this, due] { return now() >= due; });
  if (is_current(feed))
    due_.reset();
}

void Engine::send(Lock &lock, const Feed &feed, Batch &batch) {
  if (batch.bytes.empty())
    return;
  block(lock, feed, [this] { return !output_.is_full(); });
  if (output_feed_ == &feed) {
    output_.push(std::exchange(batch.bytes, {}),
                 batch.begins_with_start ? 0 : GST_BUFFER_FLAG_DELTA_UNIT);
    data_.notify_all();
  }
  batch = {};
}

// Waits until the condition is true, or the source is stopped.
template <typename Condition>
void Engine::block(Lock &lock, const Feed &feed, Condition condition) {
  if (!is_current(feed) || condition())
    return;
  supervisor_.note_blocked(feed.index(), true, now());
  space_.wait(lock, [&] { return !is_current(feed) || condition(); });
  if (!is_current(feed))
    return;
  supervisor_.note_blocked(feed.index(), false, now());
  act();
}

void Engine::end(Feed &feed, bool is_finite) {
  const std::lock_guard lock(mutex_);
  if (!is_current(feed))
    return;
  const Index index = feed.index();
  if (is_finite && output_feed_ == &feed)
    supervisor_.note_repeat(index, now());
  else if (feed.reader().is_undecided())
    supervisor_.note_lost(index, Loss::WrongType, "the source sends an unknown format", now());
  else
    supervisor_.note_lost(index, Loss::Ended, "the stream ended", now());
  act();
}

void Engine::fail(const Feed &feed, Loss loss, const std::string &text) {
  const std::lock_guard lock(mutex_);
  if (!is_current(feed))
    return;
  supervisor_.note_lost(feed.index(), loss, text, now());
  act();
}

} // namespace gstfailover
