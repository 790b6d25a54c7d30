// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mpegts_section.h"

#include <algorithm>
#include <array>
#include <utility>

namespace failover {

namespace {

constexpr std::size_t kHeadSize = 3; // table id and length
constexpr std::size_t kCheckSize = 4;

unsigned twelve_bits(Bytes bytes, std::size_t at) {
  return (bytes[at] & 0x0FU) << 8 | bytes[at + 1];
}

unsigned pid_at(Bytes bytes, std::size_t at) {
  return (bytes[at] & 0x1FU) << 8 | bytes[at + 1];
}

bool is_video(std::uint8_t stream_type) {
  // MPEG-1, MPEG-2, MPEG-4, H.264, its scalable and multiview parts, JPEG 2000, H.265, H.266,
  // AVS, AVS2, VC-1.
  constexpr std::array<std::uint8_t, 13> kTypes = {0x01, 0x02, 0x10, 0x1B, 0x1F, 0x20, 0x21,
                                                   0x24, 0x33, 0x42, 0xD2, 0xEA, 0xD1};
  return std::find(kTypes.begin(), kTypes.end(), stream_type) != kTypes.end();
}

} // namespace

bool SectionReader::take(const Packet &packet, Bytes bytes) {
  Bytes payload = packet.payload();
  if (payload.empty())
    return false;
  if (packet.starts_unit()) {
    const std::size_t pointer = payload[0];
    partial_.clear();
    partial_packets_.clear();
    if (pointer + 1 >= payload.size())
      return false;
    payload = payload.subspan(pointer + 1);
  } else if (partial_.empty()) {
    return false;
  }
  partial_.insert(partial_.end(), payload.begin(), payload.end());
  partial_packets_.insert(partial_packets_.end(), bytes.begin(), bytes.end());
  if (partial_.size() < kHeadSize)
    return false;
  const std::size_t size = kHeadSize + twelve_bits(partial_, 1);
  if (size > kMaxSize) {
    partial_.clear();
    return false;
  }
  if (partial_.size() < size)
    return false;
  partial_.resize(size);
  section_ = std::exchange(partial_, {});
  packets_ = std::exchange(partial_packets_, {});
  return true;
}

unsigned map_pid_of(Bytes association) {
  constexpr std::size_t kFirst = 8;
  constexpr std::size_t kEntrySize = 4;
  for (std::size_t at = kFirst; at + kEntrySize + kCheckSize <= association.size();
       at += kEntrySize) {
    const bool is_program = association[at] != 0 || association[at + 1] != 0;
    if (is_program) // program 0 is the network information table
      return pid_at(association, at + 2);
  }
  return 0;
}

Streams streams_of(Bytes map) {
  constexpr std::size_t kFirst = 12;
  constexpr std::size_t kEntrySize = 5;
  Streams streams;
  if (map.size() < kFirst)
    return streams;
  std::size_t at = kFirst + twelve_bits(map, 10);
  while (at + kEntrySize + kCheckSize <= map.size()) {
    (is_video(map[at]) ? streams.video : streams.other).push_back(pid_at(map, at + 1));
    at += kEntrySize + twelve_bits(map, at + 3);
  }
  return streams;
}

} // namespace failover
