// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions of SeekPlanner that find the start point and the header of the stream.
#include "seek_planner.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace flv {

namespace {

// ms: producers list times that differ from the tag's timestamp by up to this.
constexpr std::int64_t kMaxDelay = 1000;
// Bytes of the stream that are read together with the data of its header.
constexpr std::size_t kFirstBytes = 64 << 10;

} // namespace

// --- The start point ---

void SeekPlanner::begin_search(const StartScan::Heads &heads) {
  if (settings_.stop_time)
    settings_.stop = offset_of(*settings_.stop_time, file_.index());
  if (is_whole())
    return set_state(Done{whole_start(file_, settings_), {}});
  if (file_.access() == Access::Anywhere)
    enter(Searching{search_at_once()});
  else
    begin_forward_search(heads);
}

StartSearch SeekPlanner::search_at_once() const {
  return {file_.index(), *settings_.request, file_.has_video(),
          file_.size(),  file_.is_scanned(), file_.facts().stream_ids};
}

void SeekPlanner::begin_forward_search(const StartScan::Heads &heads) {
  const FileFacts &facts = file_.facts();
  const StartSearch preview = search_at_once();
  if (!preview.next_request())
    return end_search(preview, {});
  const std::uint64_t candidate = preview.next_request()->offset;
  const auto scan_from = [&](Splitter::Start start, std::uint64_t position) {
    return IndexScan(start, position, file_.size(), facts.stream_ids);
  };
  const auto search = [&](IndexScan scan, StreamHeader before) {
    enter(SearchingForward{ForwardSearch(file_.index(), *settings_.request, file_.has_video(),
                                         file_.size(), std::move(scan), std::move(before),
                                         file_.is_scanned(), facts.stream_ids)});
  };
  if (file_.is_scanned() && file_.scan().last_tag() == candidate)
    return search(file_.scan(), {});
  for (const auto &[position, head] : heads) {
    if (position == candidate)
      return search(scan_from(Splitter::Start::File, candidate), head);
  }
  // The scan has the positions of the configurations.
  if (file_.is_scanned() && file_.access() == Access::Seekable)
    return enter(Searching{search_at_once()});
  // Entries before the candidate may have to be checked after their bytes have passed.
  if (candidate < facts.end || file_.access() == Access::Forward)
    return search(scan_from(Splitter::Start::File, facts.first_tag()), {});
  if (candidate - facts.end > kSearchedBefore)
    return search(scan_from(Splitter::Start::Middle, candidate - kSearchedBefore),
                  file_.head_before(candidate));
  search(scan_from(Splitter::Start::File, facts.end), file_.head_before(candidate));
}

void SeekPlanner::leave(Searching &state) {
  const StartSearch search = std::move(state.reader);
  end_search(search, {});
}

void SeekPlanner::leave(SearchingForward &state) {
  const ForwardSearch search = std::move(state.reader);
  end_search(search.search(), search.head());
}

// `head`: the configurations in force at the place, if they are known.
void SeekPlanner::end_search(const StartSearch &search, std::optional<StreamHeader> head) {
  if (!search.place()) {
    const StartFault &fault = search.fault();
    const bool mismatch = fault.kind == StartFault::Kind::Mismatch;
    if (mismatch && may_scan_instead())
      return scan_instead(describe(fault));
    return fail(mismatch ? StartError::Kind::Mismatch : StartError::Kind::Place, describe(fault));
  }
  const SeekPoint place = *search.place();
  FoundStart found{place, file_.time_in_index(place.position), search.rejected(), {}, {}};
  found.part.begin = place.position;
  if (!file_.is_scanned() && !note_time(found))
    return;
  if (settings_.stop > 0 && settings_.stop <= place.position)
    return fail(StartError::Kind::Stop, "it would stop at byte " + std::to_string(settings_.stop) +
                                            ", before it starts at byte " +
                                            std::to_string(place.position));
  if (head)
    found.head = std::move(*head);
  if (head || !settings_.reinsert.configurations) {
    note_likely(found);
    return verify(std::move(found));
  }
  ConfigurationSearch configurations = configuration_search(file_, place);
  likely_ = configurations.requests();
  note_likely(found);
  enter(Configurations{std::move(configurations), std::move(found)});
}

// Compares the time in the index of onMetaData with the tag. False: the index is wrong, and a scan
// has begun.
bool SeekPlanner::note_time(FoundStart &found) {
  const std::int64_t in_tag = file_.time_in_tag(found.place.timestamp, found.time);
  const auto listed = static_cast<std::int64_t>(found.time);
  const std::int64_t difference = std::abs(in_tag - listed);
  if (settings_.request->measure == StartRequest::Measure::Time &&
      difference > KnownFile::kWrongTime && may_scan_instead()) {
    scan_instead("the keyframe index gives byte " + std::to_string(found.place.position) +
                 " the time " + std::to_string(listed) + " ms, and the tag there has " +
                 std::to_string(in_tag) + " ms");
    return false;
  }
  if (difference <= kMaxDelay)
    found.time = static_cast<std::uint64_t>(std::max<std::int64_t>(in_tag, 0));
  file_.note_confirmed();
  return true;
}

bool SeekPlanner::may_scan_instead() const {
  return settings_.index == IndexSource::Auto && !file_.is_scanned() &&
         file_.access() != Access::Forward;
}

// --- The stream header ---

void SeekPlanner::leave(Configurations &state) {
  FoundStart found = std::move(state.found);
  found.head = state.reader.take();
  verify(std::move(found));
}

bool SeekPlanner::checks_index() const {
  return lists_keyframes(file_, settings_) && !file_.is_scanned() &&
         file_.access() == Access::Anywhere;
}

IndexVerify SeekPlanner::index_check(const FoundStart &found) const {
  return {stream_index(file_, settings_, found), file_.has_video(), file_.size(),
          file_.facts().stream_ids};
}

void SeekPlanner::note_likely(const FoundStart &found) {
  if (file_.access() != Access::Anywhere)
    return;
  if (checks_index()) {
    const std::vector<ReadRequest> entries = index_check(found).requests();
    likely_.insert(likely_.end(), entries.begin(), entries.end());
  }
  likely_.push_back({found.place.position, kFirstBytes, true});
}

void SeekPlanner::verify(FoundStart found) {
  if (!lists_keyframes(file_, settings_))
    return find_stop(std::move(found));
  if (!checks_index()) {
    found.part.index = unchecked_stream_index(file_, settings_, found);
    return find_stop(std::move(found));
  }
  IndexVerify check = index_check(found);
  enter(Verifying{std::move(check), std::move(found)});
}

void SeekPlanner::leave(Verifying &state) {
  FoundStart found = std::move(state.found);
  found.part.index = state.reader.take();
  find_stop(std::move(found));
}

void SeekPlanner::find_stop(FoundStart found) {
  if (settings_.stop == 0) {
    if (file_.size() > 0)
      found.part.end = file_.size();
    return finish(std::move(found));
  }
  if (settings_.keyframes != MetadataKeyframes::Rewrite || file_.access() != Access::Anywhere)
    return finish(std::move(found));
  StopSearch search(last_before(found, settings_.stop), settings_.stop, file_.size(),
                    file_.facts().stream_ids);
  enter(FindingStop{std::move(search), std::move(found)});
}

void SeekPlanner::leave(FindingStop &state) {
  FoundStart found = std::move(state.found);
  found.part.end = state.reader.end();
  finish(std::move(found));
}

void SeekPlanner::finish(FoundStart found) {
  std::vector<std::uint64_t> rejected = std::move(found.rejected);
  set_state(Done{stream_start(file_, settings_, std::move(found)), std::move(rejected)});
}

} // namespace flv
