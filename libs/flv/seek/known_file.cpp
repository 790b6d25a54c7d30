// SPDX-License-Identifier: LGPL-2.1-or-later
#include "known_file.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace flv {

namespace {

constexpr double kMaxTime = 1e12; // s

// Whether all places before the requested value are excluded.
bool excludes_earlier(Snap snap) {
  return snap == Snap::Next || snap == Snap::Exact;
}

} // namespace

bool is_in_header(const StartSettings &settings, std::uint64_t first_tag) {
  return settings.request && settings.request->measure == StartRequest::Measure::Offset &&
         settings.request->value < first_tag;
}

void KnownFile::note_probe(FileProbe &probe) {
  const Fault fault = probe.fault();
  facts_ = probe.take();
  if (fault.kind == Fault::Kind::Truncated) {
    listed_.kind = Listed::Kind::Truncated;
    listed_.fault = "the file is cut off inside onMetaData, of which it has " +
                    std::to_string(fault.value) + " bytes";
  } else if (!facts_->metadata_tag) {
    listed_.fault = "the file has no onMetaData";
  } else if (facts_->metadata_status != Status::Ok) {
    listed_.kind = Listed::Kind::Unreadable;
    listed_.fault = "onMetaData at byte " + std::to_string(facts_->metadata_tag->position) + ", " +
                    std::to_string(facts_->metadata_tag->header.data_size) +
                    " bytes of AMF, cannot be read";
  } else {
    const IndexFault found = read_keyframe_index(facts_->metadata, size_, listed_.index);
    if (found.kind == IndexFault::Kind::None) {
      listed_.kind = Listed::Kind::Usable;
      return;
    }
    listed_.fault = describe(found);
    if (found.kind != IndexFault::Kind::Missing && found.kind != IndexFault::Kind::Empty)
      listed_.kind = Listed::Kind::Invalid;
  }
}

void KnownFile::note_base(double base) {
  base_ = base;
  rebase(listed_.index, base);
}

void KnownFile::note_scan(IndexScan scan) {
  scan_ = std::move(scan);
  use_ = Use::Scanned;
  facts_->audio_seen |= scan_->audio_seen();
  facts_->video_seen |= scan_->video_seen();
  if (has_scanned_all())
    facts_->extent = FileFacts::Extent::Whole;
}

const KeyframeIndex &KnownFile::index() const {
  static const KeyframeIndex kEmpty;
  switch (use_) {
  case Use::None:
    break;
  case Use::Metadata:
    return listed_.index;
  case Use::Scanned:
    return scan_->index();
  }
  return kEmpty;
}

StreamHeader KnownFile::head_before(std::uint64_t before) const {
  StreamHeader head;
  for (const PlacedTag &tag : facts_->configurations) {
    if (tag.position < before)
      head.note(tag.header, classify(tag.header.type, tag.data()), tag.bytes);
  }
  return head;
}

bool KnownFile::contradicts_listed() const {
  bool any = false;
  for (const std::uint64_t position : listed_.index.positions) {
    if (position >= facts_->end)
      break;
    any = true;
    if (std::ranges::binary_search(facts_->tags, position, {}, &SeenTag::position))
      return false;
  }
  return any;
}

std::optional<double> KnownFile::duration() const {
  if (!facts_)
    return std::nullopt;
  const auto duration = summarize(facts_->metadata).duration;
  // Some producers write the last timestamp as the duration.
  const bool is_timestamp = duration && base_ > 0 && !listed_.index.times.empty() &&
                            *duration >= listed_.index.times.back() + base_;
  return is_timestamp ? std::optional(*duration - base_) : duration;
}

// An entry can point to the configuration before the keyframe.
std::uint64_t KnownFile::time_in_index(std::uint64_t position) const {
  const auto &[positions, times] = index();
  const auto next = std::ranges::upper_bound(positions, position);
  if (next == positions.begin())
    return 0;
  const auto entry = static_cast<std::size_t>(next - positions.begin()) - 1;
  return static_cast<std::uint64_t>(std::llround(std::min(times[entry], kMaxTime) * 1000));
}

std::int64_t KnownFile::time_in_tag(std::uint32_t timestamp, std::uint64_t near) const {
  const std::uint32_t since_first = timestamp - facts_->first_timestamp().value_or(0);
  const auto step = static_cast<std::int32_t>(since_first - static_cast<std::uint32_t>(near));
  return static_cast<std::int64_t>(near) + step;
}

bool KnownFile::can_meet(const StartSettings &settings) const {
  if (!settings.request && !settings.stop_time)
    return true;
  const StartRequest request = settings.request.value_or(StartRequest());
  if (request.measure == StartRequest::Measure::Offset && excludes_earlier(request.snap) &&
      size_ > 0 && request.value >= size_)
    return false;
  if (!facts_ || is_in_header(settings, facts_->first_tag()))
    return true;
  if (settings.index == IndexSource::Auto && has_scanned_all())
    return might_start(settings, scan_->index(), true);
  const bool is_usable = settings.index != IndexSource::Scan && listed_.is_usable();
  if (settings.index == IndexSource::Metadata && !is_usable)
    return false;
  // With Auto, an index that no keyframe has confirmed excludes no start, because a scan may
  // replace it.
  if (is_usable)
    return (settings.index == IndexSource::Auto && listed_.kind != Listed::Kind::Confirmed) ||
           might_start(settings, listed_.index, false);
  return !has_scanned_all() || might_start(settings, scan_->index(), true);
}

bool KnownFile::might_start(const StartSettings &settings, const KeyframeIndex &index,
                            bool is_scanned) const {
  if (!settings.request || index.positions.empty())
    return !index.positions.empty();
  const StartSearch search(index, *settings.request, has_video(), size_, is_scanned,
                           facts_->stream_ids);
  const std::uint64_t stop =
      settings.stop_time ? offset_of(*settings.stop_time, index) : settings.stop;
  return !search.is_hopeless() && (stop == 0 || !excludes_earlier(settings.request->snap) ||
                                   search.next_request()->offset < stop);
}

} // namespace flv
