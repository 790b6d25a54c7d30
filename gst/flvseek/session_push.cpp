// SPDX-License-Identifier: LGPL-2.1-or-later
// The push mode of a session.
#include "base/log.h"
#include "session.h"

#include <algorithm>
#include <utility>

GST_DEBUG_CATEGORY_EXTERN(gst_flv_seek_debug);
#define GST_CAT_DEFAULT gst_flv_seek_debug

namespace flvseek {

using flv::Access;
using gstflv::BufferPtr;
using gstflv::EventPtr;

namespace {

// Up to this many bytes, it is cheaper to read and drop them than to seek upstream.
constexpr guint64 kReadOn = 256 << 10;

// The maximum number of bytes that are held during the search for the start.
constexpr guint64 kMaxHeld = 64 << 20;

// The maximum number of events that wait for the first segment.
constexpr std::size_t kMaxWaiting = 64;

// Whether another stream may follow a stream that ended with `flow`.
bool is_whole(GstFlowReturn flow) {
  return flow == GST_FLOW_OK || flow == GST_FLOW_EOS;
}

} // namespace

GstFlowReturn Session::take(BufferPtr buffer) {
  find_out_access(true);
  const GstFlowReturn flow = send_or_hold(std::move(buffer));
  // Upstream stops after this error. A queue in between may not report that.
  if (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS) {
    const std::lock_guard lock(deciding_);
    upstream_.end();
  }
  return flow;
}

GstFlowReturn Session::send_or_hold(BufferPtr buffer) {
  const gsize size = gst_buffer_get_size(buffer.get());
  const bool next = writer_.has_begun() && !search_.is_searching() &&
                    push_.begin() == push_.end() && push_.end() == writer_.position();
  if (next) {
    push_.reset(push_.end() + size);
    return writer_.send(std::move(buffer));
  }
  push_.append(std::move(buffer));
  if (search_.is_searching()) {
    const GstFlowReturn flow = look_by_pushing(false);
    if (flow != GST_FLOW_OK)
      return flow == kMore ? GST_FLOW_OK : flow;
  }
  const GstFlowReturn flow = send_held(false);
  return flow == kMore ? GST_FLOW_OK : flow;
}

// Sends the bytes of the stream that have arrived. The bytes before the start are dropped, or
// skipped by a jump.
GstFlowReturn Session::send_held(bool at_end) {
  if (const GstFlowReturn flow = begin(); flow != GST_FLOW_OK)
    return flow;
  if (search_.is_searching()) // a seek has arrived
    return GST_FLOW_OK;
  const guint64 position = writer_.position();
  const bool behind = position < push_.begin();
  if (behind || position > push_.end() + kReadOn) {
    if (access_ == Access::Seekable)
      return jump_to(position, at_end);
    if (behind)
      return cannot_read(position);
  }
  GstFlowReturn flow = GST_FLOW_OK;
  while (flow == GST_FLOW_OK && !search_.is_searching()) { // a seek may arrive meanwhile
    BufferPtr held = push_.take_from(writer_.position());
    if (!held)
      break;
    flow = writer_.send(std::move(held));
  }
  return flow;
}

// Supplies the search with the bytes that have arrived.
GstFlowReturn Session::look_by_pushing(bool at_end) {
  std::unique_lock lock(deciding_);
  while (const auto wanted = planner_->next_request()) {
    const bool gone = wanted->offset < push_.begin();
    const bool far = wanted->offset > push_.end() + kReadOn && !planner_->is_whole();
    if ((gone || far) && access_ == Access::Seekable) {
      lock.unlock();
      return jump_to(wanted->offset, at_end);
    }
    if (gone) {
      planner_->give_nothing();
      continue;
    }
    push_.drop_before(std::min(planner_->keep_from(), wanted->offset));
    if (push_.end() - push_.begin() > kMaxHeld) {
      search_.fail();
      lock.unlock();
      return cannot_hold();
    }
    if (!at_end && push_.end() < wanted->offset + wanted->size)
      return kMore;
    const BufferPtr bytes = push_.read(*wanted);
    planner_->supply(gstflv::MappedBuffer(bytes.get()).bytes());
  }
  return decide();
}

GstFlowReturn Session::cannot_hold() {
  FLV_ELEMENT_ERROR(element_, STREAM, DEMUX,
                    ("More than %" G_GUINT64_FORMAT " bytes follow byte %" G_GUINT64_FORMAT
                     " before it is known whether the stream starts there.",
                     kMaxHeld, push_.begin()),
                    (nullptr));
  return GST_FLOW_ERROR;
}

bool Session::ask_upstream(guint64 position, guint32 seqnum) {
  EventPtr event(gst_event_new_seek(1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                                    static_cast<gint64>(position), GST_SEEK_TYPE_NONE, 0));
  gst_event_set_seqnum(event.get(), seqnum);
  return gst_pad_push_event(sink_pad_, event.release());
}

// Seeks upstream. The flush is not passed downstream.
bool Session::jump(guint64 position) {
  const bool taken = ask_upstream(position, upstream_.begin_jump(position));
  if (!taken)
    upstream_.fail_jump();
  return taken;
}

void Session::continue_after_jump() {
  if (const auto position = upstream_.finish_jump())
    push_.reset(*position);
}

// Upstream answers in this thread, or in its own thread if there is a queue. After EOS, either
// thread stops, even if the answer has restarted it. So after EOS, another thread sends the seek.
GstFlowReturn Session::jump_to(guint64 position, bool at_end) {
  if (at_end) {
    const std::lock_guard lock(deciding_);
    next_jump_ = position;
    gst_element_call_async(
        element_,
        [](GstElement *, gpointer self) { static_cast<Session *>(self)->jump_behind_the_end(); },
        this, nullptr);
    return kMore;
  }
  const std::unique_lock lock(asking_, std::try_to_lock);
  must_jump_ = !lock;
  if (must_jump_) // another thread is seeking: its bytes follow, or have already arrived
    return kMore;
  return jump(position) || GST_PAD_IS_FLUSHING(sink_pad_) ? kMore : cannot_read(position);
}

void Session::jump_behind_the_end() {
  const std::lock_guard asking(asking_);
  std::optional<guint64> position;
  {
    const std::lock_guard lock(deciding_);
    position = std::exchange(next_jump_, std::nullopt);
  }
  if (position && !jump(*position) && !GST_PAD_IS_FLUSHING(sink_pad_))
    (void)cannot_read(*position);
}

gboolean Session::finish(EventPtr end) {
  find_out_access(push_.end() > 0);
  while (true) {
    const GstFlowReturn flow = send_rest();
    if (flow == kMore)
      return FALSE;
    const gboolean taken = is_segment() && is_whole(flow) ? end_segment() : send_end(end.get());
    // A seek may arrive while downstream blocks the EOS.
    const std::lock_guard lock(deciding_);
    if (search_.is_searching() && is_whole(flow))
      continue;
    upstream_.end();
    return taken;
  }
}

GstFlowReturn Session::send_rest() {
  GstFlowReturn flow = GST_FLOW_OK;
  const bool failed = upstream_.has_ended(); // the error is already posted
  do {
    flow = search_.is_searching() ? look_by_pushing(true) : GST_FLOW_OK;
    if (flow == GST_FLOW_OK && (search_.has_found() || must_jump_))
      flow = send_held(true);
    if (flow == GST_FLOW_OK && !failed && !search_.is_searching() &&
        push_.end() < writer_.position())
      flow = cannot_read(push_.end());
  } while (search_.is_searching() && is_whole(flow));
  return flow;
}

// Sends the end with the seqnum of the current stream. Upstream may not know that seek.
gboolean Session::send_end(GstEvent *end) {
  EventPtr event(gst_event_copy(end));
  if (seqnum_ != GST_SEQNUM_INVALID)
    gst_event_set_seqnum(event.get(), seqnum_);
  return gst_pad_push_event(writer_.pad(), event.release());
}

void Session::jumped_to(guint64 position, guint32 seqnum) {
  push_.reset(position);
  must_jump_ = false;
  if (!is_own(seqnum) && search_.seqnum() == GST_SEQNUM_INVALID)
    seqnum_ = seqnum;
}

gboolean Session::send_event(EventPtr event) {
  if (writer_.has_begun() && !search_.is_searching())
    return gst_pad_push_event(writer_.pad(), event.release());
  if (waiting_.size() < kMaxWaiting)
    waiting_.push_back(std::move(event));
  return TRUE;
}

void Session::start_over() {
  const std::lock_guard lock(deciding_);
  writer_.flush();
  upstream_.resume();
  next_jump_.reset();
  if (!planner_)
    return;
  search_.begin_again();
  planner_->look_for(search_.request().start);
}

// A seek to upstream waits for upstream's thread, which a sink may block. So without a flush,
// upstream's thread performs the seek itself when the next bytes arrive. After the end, no bytes
// arrive. Then upstream is flushed, so that it answers. Downstream is flushed only if the seek
// flushes.
bool Session::seek(const Request &request, bool flush, guint32 seqnum) {
  const std::lock_guard asking(asking_);
  std::unique_lock lock(deciding_);
  if (!planner_ || access_ != Access::Seekable || !planner_->can_meet(request.start))
    return false;
  planner_->look_for(request.start);
  const auto wanted = planner_->next_request();
  if (planner_->error().kind != flv::StartError::Kind::None) {
    if (search_.is_searching())
      planner_->look_for(search_.request().start);
    return false;
  }
  const guint64 from = wanted ? wanted->offset : planner_->start().position;
  Search::State before = search_.begin(request, seqnum);
  const bool has_ended = upstream_.has_ended();
  if (!flush && !has_ended)
    return true;
  upstream_.resume();
  lock.unlock();
  if (flush ? ask_upstream(from, seqnum) : jump(from))
    return true;
  lock.lock(); // the seek failed: restores the state
  search_.cancel(seqnum, std::move(before));
  if (has_ended)
    upstream_.end();
  if (search_.is_searching())
    planner_->look_for(search_.request().start);
  return false;
}

} // namespace flvseek
