// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seek_planner.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace flv {

namespace {

// The maximum number of scanned configurations that are read again, the last ones first.
constexpr std::size_t kMaxConfigurations = 256;
// Bytes. Used if entries cannot be checked. Some indexes list the end-of-sequence tag at the end of
// the file, and no keyframe is this small.
constexpr double kLastTag = 64;
// The maximum number of tags from a keyframe to the tag at which the stream stops.
constexpr std::uint64_t kMaxTagsToStop = 20'000;

} // namespace

void SeekPlanner::look_for(const StartSettings &settings) {
  settings_ = settings;
  start_ = {};
  start_.stop = settings.stop;
  error_ = {};
  part_ = {};
  head_.clear();
  rejected_.clear();
  notes_.clear();
  heads_.clear();
  if (facts_ && is_in_header(settings_, facts_->first_tag()))
    settings_.request.reset();
  if (facts_ && base_ && base_->next_request()) {
    stage_ = Stage::Base;
    return;
  }
  if (facts_ && needs_index())
    return find_index();
  stage_ = Stage::FileProbe;
  opening_.emplace();
}

bool SeekPlanner::is_in_header(const StartSettings &settings, std::uint64_t first_tag) {
  return settings.request && settings.request->measure == StartRequest::Measure::Offset &&
         settings.request->value < first_tag;
}

bool SeekPlanner::is_backward() const {
  return settings_.request &&
         (settings_.request->snap == Snap::Previous || settings_.request->snap == Snap::Nearest);
}

std::optional<ReadRequest> SeekPlanner::next_request() const {
  switch (stage_) {
  case Stage::Idle:
    return std::nullopt;
  case Stage::FileProbe:
    return opening_->next_request();
  case Stage::Base:
    return base_->next_request();
  case Stage::Scanning:
    return scan_->next_request();
  case Stage::Searching:
    return search_->next_request();
  case Stage::Forward:
    return forward_->next_request();
  case Stage::Configurations:
    return configurations_->next_request();
  case Stage::Checking:
    return check_->next_request();
  case Stage::Stop:
    return stop_->next_request();
  }
  return std::nullopt;
}

void SeekPlanner::supply(Bytes bytes) {
  switch (stage_) {
  case Stage::Idle:
    break;
  case Stage::FileProbe:
    opening_->supply(bytes);
    take_opening();
    break;
  case Stage::Base:
    base_->supply(bytes);
    if (!base_->next_request())
      take_base();
    break;
  case Stage::Scanning:
    scan_->supply(bytes);
    keep_head();
    if (!scan_->next_request() || has_scanned_enough())
      end_scan();
    break;
  case Stage::Searching:
    search_->supply(bytes);
    if (!search_->next_request())
      end_search(*search_);
    break;
  case Stage::Forward:
    forward_->supply(bytes);
    end_forward_search();
    break;
  case Stage::Configurations:
    configurations_->supply(bytes);
    if (!configurations_->next_request()) {
      head_ = configurations_->take();
      check_index();
    }
    break;
  case Stage::Checking:
    check_->supply(bytes);
    if (!check_->next_request()) {
      part_.index = check_->take();
      find_stop();
    }
    break;
  case Stage::Stop:
    stop_->supply(bytes);
    if (stop_->next_request() && stop_->position() < settings_.stop &&
        stop_->tags() < kMaxTagsToStop)
      break;
    if (!stop_->next_request() && file_size_ > 0)
      part_.end = file_size_;
    else if (stop_->position() >= settings_.stop)
      part_.end = stop_->position();
    finish();
    break;
  }
}

void SeekPlanner::give_nothing() {
  if (stage_ != Stage::Forward || forward_->is_scanning())
    return fail(StartError::Kind::Place, "byte " + std::to_string(next_request()->offset) +
                                             " is behind, in a stream that cannot go back");
  forward_->give_nothing();
  end_forward_search();
}

std::uint64_t SeekPlanner::keep_from() const {
  switch (stage_) {
  case Stage::Scanning: {
    // The last tag may be truncated. The keyframe before it is then the last one.
    const auto &keys = scan_->index().positions;
    if (!is_backward() || keys.empty())
      return scan_->keep_from();
    const bool may_be_cut = keys.size() > 1 && keys.back() == scan_->last_tag();
    return may_be_cut ? keys[keys.size() - 2] : keys.back();
  }
  case Stage::Forward:
    return forward_->keep_from();
  case Stage::Idle:
    return start_.position;
  default:
    return 0;
  }
}

void SeekPlanner::fail(StartError::Kind kind, std::string text) {
  error_ = {kind, std::move(text)};
  stage_ = Stage::Idle;
}

// Bytes that have passed cannot be read again, and one of the last two keyframes may be the place.
void SeekPlanner::keep_head() {
  const auto &positions = scan_->index().positions;
  if (access_ != Access::Forward || positions.empty() ||
      (!heads_.empty() && heads_.back().first == positions.back()))
    return;
  heads_.emplace_back(positions.back(), scan_->head());
  if (heads_.size() > 2)
    heads_.pop_front();
}

// For the whole file, the search can end before the first tag is known.
StreamStart SeekPlanner::start() const {
  StreamStart start = start_;
  if (start.place)
    start.origin = std::int64_t{start.place->timestamp} - static_cast<std::int64_t>(start.time);
  else if (facts_)
    start.origin = facts_->first_timestamp().value_or(0);
  return start;
}

StreamHeader SeekPlanner::opening_head(std::uint64_t before) const {
  StreamHeader head;
  for (const PlacedTag &tag : facts_->configurations) {
    if (tag.position < before)
      head.note(tag.header, classify(tag.header.type, tag.data()), tag.bytes);
  }
  return head;
}

void SeekPlanner::look_for_configurations() {
  if (stage_ == Stage::Forward || !settings_.reinsert.configurations)
    return check_index();
  std::vector<ConfigurationSearch::Stretch> stretches;
  if (index_is_scanned_) {
    const auto is_in_opening = [this](std::uint64_t position) {
      return std::ranges::binary_search(facts_->configurations, position, {}, &PlacedTag::position);
    };
    const auto &known = scan_->configurations();
    for (auto tag = known.rbegin(); tag != known.rend() && stretches.size() < kMaxConfigurations;
         ++tag) {
      if (tag->position < place_.position && !is_in_opening(tag->position))
        stretches.push_back({tag->position, tag->position + tag->size});
    }
  } else {
    stretches = likely_stretches(index_.positions, facts_->end, place_.position);
  }
  configurations_.emplace(opening_head(place_.position), std::move(stretches));
  stage_ = Stage::Configurations;
  if (configurations_->next_request())
    return;
  head_ = configurations_->take();
  check_index();
}

void SeekPlanner::check_index() {
  const bool counts = settings_.reinsert.metadata &&
                      settings_.keyframes == MetadataKeyframes::Rewrite &&
                      facts_->metadata.find("keyframes");
  if (!counts || !index_is_whole_)
    return find_stop();
  const double seconds = static_cast<double>(start_.time) / 1000;
  if (index_is_scanned_ || access_ != Access::Anywhere) {
    part_.index = index_of_part(index_, place_.position, seconds, settings_.stop);
    auto &[positions, times] = *part_.index;
    const double size = file_size_ > 0 ? static_cast<double>(file_size_)
                                       : summarize(facts_->metadata).file_size.value_or(0);
    const auto last = static_cast<double>(positions.back());
    if (!index_is_scanned_ && positions.size() > 1 && last < size && last + kLastTag > size) {
      positions.pop_back();
      times.pop_back();
    }
    return find_stop();
  }
  check_.emplace(index_of_part(index_, place_.position, seconds, settings_.stop), has_video(),
                 file_size_, facts_->stream_ids);
  stage_ = Stage::Checking;
}

void SeekPlanner::find_stop() {
  if (settings_.stop == 0) {
    if (file_size_ > 0)
      part_.end = file_size_;
    return finish();
  }
  if (settings_.keyframes != MetadataKeyframes::Rewrite || access_ != Access::Anywhere)
    return finish();
  std::uint64_t from = place_.position;
  if (part_.index) {
    for (const std::uint64_t position : part_.index->positions) {
      if (position < settings_.stop)
        from = std::max(from, position);
    }
  }
  stop_.emplace(Splitter::Start::File, from, file_size_, facts_->stream_ids);
  stage_ = Stage::Stop;
}

void SeekPlanner::finish() {
  // Restores the producer's time base: players compare the times of the index with tag timestamps.
  if (part_.index && base_)
    rebase(*part_.index, -base_->base());
  std::vector<SharedBytes> configurations = head_.parts();
  start_.head =
      write_stream_head(*facts_, configurations, part_, settings_.reinsert, settings_.keyframes);
  start_.position = place_.position;
  start_.place = place_;
  stage_ = Stage::Idle;
}

} // namespace flv
