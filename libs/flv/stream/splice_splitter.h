// SPDX-License-Identifier: LGPL-2.1-or-later
// Splits a stream into items, and splits a tag again if a splice cuts it off.
#pragma once

#include "splice_search.h"
#include "splitter.h"

namespace flv {

// The splitter, the search for splices, and the stream ids that both need. The items are those of
// the splitter, with one difference: a tag that contains a splice becomes Damage and Skipped, and
// the items from the splice on follow. The items do not depend on the sizes of the chunks.
//
// The caller keeps the bytes from keep_from() on in a `Store`:
//   with_unread(position, function)  calls `function` with the bytes from `position` on, which are
//                                    contiguous; they may end before the end of the input
//   with_bytes(begin, end, function) calls `function` with these bytes, and returns its result
//   reread(position)                 the next bytes to read are those from `position` on
class SpliceSplitter {
public:
  void set_max_data_size(std::uint32_t size) {
    max_data_size_ = size;
    splitter_.set_max_data_size(size);
  }
  void clear_stream_ids() { ids_.clear(); }
  // As Splitter::reset().
  void reset(Splitter::Start start, std::uint64_t position = 0);
  // The next byte follows a file header that is not part of the stream.
  void start_after_header();

  // The input continues with `size` bytes. The caller then calls next() until it returns nullptr.
  void begin(std::size_t size);
  // The next item; nullptr: the input has no more whole items, or is_malformed(). The item is valid
  // until the next call.
  template <typename Store> [[nodiscard]] const Item *next(Store &store);
  // Drops the items that next() has not returned.
  void drop_items() {
    items_.clear();
    next_ = 0;
  }
  // The input ends. Returns whether next() has more items: then the caller calls next() until it
  // returns nullptr, and calls finish() again.
  [[nodiscard]] bool finish();
  // The same, but the last tag is interrupted: it is not searched for a splice, and is Skipped.
  [[nodiscard]] bool finish_interrupted();

  [[nodiscard]] bool is_malformed() const { return status_ == Status::Malformed; }
  [[nodiscard]] const Fault &fault() const { return splitter_.fault(); }
  [[nodiscard]] std::uint64_t position() const { return splitter_.position(); }
  [[nodiscard]] std::uint64_t end() const { return end_; }
  [[nodiscard]] std::uint64_t keep_from() const { return splitter_.keep_from(); }

private:
  template <typename Store> [[nodiscard]] bool split_more(Store &store);
  template <typename Store>
  [[nodiscard]] std::optional<std::uint64_t> find_splice(const Item &item, Store &store);
  void split_again(const Item &cut, std::uint64_t splice);
  std::uint32_t max_data_size_ = kMaxDataSize;
  Splitter splitter_;
  SpliceSearch splices_;
  StreamIds ids_; // of the returned items: the splitter may have read past a splice
  std::vector<Item> items_;
  std::size_t next_ = 0;  // of items_
  std::uint64_t end_ = 0; // of the input
  Status status_ = Status::Ok;
};

template <typename Store> const Item *SpliceSplitter::next(Store &store) {
  for (;;) {
    while (next_ == items_.size()) {
      if (!split_more(store))
        return nullptr;
    }
    const Item &item = items_[next_++];
    if (item.kind == Item::Kind::Tag && !item.wrong_previous_size) {
      ids_.note(item.tag);
      return &item;
    }
    const auto splice = find_splice(item, store);
    if (!splice) {
      if (item.kind == Item::Kind::Tag)
        ids_.note(item.tag);
      else if (item.kind == Item::Kind::FileHeader)
        ids_.clear();
      return &item;
    }
    store.reread(*splice);
    split_again(item, *splice);
  }
}

// Stops after each tag with a wrong PreviousTagSize, so that next() can search the tag for a splice
// first. Returns false if all input is split.
template <typename Store> bool SpliceSplitter::split_more(Store &store) {
  drop_items();
  if (splitter_.position() >= end_ || status_ == Status::Malformed)
    return false;
  store.with_unread(splitter_.position(), [this](Bytes unread) {
    status_ = splitter_.feed_to_wrong_size(unread, items_);
  });
  splices_.note_read(splitter_.position());
  return true;
}

// The position of another publisher's file header within the bytes of a tag.
template <typename Store>
std::optional<std::uint64_t> SpliceSplitter::find_splice(const Item &item, Store &store) {
  if (item.kind != Item::Kind::Truncated &&
      (item.kind != Item::Kind::Tag || !item.wrong_previous_size))
    return std::nullopt;
  const std::optional<std::size_t> at = store.with_bytes(
      item.begin, item.end, [this](Bytes tag) { return splices_.find(tag, max_data_size_); });
  return at ? std::optional(item.begin + *at) : std::nullopt;
}

} // namespace flv
