// SPDX-License-Identifier: LGPL-2.1-or-later
// Drops the packets before the start of the output.
#pragma once

#include <optional>
#include <vector>

#include "packet.h"

namespace remux {

// The output starts at the last key frame at or before a position in the source; without video, at
// the last packet. Packets from the key frame on are held until a later packet decides.
//
//    Held -> Open
class StartGate {
public:
  // nullopt: the first key frame. `has_video`: the stream has a video track.
  StartGate(std::optional<std::int64_t> start, bool has_video)
      : start_(start), has_video_(has_video) {}

  // Appends the packets that leave.
  void push(Packet packet, std::vector<Packet> &out);
  // The stream ends: appends the held packets.
  void finish(std::vector<Packet> &out);

private:
  enum class State { Held, Open };

  void open(std::vector<Packet> &out);

  std::optional<std::int64_t> start_;
  bool has_video_;
  State state_ = State::Held;
  std::vector<Packet> held_;
};

} // namespace remux
