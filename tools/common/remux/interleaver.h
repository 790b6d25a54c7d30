// SPDX-License-Identifier: LGPL-2.1-or-later
// Puts the packets of several tracks into the order of their decoding times.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "packet.h"

namespace remux {

// A packet leaves when each track that is not silent has a later one. A track is silent if it is
// behind the others by more than a limit. So a track without media, such as a microphone that is
// off, does not stop the others.
//
// If the times of a track step back, the source has started again. The times continue from the last
// ones. The other tracks follow with the same shift, so the tracks stay in step.
class Interleaver {
public:
  struct Limits {
    std::int64_t span = 0; // ns
    std::size_t size = 0;  // bytes
  };

  explicit Interleaver(const Limits &limits) : limits_(limits) {}

  // Returns the number of the new track.
  std::size_t add_track();
  void push(Packet packet);
  // The track has no packet before this decoding time.
  void note_gap(std::size_t track, std::int64_t dts);
  void finish(std::size_t track);
  void finish_all();

  // Whether no other packet is needed for a decision.
  [[nodiscard]] bool is_decided() const;
  // The next packet. nullopt: it is not decided.
  [[nodiscard]] std::optional<Packet> pop();
  [[nodiscard]] bool has_packet(std::size_t track) const { return !tracks_[track].queue.empty(); }
  [[nodiscard]] bool is_finished() const;
  [[nodiscard]] bool is_over_limits() const;

private:
  struct Queue {
    std::deque<Packet> queue;
    bool finished = false;
    std::optional<std::int64_t> end; // the decoding time of the last packet or gap
    std::size_t shift = 0;           // index in shifts_
  };

  void adjust(Queue &queue, Packet &packet);
  // The track whose next packet is the earliest.
  [[nodiscard]] std::optional<std::size_t> earliest() const;

  Limits limits_;
  std::deque<Queue> tracks_;
  std::vector<std::int64_t> shifts_ = {0}; // ns: one for each start of the source
  std::size_t size_ = 0;                   // bytes in the queues
};

} // namespace remux
