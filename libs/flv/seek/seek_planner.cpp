// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seek_planner.h"

#include <utility>

namespace flv {

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

} // namespace flv
