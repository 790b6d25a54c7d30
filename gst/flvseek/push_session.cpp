// SPDX-License-Identifier: LGPL-2.1-or-later
#include "push_session.h"

#include "base/state_change.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_seek_debug);
#define GST_CAT_DEFAULT gst_flv_seek_debug

namespace flvseek {

void PushSession::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, element_, "PushSession", state_, next);
}

void PushSession::reset() {
  const std::lock_guard lock(mutex_);
  seqnum_ = GST_SEQNUM_INVALID;
  if (!std::holds_alternative<Unknown>(state_))
    set_state(Unknown{});
}

void PushSession::start() {
  const std::lock_guard lock(mutex_);
  set_state(Flowing{});
}

guint32 PushSession::begin_jump(guint64 position) {
  const std::lock_guard lock(mutex_);
  seqnum_ = gst_util_seqnum_next();
  set_state(Jumping{position});
  return seqnum_;
}

void PushSession::fail_jump() {
  const std::lock_guard lock(mutex_);
  if (std::holds_alternative<Jumping>(state_))
    set_state(Flowing{});
}

std::optional<guint64> PushSession::finish_jump() {
  const std::lock_guard lock(mutex_);
  const auto *jumping = std::get_if<Jumping>(&state_);
  if (!jumping)
    return std::nullopt;
  const guint64 position = jumping->position;
  set_state(Flowing{});
  return position;
}

bool PushSession::is_own(guint32 seqnum) const {
  const std::lock_guard lock(mutex_);
  return seqnum == seqnum_;
}

void PushSession::end() {
  const std::lock_guard lock(mutex_);
  if (!std::holds_alternative<Ended>(state_))
    set_state(Ended{});
}

void PushSession::resume() {
  const std::lock_guard lock(mutex_);
  if (std::holds_alternative<Ended>(state_))
    set_state(Flowing{});
}

} // namespace flvseek
