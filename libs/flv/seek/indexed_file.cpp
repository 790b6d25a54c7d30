// SPDX-License-Identifier: LGPL-2.1-or-later
#include "indexed_file.h"

#include <algorithm>
#include <utility>

namespace flv {

namespace {

// Bytes: if onMetaData comes later, it stays in the body of the virtual file.
constexpr std::uint64_t kMaxBetween = 1 << 20;
// s: the distance of the start points in a file without video.
constexpr double kAudioSpacing = 1;

// The end of onMetaData, in bytes from the first tag. 0: there is no tag before it.
std::uint64_t size_between(const FileFacts &facts) {
  if (!facts.metadata_tag || facts.metadata_tag->position == facts.first_tag())
    return 0;
  const PlacedTag &tag = *facts.metadata_tag;
  const std::uint64_t size =
      tag.position + tag.header.tag_size() + kPreviousTagSizeSize - facts.first_tag();
  return size <= kMaxBetween ? size : 0;
}

// Why a file without an FLV header is not FLV.
std::string not_flv(const FileProbe &probe, std::uint64_t size) {
  if (size == 0)
    return "the file is empty: it has 0 bytes";
  if (size < kFileHeaderSize || probe.fault().kind == Fault::Kind::Truncated)
    return "the file has " + std::to_string(size) + (size == 1 ? " byte" : " bytes") +
           ", which is too short for FLV";
  return describe(probe.fault()) + probe.looks_like();
}

} // namespace

IndexedFile::IndexedFile(std::uint64_t file_size, Policy policy)
    : policy_(policy), file_(Access::Anywhere, file_size) {}

std::optional<ReadRequest> IndexedFile::next_request() const {
  if (std::holds_alternative<ReadingBetween>(state_))
    return ReadRequest{facts().first_tag(), static_cast<std::size_t>(size_between(facts())), true};
  return std::visit(
      [](const auto &state) -> std::optional<ReadRequest> {
        if constexpr (requires { state.reader; })
          return state.reader.next_request();
        else
          return std::nullopt;
      },
      state_);
}

void IndexedFile::supply(Bytes bytes) {
  if (std::holds_alternative<ReadingBetween>(state_))
    return make_virtual(bytes);
  std::visit(
      [this, bytes](auto &state) {
        if constexpr (requires { state.reader; }) {
          state.reader.supply(bytes);
          if (!state.reader.next_request())
            leave(state);
        }
      },
      state_);
}

std::vector<ReadRequest> IndexedFile::take_likely_requests() {
  return std::exchange(likely_, {});
}

// A reader that needs no bytes has no first request.
template <typename Next> void IndexedFile::enter(Next next) {
  set_state(std::move(next));
  auto &state = std::get<Next>(state_);
  if (!state.reader.next_request())
    leave(state);
}

void IndexedFile::leave(Probing &state) {
  FileProbe &probe = state.reader;
  if (!probe.has_header()) {
    reason_ = not_flv(probe, file_.size());
    return set_state(Done{});
  }
  file_.note_probe(probe);
  if (!file_.listed().is_usable())
    return reject_listed(file_.listed().fault);
  if (file_.contradicts_listed())
    return reject_listed("the keyframe index does not match the file: there is no tag at byte " +
                         std::to_string(file_.listed().index.positions.front()));
  enter(FindingBase{IndexBase(file_.listed().index, file_.facts(), true)});
}

void IndexedFile::leave(FindingBase &state) {
  file_.note_base(state.reader.base());
  file_.use(KnownFile::Use::Metadata);
  IndexSample sample(file_);
  likely_ = sample.requests();
  enter(Sampling{std::move(sample)});
}

void IndexedFile::leave(Sampling &state) {
  const IndexSample &sample = state.reader;
  if (!sample.fault().empty())
    return reject_listed(sample.fault());
  index_ = file_.index();
  if (sample.is_last_an_end()) {
    index_.positions.pop_back();
    index_.times.pop_back();
  }
  if (policy_ == Policy::Auto && sample.may_be_partial())
    return reject_listed("the keyframe index lists only a part of the file, from byte " +
                             std::to_string(index_.positions.front()) + " to byte " +
                             std::to_string(index_.positions.back()),
                         true);
  set_state(Done{});
}

void IndexedFile::reject_listed(std::string reason, bool is_sampled) {
  reason_ = std::move(reason);
  file_.use(KnownFile::Use::None);
  if (policy_ == Policy::Stored)
    return set_state(Done{});
  IndexScan scan(Splitter::Start::File, facts().first_tag(), file_.size(), facts().stream_ids);
  enter(Scanning{std::move(scan), is_sampled});
}

void IndexedFile::leave(Scanning &state) {
  const bool is_sampled = state.is_sampled;
  file_.note_scan(std::move(state.reader));
  if (is_sampled &&
      std::ranges::includes(file_.listed().index.positions, file_.scan().index().positions)) {
    reason_.clear();
    file_.use(KnownFile::Use::Metadata);
    return set_state(Done{});
  }
  if (file_.scan().video_seen() && size_between(facts()) > 0)
    return set_state(ReadingBetween{});
  make_virtual({});
}

void IndexedFile::make_virtual(Bytes between) {
  const IndexScan &scan = file_.scan();
  index_ = {};
  virtual_ = make_virtual_file(facts(), scan, file_.size(), between);
  if (virtual_) {
    index_ = virtual_->index;
    // From the first tag to play.
    const KeyframeIndex &keyframes = scan.index();
    for (std::size_t i = 0; i < index_.times.size(); ++i) {
      const auto stored = virtual_->to_stored(index_.positions[i]);
      const auto place = std::ranges::lower_bound(keyframes.positions, stored.value_or(0));
      const bool is_keyframe = stored && place != keyframes.positions.end() && *place == *stored;
      index_.times[i] =
          is_keyframe
              ? keyframes.times[static_cast<std::size_t>(place - keyframes.positions.begin())]
              : 0;
    }
  } else if (!scan.video_seen()) {
    index_ = reduced(spaced(scan.index(), kAudioSpacing), kMaxListedKeyframes);
  }
  set_state(Done{});
}

std::vector<BytePoint> IndexedFile::byte_points() const {
  std::optional<double> duration;
  if (file_.is_scanned())
    duration = duration_of(file_.scan());
  else if (file_.has_facts())
    duration = file_.duration();
  return flv::byte_points(index_, size(), duration);
}

} // namespace flv
