// SPDX-License-Identifier: LGPL-2.1-or-later
#include "start_gate.h"

#include <algorithm>
#include <utility>

namespace remux {

void StartGate::open(std::vector<Packet> &out) {
  state_ = State::Open;
  std::ranges::move(held_, std::back_inserter(out));
  held_.clear();
}

void StartGate::push(Packet packet, std::vector<Packet> &out) {
  if (state_ == State::Open || !start_) {
    state_ = State::Open;
    out.push_back(std::move(packet));
    return;
  }
  const bool is_start = packet.key && (packet.is_picture || !has_video_);
  const bool is_later = packet.position > *start_;
  // A key frame after the start decides, and so does any picture or sound after it. Audio that is
  // interleaved before its pictures does not.
  if (is_later && !held_.empty() && (packet.is_picture || !has_video_)) {
    open(out);
    out.push_back(std::move(packet));
    return;
  }
  if (is_start) {
    // Audio that is decoded with the key frame was interleaved before it.
    const std::int64_t time = packet.pts;
    std::erase_if(held_, [time](const Packet &held) { return held.is_picture || held.pts < time; });
  } else if (has_video_ && packet.is_picture && held_.empty()) {
    return;
  }
  held_.push_back(std::move(packet));
  if (is_start && is_later)
    open(out);
}

void StartGate::finish(std::vector<Packet> &out) {
  open(out);
}

} // namespace remux
