// SPDX-License-Identifier: LGPL-2.1-or-later
#include "splitter.h"

#include <algorithm>
#include <limits>

namespace flv {

namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
// The first bytes of a file header.
constexpr std::array<std::uint8_t, kPreviousTagSizeSize> kFileHeaderStart = {'F', 'L', 'V', 1};
// The reserved bits of a file header's flags: all are 0. In a tag's type byte, at least one is 1.
constexpr std::uint8_t kReservedFlags = 0xFA;

// The number of PreviousTagSize bytes before the start of a file header. 4: none starts there.
std::size_t before_file_header(const std::uint8_t *previous_size) {
  std::size_t count = 0;
  while (!std::equal(previous_size + count, previous_size + kPreviousTagSizeSize,
                     kFileHeaderStart.begin()))
    ++count;
  return count;
}

} // namespace

void Splitter::reset(Start start, std::uint64_t position) {
  state_ = start == Start::File ? State::FileStart : State::Search;
  started_ = start == Start::Middle;
  if (start == Start::File)
    ids_.clear();
  fault_ = {};
  position_ = position;
  item_begin_ = position;
  have_ = 0;
  candidates_.clear();
  next_check_ = kNever;
}

Status Splitter::feed(Bytes chunk, std::vector<Item> &items) {
  while (!chunk.empty() && state_ != State::Failed)
    feed_some(chunk, items);
  return state_ == State::Failed ? Status::Malformed : Status::Ok;
}

Status Splitter::feed_to_wrong_size(Bytes &chunk, std::vector<Item> &items) {
  const auto has_wrong_size = [](const Item &item) {
    return item.kind == Item::Kind::Tag && item.wrong_previous_size;
  };
  while (!chunk.empty() && state_ != State::Failed) {
    const auto known = static_cast<std::ptrdiff_t>(items.size());
    feed_some(chunk, items);
    if (std::any_of(items.begin() + known, items.end(), has_wrong_size))
      break;
  }
  return state_ == State::Failed ? Status::Malformed : Status::Ok;
}

void Splitter::feed_some(Bytes &chunk, std::vector<Item> &items) {
  switch (state_) {
  case State::FileStart:
    // Three bytes are enough to reject a file of another format.
    if (fill_scratch(chunk, have_ < 3 ? 3 : kFileHeaderSize))
      take_file_start();
    break;
  case State::FileBody:
    skip_body(chunk);
    if (body_left_ == 0 && fill_scratch(chunk, kPreviousTagSizeSize))
      take_file_body(items);
    break;
  case State::Header:
    if (fill_scratch(chunk, kTagHeaderSize))
      take_header(items);
    break;
  case State::Body:
    skip_body(chunk);
    break;
  case State::Trailer:
    if (fill_scratch(chunk, kPreviousTagSizeSize))
      take_trailer(items);
    break;
  case State::Splice:
    if (fill_scratch(chunk, splice_ + kFileHeaderSize))
      take_splice(items);
    break;
  case State::Search:
    search(chunk, items);
    break;
  case State::Failed:
    break;
  }
}

Status Splitter::finish(std::vector<Item> &items) {
  if (state_ == State::Failed)
    return Status::Malformed;
  // A tag without its PreviousTagSize is complete.
  if (state_ == State::Trailer || state_ == State::Splice)
    end_tag(std::min(have_, kPreviousTagSizeSize), false, items);
  else if (state_ == State::Search)
    finish_search(items);
  const auto held = static_cast<std::uint32_t>(position_ - item_begin_);
  const Fault cut_off{Fault::Kind::Truncated, held};
  if (!started_) {
    fault_ = cut_off;
    state_ = State::Failed;
    return Status::Malformed;
  }
  if (held > 0)
    items.push_back(
        {.kind = Item::Kind::Truncated, .begin = item_begin_, .end = position_, .fault = cut_off});
  reset(Start::Middle, position_);
  return Status::Ok;
}

std::uint64_t Splitter::keep_from() const {
  if (state_ != State::Search)
    return item_begin_;
  std::uint64_t first = position_ - have_;
  for (const Candidate &candidate : candidates_)
    first = std::min(first, candidate.begin);
  return first;
}

// Fills scratch_ up to `count` bytes. False if `chunk` has too few.
bool Splitter::fill_scratch(Bytes &chunk, std::size_t count) {
  const std::size_t missing = std::min(count - have_, chunk.size());
  std::copy_n(chunk.begin(), missing, scratch_.begin() + static_cast<std::ptrdiff_t>(have_));
  chunk = chunk.subspan(missing);
  have_ += missing;
  position_ += missing;
  return have_ == count;
}

void Splitter::skip_body(Bytes &chunk) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, chunk.size()));
  chunk = chunk.subspan(count);
  position_ += count;
  body_left_ -= count;
  if (body_left_ == 0 && state_ == State::Body)
    state_ = State::Trailer;
}

void Splitter::take_file_start() {
  if (have_ == 3) {
    if (scratch_[0] == 'F' && scratch_[1] == 'L' && scratch_[2] == 'V')
      return;
    fault_ = {Fault::Kind::Signature, load_u24(scratch_.data())};
  } else {
    fault_ = read_file_header(scratch_.data(), file_);
  }
  if (fault_.kind != Fault::Kind::None) {
    state_ = State::Failed;
    return;
  }
  body_left_ = file_.size - kFileHeaderSize;
  have_ = 0;
  state_ = State::FileBody;
}

void Splitter::take_file_body(std::vector<Item> &items) {
  items.push_back({.kind = Item::Kind::FileHeader,
                   .wrong_previous_size = load_u32(scratch_.data()) != 0,
                   .begin = item_begin_,
                   .end = position_,
                   .file = file_});
  started_ = true;
  ids_.clear(); // another publisher may use other ids
  item_begin_ = position_;
  have_ = 0;
  state_ = State::Header;
}

void Splitter::begin_tag(const TagHeader &header) {
  tag_ = header;
  ids_.note(header);
  body_left_ = header.data_size;
  have_ = 0;
  state_ = body_left_ > 0 ? State::Body : State::Trailer;
}

void Splitter::take_header(std::vector<Item> &items) {
  TagHeader header;
  const Fault fault = read_tag_header(scratch_.data(), max_data_size_, ids_, header);
  if (fault.kind == Fault::Kind::None)
    return begin_tag(header);
  if (read_file_header(scratch_.data(), file_).kind == Fault::Kind::None) {
    // scratch_ already has 11 bytes of the file header and its PreviousTagSize0.
    if (file_.size >= kTagHeaderSize) {
      body_left_ = file_.size - kTagHeaderSize;
      have_ = 0;
    } else {
      have_ = kTagHeaderSize - file_.size;
      std::copy_n(scratch_.begin() + file_.size, have_, scratch_.begin());
      body_left_ = 0;
    }
    state_ = State::FileBody;
    return;
  }
  start_damage(fault, items);
}

void Splitter::take_trailer(std::vector<Item> &items) {
  const bool right_size = load_u32(scratch_.data()) == tag_.tag_size();
  splice_ = before_file_header(scratch_.data());
  if (right_size || splice_ == kPreviousTagSizeSize)
    end_tag(kPreviousTagSizeSize, right_size, items);
  else
    state_ = State::Splice;
}

// The PreviousTagSize is wrong, or another file begins inside it.
void Splitter::take_splice(std::vector<Item> &items) {
  const std::uint8_t *start = scratch_.data() + splice_;
  const bool missing = (start[kFileHeaderStart.size()] & kReservedFlags) == 0 &&
                       read_file_header(start, file_).kind == Fault::Kind::None;
  end_tag(missing ? splice_ : kPreviousTagSizeSize, false, items);
}

// The first `trailer` bytes of scratch_ belong to the tag, the others to the next item.
void Splitter::end_tag(std::size_t trailer, bool right_size, std::vector<Item> &items) {
  const std::uint64_t end = position_ - have_ + trailer;
  items.push_back({.kind = Item::Kind::Tag,
                   .wrong_previous_size = !right_size,
                   .begin = item_begin_,
                   .end = end,
                   .tag = tag_});
  item_begin_ = end;
  std::copy(scratch_.begin() + static_cast<std::ptrdiff_t>(trailer),
            scratch_.begin() + static_cast<std::ptrdiff_t>(have_), scratch_.begin());
  have_ -= trailer;
  state_ = State::Header;
}

void Splitter::start_damage(const Fault &fault, std::vector<Item> &items) {
  items.push_back(
      {.kind = Item::Kind::Damage, .begin = item_begin_, .end = item_begin_, .fault = fault});
  state_ = State::Search;
  next_check_ = kNever;
  // No tag starts at the first byte. One may start at another byte of the header.
  const std::array<std::uint8_t, kWindow> header = scratch_;
  position_ -= have_ - 1;
  have_ = 0;
  Bytes again(header.data() + 1, kTagHeaderSize - 1);
  search(again, items);
}

void Splitter::search(Bytes &chunk, std::vector<Item> &items) {
  while (!chunk.empty() && state_ == State::Search) {
    if (have_ == kWindow) {
      std::copy(scratch_.begin() + 1, scratch_.end(), scratch_.begin());
      --have_;
    }
    scratch_[have_++] = chunk[0];
    chunk = chunk.subspan(1);
    ++position_;
    if (search_here(items))
      return;
  }
}

// Runs the checks that are possible at this position. True if the search is over.
bool Splitter::search_here(std::vector<Item> &items) {
  if (position_ == next_check_) {
    next_check_ = kNever;
    for (std::size_t i = 0; i < candidates_.size();) {
      if (candidates_[i].check == position_ && check_candidate(candidates_[i], items))
        return true;
      if (candidates_[i].check < position_ + 1) {
        forget_candidate(i);
        continue;
      }
      next_check_ = std::min(next_check_, candidates_[i].check);
      ++i;
    }
  }
  constexpr std::size_t kWholeFileHeader = kFileHeaderSize + kPreviousTagSizeSize;
  if (have_ >= kWholeFileHeader) {
    const std::uint8_t *start = scratch_.data() + have_ - kWholeFileHeader;
    if (start[0] == 'F' && read_file_header(start, file_).kind == Fault::Kind::None &&
        file_.size == kFileHeaderSize && load_u32(start + kFileHeaderSize) == 0) {
      end_search(position_ - kWholeFileHeader, items);
      std::copy_n(start + kFileHeaderSize, kPreviousTagSizeSize, scratch_.begin());
      take_file_body(items);
      return true;
    }
  }
  if (have_ >= kTagHeaderSize) {
    TagHeader header;
    const std::uint8_t *start = scratch_.data() + have_ - kTagHeaderSize;
    // Before the first tag, only the stream id distinguishes a tag header from other bytes.
    if (read_tag_header(start, max_data_size_, ids_, header).kind == Fault::Kind::None &&
        (!ids_.is_empty() || StreamIds::is_likely(header.stream_id)))
      add_candidate(header);
  }
  return false;
}

// Checks a candidate whose check is due at this position. True if it is a tag. If it needs another
// check, its `check` is after this position.
bool Splitter::check_candidate(Candidate &candidate, std::vector<Item> &items) {
  Item tag{.kind = Item::Kind::Tag, .begin = candidate.begin, .tag = candidate.header};
  tag.end = tag.begin + tag.tag.tag_size() + kPreviousTagSizeSize;
  if (!candidate.size_checked) {
    const std::uint8_t *trailer = scratch_.data() + have_ - kPreviousTagSizeSize;
    if (load_u32(trailer) != tag.tag.tag_size()) {
      if (!ids_.expects(tag.tag))
        return false;
      candidate.size_checked = true;
      candidate.check += kTagHeaderSize;
      return false;
    }
    ids_.note(tag.tag);
    end_search(tag.begin, items);
    items.push_back(tag);
    item_begin_ = tag.end;
    have_ = 0;
    return true;
  }
  StreamIds ids = ids_;
  ids.note(tag.tag);
  TagHeader next;
  const std::uint8_t *start = scratch_.data() + have_ - kTagHeaderSize;
  if (read_tag_header(start, max_data_size_, ids, next).kind != Fault::Kind::None)
    return false;
  ids_ = ids;
  tag.wrong_previous_size = true;
  end_search(tag.begin, items);
  items.push_back(tag);
  item_begin_ = tag.end;
  std::copy_n(start, kTagHeaderSize, scratch_.begin());
  have_ = kTagHeaderSize;
  take_header(items);
  return true;
}

void Splitter::add_candidate(const TagHeader &header) {
  const Candidate candidate{.begin = position_ - kTagHeaderSize,
                            .check = position_ + header.data_size + kPreviousTagSizeSize,
                            .header = header};
  next_check_ = std::min(next_check_, candidate.check);
  if (candidates_.size() < kMaxCandidates) {
    candidates_.push_back(candidate);
    return;
  }
  // Only hostile data has this many candidates. The one with the latest check is removed.
  const auto last =
      std::max_element(candidates_.begin(), candidates_.end(),
                       [](const Candidate &a, const Candidate &b) { return a.check < b.check; });
  if (candidate.check < last->check) {
    candidates_.erase(last);
    candidates_.push_back(candidate);
  }
}

void Splitter::forget_candidate(std::size_t index) {
  candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(index));
}

// A candidate that ends at the end of the stream is confirmed, whatever its PreviousTagSize is.
void Splitter::finish_search(std::vector<Item> &items) {
  for (const Candidate &candidate : candidates_) {
    const std::uint64_t end = candidate.begin + candidate.header.tag_size();
    if ((end != position_ && end + kPreviousTagSizeSize != position_) ||
        !ids_.expects(candidate.header))
      continue;
    const Item tag{.kind = Item::Kind::Tag,
                   .wrong_previous_size = true,
                   .begin = candidate.begin,
                   .end = position_,
                   .tag = candidate.header};
    end_search(tag.begin, items);
    items.push_back(tag);
    item_begin_ = position_;
    return;
  }
  end_search(position_, items);
}

// The bytes before `begin` are not a tag.
void Splitter::end_search(std::uint64_t begin, std::vector<Item> &items) {
  if (begin > item_begin_)
    items.push_back({.kind = Item::Kind::Skipped, .begin = item_begin_, .end = begin});
  item_begin_ = begin;
  candidates_.clear();
  next_check_ = kNever;
  state_ = State::Header;
}

} // namespace flv
