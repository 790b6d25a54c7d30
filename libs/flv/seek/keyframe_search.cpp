// SPDX-License-Identifier: LGPL-2.1-or-later
#include "keyframe_search.h"

#include <algorithm>
#include <cmath>

namespace flv {

namespace {

// Bytes: a tag header, and enough data to classify the tag.
constexpr std::size_t kTagStart = 48;

// Bytes: the maximum distance from an entry at a configuration to its keyframe.
constexpr std::uint64_t kNear = 64 << 10;

std::string number(std::uint64_t value, StartRequest::Measure measure) {
  return measure == StartRequest::Measure::Time ? std::to_string(value) + " ms"
                                                : "byte " + std::to_string(value);
}

} // namespace

std::string describe(const StartFault &fault) {
  const auto named = [&fault](std::uint64_t value) { return number(value, fault.request.measure); };
  const std::string asked = named(fault.request.value);
  switch (fault.kind) {
  case StartFault::Kind::None:
    return "no fault";
  case StartFault::Kind::PastTheLast:
    return asked + " is past the last key frame" +
           (fault.before ? ", which is at " + named(*fault.before) : "");
  case StartFault::Kind::BeforeTheFirst:
    return asked + " is before the first key frame" +
           (fault.after ? ", which is at " + named(*fault.after) : "");
  case StartFault::Kind::NotAKeyFrame: {
    std::string text = "there is no key frame at " + asked;
    if (fault.before && fault.after)
      text += "; the nearest are at " + named(*fault.before) + " and " + named(*fault.after);
    else if (fault.before || fault.after)
      text += "; the nearest is at " + named(fault.before ? *fault.before : *fault.after);
    return text;
  }
  case StartFault::Kind::Passed:
    return asked + " needs the key frame at byte " + std::to_string(fault.position) +
           ", which has passed, in a stream that cannot seek back";
  case StartFault::Kind::Mismatch:
    return "the keyframe index does not match the file: none of the " +
           std::to_string(fault.entries) +
           " entries that were looked at is a key frame, the first at byte " +
           std::to_string(fault.position);
  }
  return {};
}

std::uint64_t offset_of(std::uint64_t time, const KeyframeIndex &index) {
  const auto found = std::ranges::lower_bound(index.times, static_cast<double>(time) / 1000);
  return found == index.times.end()
             ? 0
             : index.positions[static_cast<std::size_t>(found - index.times.begin())];
}

ReadRequest EntryCheck::first_request(std::uint64_t position) {
  return {position, kTagStart};
}

std::optional<ReadRequest> EntryCheck::next_request() const {
  if (over_)
    return std::nullopt;
  return first_request(position_);
}

void EntryCheck::supply(Bytes bytes) {
  over_ = true;
  TagHeader header;
  if (bytes.size() < kTagHeaderSize ||
      read_tag_header(bytes.data(), kMaxDataSize, ids_, header).kind != Fault::Kind::None)
    return;
  const std::uint64_t end = position_ + header.tag_size();
  if (file_size_ > 0 && end > file_size_)
    return;
  Bytes data = bytes.subspan(kTagHeaderSize);
  data = data.first(std::min<std::size_t>(data.size(), header.data_size));
  const Role role = classify(header.type, data).role;
  const bool starts = role == Role::KeyFrame ||
                      (!has_video_ && header.type == TagType::Audio && role == Role::Media);
  if (starts) {
    place_ = SeekPoint{position_, header.timestamp};
    return;
  }
  // The check continues with later tags only after a configuration.
  const bool passes = role == Role::DecoderConfig ||
                      (steps_ > 0 && (header.type == TagType::Audio || header.is_script()));
  if (!passes || ++steps_ > kMaxSteps)
    return;
  position_ = end + kPreviousTagSizeSize;
  over_ = false;
}

StartSearch::StartSearch(const KeyframeIndex &index, const StartRequest &request, bool has_video,
                         std::uint64_t file_size, bool is_scanned, const StreamIds &ids)
    : index_(&index), request_(request), has_video_(has_video), file_size_(file_size),
      is_scanned_(is_scanned), ids_(ids) {
  choose();
  look_at_next();
}

std::optional<ReadRequest> StartSearch::next_request() const {
  return check_ ? check_->next_request() : std::nullopt;
}

void StartSearch::supply(Bytes bytes) {
  check_->supply(bytes);
  if (!check_->next_request())
    take(check_->place(), false);
}

void StartSearch::give_passed(std::optional<std::uint64_t> key_frame) {
  take(key_frame ? std::optional(SeekPoint{*key_frame, 0}) : std::nullopt, true);
}

void StartSearch::take(std::optional<SeekPoint> found, bool has_passed) {
  check_.reset();
  const bool other = next_ > would_do_;
  if (found && other)
    return give_up(found);
  if (found && fits(*found, entry_)) {
    if (!has_passed) {
      place_ = found;
      return;
    }
    fault_.kind = StartFault::Kind::Passed;
    fault_.position = found->position;
    return;
  }
  if (!found)
    rejected_.push_back(index_->positions[entry_]);
  look_at_next();
}

std::uint64_t StartSearch::value_of(std::size_t entry) const {
  if (request_.measure == StartRequest::Measure::Offset)
    return index_->positions[entry];
  return static_cast<std::uint64_t>(std::llround(std::min(index_->times[entry], 1e12) * 1000));
}

// For an entry at a configuration, the keyframe after it may meet the request although the entry
// does not.
bool StartSearch::fits(const SeekPoint &place, std::size_t entry) const {
  if (request_.measure == StartRequest::Measure::Time)
    return true;
  if (request_.snap == Snap::Next)
    return place.position >= request_.value;
  if (request_.snap == Snap::Exact)
    return place.position == request_.value || index_->positions[entry] == request_.value;
  if (request_.snap == Snap::Previous)
    return place.position <= request_.value || index_->positions[entry] == request_.value;
  return true;
}

void StartSearch::choose() {
  const std::size_t count = index_->positions.size();
  // `from`: the first entry at or after the requested value. `behind`: the first entry after that
  // value.
  std::size_t from = 0;
  for (std::size_t step = count; step > 0;) {
    const std::size_t half = step / 2;
    if (value_of(from + half) < request_.value) {
      from += half + 1;
      step -= half + 1;
    } else {
      step = half;
    }
  }
  const bool meets = from < count && value_of(from) == request_.value;
  std::size_t behind = from;
  while (behind < count && value_of(behind) == request_.value)
    ++behind;
  const auto add = [this](std::size_t entry) {
    if (order_.size() < kMaxTried)
      order_.push_back(entry);
  };
  const auto add_up = [&](std::size_t entry) {
    for (; entry < count && order_.size() < kMaxTried; ++entry)
      add(entry);
  };
  const auto add_down = [&](std::size_t entries) {
    while (entries > 0 && order_.size() < kMaxTried)
      add(--entries);
  };
  const bool by_offset = request_.measure == StartRequest::Measure::Offset;
  const bool leads_here = by_offset && !is_scanned_ && !meets && from > 0 &&
                          request_.value - index_->positions[from - 1] <= kNear;
  switch (request_.snap) {
  case Snap::Next:
    if (leads_here)
      add(from - 1);
    add_up(from);
    break;
  case Snap::Previous:
    add_down(behind);
    break;
  case Snap::Exact:
    if (leads_here)
      add(from - 1);
    for (std::size_t entry = from; entry < behind; ++entry)
      add(entry);
    break;
  case Snap::Nearest:
    if (behind > 0 && (from == count ||
                       request_.value - value_of(behind - 1) <= value_of(from) - request_.value)) {
      add_down(behind);
    } else {
      add(from);
      add_down(from);
    }
    break;
  }
  would_do_ = order_.size();
  for (std::size_t distance = 0; distance < kMaxOthers / 2; ++distance) {
    if (from + distance < count)
      order_.push_back(from + distance);
    if (distance < from)
      order_.push_back(from - 1 - distance);
  }
  fault_.request = request_;
  if (from > 0)
    fault_.before = value_of(from - 1);
  if (behind < count)
    fault_.after = value_of(behind);
}

void StartSearch::look_at_next() {
  // The entries of a scan need no second check.
  if (is_scanned_ && next_ >= would_do_)
    return give_up_unseen();
  const auto is_rejected = [this](std::size_t entry) {
    return std::find(rejected_.begin(), rejected_.end(), index_->positions[entry]) !=
           rejected_.end();
  };
  while (next_ >= would_do_ && next_ < order_.size() && is_rejected(order_[next_]))
    ++next_;
  if (next_ == order_.size())
    return give_up({});
  entry_ = order_[next_++];
  check_.emplace(index_->positions[entry_], has_video_, file_size_, ids_);
}

void StartSearch::give_up_unseen() {
  for (std::size_t i = order_.size(); i > would_do_; --i) {
    const std::uint64_t value = value_of(order_[i - 1]);
    (value < request_.value ? fault_.before : fault_.after) = value;
  }
  blame_the_request();
}

// `other`: the nearest keyframe that was found. It does not meet the request.
void StartSearch::give_up(std::optional<SeekPoint> other) {
  if (!other) {
    fault_.kind = StartFault::Kind::Mismatch;
    fault_.entries = rejected_.size();
    fault_.position = rejected_.empty() ? 0 : rejected_.front();
    return;
  }
  const std::uint64_t value =
      request_.measure == StartRequest::Measure::Offset ? other->position : value_of(entry_);
  (value < request_.value ? fault_.before : fault_.after) = value;
  blame_the_request();
}

void StartSearch::blame_the_request() {
  if (request_.snap == Snap::Exact) {
    fault_.kind = StartFault::Kind::NotAKeyFrame;
  } else if (request_.snap == Snap::Next) {
    fault_.kind = StartFault::Kind::PastTheLast;
  } else {
    fault_.kind = StartFault::Kind::BeforeTheFirst;
  }
}

} // namespace flv
