// SPDX-License-Identifier: LGPL-2.1-or-later
// Splits an FLV stream that arrives in chunks into items, with each tag in contiguous memory.
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
  // The next chunk starts after a file header that is not part of the stream.
  void start_after_header();

  // Takes a chunk; `owner` owns its bytes. The caller then calls next() for all items of the chunk,
  // and end(). Malformed: the stream is not FLV, and fault() has the reason.
  void begin(const std::shared_ptr<const void> &owner, Bytes bytes);
  [[nodiscard]] std::optional<flv::Item> next();
  [[nodiscard]] flv::Status end();
  // The entry of the last item, which must be a tag. Corrects the PreviousTagSize.
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
  flv::StreamIds ids_; // of the returned items: the splitter may have read past a splice
  // The current chunk, and the bytes of earlier chunks that belong to an incomplete item.
  std::shared_ptr<const void> owner_;
  Bytes chunk_;
  std::uint64_t chunk_begin_ = 0;
  std::vector<std::uint8_t> kept_;
  std::uint64_t kept_begin_ = 0;
};

} // namespace fanout
