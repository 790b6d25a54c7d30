// SPDX-License-Identifier: LGPL-2.1-or-later
// Cuts an MPEG transport stream into packets.
#pragma once

#include "cutter.h"
#include "mpegts_section.h"

namespace failover {

// A stream starts at a video packet with the random access indicator. A stream without video starts
// at any packet that begins a PES packet. If no video packet has the indicator for kMaxTables
// program association tables (at least 10 s in a standard stream), it starts at such a table.
class MpegTsCutter final : public Cutter {
public:
  static constexpr unsigned kMaxTables = 100;

  void begin(Bytes chunk) override;
  // Consecutive packets up to the next start.
  [[nodiscard]] std::optional<Piece> next() override;
  [[nodiscard]] bool is_malformed() const override { return is_malformed_; }
  // The packets of the program association table and of the program map table.
  [[nodiscard]] Buffer header() const override;

private:
  [[nodiscard]] bool sync();
  void take(Bytes bytes, Piece &piece);
  [[nodiscard]] bool is_start(const Packet &packet);
  void note_clock(std::uint64_t clock);

  Buffer bytes_; // not yet cut
  std::size_t at_ = 0;
  SectionReader association_;
  SectionReader map_;
  unsigned map_pid_ = 0;
  Streams streams_;
  unsigned tables_ = 0;              // since the last random access point
  std::optional<std::int64_t> time_; // 1/90000 s, unwrapped
  std::size_t skipped_ = 0;          // bytes in a row without a packet
  bool is_malformed_ = false;
};

} // namespace failover
