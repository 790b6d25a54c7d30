// SPDX-License-Identifier: LGPL-2.1-or-later
// SeekPlanner: reads the beginning of the file and its keyframe index.
#include "seek_planner.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace flv {

// The whole file needs only the file header. If the file can be read again, the rest of the probe
// serves queries and later starts. Its faults are ignored.
void SeekPlanner::take_opening() {
  const Fault fault = opening_->fault();
  if (opening_->has_header() && is_in_header(settings_, opening_->facts().first_tag()))
    settings_.request.reset();
  if (opening_->has_header() && !needs_index()) {
    if (access_ != Access::Forward && !facts_ && opening_->next_request())
      return;
    stage_ = Stage::Idle;
    if (!opening_->next_request() && !facts_)
      take_facts();
    return;
  }
  if (!opening_->has_header() && opening_->next_request())
    return;
  const bool is_cut = fault.kind == Fault::Kind::Truncated;
  if (is_cut && !opening_->has_header())
    return fail(StartError::Kind::Unreadable,
                "the file is cut off inside its header, of which it has " +
                    std::to_string(fault.value) + " bytes");
  if (fault.kind != Fault::Kind::None && !is_cut)
    return fail(StartError::Kind::NotFlv, describe(fault) + opening_->looks_like());
  if (!opening_->next_request())
    take_facts();
}

void SeekPlanner::take_facts() {
  const Fault fault = opening_->fault();
  facts_ = opening_->take();
  listed_fault_ = "the file has no onMetaData";
  if (fault.kind == Fault::Kind::Truncated) {
    metadata_fault_ = "the file is cut off inside onMetaData, of which it has " +
                      std::to_string(fault.value) + " bytes";
  } else if (facts_->metadata_tag && facts_->metadata_status != Status::Ok) {
    metadata_fault_ = "onMetaData at byte " + std::to_string(facts_->metadata_tag->position) +
                      ", " + std::to_string(facts_->metadata_tag->header.data_size) +
                      " bytes of AMF, cannot be read";
  } else if (facts_->metadata_tag) {
    const IndexFault found = read_keyframe_index(facts_->metadata, file_size_, listed_);
    listed_fault_ = found.kind == IndexFault::Kind::None ? std::string() : describe(found);
    listed_is_wrong_ = !listed_fault_.empty() && found.kind != IndexFault::Kind::Missing &&
                       found.kind != IndexFault::Kind::Empty;
  }
  if (!listed_fault_.empty())
    return take_base();
  base_.emplace(listed_, *facts_, access_ == Access::Anywhere);
  stage_ = Stage::Base;
  if (!base_->next_request())
    take_base();
}

void SeekPlanner::take_base() {
  if (base_)
    rebase(listed_, base_->base());
  if (needs_index())
    return find_index();
  stage_ = Stage::Idle;
  if (listed_fault_.empty()) {
    index_ = listed_;
    index_is_whole_ = true;
  }
}

std::optional<double> SeekPlanner::duration() const {
  if (!facts_)
    return std::nullopt;
  const auto duration = summarize(facts_->metadata).duration;
  const double base = base_ && !base_->next_request() ? base_->base() : 0;
  // Some producers write the last timestamp as the duration.
  const bool is_timestamp =
      duration && base > 0 && !listed_.times.empty() && *duration >= listed_.times.back() + base;
  return is_timestamp ? std::optional(*duration - base) : duration;
}

void SeekPlanner::note(std::string text) {
  notes_.push_back(std::move(text));
}

void SeekPlanner::find_index() {
  const bool is_auto = settings_.index == IndexSource::Auto;
  if (!metadata_fault_.empty()) {
    if (settings_.index == IndexSource::Metadata)
      return fail(StartError::Kind::Unreadable, metadata_fault_);
    if (is_auto || settings_.reinsert.metadata)
      note(metadata_fault_ + "; it is left out");
    return begin_scan();
  }
  // A complete scan is more reliable than the metadata.
  if (settings_.index == IndexSource::Scan || (is_auto && has_scanned_all()))
    return begin_scan();
  if (!listed_fault_.empty() && !is_auto)
    return fail(StartError::Kind::NoIndex, listed_fault_);
  if (listed_is_wrong_)
    return scan_instead(listed_fault_);
  if (!listed_fault_.empty())
    return begin_scan();
  if (is_auto && contradicts_opening(listed_))
    return scan_instead("the keyframe index does not match the file: there is no tag at byte " +
                        std::to_string(listed_.positions.front()));
  index_ = listed_;
  index_is_scanned_ = false;
  index_is_whole_ = true;
  begin_search();
}

// Whether the tags at the beginning of the file show that the index belongs to another file.
bool SeekPlanner::contradicts_opening(const KeyframeIndex &index) const {
  bool any = false;
  for (const std::uint64_t position : index.positions) {
    if (position >= facts_->end)
      break;
    any = true;
    if (std::ranges::binary_search(facts_->tags, position, {}, &SeenTag::position))
      return false;
  }
  return any;
}

void SeekPlanner::scan_instead(std::string why) {
  note(std::move(why) + "; the file's tags are scanned instead");
  begin_scan();
}

void SeekPlanner::begin_scan() {
  if (has_scanned_all())
    return end_scan();
  scan_.emplace(Splitter::Start::File, facts_->first_tag(), file_size_, facts_->stream_ids);
  stage_ = Stage::Scanning;
}

// If the file cannot be read again, or only at a high cost, the scan ends early.
bool SeekPlanner::has_scanned_enough() const {
  const KeyframeIndex &index = scan_->index();
  if (access_ == Access::Anywhere || index.positions.empty() ||
      (has_video() && !scan_->video_seen()))
    return false;
  const auto last_time = static_cast<std::uint64_t>(std::llround(index.times.back() * 1000));
  if (settings_.stop_time && last_time < *settings_.stop_time)
    return false;
  if (is_whole())
    return true;
  const StartRequest &request = *settings_.request;
  const std::uint64_t last =
      request.measure == StartRequest::Measure::Offset ? index.positions.back() : last_time;
  return is_backward() ? last > request.value : last >= request.value;
}

void SeekPlanner::end_scan() {
  index_ = scan_->index();
  index_is_scanned_ = true;
  index_is_whole_ = !scan_->next_request();
  facts_->audio_seen |= scan_->audio_seen();
  facts_->video_seen |= scan_->video_seen();
  facts_->whole |= index_is_whole_;
  if (!index_.positions.empty())
    return begin_search();
  const bool is_cut = opening_ && opening_->fault().kind == Fault::Kind::Truncated;
  if (is_cut)
    return fail(StartError::Kind::Unreadable, metadata_fault_);
  fail(StartError::Kind::NoIndex,
       "there is no key frame among the file's " + std::to_string(scan_->tags()) + " tags");
}

} // namespace flv
