// SPDX-License-Identifier: LGPL-2.1-or-later
#include "meter.h"

#include <algorithm>
#include <cstdint>

#include "flv/format/metadata.h"

namespace bench {

namespace {

// Whether the codec's first frame needs a sequence header for decoding.
bool needs_configuration(bool video, const flv::TagInfo &info) {
  using flv::fourcc;
  constexpr std::uint32_t kAac = 10;
  constexpr std::uint32_t kAvc = 7;
  constexpr std::uint32_t kHevc = 12;
  if (!info.enhanced)
    return video ? info.codec == kAvc || info.codec == kHevc : info.codec == kAac;
  constexpr std::array kSelfContained = {fourcc("vp08"), fourcc("vp09"), fourcc("ac-3"),
                                         fourcc("ec-3"), fourcc(".mp3")};
  return std::find(kSelfContained.begin(), kSelfContained.end(), info.codec) ==
         kSelfContained.end();
}

} // namespace

void Meter::feed(flv::Bytes chunk, Nanoseconds now) {
  now_ = now;
  counts_.bytes += chunk.size();
  held_.insert(held_.end(), chunk.begin(), chunk.end());
  if (splitter_.feed(chunk, items_) == flv::Status::Malformed) {
    // No file header: possibly the middle of a stream.
    first_fault_ = splitter_.fault();
    splitter_.reset(flv::Splitter::Start::Middle);
    (void)splitter_.feed(held_, items_);
  }
  take_items();
  const std::uint64_t keep = splitter_.keep_from();
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(keep - held_from_));
  held_from_ = keep;
}

void Meter::finish() {
  if (splitter_.finish(items_) == flv::Status::Malformed)
    counts_.truncated_bytes = counts_.bytes;
  take_items();
}

void Meter::take_items() {
  for (const flv::Item &item : items_) {
    counts_.wrong_previous_sizes += item.wrong_previous_size;
    switch (item.kind) {
    case flv::Item::Kind::FileHeader:
      if (item.begin == 0)
        start_.file_header = true;
      else
        ++counts_.extra_file_headers;
      timeline_.splice();
      break;
    case flv::Item::Kind::Tag:
      take_tag(item);
      break;
    case flv::Item::Kind::Damage:
      ++counts_.damaged_places;
      if (first_fault_.kind == flv::Fault::Kind::None)
        first_fault_ = item.fault;
      break;
    case flv::Item::Kind::Skipped:
      counts_.skipped_bytes += item.end - item.begin;
      break;
    case flv::Item::Kind::Truncated:
      counts_.truncated_bytes += item.end - item.begin;
      break;
    }
  }
  items_.clear();
}

void Meter::take_tag(const flv::Item &item) {
  const auto begin = static_cast<std::size_t>(item.begin - held_from_);
  const flv::Bytes data =
      flv::Bytes(held_).subspan(begin + flv::kTagHeaderSize, item.tag.data_size);
  if (item.tag.is_script()) {
    ++counts_.script;
    if (points_.empty() && flv::is_on_metadata(data))
      start_.metadata = true;
    return;
  }
  ++(item.tag.type == flv::TagType::Video ? counts_.video : counts_.audio);
  const flv::TagInfo info = flv::classify(item.tag.type, data);
  if (info.role == flv::Role::DecoderConfig) {
    ++counts_.configurations;
    if (info.configuration == flv::DecoderConfigKind::Sequence)
      tracks_[item.tag.type == flv::TagType::Video].configured = true;
    return;
  }
  take_media(item.tag, info);
}

void Meter::take_media(const flv::TagHeader &header, const flv::TagInfo &info) {
  const bool video = header.type == flv::TagType::Video;
  const flv::Timeline::MediaTime place = timeline_.media(
      video ? flv::Timeline::Kind::Video : flv::Timeline::Kind::Audio, header.timestamp);
  counts_.discontinuities += place.discontinuity;
  counts_.key_frames += info.role == flv::Role::KeyFrame;

  Track &track = tracks_[video];
  if (track.started)
    counts_.backward_timestamps += !place.discontinuity && place.time < track.time;
  // A command frame is not a picture: decoding starts after it.
  else if (info.role != flv::Role::Command) {
    track.started = true;
    start_.configuration &= track.configured || !needs_configuration(video, info);
    start_.key_frame &= !video || info.role == flv::Role::KeyFrame;
  }
  track.time = place.time;

  if (points_.empty()) {
    first_arrival_ = now_;
    highest_ = last_time_ = place.time;
  }
  counts_.interleaved_steps_back += !place.discontinuity && place.time < last_time_;
  last_time_ = place.time;
  highest_ = std::max(highest_, place.time);
  points_.push_back({.wall = static_cast<double>(now_ - first_arrival_) / 1e6,
                     .media = static_cast<double>(highest_ - timeline_.first().value_or(0))});
}

} // namespace bench
