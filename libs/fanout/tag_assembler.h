// SPDX-License-Identifier: LGPL-2.1-or-later
// Cuts an FLV stream that arrives in chunks into items, and gives each tag as one piece.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "backlog.h"
#include "flv/stream/splice_search.h"
#include "flv/stream/splitter.h"

namespace fanout {

class TagAssembler {
public:
  // The next chunk continues behind a file header, which it does not contain.
  void start_behind_header();

  // Takes a chunk, which `owner` keeps. Behind this, next() gives the chunk's items, and end() must
  // follow. Malformed: it is no FLV, and fault() says why.
  void begin(const std::shared_ptr<const void> &owner, Bytes bytes);
  [[nodiscard]] std::optional<flv::Item> next();
  [[nodiscard]] flv::Status end();
  // Of the last item, a tag: an entry in one piece, with the right PreviousTagSize.
  [[nodiscard]] Entry entry_of(const flv::Item &item) const;

  [[nodiscard]] const flv::Fault &fault() const { return splitter_.fault(); }

private:
  [[nodiscard]] bool split_more();
  [[nodiscard]] std::optional<std::uint64_t> find_splice(const flv::Item &item);
  void split_again(std::uint64_t position);
  [[nodiscard]] std::vector<std::uint8_t> bytes_of(std::uint64_t begin, std::uint64_t end) const;

  flv::Splitter splitter_;
  flv::SpliceSearch splices_;
  std::vector<flv::Item> items_;
  std::size_t next_ = 0; // of items_
  flv::Status status_ = flv::Status::Ok;
  flv::StreamIds ids_; // of the items given so far: the splitter may know those behind a splice
  // The current chunk, and the bytes of earlier ones that are still needed.
  std::shared_ptr<const void> owner_;
  Bytes chunk_;
  std::uint64_t chunk_begin_ = 0;
  std::uint64_t received_ = 0; // the splitter has read up to here, and may have to go back
  std::vector<std::uint8_t> carry_;
  std::uint64_t carry_begin_ = 0;
};

} // namespace fanout
