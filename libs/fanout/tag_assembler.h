// SPDX-License-Identifier: LGPL-2.1-or-later
// Splits an FLV stream that arrives in chunks into items, with each tag in contiguous memory.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "backlog.h"
#include "flv/stream/splice_splitter.h"

namespace fanout {

class TagAssembler {
public:
  // The next chunk starts after a file header that is not part of the stream.
  void start_after_header();

  // Takes a chunk; `owner` owns its bytes. The caller then calls next() for all items of the chunk,
  // and end(). Malformed: the stream is not FLV, and fault() has the reason.
  void begin(const std::shared_ptr<const void> &owner, Bytes bytes);
  [[nodiscard]] std::optional<flv::Item> next() {
    const flv::Item *item = splitter_.next(*this);
    return item ? std::optional(*item) : std::nullopt;
  }
  [[nodiscard]] flv::Status end();
  // The entry of the last item, which must be a tag. Corrects the PreviousTagSize.
  [[nodiscard]] Entry entry_of(const flv::Item &item) const;

  [[nodiscard]] const flv::Fault &fault() const { return splitter_.fault(); }

  // For SpliceSplitter.
  template <typename Function> void with_unread(std::uint64_t position, Function function) const {
    function(position < chunk_begin_ ? Bytes(kept_).subspan(position - kept_begin_)
                                     : chunk_.subspan(position - chunk_begin_));
  }
  template <typename Function>
  [[nodiscard]] auto with_bytes(std::uint64_t begin, std::uint64_t end, Function function) const {
    return function(bytes_of(begin, end));
  }
  void reread(std::uint64_t /*position*/) {} // the bytes are kept

private:
  [[nodiscard]] std::vector<std::uint8_t> bytes_of(std::uint64_t begin, std::uint64_t end) const;

  flv::SpliceSplitter splitter_;
  // The current chunk, and the bytes of earlier chunks that belong to an incomplete item.
  std::shared_ptr<const void> owner_;
  Bytes chunk_;
  std::uint64_t chunk_begin_ = 0;
  std::vector<std::uint8_t> kept_;
  std::uint64_t kept_begin_ = 0;
};

} // namespace fanout
