// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mpegts_cutter.h"

#include <algorithm>

#include "container.h"

namespace failover {

namespace {

constexpr unsigned kAssociationPid = 0;
constexpr std::int64_t kTicksPerMs = 90;

bool contains(const std::vector<unsigned> &pids, unsigned pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

} // namespace

void MpegTsCutter::begin(Bytes chunk) {
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  bytes_.insert(bytes_.end(), chunk.begin(), chunk.end());
}

// Goes to the next packet. Returns whether the whole packet is there.
bool MpegTsCutter::sync() {
  constexpr std::size_t kMaxSkipped = 1 << 20; // bytes
  const Bytes left = Bytes(bytes_).subspan(at_);
  if (left.size() < kPacketSize)
    return false;
  if (left[0] == kSyncByte) {
    skipped_ = 0;
    return true;
  }
  constexpr std::size_t kSure = 3;
  const std::size_t step =
      find_packet(left, kSure)
          .value_or(left.size() > kSure * kPacketSize ? left.size() - kSure * kPacketSize : 0);
  at_ += step;
  skipped_ += step;
  is_malformed_ |= skipped_ > kMaxSkipped;
  return step > 0 && !is_malformed_ && bytes_[at_] == kSyncByte &&
         bytes_.size() - at_ >= kPacketSize;
}

std::optional<Piece> MpegTsCutter::next() {
  Piece piece;
  while (sync()) {
    const Bytes bytes = Bytes(bytes_).subspan(at_, kPacketSize);
    const bool starts = is_start(Packet(bytes));
    if (starts && !piece.bytes.empty())
      break; // the next piece begins with this packet
    if (starts) {
      piece.is_start = true;
      tables_ = 0;
    }
    take(bytes, piece);
    at_ += kPacketSize;
  }
  if (piece.bytes.empty())
    return std::nullopt;
  piece.is_dependent = !piece.is_start;
  if (time_)
    piece.time = *time_ / kTicksPerMs;
  return piece;
}

void MpegTsCutter::take(Bytes bytes, Piece &piece) {
  const Packet packet(bytes);
  piece.bytes.insert(piece.bytes.end(), bytes.begin(), bytes.end());
  if (const auto clock = packet.clock())
    note_clock(*clock);
  if (packet.pid() == kAssociationPid) {
    if (packet.starts_unit())
      tables_++;
    if (association_.take(packet, bytes))
      map_pid_ = map_pid_of(association_.section());
  } else if (packet.pid() == map_pid_ && map_.take(packet, bytes)) {
    streams_ = streams_of(map_.section());
  }
}

bool MpegTsCutter::is_start(const Packet &packet) {
  if (map_.packets().empty())
    return false;
  if (packet.pid() == kAssociationPid)
    return packet.starts_unit() && tables_ >= kMaxTables;
  const std::vector<unsigned> &pids = streams_.video.empty() ? streams_.other : streams_.video;
  return packet.starts_unit() && contains(pids, packet.pid()) &&
         (streams_.video.empty() || packet.is_random_access());
}

// The clock has 33 bits.
void MpegTsCutter::note_clock(std::uint64_t clock) {
  constexpr std::int64_t kWrap = std::int64_t{1} << 33;
  const auto now = static_cast<std::int64_t>(clock);
  if (!time_) {
    time_ = now;
    return;
  }
  std::int64_t step = (now - *time_) % kWrap;
  if (step < -kWrap / 2)
    step += kWrap;
  else if (step > kWrap / 2)
    step -= kWrap;
  *time_ += step;
}

Buffer MpegTsCutter::header() const {
  Buffer header = association_.packets();
  header.insert(header.end(), map_.packets().begin(), map_.packets().end());
  return header;
}

} // namespace failover
