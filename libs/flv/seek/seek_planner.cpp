// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seek_planner.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace flv {

namespace {

// Bytes before the place that are read for configurations if seeks are expensive.
constexpr std::uint64_t kScanBefore = 64 << 10;
// ms: producers list times that differ from the tag's timestamp by up to this.
constexpr std::int64_t kMaxDelay = 1000;
// ms: an index with a larger difference is wrong.
constexpr std::int64_t kWrongTime = 5000;
// Bytes of the stream that are read together with the data of its header.
constexpr std::size_t kFirstBytes = 64 << 10;

} // namespace

// --- Reads ---

std::optional<ReadRequest> SeekPlanner::next_request() const {
  return std::visit(
      [](const auto &state) -> std::optional<ReadRequest> {
        if constexpr (requires { state.reader; })
          return state.reader.next_request();
        else
          return std::nullopt;
      },
      state_);
}

void SeekPlanner::supply(Bytes bytes) {
  std::visit(
      [this, bytes](auto &state) {
        if constexpr (requires { state.reader; }) {
          state.reader.supply(bytes);
          advance(state);
        }
      },
      state_);
}

void SeekPlanner::give_nothing() {
  auto *forward = std::get_if<SearchingForward>(&state_);
  if (!forward || forward->reader.is_scanning())
    return fail(StartError::Kind::Place, "byte " + std::to_string(next_request()->offset) +
                                             " has passed, in a stream that cannot seek back");
  forward->reader.give_nothing();
  advance(*forward);
}

std::vector<ReadRequest> SeekPlanner::take_likely_requests() {
  return std::exchange(likely_, {});
}

std::uint64_t SeekPlanner::keep_from() const {
  if (const auto *scanning = std::get_if<Scanning>(&state_))
    return scanning->reader.keep_from();
  if (const auto *forward = std::get_if<SearchingForward>(&state_))
    return forward->reader.keep_from();
  const auto *done = std::get_if<Done>(&state_);
  return done ? done->start.position : 0;
}

// --- Results ---

StreamStart SeekPlanner::start() const {
  const auto *done = std::get_if<Done>(&state_);
  return done ? done->start : StreamStart();
}

const std::vector<std::uint64_t> &SeekPlanner::rejected() const {
  static const std::vector<std::uint64_t> kNone;
  const auto *done = std::get_if<Done>(&state_);
  return done ? done->rejected : kNone;
}

const StartError &SeekPlanner::error() const {
  static const StartError kNone;
  const auto *failed = std::get_if<Failed>(&state_);
  return failed ? failed->error : kNone;
}

// --- State changes ---

// A reader that needs no bytes has no first request.
void SeekPlanner::enter(State next) {
  set_state(std::move(next));
  std::visit(
      [this](auto &state) {
        if constexpr (requires { state.reader; })
          advance(state);
      },
      state_);
}

template <typename Reading> void SeekPlanner::advance(Reading &state) {
  if (!state.reader.next_request())
    leave(state);
}

void SeekPlanner::fail(StartError::Kind kind, std::string text) {
  set_state(Failed{{kind, std::move(text)}});
}

void SeekPlanner::look_for(const StartSettings &settings) {
  settings_ = settings;
  notes_.clear();
  likely_.clear();
  if (file_.has_facts() && is_in_header(settings_, file_.facts().first_tag()))
    settings_.request.reset();
  if (std::holds_alternative<FindingBase>(state_))
    return;
  if (!std::holds_alternative<Idle>(state_))
    set_state(Idle{});
  if (file_.has_facts() && needs_index())
    return find_index();
  set_state(Probing{});
}

// --- The beginning of the file ---

// The whole file needs only the file header. If the file can be read again, the rest of the probe
// serves queries and later starts. Its faults are ignored.
void SeekPlanner::advance(Probing &state) {
  FileProbe &probe = state.reader;
  const bool is_over = !probe.next_request();
  if (!probe.has_header()) {
    if (!is_over)
      return;
    const Fault fault = probe.fault();
    if (fault.kind == Fault::Kind::Truncated)
      return fail(StartError::Kind::Unreadable,
                  "the file is cut off inside its header, of which it has " +
                      std::to_string(fault.value) + " bytes");
    return fail(StartError::Kind::NotFlv, describe(fault) + probe.looks_like());
  }
  if (is_in_header(settings_, probe.facts().first_tag()))
    settings_.request.reset();
  const bool serves_later = file_.access() != Access::Forward && !file_.has_facts();
  if (!is_over && (needs_index() || serves_later))
    return;
  if (is_over && !file_.has_facts())
    return end_probe(probe);
  set_state(Done{whole_start(file_, settings_), {}});
}

void SeekPlanner::end_probe(FileProbe &probe) {
  file_.note_probe(probe);
  if (!file_.listed().is_usable())
    return use_base();
  const bool may_read = file_.access() == Access::Anywhere;
  enter(FindingBase{IndexBase(file_.listed().index, file_.facts(), may_read)});
}

void SeekPlanner::leave(FindingBase &state) {
  file_.note_base(state.reader.base());
  use_base();
}

// The facts of the file are complete.
void SeekPlanner::use_base() {
  if (needs_index())
    return find_index();
  if (file_.listed().is_usable())
    file_.use(KnownFile::Use::Metadata);
  set_state(Done{whole_start(file_, settings_), {}});
}

// --- The index ---

void SeekPlanner::find_index() {
  using Kind = KnownFile::Listed::Kind;
  const KnownFile::Listed &listed = file_.listed();
  const bool is_auto = settings_.index == IndexSource::Auto;
  if (listed.is_metadata_bad()) {
    if (settings_.index == IndexSource::Metadata)
      return fail(StartError::Kind::Unreadable, listed.fault);
    if (is_auto || settings_.reinsert.metadata)
      notes_.push_back(listed.fault + "; it is left out");
    return begin_scan();
  }
  // A complete scan is more reliable than the metadata.
  if (settings_.index == IndexSource::Scan || (is_auto && file_.has_scanned_all()))
    return begin_scan();
  if (!listed.is_usable() && !is_auto)
    return fail(StartError::Kind::NoIndex, listed.fault);
  if (listed.kind == Kind::Invalid)
    return scan_instead(listed.fault);
  if (listed.kind == Kind::Missing)
    return begin_scan();
  if (is_auto && file_.contradicts_listed())
    return scan_instead("the keyframe index does not match the file: there is no tag at byte " +
                        std::to_string(listed.index.positions.front()));
  file_.use(KnownFile::Use::Metadata);
  begin_search({});
}

void SeekPlanner::scan_instead(std::string why) {
  notes_.push_back(std::move(why) + "; the file's tags are scanned instead");
  begin_scan();
}

void SeekPlanner::begin_scan() {
  if (file_.has_scanned_all()) {
    file_.use(KnownFile::Use::Scanned);
    return end_scan({});
  }
  const FileFacts &facts = file_.facts();
  enter(
      Scanning{StartScan({Splitter::Start::File, facts.first_tag(), file_.size(), facts.stream_ids},
                         file_.access(), settings_, facts.has_video())});
}

void SeekPlanner::leave(Scanning &state) {
  const StartScan::Heads heads = state.reader.take_heads();
  file_.note_scan(state.reader.take_scan());
  end_scan(heads);
}

void SeekPlanner::end_scan(const StartScan::Heads &heads) {
  if (!file_.index().positions.empty())
    return begin_search(heads);
  if (file_.listed().kind == KnownFile::Listed::Kind::Truncated)
    return fail(StartError::Kind::Unreadable, file_.listed().fault);
  fail(StartError::Kind::NoIndex,
       "there is no key frame among the file's " + std::to_string(file_.scan().tags()) + " tags");
}

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
  if (candidate - facts.end > kScanBefore)
    return search(scan_from(Splitter::Start::Middle, candidate - kScanBefore),
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
  if (settings_.request->measure == StartRequest::Measure::Time && difference > kWrongTime &&
      may_scan_instead()) {
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
