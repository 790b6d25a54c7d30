// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tag_assembler.h"

#include <algorithm>

namespace fanout {

using flv::Item;

void TagAssembler::start_after_header() {
  splitter_.start_after_header();
  chunk_begin_ = splitter_.position();
  kept_begin_ = chunk_begin_;
  kept_.clear();
}

void TagAssembler::begin(const std::shared_ptr<const void> &owner, Bytes bytes) {
  owner_ = owner;
  chunk_ = bytes;
  chunk_begin_ = splitter_.position();
  splitter_.begin(bytes.size());
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
  return splitter_.is_malformed() ? flv::Status::Malformed : flv::Status::Ok;
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
