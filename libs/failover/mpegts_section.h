// SPDX-License-Identifier: LGPL-2.1-or-later
// Collects the packets of a table of a transport stream: ISO/IEC 13818-1, 2.4.4.
#pragma once

#include "cutter.h"
#include "mpegts_packet.h"

namespace failover {

class SectionReader {
public:
  // Takes a packet of the table. Returns whether it completes a section.
  [[nodiscard]] bool take(const Packet &packet, Bytes bytes);
  // The last complete section, and the packets that carry it.
  [[nodiscard]] Bytes section() const { return section_; }
  [[nodiscard]] const Buffer &packets() const { return packets_; }

private:
  static constexpr std::size_t kMaxSize = 4096; // of a section

  Buffer section_;
  Buffer packets_;
  // The section that is being read.
  Buffer partial_;
  Buffer partial_packets_;
};

// The PID of the first program's map table in a program association section. 0: none.
[[nodiscard]] unsigned map_pid_of(Bytes association);

// The PIDs of the elementary streams in a program map section.
struct Streams {
  std::vector<unsigned> video;
  std::vector<unsigned> other;
};
[[nodiscard]] Streams streams_of(Bytes map);

} // namespace failover
