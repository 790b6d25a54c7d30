// SPDX-License-Identifier: LGPL-2.1-or-later
#include "splice_splitter.h"

namespace flv {

void SpliceSplitter::reset(Splitter::Start start, std::uint64_t position) {
  splitter_.reset(start, position);
  drop_items();
  end_ = position;
  status_ = Status::Ok;
}

// The splitter needs a file header before the first tag. The stream may repeat the file header.
void SpliceSplitter::start_after_header() {
  reset(Splitter::Start::File);
  ids_.clear();
  (void)splitter_.feed(write_file_header({}), items_);
  drop_items();
  end_ = splitter_.position();
}

void SpliceSplitter::begin(std::size_t size) {
  splices_.restart(splitter_.position());
  end_ = splitter_.position() + size;
  drop_items();
}

bool SpliceSplitter::finish() {
  drop_items();
  status_ = splitter_.finish(items_);
  return !items_.empty();
}

bool SpliceSplitter::finish_interrupted() {
  const bool has_more = finish();
  for (Item &item : items_) {
    if (item.kind == Item::Kind::Truncated)
      item.kind = Item::Kind::Skipped;
  }
  return has_more;
}

// The bytes of `cut` before `splice` are not a whole tag.
void SpliceSplitter::split_again(const Item &cut, std::uint64_t splice) {
  const std::uint64_t begin = cut.begin;
  splitter_.reset(Splitter::Start::Middle, splice);
  splitter_.set_stream_ids(ids_);
  drop_items();
  const Fault fault{Fault::Kind::CutShort, static_cast<std::uint32_t>(splice - begin)};
  items_.push_back({.kind = Item::Kind::Damage, .begin = begin, .end = begin, .fault = fault});
  items_.push_back({.kind = Item::Kind::Skipped, .begin = begin, .end = splice});
}

} // namespace flv
