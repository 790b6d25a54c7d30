// SPDX-License-Identifier: LGPL-2.1-or-later
#include "interleaver.h"

#include <algorithm>
#include <utility>

namespace remux {

namespace {

constexpr std::int64_t kRestart = GST_SECOND;    // a larger step back is a new start
constexpr std::int64_t kStep = 40 * GST_MSECOND; // between the old times and the new ones

} // namespace

std::size_t Interleaver::add_track() {
  tracks_.emplace_back();
  return tracks_.size() - 1;
}

void Interleaver::adjust(Queue &queue, Packet &packet) {
  const auto shifted = [&] { return packet.dts + shifts_[queue.shift]; };
  if (queue.end && shifted() < *queue.end - kRestart) {
    if (queue.shift + 1 == shifts_.size()) {
      std::int64_t end = *queue.end;
      for (const Queue &other : tracks_)
        end = std::max(end, other.end.value_or(end));
      shifts_.push_back(end + kStep - packet.dts);
    }
    ++queue.shift;
  }
  packet.pts += shifts_[queue.shift];
  packet.dts = std::max(shifted(), queue.end.value_or(INT64_MIN));
  packet.pts = std::max(packet.pts, packet.dts);
}

void Interleaver::push(Packet packet) {
  Queue &queue = tracks_[packet.track];
  adjust(queue, packet);
  queue.end = packet.dts;
  size_ += gst_buffer_get_size(packet.buffer.get());
  queue.queue.push_back(std::move(packet));
}

void Interleaver::note_gap(std::size_t track, std::int64_t dts) {
  Queue &queue = tracks_[track];
  if (queue.queue.empty())
    queue.end = std::max(queue.end.value_or(dts), dts + shifts_[queue.shift]);
}

void Interleaver::finish(std::size_t track) {
  tracks_[track].finished = true;
}

void Interleaver::finish_all() {
  for (Queue &queue : tracks_)
    queue.finished = true;
}

std::optional<std::size_t> Interleaver::earliest() const {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    const auto &queue = tracks_[i].queue;
    if (!queue.empty() && (!first || queue.front().dts < tracks_[*first].queue.front().dts))
      first = i;
  }
  return first;
}

bool Interleaver::is_over_limits() const {
  std::int64_t first = INT64_MAX;
  std::int64_t last = INT64_MIN;
  for (const Queue &queue : tracks_) {
    if (queue.queue.empty())
      continue;
    first = std::min(first, queue.queue.front().dts);
    last = std::max(last, queue.queue.back().dts);
  }
  return size_ > limits_.size || (first < last && last - first > limits_.span);
}

bool Interleaver::is_decided() const {
  const auto first = earliest();
  if (!first)
    return false;
  const std::int64_t time = tracks_[*first].queue.front().dts;
  const bool waits = std::ranges::any_of(tracks_, [time](const Queue &queue) {
    return queue.queue.empty() && !queue.finished && queue.end.value_or(INT64_MIN) <= time;
  });
  return !waits || is_over_limits();
}

std::optional<Packet> Interleaver::pop() {
  if (!is_decided())
    return std::nullopt;
  auto &queue = tracks_[*earliest()].queue;
  Packet packet = std::move(queue.front());
  queue.pop_front();
  size_ -= gst_buffer_get_size(packet.buffer.get());
  return packet;
}

bool Interleaver::is_finished() const {
  return std::ranges::all_of(
      tracks_, [](const Queue &queue) { return queue.finished && queue.queue.empty(); });
}

} // namespace remux
