// SPDX-License-Identifier: LGPL-2.1-or-later
// SeekPlanner: finds the start point, or shows that there is none.
#include "seek_planner.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace flv {

namespace {

// Bytes before the place that are read for configurations if seeks are expensive.
constexpr std::uint64_t kInFront = 64 << 10;
// ms: producers list times that differ from the tag's timestamp by up to this.
constexpr std::int64_t kMaxDelay = 1000;
// ms: an index with a larger difference is wrong.
constexpr std::int64_t kWrongTime = 5000;
constexpr double kMaxTime = 1e12; // s

// Whether all places before the requested value are excluded.
bool goes_on(Snap snap) {
  return snap == Snap::Next || snap == Snap::Exact;
}

} // namespace

bool SeekPlanner::can_meet(const StartSettings &settings) const {
  if (!settings.request && !settings.stop_time)
    return true;
  const StartRequest request = settings.request.value_or(StartRequest());
  if (request.measure == StartRequest::Measure::Offset && goes_on(request.snap) && file_size_ > 0 &&
      request.value >= file_size_)
    return false;
  if (!facts_ || is_in_header(settings, facts_->first_tag()))
    return true;
  if (settings.index == IndexSource::Auto && has_scanned_all())
    return might_start(settings, scan_->index(), true);
  const bool is_usable =
      settings.index != IndexSource::Scan && listed_fault_.empty() && metadata_fault_.empty();
  if (settings.index == IndexSource::Metadata && !is_usable)
    return false;
  // With Auto, an index that no keyframe has confirmed excludes no start, because a scan may
  // replace it.
  if (is_usable)
    return (settings.index == IndexSource::Auto && !metadata_holds_) ||
           might_start(settings, listed_, false);
  return !has_scanned_all() || might_start(settings, scan_->index(), true);
}

bool SeekPlanner::might_start(const StartSettings &settings, const KeyframeIndex &index,
                              bool is_scanned) const {
  if (!settings.request || index.positions.empty())
    return !index.positions.empty();
  const StartSearch search(index, *settings.request, has_video(), file_size_, is_scanned,
                           facts_->stream_ids);
  const std::uint64_t stop =
      settings.stop_time ? offset_of(*settings.stop_time, index) : settings.stop;
  return !search.is_hopeless() &&
         (stop == 0 || !goes_on(settings.request->snap) || search.next_request()->offset < stop);
}

void SeekPlanner::begin_search() {
  if (settings_.stop_time)
    settings_.stop = offset_of(*settings_.stop_time, index_);
  start_.stop = settings_.stop;
  if (is_whole())
    stage_ = Stage::Idle;
  else
    find_place();
}

void SeekPlanner::find_place() {
  if (access_ != Access::Anywhere)
    return begin_forward_search();
  search_at_once();
}

void SeekPlanner::search_at_once() {
  search_ = std::make_unique<StartSearch>(index_, *settings_.request, has_video(), file_size_,
                                          index_is_scanned_, facts_->stream_ids);
  stage_ = Stage::Searching;
  if (!search_->next_request())
    end_search(*search_);
}

void SeekPlanner::begin_forward_search() {
  const StartRequest &request = *settings_.request;
  const StreamIds &ids = facts_->stream_ids;
  const StartSearch preview(index_, request, has_video(), file_size_, index_is_scanned_, ids);
  if (!preview.next_request())
    return end_search(preview);
  const std::uint64_t candidate = preview.next_request()->offset;
  const auto search = [&](IndexScan scan, StreamHeader before) {
    forward_ =
        std::make_unique<ForwardSearch>(index_, request, has_video(), file_size_, std::move(scan),
                                        std::move(before), index_is_scanned_, ids);
    stage_ = Stage::Forward;
  };
  if (index_is_scanned_ && scan_->last_tag() == candidate)
    return search(*scan_, {});
  for (const auto &[position, head] : heads_) {
    if (index_is_scanned_ && position == candidate)
      return search({Splitter::Start::File, candidate, file_size_, ids}, head);
  }
  // The scan has the positions of the configurations.
  if (index_is_scanned_ && access_ == Access::Seekable)
    return search_at_once();
  // Entries before the candidate may have to be checked after their bytes have passed.
  if (candidate < facts_->end || access_ == Access::Forward)
    return search({Splitter::Start::File, facts_->first_tag(), file_size_, ids}, {});
  StreamHeader before = opening_head(candidate);
  if (access_ == Access::Seekable && candidate - facts_->end > kInFront)
    return search({Splitter::Start::Middle, candidate - kInFront, file_size_, ids},
                  std::move(before));
  search({Splitter::Start::File, facts_->end, file_size_, ids}, std::move(before));
}

void SeekPlanner::end_forward_search() {
  if (forward_->next_request())
    return;
  head_ = forward_->head();
  end_search(forward_->search());
}

void SeekPlanner::end_search(const StartSearch &search) {
  if (!search.place()) {
    const StartFault &fault = search.fault();
    const bool mismatch = fault.kind == StartFault::Kind::Mismatch;
    if (mismatch && may_scan_instead())
      return scan_instead(describe(fault));
    return fail(mismatch ? StartError::Kind::Mismatch : StartError::Kind::Place, describe(fault));
  }
  place_ = *search.place();
  start_.time = time_in_index(place_.position);
  if (!index_is_scanned_) {
    const std::int64_t in_tag = time_in_tag(start_.time);
    const auto listed = static_cast<std::int64_t>(start_.time);
    const std::int64_t difference = std::abs(in_tag - listed);
    if (settings_.request->measure == StartRequest::Measure::Time && difference > kWrongTime &&
        may_scan_instead())
      return scan_instead("the keyframe index gives byte " + std::to_string(place_.position) +
                          " the time " + std::to_string(listed) + " ms, and the tag there has " +
                          std::to_string(in_tag) + " ms");
    if (difference <= kMaxDelay)
      start_.time = static_cast<std::uint64_t>(std::max<std::int64_t>(in_tag, 0));
    metadata_holds_ = true;
  }
  rejected_ = search.rejected();
  part_.begin = place_.position;
  if (settings_.stop > 0 && settings_.stop <= place_.position)
    return fail(StartError::Kind::Stop, "it would stop at byte " + std::to_string(settings_.stop) +
                                            ", before it starts at byte " +
                                            std::to_string(place_.position));
  look_for_configurations();
}

bool SeekPlanner::may_scan_instead() const {
  return settings_.index == IndexSource::Auto && !index_is_scanned_ && access_ != Access::Forward;
}

// The time of the last entry at or before `position`. An entry can point to the configuration
// before the keyframe.
std::uint64_t SeekPlanner::time_in_index(std::uint64_t position) const {
  const auto next = std::ranges::upper_bound(index_.positions, position);
  if (next == index_.positions.begin())
    return 0;
  const auto entry = static_cast<std::size_t>(next - index_.positions.begin()) - 1;
  return static_cast<std::uint64_t>(std::llround(std::min(index_.times[entry], kMaxTime) * 1000));
}

// Of the times that the 32-bit timestamp allows, the one nearest to `near` (ms).
std::int64_t SeekPlanner::time_in_tag(std::uint64_t near) const {
  const std::uint32_t since_first = place_.timestamp - facts_->first_timestamp().value_or(0);
  const auto step = static_cast<std::int32_t>(since_first - static_cast<std::uint32_t>(near));
  return static_cast<std::int64_t>(near) + step;
}

} // namespace flv
