// SPDX-License-Identifier: LGPL-2.1-or-later
#include "rebaser.h"

#include <algorithm>

#include "flv/format/tag.h"

namespace fanout {

void Rebaser::resume_at(const Entry &entry) {
  if (!enabled_)
    return;
  const std::int64_t decode_time =
      std::max(latest_time_, latest_presentation_ - entry.composition_time) + kStep;
  base_ = entry.time - (latest_time_ < 0 ? 0 : decode_time);
  floor_ = entry.time;
}

void Rebaser::note_sent(const Entry &entry) {
  if (!enabled_)
    return;
  latest_time_ = std::max(latest_time_, time_of(entry));
  latest_presentation_ = std::max(latest_presentation_, time_of(entry) + entry.composition_time);
}

std::int64_t Rebaser::time_of(const Entry &entry) const {
  return std::max(entry.time, floor_) - base_;
}

std::uint32_t Rebaser::timestamp_of(const Entry &entry) const {
  flv::TagHeader header;
  if (!enabled_ && flv::read_tag_header(entry.bytes.data(), flv::kMaxDataSize, header).kind ==
                       flv::Fault::Kind::None)
    return header.timestamp;
  return static_cast<std::uint32_t>(time_of(entry));
}

} // namespace fanout
