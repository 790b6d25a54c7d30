// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tag_assembler.h"

#include <algorithm>

namespace fanout {

using flv::Item;

// The splitter needs a file header before the first tag. The stream may repeat the file header.
void TagAssembler::start_after_header() {
  splitter_.reset(flv::Splitter::Start::File);
  ids_.clear();
  status_ = flv::Status::Ok;
  (void)splitter_.feed(flv::write_file_header({}), items_);
  items_.clear();
  chunk_begin_ = splitter_.position();
  kept_begin_ = chunk_begin_;
  kept_.clear();
}

void TagAssembler::begin(const std::shared_ptr<const void> &owner, Bytes bytes) {
  owner_ = owner;
  chunk_ = bytes;
  chunk_begin_ = splitter_.position();
  splices_.restart(chunk_begin_);
  items_.clear();
  next_ = 0;
}

std::optional<Item> TagAssembler::next() {
  while (next_ < items_.size() || split_more()) {
    if (items_.empty())
      continue;
    const Item item = items_[next_++];
    const auto splice = find_splice(item);
    if (!splice) {
      if (item.kind == Item::Kind::FileHeader)
        ids_.clear();
      else if (item.kind == Item::Kind::Tag)
        ids_.note(item.tag);
      return item;
    }
    split_again(*splice);
  }
  return std::nullopt;
}

// Stops after each tag with a wrong PreviousTagSize, so that next() can search the tag for a splice
// first. The result therefore does not depend on the chunks of the input. Returns false if all
// input is split.
bool TagAssembler::split_more() {
  const std::uint64_t position = splitter_.position();
  if (position == chunk_begin_ + chunk_.size() || status_ == flv::Status::Malformed)
    return false;
  Bytes unread = position < chunk_begin_ ? Bytes(kept_).subspan(position - kept_begin_)
                                         : chunk_.subspan(position - chunk_begin_);
  items_.clear();
  next_ = 0;
  status_ = splitter_.feed_to_wrong_size(unread, items_);
  splices_.note_read(splitter_.position());
  return true;
}

flv::Status TagAssembler::end() {
  const std::uint64_t keep = splitter_.keep_from();
  const std::uint64_t from_kept = std::min<std::uint64_t>(keep - kept_begin_, kept_.size());
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(from_kept));
  const std::uint64_t from_chunk = std::max(keep, chunk_begin_) - chunk_begin_;
  kept_.insert(kept_.end(), chunk_.begin() + static_cast<std::ptrdiff_t>(from_chunk), chunk_.end());
  kept_begin_ = keep;
  owner_.reset();
  chunk_ = {};
  return status_;
}

Entry TagAssembler::entry_of(const Item &item) const {
  Entry entry;
  entry.is_tag = true;
  if (item.begin >= chunk_begin_ && !item.wrong_previous_size) {
    entry.owner = owner_;
    entry.bytes = chunk_.subspan(item.begin - chunk_begin_, item.end - item.begin);
    return entry;
  }
  auto whole = std::make_shared<std::vector<std::uint8_t>>(
      bytes_of(item.begin, item.begin + item.tag.tag_size()));
  flv::Writer(*whole).u32(item.tag.tag_size());
  entry.bytes = *whole;
  entry.owner = std::move(whole);
  return entry;
}

// The position of another publisher's file header within the bytes of a tag.
std::optional<std::uint64_t> TagAssembler::find_splice(const Item &item) {
  if (item.kind != Item::Kind::Tag || !item.wrong_previous_size)
    return std::nullopt;
  const auto at = splices_.find(bytes_of(item.begin, item.end), flv::kMaxDataSize);
  return at ? std::optional(item.begin + *at) : std::nullopt;
}

// Drops the tag that ends at a splice: the next item starts at `position`.
void TagAssembler::split_again(std::uint64_t position) {
  splitter_.reset(flv::Splitter::Start::Middle, position);
  splitter_.set_stream_ids(ids_);
  items_.clear();
  next_ = 0;
}

std::vector<std::uint8_t> TagAssembler::bytes_of(std::uint64_t begin, std::uint64_t end) const {
  std::vector<std::uint8_t> bytes;
  flv::Writer writer(bytes);
  const std::uint64_t middle = std::clamp(chunk_begin_, begin, end);
  if (begin < middle)
    writer.bytes(Bytes(kept_).subspan(begin - kept_begin_, middle - begin));
  if (middle < end)
    writer.bytes(chunk_.subspan(middle - chunk_begin_, end - middle));
  return bytes;
}

} // namespace fanout
